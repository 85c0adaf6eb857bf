//! The helper: opens what needs root, closes the sandbox, and then does for the engine what messages
//! may ask for, until the engine goes or the monitor says so.
//!
//! * In: the configuration from the monitor; messages from the engine.
//! * Out: answers and descriptors for the engine; by way of [`crate::dispatch`] tables and their
//!   files.
//! * Never: open anything by a name from the engine, wait for the engine, or serve it after its
//!   first offence.

pub mod start;

use std::ffi::OsString;
use std::mem::take;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use imsg::process::{self, Inherited};
use imsg::{End, Input, OTHER_VERSION, Output, SHORTAGE, VERSION, signals};
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::write;

use crate::failure::Failure;
use crate::flags::Flags;
use start::Started;

/// How often the monitor hears that we live.
const ALIVE: Duration = Duration::from_secs(15);

/// The process of the helper, by the argument vector that the monitor gave it.
pub fn main(args: Vec<OsString>) -> ! {
    logger::set_program("threatstopd");
    let inherited = process::inherited();
    // behind the version and two figures for the engine
    let flags = Flags::parse(args.iter().take(1).chain(args.iter().skip(5)).cloned());
    let is = |flag: fn(&Flags) -> bool| flags.as_ref().is_some_and(flag);
    logger::init(is(|flags| flags.debug), is(|flags| flags.verbose));
    let Ok(Inherited { peer, told, alive, words, before: nudge }) = inherited else {
        logger::crit("helper: threatstopd starts it; it is not to be started by hand");
        End::Fault.leave()
    };
    let started = match flags.filter(|_| args.get(2) == Some(&VERSION.to_string().into())) {
        Some(flags) => start::start(&flags, peer, &told),
        None => Err(format!("helper: {OTHER_VERSION}").into()),
    };
    let end = match started {
        Ok(started) => serve(started, &told, &alive, &nudge).unwrap_or_else(|offence| {
            logger::err(format_args!("engine dropped: {offence}"));
            End::Peer
        }),
        Err(failure) => {
            logger::crit(&failure);
            // the engine may have filled that, and taken O_NONBLOCK off it
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            let _ = send(words.as_raw_fd(), format!("{failure}; ").as_bytes(), flags);
            End::Fault
        }
    };
    end.leave()
}

/// Serves until the end. `nudge` leads to what ends states, if that is there.
///
/// # Errors
/// Why the engine is dropped.
fn serve(
    (mut dispatcher, mut channel, _locks): Started,
    told: &OwnedFd,
    alive: &OwnedFd,
    nudge: &OwnedFd,
) -> Result<End, Failure> {
    let (mut due, mut output) = (Instant::now(), Some(Output::Full));
    logger::settle();
    loop {
        if Instant::now() >= due {
            // full when the monitor sleeps, and gone with it
            let _ = write(alive, b"a");
            due = Instant::now() + ALIVE;
        }
        // Between any two messages a signal counts: one may take long, and many fit a read.
        let timeout = match output {
            None => Duration::ZERO,
            Some(Output::Short) => SHORTAGE,
            Some(_) => ALIVE,
        };
        let full = output == Some(Output::Full);
        // nothing more is told but the end
        let mut fds = [signals::watch(&channel, true, full), signals::watch(told, true, false)];
        signals::wait(&mut fds, Some(timeout))?;
        let stop = signals::stop().is_some() || fds[1].revents != 0;
        // what an engine that is gone has said before is served first
        let read = output.is_some() && fds[0].revents != 0;
        if stop || read && matches!(channel.read(), Ok(Input::Closed) | Err(_)) {
            return Ok(if dispatcher.engine.served { End::Served } else { End::Left });
        }
        // the next message, after which there may be more at hand; or what waits to be sent
        output = match channel.next()? {
            Some(frame) => {
                dispatcher.dispatch(&frame, &mut channel)?;
                None
            }
            // that it is gone shows when the socket is read
            None => Some(channel.flush().unwrap_or(Output::Sent)),
        };
        if take(&mut dispatcher.engine.added) {
            // full while it has enough to do, and gone where nobody is to end states
            let _ = write(nudge, b"n");
        }
    }
}
