//! unveil(2) and pledge(2) in one step, for helper and engine. README.md here says which promise
//! each process has, and what needs it.
//!
//! * In: paths with their permissions, and promises.
//! * Out: a confined process, or that this system cannot confine one.
//! * Never: go on half confined: every refusal of the kernel is an error.

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Whether the system has a sandbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "whoever runs without a sandbox has to say so"]
pub enum Sandbox {
    /// The process is confined from here on.
    Entered,
    /// Only OpenBSD has pledge(2) and unveil(2): nothing was done.
    Unavailable,
}

/// Has the standard library find out what the processor can, and remember it: to be called before
/// any pledge(2).
///
/// On arm64 it asks by sysctl(2) of registers that no promise allows (CPU_ID_AA64MMFR2 and
/// CPU_ID_AA64PFR0; pledge_sysctl() in kern_pledge.c allows two others), and does so when somebody
/// first wants to know: crc32fast for gzip, long after the pledge, which would be the end.
pub fn know_processor() {
    #[cfg(target_arch = "aarch64")]
    let _ = std::arch::is_aarch64_feature_detected!("crc");
}

/// Leaves the process nothing of the file system but `paths` with their permissions (letters of
/// unveil(2)), and no system calls but those of `promises`. With no path at all the file system
/// is left as it is, for a process whose promises give no access to it.
///
/// # Errors
/// When the kernel refuses: a directory of `paths` that does not exist, a promise that it does not
/// know. The process must not go on then.
pub fn enter(paths: &[(&Path, &str)], promises: &str) -> Result<Sandbox, String> {
    for (path, permissions) in paths {
        unveil::unveil(path.as_os_str().as_bytes(), permissions)
            .or_else(unveil::Error::ignore_platform)
            .map_err(|error| format!("unveil: {}: {error}", path.display()))?;
    }
    if !paths.is_empty() {
        unveil::unveil("", "")
            .or_else(unveil::Error::ignore_platform)
            .map_err(|error| format!("unveil: {error}"))?;
    }
    know_processor();
    match pledge::pledge(promises, None) {
        Ok(()) => Ok(Sandbox::Entered),
        Err(pledge::Error::UnsupportedPlatform) => Ok(Sandbox::Unavailable),
        Err(error) => Err(format!("pledge: {error}")),
    }
}
