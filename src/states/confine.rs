//! What the process gives up, for good: names, files, other programs and its identity.

use nix::errno::Errno;
use nix::libc::{S_IFMT, S_IFREG};
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::stat::fstat;
use nix::unistd::{User, chdir, chroot, setgroups, setresgid, setresuid};

/// The directory in which nothing is, and nobody but root may make anything: hier(7).
pub const EMPTY: &str = "/var/empty";
/// stdin, stdout and stderr, whose place stdin can still take: dup2(2) goes to no number from this on.
/// /dev/pf, the way from the helper and the pipe to the monitor are open before and stay so. There is no
/// number below this that is free: nothing can be opened any more.
const DESCRIPTORS: rlim_t = 3;
/// Octets that a pass needs for a state: itself, in a room that is twice as large, its four addresses
/// while they are sorted, and what the tables say of each.
const OF_A_STATE: rlim_t = 1280;
/// Octets of memory that the process has besides.
const REST: rlim_t = 64 << 20;

/// Leaves the process nothing but what is open, the memory for so many states, the user, and of the
/// file system an empty directory.
///
/// # Errors
/// When a step fails; the process must not go on then.
pub fn confine(empty: &str, user: &User, states: usize) -> Result<(), String> {
    let step = |what: &'static str| move |errno: Errno| format!("{what}: {}", errno.desc());
    chroot(empty).map_err(|errno| format!("{empty}: {}", errno.desc()))?;
    chdir("/").map_err(step("chdir"))?;
    veil()?;
    // The log of `threatstopd -d` may be a file. It is the only one that is open, and no other can be.
    let is_file = fstat(std::io::stderr()).is_ok_and(|stat| stat.st_mode & S_IFMT == S_IFREG);
    let size = if is_file { RLIM_INFINITY } else { 0 };
    let memory = (states as rlim_t).saturating_mul(OF_A_STATE).saturating_add(REST);
    for (resource, most) in [
        (Resource::RLIMIT_CORE, 0),
        (Resource::RLIMIT_FSIZE, size),
        (Resource::RLIMIT_NOFILE, DESCRIPTORS),
        (Resource::RLIMIT_NPROC, 1),
        (Resource::RLIMIT_DATA, memory),
    ] {
        let (_, hard) = getrlimit(resource).map_err(step("getrlimit"))?;
        let most = most.min(hard);
        setrlimit(resource, most, most).map_err(step("setrlimit"))?;
    }
    setgroups(&[user.gid]).map_err(step("setgroups"))?;
    setresgid(user.gid, user.gid, user.gid).map_err(step("setresgid"))?;
    setresuid(user.uid, user.uid, user.uid).map_err(step("setresuid"))
}

/// Takes away what of the file system a chroot(2) leaves.
fn veil() -> Result<(), String> {
    for (path, permissions) in [("/", ""), ("", "")] {
        unveil::unveil(path, permissions)
            .or_else(unveil::Error::ignore_platform)
            .map_err(|error| format!("unveil: {error}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
