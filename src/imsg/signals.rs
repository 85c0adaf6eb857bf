//! The signals of monitor and helper: noted as they come, looked at while nothing else is done.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{self, SaFlags, SigAction, SigHandler, SigSet, SigmaskHow, Signal};

static PENDING: AtomicU32 = AtomicU32::new(0);

const HEEDED: [Signal; 5] =
    [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM, Signal::SIGUSR1, Signal::SIGCHLD];

extern "C" fn note(number: libc::c_int) {
    PENDING.fetch_or(1 << number, Ordering::Relaxed);
}

/// Whether the signal has come since this was last asked.
pub fn take(signal: Signal) -> bool {
    let bit = 1 << signal as u32;
    PENDING.fetch_and(!bit, Ordering::Relaxed) & bit != 0
}

/// The signal that asks for the end, if one has ever come.
pub fn stop() -> Option<Signal> {
    let pending = PENDING.load(Ordering::Relaxed);
    [Signal::SIGTERM, Signal::SIGINT].into_iter().find(|signal| pending & 1 << *signal as u32 != 0)
}

/// Blocks the heeded signals for good; they are let in only while [`wait`] waits, so that none is
/// lost and none kills in the middle of something.
///
/// # Errors
/// Those of sigprocmask(2), which cannot occur.
pub fn block() -> io::Result<()> {
    let set: SigSet = HEEDED.into_iter().collect();
    Ok(signal::sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None)?)
}

/// Lets all signals in.
///
/// # Errors
/// Those of sigprocmask(2), which cannot occur.
pub(crate) fn unblock() -> nix::Result<()> {
    signal::sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
}

/// Installs the handlers, which only take note, for all heeded signals but those that are ignored.
/// Also ignores SIGXFSZ, in children too: a limit of file size is an error of write(2) then, like a
/// full disk, and not the end of the process.
///
/// # Errors
/// Those of sigaction(2), which cannot occur.
pub fn install(ignored: &[Signal]) -> io::Result<()> {
    let heeded = HEEDED.iter().filter(|signal| !ignored.contains(signal));
    set(heeded.copied(), SigHandler::Handler(note))?;
    set(ignored.iter().copied().chain([Signal::SIGXFSZ]), SigHandler::SigIgn)?;
    Ok(())
}

/// Signals of a child until it has handlers of its own: whoever sends one by the name of the program,
/// as rc.subr(8) does, must not kill it; SIGTERM does.
pub(crate) fn reset_for_child() -> nix::Result<()> {
    use Signal::{SIGCHLD, SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGUSR1};
    set([SIGHUP, SIGINT, SIGUSR1].into_iter(), SigHandler::SigIgn)?;
    set([SIGTERM, SIGCHLD, SIGPIPE].into_iter(), SigHandler::SigDfl)
}

fn set(signals: impl Iterator<Item = Signal>, handler: SigHandler) -> nix::Result<()> {
    let action = SigAction::new(handler, SaFlags::empty(), SigSet::empty());
    for one in signals {
        // SAFETY: our handler does one atomic operation and nothing else; the others run no code.
        unsafe { signal::sigaction(one, &action) }?;
    }
    Ok(())
}

/// What [`wait`] watches a descriptor for and finds.
pub type PollFd = libc::pollfd;

/// A descriptor to watch for input, for room to write, or for both; that the other side is gone is
/// found in any case.
pub fn watch(fd: &impl AsRawFd, read: bool, write: bool) -> PollFd {
    let events = if read { libc::POLLIN } else { 0 } | if write { libc::POLLOUT } else { 0 };
    PollFd { fd: fd.as_raw_fd(), events, revents: 0 }
}

/// Waits until a descriptor is ready, a heeded signal comes, or the time is over. No signal comes
/// anywhere else.
///
/// # Errors
/// Those of ppoll(2) other than EINTR.
pub fn wait(fds: &mut [PollFd], timeout: Option<Duration>) -> io::Result<()> {
    match ppoll(fds, timeout) {
        // Linux lets no signal in where a descriptor is ready, which one that floods us always is
        Ok(1..) => _ = ppoll(&mut [], Some(Duration::ZERO)),
        Ok(_) => {}
        Err(Errno::EINTR) => fds.iter_mut().for_each(|fd| fd.revents = 0),
        Err(errno) => return Err(errno.into()),
    }
    Ok(())
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
