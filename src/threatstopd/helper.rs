//! The helper: opens what needs root, closes the sandbox, and then does for the engine what messages
//! may ask for, until the engine goes or the monitor says so.

pub mod start;

use std::ffi::OsString;
use std::mem::take;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use imsg::process::{self, Inherited};
use imsg::{End, Input, Output, SHORTAGE, VERSION, signals};
use nix::sys::socket::{MsgFlags, send};
use nix::unistd::write;

use crate::{Failure, Flags};
use start::Server;

/// How often the monitor hears that we live.
const ALIVE: Duration = Duration::from_secs(15);

/// The process of the helper, by the argument vector that the monitor gave it.
pub fn main(args: Vec<OsString>) -> ! {
    let (program, rest) = (args.first().cloned(), args.get(3..).unwrap_or_default());
    logger::set_program("threatstopd");
    let flags = Flags::parse(program.into_iter().chain(rest.iter().cloned()));
    let Some(flags) = flags else { refuse("its arguments are not those of this version") };
    logger::init(flags.debug, flags.verbose);
    if args.get(2).is_none_or(|version| *version != *VERSION.to_string()) {
        refuse("another version was installed over the one that runs: rcctl restart threatstopd");
    }
    let Ok(Inherited { peer, told, alive, words, before: nudge }) = process::inherited() else {
        refuse("threatstopd starts it; it is not to be started by hand");
    };
    let done = start::start(&flags, peer, &told);
    let done = done.and_then(|server| server.serve(&told, &alive, &nudge));
    match done {
        Ok(end) => end.leave(),
        Err(failure) => {
            logger::crit(&failure);
            // the engine may have filled that, and taken O_NONBLOCK off it
            let flags = MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL;
            let _ = send(words.as_raw_fd(), failure.to_string().as_bytes(), flags);
            End::Fault.leave()
        }
    }
}

fn refuse(why: &str) -> ! {
    logger::crit(format_args!("helper: {why}"));
    End::Fault.leave()
}

impl Server {
    /// Serves until the end. `nudge` leads to what ends states, if that is there.
    ///
    /// # Errors
    /// Those of ppoll(2), which cannot occur.
    fn serve(mut self, told: &OwnedFd, alive: &OwnedFd, nudge: &OwnedFd) -> Result<End, Failure> {
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
            let mut fds = [
                signals::watch(&self.channel, true, output == Some(Output::Full)),
                // nothing more comes there but the end
                signals::watch(told, true, false),
            ];
            signals::wait(&mut fds, Some(timeout))?;
            let stop = signals::stop().is_some() || fds[1].revents != 0;
            // what an engine that is gone has said before is served first
            let read = output.is_some() && fds[0].revents != 0;
            if stop || read && matches!(self.channel.read(), Ok(Input::Closed) | Err(_)) {
                return Ok(if self.dispatcher.served { End::Served } else { End::Left });
            }
            output = match self.step() {
                Ok(output) => output,
                Err(offence) => {
                    logger::err(format_args!("engine dropped: {offence}"));
                    return Ok(End::Peer);
                }
            };
            if take(&mut self.dispatcher.added) {
                // full while it has enough to do, and gone where nobody is to end states
                let _ = write(nudge, b"n");
            }
        }
    }

    /// Serves the next message, after which there may be more at hand; or sends what waits, and says what
    /// became of it.
    ///
    /// # Errors
    /// Why the engine is dropped.
    fn step(&mut self) -> Result<Option<Output>, Failure> {
        if let Some(frame) = self.channel.next()? {
            self.dispatcher.dispatch(&frame, &mut self.channel)?;
            return Ok(None);
        }
        // that it is gone shows when the socket is read
        Ok(Some(self.channel.flush().unwrap_or(Output::Sent)))
    }
}
