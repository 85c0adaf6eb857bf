//! Starting the engine, and the signals of the helper.
//!
//! These few lines stand here because they need `unsafe`, which the helper itself does without.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{self, SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal};
use nix::unistd::Pid;

/// The descriptor on which the engine finds its socket.
pub const ENGINE_FD: RawFd = 3;

/// Starts `program` with `socket` as its descriptor 3 and an empty environment but for `vars`.
/// The signal mask of the child is empty and its dispositions are the default: std sees to both.
///
/// # Errors
/// Those of fork(2) and execve(2), which std hands back over a pipe.
pub fn spawn(
    program: &Path,
    socket: &OwnedFd,
    vars: impl Iterator<Item = (OsString, OsString)>,
) -> io::Result<Pid> {
    let from = socket.as_raw_fd();
    let mut command = Command::new(program);
    command.env_clear().envs(vars);
    // SAFETY: between fork and exec only dup2(2) and fcntl(2) are called, both async-signal-safe,
    // on a descriptor that stays open in the parent for the whole call.
    unsafe {
        command.pre_exec(move || {
            // dup2 onto itself would leave close-on-exec set
            let result = if from == ENGINE_FD {
                libc::fcntl(from, libc::F_SETFD, 0)
            } else {
                libc::dup2(from, ENGINE_FD)
            };
            if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
        });
    }
    command.spawn().map(|child| Pid::from_raw(child.id().cast_signed()))
}

/// Takes the socket that [`spawn`] left at descriptor 3.
///
/// # Errors
/// When descriptor 3 is not open: the engine was not started by the helper.
pub fn engine_socket() -> io::Result<OwnedFd> {
    use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
    use std::os::fd::FromRawFd as _;
    // SAFETY: only looked at; that it is open is what the call finds out.
    let borrowed = unsafe { BorrowedFd::borrow_raw(ENGINE_FD) };
    fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    fcntl(borrowed, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    // SAFETY: it is open, and at the start of the program nothing else has claimed it.
    Ok(unsafe { OwnedFd::from_raw_fd(ENGINE_FD) })
}

/// Takes a descriptor that the image before this one left open across execve(2), and closes it on
/// the next one.
///
/// # Errors
/// When it is not open, or is one of the first three.
pub fn inherited_fd(raw: RawFd) -> io::Result<OwnedFd> {
    use nix::fcntl::{FcntlArg, FdFlag, fcntl};
    use std::os::fd::FromRawFd as _;
    if raw <= libc::STDERR_FILENO {
        return Err(Errno::EBADF.into());
    }
    // SAFETY: only looked at; that it is open is what the call finds out.
    let borrowed = unsafe { BorrowedFd::borrow_raw(raw) };
    fcntl(borrowed, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    // SAFETY: it is open, and its number was handed over for this process alone to take.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// A set of the signals that the helper heeds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Caught(u32);

static PENDING: AtomicU32 = AtomicU32::new(0);

const HEEDED: [Signal; 5] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGCHLD];

extern "C" fn note(number: libc::c_int) {
    PENDING.fetch_or(1 << number, Ordering::Relaxed);
}

impl Caught {
    /// Whether the signal came.
    pub fn has(self, signal: Signal) -> bool {
        self.0 & 1 << signal as u32 != 0
    }

    /// Those of either set.
    pub fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Blocks the heeded signals for good; they are let in only while [`wait`] waits. The mask
/// survives execve(2), so that none is lost and none kills while a new image starts.
///
/// # Errors
/// Those of sigprocmask(2), which cannot occur.
pub fn block_signals() -> io::Result<()> {
    let set: SigSet = HEEDED.into_iter().collect();
    Ok(signal::sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None)?)
}

/// Installs the handlers, which only take note, and ignores SIGXFSZ, in the engine too: a limit of
/// file size is an error of write(2) then, like a full disk, and not the end of the process.
///
/// # Errors
/// Those of sigaction(2), which cannot occur.
pub fn install_handlers() -> io::Result<()> {
    let action = SigAction::new(SigHandler::Handler(note), SaFlags::empty(), SigSet::empty());
    for signal in HEEDED {
        // SAFETY: the handler does one atomic operation and nothing else.
        unsafe { signal::sigaction(signal, &action) }?;
    }
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: there is no handler that could run.
    unsafe { signal::sigaction(Signal::SIGXFSZ, &ignore) }?;
    Ok(())
}

/// What [`wait`] watches a descriptor for and finds.
pub type PollFd = libc::pollfd;

/// A descriptor to watch for input, for room to write, or for both.
pub fn watch(fd: &impl AsRawFd, read: bool, write: bool) -> PollFd {
    let events = if read { libc::POLLIN } else { 0 } | if write { libc::POLLOUT } else { 0 };
    PollFd { fd: fd.as_raw_fd(), events, revents: 0 }
}

/// Waits until a descriptor is ready, a heeded signal comes, or the time is over, and hands out
/// the signals that came since the last call.
///
/// # Errors
/// Those of ppoll(2) other than EINTR.
pub fn wait(fds: &mut [PollFd], timeout: Option<Duration>) -> io::Result<Caught> {
    match ppoll(fds, timeout) {
        // Linux lets no signal in where a descriptor is ready, which one that floods us always is
        Ok(1..) => _ = ppoll(&mut [], Some(Duration::ZERO)),
        Ok(_) => {}
        Err(Errno::EINTR) => fds.iter_mut().for_each(|fd| fd.revents = 0),
        Err(errno) => return Err(errno.into()),
    }
    Ok(Caught(PENDING.swap(0, Ordering::Relaxed)))
}

fn ppoll(fds: &mut [PollFd], timeout: Option<Duration>) -> nix::Result<i32> {
    let time = timeout.map(|duration| libc::timespec {
        tv_sec: duration.as_secs() as libc::time_t,
        tv_nsec: duration.subsec_nanos() as libc::c_long,
    });
    let time = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    let none = SigSet::empty();
    // SAFETY: `fds` is a slice of initialised structures of the length given; time and mask are
    // valid for the call or null.
    Errno::result(unsafe {
        libc::ppoll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, time, none.as_ref())
    })
}

/// Ends the process at once: no destructor runs, no thread is waited for.
pub fn leave(status: i32) -> ! {
    // SAFETY: _exit(2) has no conditions.
    unsafe { libc::_exit(status) }
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

/// What ps(1) shows of this process after its name; on OpenBSD alone.
#[cfg(target_os = "openbsd")]
pub fn set_title(title: &std::ffi::CStr) {
    // SAFETY: the format takes one string, which is one.
    unsafe { libc::setproctitle(c"%s".as_ptr(), title.as_ptr()) }
}
