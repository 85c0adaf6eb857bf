//! How the processes begin and end: fork(2), execve(2), and what goes over them.
//!
//! These few lines stand here because they need `unsafe`, which the programs themselves do without.

use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::unistd::{Pid, execve};

use crate::signals;

/// The first descriptor behind stdin, stdout and stderr.
const FIRST: RawFd = 3;
/// How many descriptors a child finds from there on.
const COUNT: usize = 5;
/// Where they wait on their way, above every number that they go to.
const ASIDE: RawFd = 16;

/// What the monitor gives a child besides its argument vector and standard descriptors.
#[derive(Debug)]
pub struct Inherited<T = OwnedFd> {
    /// The way to the other child.
    pub peer: T,
    /// What the monitor says: the text of the configuration, and a NUL. To the engine then notes: an
    /// octet that says of what (a file that does not load, one that was taken back, an update that is
    /// due now), a text, a NUL. Its end is that of the monitor, or has the helper leave.
    pub told: T,
    /// Where an octet from time to time says that the child lives; the first, that it is ready.
    pub alive: T,
    /// Where it leaves why it ended, for the engine after it; nobody else reads that.
    pub words: T,
    /// What helper and engine before it left there.
    pub before: T,
}

/// How a process ends: the exit status is all that the monitor learns from it, and what it acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In order: the monitor asked for it, or the other child is gone.
    Left = 0,
    /// It could not begin, or found an error in itself; it has logged why.
    Fault = 1,
    /// What the helper read at its start is old: to be started anew.
    Renew = 2,
    /// The configuration is to be read again.
    Reload = 3,
    /// The other child hangs, or does what it may not; it has logged what.
    Peer = 4,
    /// As `Left`, of a helper that has published a set, or found it published.
    Served = 5,
}

impl End {
    /// Ends the process at once: no destructor runs, no thread is waited for, no connection lingers
    /// on this side of execve(2).
    pub fn leave(self) -> ! {
        // SAFETY: _exit(2) has no conditions.
        unsafe { libc::_exit(self as i32) }
    }

    /// The end that an exit status stands for, if it is one of these.
    pub fn of(status: i32) -> Option<Self> {
        use End::{Fault, Left, Peer, Reload, Renew, Served};
        let all = [Left, Fault, Renew, Reload, Peer, Served];
        all.into_iter().find(|end| *end as i32 == status)
    }
}

/// Whether the descriptors of the beginning were closed or taken.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Closes all that the process was started with behind stderr. To be called once, first of all; later
/// calls do nothing, for what is open by then belongs to somebody.
pub fn close_inherited() {
    if !BEGUN.swap(true, Ordering::Relaxed) {
        // SAFETY: nothing of this program has run yet that could own one of them.
        unsafe { close_from(FIRST) };
    }
}

/// Takes what [`spawn`] gave, which closes on execve(2) from now on. To be called once, first of all.
///
/// # Errors
/// When it was called before, or not everything is there and nothing besides: the monitor has not
/// started this process.
pub fn inherited() -> io::Result<Inherited> {
    let end = FIRST + COUNT as RawFd;
    // The lowest number that is free tells that all below are taken, and that nobody has opened
    // anything else since the start, which would have got a number of theirs, or this one.
    let is_next = std::fs::File::open("/dev/null")?.as_raw_fd() == end;
    if BEGUN.swap(true, Ordering::Relaxed) || !is_next {
        return Err(Errno::EBADF.into());
    }
    let take = |raw: RawFd| {
        // SAFETY: it is open, as was just seen, it came over execve(2), and this is the only time
        // that somebody takes it.
        let fd = unsafe { OwnedFd::from_raw_fd(raw) };
        fcntl(&fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).map(|_| fd)
    };
    Ok(Inherited {
        peer: take(FIRST)?,
        told: take(FIRST + 1)?,
        alive: take(FIRST + 2)?,
        words: take(FIRST + 3)?,
        before: take(FIRST + 4)?,
    })
}

/// # Safety
/// Nobody uses a descriptor from `first` on any more.
unsafe fn close_from(first: RawFd) {
    #[cfg(target_os = "linux")]
    // SAFETY: as the caller promises; close_range(2) touches no memory.
    unsafe {
        libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, 0)
    };
    #[cfg(not(target_os = "linux"))]
    // SAFETY: as the caller promises.
    unsafe {
        libc::closefrom(first)
    };
}

/// Divides the process in two: the id of the child to the parent, `None` to the child. For a process
/// of one thread, of which nothing is missing in the child.
///
/// # Errors
/// Those of fork(2).
pub fn fork() -> nix::Result<Option<Pid>> {
    // SAFETY: there is one thread, so that no lock is left behind that another one held.
    let child = Errno::result(unsafe { libc::fork() })?;
    Ok((child != 0).then(|| Pid::from_raw(child)))
}

/// Starts `program` with these arguments behind its own name, an environment, the descriptors of
/// `give`, and those of stdin, stdout and stderr of this process; nothing else is open in it. The
/// signals, which have to be blocked here, are open again there, with the default action or ignored.
/// `failed` is told in the child what keeps it from the execution.
///
/// # Errors
/// Those of fork(2); EINVAL for a word with a NUL.
pub fn spawn(
    program: &Path,
    arguments: &[OsString],
    environment: &[OsString],
    give: &Inherited<BorrowedFd<'_>>,
    failed: impl FnOnce(Errno),
) -> nix::Result<Pid> {
    let program = OsString::from(program);
    let word = |word: &OsString| CString::new(word.as_bytes()).map_err(|_| Errno::EINVAL);
    let words = |words: &[OsString]| words.iter().map(word).collect::<nix::Result<Vec<_>>>();
    let arguments = words(&[&[program], arguments].concat())?;
    let environment = words(environment)?;
    if let Some(child) = fork()? {
        return Ok(child);
    }
    let done = become_child(give).and_then(|()| execve(&arguments[0], &arguments, &environment));
    let Err(errno) = done;
    failed(errno);
    End::Fault.leave()
}

fn become_child(give: &Inherited<BorrowedFd<'_>>) -> nix::Result<()> {
    signals::reset_for_child()?;
    let Inherited { peer, told, alive, words, before } = give;
    // first out of the way: one may have the number that another one goes to
    let mut aside = [0; COUNT];
    for (to, from) in aside.iter_mut().zip([peer, told, alive, words, before]) {
        *to = fcntl(from, FcntlArg::F_DUPFD_CLOEXEC(ASIDE))?;
    }
    for (from, to) in aside.into_iter().zip(FIRST..) {
        // SAFETY: whoever owned the number in the parent does not run here any more.
        Errno::result(unsafe { libc::dup2(from, to) })?;
    }
    // SAFETY: likewise; from here on there is execve(2), or the end.
    unsafe { close_from(FIRST + COUNT as RawFd) };
    signals::unblock()
}

/// Seconds east of Greenwich at a time, by the local time zone; 0 when that is unknown.
///
/// The first call reads the zone's file, which unveil(2) may hide later.
pub fn local_offset(epoch: u64) -> i32 {
    let Ok(time) = libc::time_t::try_from(epoch) else { return 0 };
    let mut broken_down = std::mem::MaybeUninit::<libc::tm>::zeroed();
    // SAFETY: both pointers are valid for the call; localtime_r fills the structure or answers
    // null, and a zeroed `tm` is a valid one either way.
    unsafe {
        libc::localtime_r(&raw const time, broken_down.as_mut_ptr());
        broken_down.assume_init().tm_gmtoff as i32
    }
}

/// What ps(1) shows of this process behind its name; on OpenBSD alone.
pub fn set_title(title: &std::ffi::CStr) {
    #[cfg(target_os = "openbsd")]
    // SAFETY: the format takes one string, which is one.
    unsafe {
        libc::setproctitle(c"%s".as_ptr(), title.as_ptr());
    }
    let _ = title;
}
