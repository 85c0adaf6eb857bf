//! The log of monitor, helper and engine: syslog(3), facility daemon, or stderr with `-d`. Until the
//! start of a process is over it goes to both, so that whoever started it learns why it failed.
//!
//! syslog(3) of OpenBSD uses sendsyslog(2), which every pledge allows and which needs no socket.
//! A message is one line in lower case without a full stop: `what: why`.
//!
//! * In: a message and how grave it is.
//! * Out: a line in syslog(3), on stderr, or both.
//! * Never: fail, panic, or write a control character that was in a message.

use std::fmt::Display;
#[cfg(not(feature = "captured"))]
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::syslog::{Facility, LogFlags, Priority, Severity, openlog, syslog};
use nix::unistd::dup2_stderr;

static STDERR: AtomicBool = AtomicBool::new(true);
static SYSLOG: AtomicBool = AtomicBool::new(false);
static VERBOSE: AtomicBool = AtomicBool::new(false);
static PROGRAM: OnceLock<&str> = OnceLock::new();

/// Says whose messages these are: on stderr the name stands before each. The first call counts.
pub fn set_program(name: &'static str) {
    PROGRAM.get_or_init(|| name);
}

/// Has messages go to stderr, as before the first call, and unless in the foreground to syslog too.
pub fn init(foreground: bool, verbose: bool) {
    SYSLOG.store(!foreground, Ordering::Relaxed);
    set_verbose(verbose);
    if !foreground {
        // Without a name libc uses the program's own, which is what a reader of the log expects.
        // A name would have to outlive the call; nix hands out a copy that does not on the BSDs.
        let flags = LogFlags::LOG_PID | LogFlags::LOG_NDELAY;
        #[cfg(target_os = "linux")]
        let opened = openlog(None, flags, Facility::LOG_DAEMON);
        #[cfg(not(target_os = "linux"))]
        let opened = openlog::<str>(None, flags, Facility::LOG_DAEMON);
        if let Err(errno) = opened {
            stderr(&format_args!("openlog: {}", errno.desc()));
        }
    }
}

/// The start is over: unless in the foreground, stderr is left to whoever it belongs to, and messages
/// go to syslog alone. Stdin, which is /dev/null by then, takes its place.
pub fn settle() {
    if SYSLOG.load(Ordering::Relaxed) {
        STDERR.store(false, Ordering::Relaxed);
        // else it stays open, and nothing is written to it
        let _ = dup2_stderr(std::io::stdin());
    }
}

/// Whether debug messages are logged too.
pub fn set_verbose(verbose: bool) {
    VERBOSE.store(verbose, Ordering::Relaxed);
}

/// Whether debug messages are logged.
pub fn verbose() -> bool {
    VERBOSE.load(Ordering::Relaxed)
}

/// Something that nobody may overlook: nothing is blocked, the policy is old.
pub fn crit(message: impl Display) {
    log(Severity::LOG_CRIT, &message);
}

/// Something that failed.
pub fn err(message: impl Display) {
    log(Severity::LOG_ERR, &message);
}

/// Something that an administrator should look at.
pub fn warn(message: impl Display) {
    log(Severity::LOG_WARNING, &message);
}

/// Something that happened as it should.
pub fn info(message: impl Display) {
    log(Severity::LOG_INFO, &message);
}

/// Something that only helps to find a fault.
pub fn debug(message: impl Display) {
    if verbose() {
        log(Severity::LOG_DEBUG, &message);
    }
}

fn log(severity: Severity, message: &dyn Display) {
    if STDERR.load(Ordering::Relaxed) {
        stderr(message);
    }
    if SYSLOG.load(Ordering::Relaxed) {
        let line = printable(&message.to_string());
        // What cannot be logged cannot be complained about either.
        let _ = syslog(Priority::new(severity, Facility::LOG_DAEMON), line.as_str());
    }
}

fn stderr(message: &dyn Display) {
    let line = line(PROGRAM.get().copied(), message);
    #[cfg(feature = "captured")]
    eprintln!("{line}");
    // this one does not panic when nobody reads it any more
    #[cfg(not(feature = "captured"))]
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A message as stderr has it, which helper and engine share.
fn line(program: Option<&str>, message: &dyn Display) -> String {
    let line = printable(&message.to_string());
    program.map_or(line.clone(), |program| format!("{program}: {line}"))
}

/// One line of text whatever was in it: a message may quote what came from the network.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests;
