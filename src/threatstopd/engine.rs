//! The engine's process: where its program is, how it ends.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use imsg::process::{self, Caught};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill as signal};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::Failure;

/// How long the engine may take to leave once its socket is closed.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often that is looked at, should its SIGCHLD have come before.
const LOOK: Duration = Duration::from_millis(100);

/// The engine's program: beside this one, or in the libexec directory next to its own.
///
/// # Errors
/// When there is none, or when somebody else than root could have put it there and this is root.
pub fn program(own: &Path, privileged: bool) -> Result<PathBuf, Failure> {
    let name = "threatstopd-engine";
    let places = [own.with_file_name(name), own.with_file_name("../libexec").join(name)];
    // without the ".."; daemon(3) changes no absolute path
    let mut found = places.iter().filter_map(|path| fs::canonicalize(path).ok());
    let path = found.find(|path| path.is_file()).ok_or_else(|| {
        format!("{}: no {name} there or in ../libexec; reinstall the package", own.display())
    })?;
    let meta = fs::metadata(&path)?;
    if privileged && (meta.uid() != 0 || meta.mode() & 0o022 != 0) {
        let path = path.display();
        let why = "must be writable by root only: chown root; chmod go-w";
        return Err(format!("{path}: {why} {path}").into());
    }
    Ok(path)
}

/// Whether the engine has ended, which is logged unless it left in order.
pub fn reap(child: Pid) -> bool {
    match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::Exited(_, 0)) => true,
        Ok(WaitStatus::Exited(_, status)) => {
            logger::warn(format_args!("engine terminated; status {status}"));
            true
        }
        Ok(WaitStatus::Signaled(_, signal, _)) => {
            logger::warn(format_args!("engine terminated; signal {}", signal as i32));
            true
        }
        // EINTR cannot occur with WNOHANG; ECHILD says that it is gone
        Err(errno) => errno == Errno::ECHILD,
        Ok(_) => false,
    }
}

/// Waits for an engine whose socket was closed; `false` when it is still there afterwards.
///
/// kill(2) would violate the pledge: what does not leave is left to the next image.
pub fn await_end(child: Pid) -> (bool, Caught) {
    let end = Instant::now() + PATIENCE;
    let mut caught = Caught::default();
    while !reap(child) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return (false, caught);
        }
        if let Ok(more) = process::wait(&mut [], Some(left.min(LOOK))) {
            caught = caught.and(more);
        }
    }
    (true, caught)
}

/// Kills and reaps an engine that the image before this one left. Called before the pledge.
pub fn kill(child: Pid) {
    // Only a child of ours may be killed: the number has come a long way.
    match waitpid(child, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) => {
            logger::warn("engine did not leave; killed");
            if signal(child, Signal::SIGKILL).is_ok() {
                while waitpid(child, None) == Err(Errno::EINTR) {}
            }
        }
        _ => logger::debug("engine left in the meantime"),
    }
}
