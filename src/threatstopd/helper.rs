//! The helper: opens what needs root, closes the sandbox, and then does for the engine what messages
//! may ask for, until the engine goes or the monitor says so.

pub mod start;

use std::ffi::OsString;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use imsg::process::{self, Inherited};
use imsg::{End, Frame, HelperMessage, Input, Output, SHORTAGE, VERSION, signals};
use nix::sys::signal::Signal;
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
    let Ok(Inherited { peer, told, alive, words, .. }) = process::inherited() else {
        refuse("threatstopd starts it; it is not to be started by hand");
    };
    let done = start::start(&flags, peer, &told).and_then(|server| server.serve(&told, &alive));
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
    /// Serves until the end.
    ///
    /// # Errors
    /// Those of ppoll(2), which cannot occur.
    fn serve(mut self, told: &OwnedFd, alive: &OwnedFd) -> Result<End, Failure> {
        let (mut due, mut frame, mut output) = (Instant::now(), None, Output::Full);
        logger::settle();
        loop {
            if Instant::now() >= due {
                // full when the monitor sleeps, and gone with it
                let _ = write(alive, b"a");
                due = Instant::now() + ALIVE;
            }
            // Between any two messages a signal counts: one may take long, and many fit a read.
            let timeout = match (&frame, output) {
                (Some(_), _) => Duration::ZERO,
                (None, Output::Short) => SHORTAGE,
                (None, _) => ALIVE,
            };
            let mut fds = [
                signals::watch(&self.channel, true, output == Output::Full),
                // nothing more comes there but the end
                signals::watch(told, true, false),
            ];
            let caught = signals::wait(&mut fds, Some(timeout))?;
            if caught.stop().is_some() || fds[1].revents != 0 {
                return Ok(self.end());
            }
            let update = caught.has(Signal::SIGUSR1);
            match self.exchange(update, &mut frame, fds[0].revents != 0) {
                Ok(Some(sent)) => output = sent,
                Ok(None) => return Ok(self.end()),
                Err(offence) => {
                    logger::err(format_args!("engine dropped: {offence}"));
                    return Ok(End::Peer);
                }
            }
        }
    }

    /// Serves the message at hand, or reads more; `None` when the engine has closed its socket.
    ///
    /// # Errors
    /// Why the engine is dropped.
    fn exchange(
        &mut self,
        update: bool,
        frame: &mut Option<Frame>,
        readable: bool,
    ) -> Result<Option<Output>, Failure> {
        if update {
            HelperMessage::UpdateNow.queue(&mut self.channel, 0, None)?;
        }
        if let Some(frame) = frame.take() {
            self.dispatcher.dispatch(&frame, &mut self.channel)?;
        } else if readable && matches!(self.channel.read(), Ok(Input::Closed) | Err(_)) {
            return Ok(None);
        }
        *frame = self.channel.next()?;
        // where an engine that is gone has said something before, that is still to be read
        let sent = if frame.is_none() { self.channel.flush().ok() } else { None };
        Ok(sent.or(Some(Output::Sent)))
    }

    fn end(&self) -> End {
        if self.dispatcher.served { End::Served } else { End::Left }
    }
}
