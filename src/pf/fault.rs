//! Fault points, in tests alone: each step that can fail announces itself, so that a test can make it fail.

/// With the feature `fault-points`, `THREATSTOPD_FAULT=WHAT NAME:ERRNO` makes the step WHAT on NAME
/// fail, for example `fsync .ThreatSTOP-Block.pftable.tmp:28`; `:kill` ends the process there. There
/// may be several, with commas between.
pub fn at(what: &str, name: &str) -> nix::Result<()> {
    #[cfg(any(test, feature = "fault-points"))]
    for fault in std::env::var("THREATSTOPD_FAULT").unwrap_or_default().split(',') {
        if let Some((step, errno)) = fault.rsplit_once(':')
            && step == format!("{what} {name}")
        {
            let errno = errno.parse().unwrap_or_else(|_| std::process::abort());
            return Err(nix::errno::Errno::from_raw(errno));
        }
    }
    let _ = (what, name);
    Ok(())
}

#[cfg(all(feature = "fault-points", not(debug_assertions)))]
compile_error!("fault points belong into no release build");
