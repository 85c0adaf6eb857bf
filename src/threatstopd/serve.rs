//! The loop of the helper, and its three ends: stop, reload, and an engine that is gone.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::{Duration, Instant};

use config::Config;
use imsg::process::{self, Caught};
use imsg::{Channel, Frame, HelperMessage, Input, Output, SHORTAGE};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::dispatch::{Dispatcher, Next};
use crate::inherit::State;
use crate::{Failure, Flags, engine, start};

/// An engine that dies within this time of its start is started again later and later.
const YOUNG: Duration = Duration::from_secs(60);
/// The longest wait before the engine is started again, in seconds.
const LONGEST: u32 = 60;
/// How long an answer may take to leave before the socket is closed.
const FAREWELL: Duration = Duration::from_millis(500);

/// The helper once it has started.
pub struct Server {
    /// What it does for the engine.
    pub dispatcher: Dispatcher,
    /// The way to the engine.
    pub channel: Channel,
    /// The engine.
    pub child: Pid,
    /// When it was started.
    pub started: Instant,
}

impl Server {
    /// Serves until the end; all but a stop executes `program`, which is this one, anew.
    ///
    /// # Errors
    /// When that fails, which ends the helper; the tables stay as they are.
    pub fn serve(mut self, flags: &Flags, program: &Path, mut state: State) -> Result<(), Failure> {
        let end = self.run(&flags.config);
        state.verbose = logger::verbose();
        // an engine that sees the end of its socket leaves
        drop(self.channel);
        let (ended, mut caught) = engine::await_end(self.child);
        state.child = (!ended).then_some(self.child);
        // whether an engine has begun its work with the configuration in use
        let mut bears = self.dispatcher.greeted;
        let mut config = None;
        match end {
            Ok(None) => state.stop = true,
            Ok(reloaded) => (config, state.backoff) = (reloaded, 0),
            Err(why) => match state.previous.take() {
                Some(previous) if !bears => {
                    take_back(&mut state, previous, format_args!("engine gone: {why}"));
                    bears = true;
                }
                _ => {
                    let young = self.started.elapsed() < YOUNG;
                    state.backoff = if young { longer(state.backoff) } else { 0 };
                    logger::err(format_args!(
                        "engine gone: {why}; starting it again in {} s, the tables stay",
                        state.backoff
                    ));
                    if !wants_stop(caught) && !caught.has(Signal::SIGHUP) {
                        caught = rest(state.backoff)?;
                    }
                }
            },
        }
        state.stop |= wants_stop(caught);
        if !state.stop && caught.has(Signal::SIGHUP) {
            config = reread(&flags.config, &self.dispatcher.config).ok().or(config);
        }
        if config.is_some() {
            state.reverted = false;
            let left = std::mem::replace(&mut state.config, config);
            // what nothing could be started with is nothing to go back to
            state.previous = if bears { left } else { state.previous };
        }
        // an engine that stays is for a new image to kill
        if state.stop && state.child.is_none() {
            logger::info("terminating");
            return Ok(());
        }
        Err(state.execute(program))
    }

    /// Until a signal asks to stop, or with the configuration to go on with.
    ///
    /// # Errors
    /// Why the engine is gone, or is to go.
    fn run(&mut self, path: &Path) -> Result<Option<OwnedFd>, Failure> {
        let (mut frame, mut output) = (None, self.channel.flush()?);
        loop {
            // Between any two messages a signal counts: one may take long, and many fit a read.
            let timeout = match (&frame, output) {
                (Some(_), _) => Some(Duration::ZERO),
                (None, Output::Short) => Some(SHORTAGE),
                (None, _) => None,
            };
            let mut fds = [process::watch(&self.channel, true, output == Output::Full)];
            let caught = process::wait(&mut fds, timeout)?;
            if wants_stop(caught) {
                return Ok(None);
            }
            if caught.has(Signal::SIGHUP)
                && let Ok(config) = reread(path, &self.dispatcher.config)
            {
                return Ok(Some(config));
            }
            if caught.has(Signal::SIGUSR1) {
                HelperMessage::UpdateNow.queue(&mut self.channel, 0, None)?;
            }
            if caught.has(Signal::SIGCHLD) && engine::reap(self.child) {
                return Err("it ended".into());
            }
            if let Some(frame) = frame.take() {
                if let Some(config) = self.answer(&frame, path)? {
                    return Ok(Some(config));
                }
            } else if fds[0].revents != 0 && self.channel.read()? == Input::Closed {
                return Err("it closed its socket".into());
            }
            frame = self.channel.next()?;
            if frame.is_none() {
                output = self.channel.flush()?;
            }
        }
    }

    /// Does what a message asks for, and queues the answer.
    fn answer(&mut self, frame: &Frame, path: &Path) -> Result<Option<OwnedFd>, Failure> {
        let next = self.dispatcher.dispatch(frame, &mut self.channel);
        if next.map_err(|offence| format!("dropped: {offence}"))? == Next::Continue {
            return Ok(None);
        }
        let read = reread(path, &self.dispatcher.config);
        let failure = read.as_ref().err().cloned().unwrap_or_default();
        HelperMessage::ReloadResult { failure }.queue(&mut self.channel, frame.peerid, None)?;
        if read.is_ok() {
            self.say_farewell()?;
        }
        Ok(read.ok())
    }

    /// Sends what is queued before the socket is closed.
    fn say_farewell(&mut self) -> Result<(), Failure> {
        let end = Instant::now() + FAREWELL;
        while self.channel.flush()? != Output::Sent && Instant::now() < end {
            process::wait(&mut [process::watch(&self.channel, false, true)], Some(SHORTAGE))?;
        }
        Ok(())
    }
}

/// After a start that failed in an image that is not the first: goes back to the configuration
/// before, or tries again after a while. The tables stay as they are meanwhile.
///
/// # Errors
/// When this program cannot be executed anew.
pub fn again(program: &Path, mut state: State, why: &dyn std::error::Error) -> Result<(), Failure> {
    if let Some(previous) = state.previous.take() {
        take_back(&mut state, previous, why);
    } else {
        state.backoff = longer(state.backoff);
        logger::crit(format_args!("{why}; trying again in {} s", state.backoff));
        let caught = rest(state.backoff)?;
        if wants_stop(caught) {
            return Ok(());
        }
        if caught.has(Signal::SIGHUP) {
            // a file that is no better must not cost the text that once was good
            state.previous = state.config.take();
            state.reverted = false;
        }
    }
    Err(state.execute(program))
}

/// Goes back to the configuration before, which bore a start.
fn take_back(state: &mut State, previous: OwnedFd, why: impl std::fmt::Display) {
    logger::err(format_args!("{why}; going on with the previous configuration"));
    state.config = Some(previous);
    state.reverted = true;
}

/// Reads the configuration again and keeps it for the next image. A bad one is logged, with all that
/// is wrong with it, and changes nothing.
fn reread(path: &Path, running: &Config) -> Result<OwnedFd, String> {
    let (why, lines) = match config::read(path) {
        Ok((_, text)) => match start::keep(&text, &running.tables.directory) {
            Ok(kept) => return Ok(kept),
            Err(why) => (why, Vec::new()),
        },
        Err(error) => (error.to_string(), error.lines()),
    };
    logger::err(format_args!(
        "configuration reload failed: {why}; the running configuration stays"
    ));
    lines.iter().skip(1).for_each(logger::err);
    Err(why)
}

/// The wait after the next early death, in seconds.
fn longer(seconds: u32) -> u32 {
    seconds.saturating_mul(2).clamp(1, LONGEST)
}

/// Waits some seconds, or until a signal asks to stop or to reload.
fn rest(seconds: u32) -> Result<Caught, Failure> {
    let end = Instant::now() + Duration::from_secs(seconds.into());
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let caught = process::wait(&mut [], Some(left))?;
        if left.is_zero() || wants_stop(caught) || caught.has(Signal::SIGHUP) {
            return Ok(caught);
        }
    }
}

/// Whether a signal asks for the end.
fn wants_stop(caught: Caught) -> bool {
    caught.has(Signal::SIGTERM) || caught.has(Signal::SIGINT)
}
