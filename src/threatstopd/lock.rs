//! Locks: a file that root alone can open, and flock(2) on it. A directory, or a file that others can
//! open, would be locked by any of them for as long as he likes.

use std::fs::File;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag};
use nix::libc::{EISDIR, ELOOP};
use nix::unistd::Uid;

use crate::failure::{Failure, On as _};

/// Locks the file `path`, which is made where there is none and never removed, as long as the result is
/// open in this process or one that came of it by fork(2). Another one that has the lock is given
/// `patience` to leave.
///
/// # Errors
/// `taken` when it does not; or why there can be no lock, and the way out.
#[expect(deprecated, reason = "nix's guard unlocks when dropped, for which a pledge has no right")]
pub fn lock(path: &Path, patience: Duration, taken: &str) -> Result<OwnedFd, Failure> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW;
    let mut options = File::options();
    options.read(true).write(true).create(true).mode(0o600).custom_flags(flags.bits());
    let opened = options.open(path).and_then(|file| Ok((file.metadata()?, file)));
    let owners = [0, Uid::effective().as_raw()];
    let refused = match &opened {
        Ok((meta, _)) if !meta.is_file() => true,
        Ok((meta, _)) => meta.mode() & 0o077 != 0 || !owners.contains(&meta.uid()),
        // a directory, or a link
        Err(error) => [EISDIR, ELOOP].map(Some).contains(&error.raw_os_error()),
    };
    if refused {
        let why = "not a file that root alone can open; remove it";
        return Err(format!("{}: {why}", path.display()).into());
    }
    let (_, file) = opened.on(path.display())?;
    let end = Instant::now() + patience;
    while let Err(errno) = nix::fcntl::flock(file.as_raw_fd(), FlockArg::LockExclusiveNonblock) {
        match errno {
            Errno::EWOULDBLOCK if Instant::now() < end => thread::sleep(Duration::from_millis(50)),
            Errno::EWOULDBLOCK => return Err(taken.into()),
            errno => return Err(errno).on(path.display()),
        }
    }
    Ok(file.into())
}

/// A path with something behind it.
pub fn suffixed(path: &Path, suffix: &str) -> PathBuf {
    [path.as_os_str(), suffix.as_ref()].join("".as_ref()).into()
}

#[cfg(test)]
mod tests;
