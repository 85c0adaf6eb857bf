//! Locks: a file that root alone can open, and flock(2) on it. A directory, or a file that others can
//! open, would be locked by any of them for as long as he likes.

use std::fs::File;
use std::os::fd::{AsFd, AsRawFd as _, OwnedFd};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{FlockArg, OFlag, openat};
use nix::libc::{S_IFMT, S_IFREG};
use nix::sys::stat::{Mode, fstat};
use nix::unistd::Uid;

use crate::Failure;

/// Locks the file `NAME.lock` beside `path`, in a directory that is there; the rest as [`lock`].
///
/// # Errors
/// Those of [`lock`].
pub fn beside(path: &Path, patience: Duration, taken: &str) -> Result<OwnedFd, Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let directory = path.parent().unwrap_or(Path::new("/"));
    let opened = File::open(directory).map_err(|error| {
        let why = Errno::try_from(error).map_or("cannot be opened", Errno::desc);
        format!("{}: {why}", path.display())
    })?;
    lock(&opened, Path::new(&name), patience, taken)
}

/// Locks the file `path` of the open `directory`, which is made where there is none and never removed,
/// as long as the result is open in this process or one that came of it by fork(2). Another one that
/// has the lock is given `patience` to leave.
///
/// # Errors
/// `taken` when it does not; or why there can be no lock, and the way out.
#[expect(deprecated, reason = "nix's guard unlocks when dropped, for which a pledge has no right")]
pub fn lock(
    directory: &impl AsFd,
    path: &Path,
    patience: Duration,
    taken: &str,
) -> Result<OwnedFd, Failure> {
    let no = |errno: Errno| format!("{}: {}", path.display(), errno.desc());
    let flags = OFlag::O_RDWR | OFlag::O_CREAT | OFlag::O_NONBLOCK;
    let flags = flags | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let name = path.file_name().unwrap_or_default();
    let refused = || format!("{}: not a file that root alone can open; remove it", path.display());
    let fd = match openat(directory, name, flags, Mode::S_IRUSR | Mode::S_IWUSR) {
        Err(Errno::EISDIR | Errno::ELOOP) => return Err(refused().into()),
        opened => opened.map_err(no)?,
    };
    let stat = fstat(&fd).map_err(no)?;
    let ours = [0, Uid::effective().as_raw()].contains(&stat.st_uid) && stat.st_mode & 0o077 == 0;
    if !ours || stat.st_mode & S_IFMT != S_IFREG {
        return Err(refused().into());
    }
    let end = Instant::now() + patience;
    loop {
        match nix::fcntl::flock(fd.as_raw_fd(), FlockArg::LockExclusiveNonblock) {
            Ok(()) => return Ok(fd),
            Err(Errno::EWOULDBLOCK) if Instant::now() < end => {
                thread::sleep(Duration::from_millis(50));
            }
            Err(Errno::EWOULDBLOCK) => return Err(taken.into()),
            Err(errno) => return Err(no(errno).into()),
        }
    }
}

#[cfg(test)]
mod tests;
