//! The loop of the helper, and its three ends: stop, reload, and an engine that is gone.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use imsg::process::{self, Caught};
use imsg::{Channel, HelperMessage, Input};
use nix::sys::signal::Signal;
use nix::unistd::Pid;

use crate::dispatch::{Dispatcher, Next};
use crate::inherit::{self, Kept, State};
use crate::{engine, start};

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
    /// The path of the configuration.
    pub config: PathBuf,
    /// The table directory.
    pub directory: PathBuf,
}

/// Why the loop ended.
enum End {
    Stop,
    /// With the configuration to go on with.
    Reload(OwnedFd),
    Gone(String),
}

impl Server {
    /// Serves until the end; all but a stop executes this program anew.
    ///
    /// # Errors
    /// When that fails, which ends the helper; the tables stay as they are.
    pub fn serve(mut self, mut state: State, mut kept: Kept) -> Result<(), String> {
        let end = self.run();
        state.verbose = logger::verbose();
        // an engine that sees the end of its socket leaves
        drop(self.channel);
        let (ended, mut caught) = engine::await_end(self.child);
        state.child = (!ended).then_some(self.child.as_raw());
        match end {
            End::Stop => return stop(state, &kept),
            End::Reload(config) => {
                state.backoff = 0;
                kept.previous = kept.config.replace(config);
            }
            End::Gone(why) => {
                kept.previous = None;
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
        }
        if wants_stop(caught) {
            return stop(state, &kept);
        }
        if caught.has(Signal::SIGHUP)
            && let Ok(config) = reread(&self.config, &self.directory)
        {
            kept.previous = kept.config.replace(config);
        }
        Err(inherit::execute(&state, &kept))
    }

    fn run(&mut self) -> End {
        loop {
            let mut fds = [process::watch(&self.channel, true, self.channel.wants_write())];
            let caught = match process::wait(&mut fds, None) {
                Ok(caught) => caught,
                Err(error) => return End::Gone(format!("ppoll: {error}")),
            };
            if wants_stop(caught) {
                return End::Stop;
            }
            if caught.has(Signal::SIGHUP)
                && let Ok(config) = reread(&self.config, &self.directory)
            {
                return End::Reload(config);
            }
            if caught.has(Signal::SIGUSR1)
                && let Err(error) = HelperMessage::UpdateNow.queue(&mut self.channel, 0, None)
            {
                return End::Gone(error.to_string());
            }
            if caught.has(Signal::SIGCHLD) && engine::reap(self.child) {
                return End::Gone("it ended".into());
            }
            if fds[0].revents != 0 {
                match self.exchange() {
                    Ok(None) => {}
                    Ok(Some(end)) => return end,
                    Err(why) => return End::Gone(why),
                }
            }
        }
    }

    /// Reads and answers what there is.
    fn exchange(&mut self) -> Result<Option<End>, String> {
        let failed = |error: io::Error| format!("socket: {error}");
        match self.channel.read().map_err(failed)? {
            Input::Closed => return Err("it closed its socket".into()),
            Input::Data | Input::WouldBlock => {}
        }
        while let Some(frame) = self.channel.next().map_err(|error| error.to_string())? {
            let next = self.dispatcher.dispatch(&frame, &mut self.channel);
            match next.map_err(|offence| format!("dropped: {offence}"))? {
                Next::Continue => {}
                Next::Reload(request) => {
                    let read = reread(&self.config, &self.directory);
                    let failure = read.as_ref().err().cloned().unwrap_or_default();
                    HelperMessage::ReloadResult { failure }
                        .queue(&mut self.channel, request, None)
                        .map_err(|error| error.to_string())?;
                    if let Ok(config) = read {
                        self.say_farewell().map_err(failed)?;
                        return Ok(Some(End::Reload(config)));
                    }
                }
            }
        }
        self.channel.flush().map_err(failed)?;
        Ok(None)
    }

    /// Sends what is queued before the socket is closed.
    fn say_farewell(&mut self) -> io::Result<()> {
        let end = Instant::now() + FAREWELL;
        while !self.channel.flush()? && Instant::now() < end {
            let mut fds = [process::watch(&self.channel, false, true)];
            process::wait(&mut fds, Some(FAREWELL))?;
        }
        Ok(())
    }
}

/// Reads the configuration again and keeps it for the next image. A bad one is logged and changes
/// nothing.
fn reread(path: &Path, directory: &Path) -> Result<OwnedFd, String> {
    let read = config::read(path).map_err(|error| error.to_string());
    read.and_then(|(_, text)| start::keep(&text, directory)).inspect_err(|why| {
        logger::err(format_args!(
            "configuration reload failed: {why}; the running configuration stays"
        ));
    })
}

/// The wait after the next early death, in seconds.
fn longer(seconds: u32) -> u32 {
    seconds.saturating_mul(2).clamp(1, LONGEST)
}

/// Waits some seconds, or until a signal asks to stop or to reload.
fn rest(seconds: u32) -> Result<Caught, String> {
    let end = Instant::now() + Duration::from_secs(seconds.into());
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let caught =
            process::wait(&mut [], Some(left)).map_err(|error| format!("ppoll: {error}"))?;
        if left.is_zero() || wants_stop(caught) || caught.has(Signal::SIGHUP) {
            return Ok(caught);
        }
    }
}

/// After a start that failed in an image that is not the first: goes back to the configuration
/// before, or tries again after a while. The tables stay as they are meanwhile.
///
/// # Errors
/// When this program cannot be executed anew.
pub fn again(mut state: State, mut kept: Kept, why: &str) -> Result<(), String> {
    if let Some(previous) = kept.previous.take() {
        logger::err(format_args!("{why}; going on with the previous configuration"));
        kept.config = Some(previous);
    } else {
        state.backoff = longer(state.backoff);
        logger::crit(format_args!("{why}; trying again in {} s", state.backoff));
        let caught = rest(state.backoff)?;
        if wants_stop(caught) {
            return Ok(());
        }
        if caught.has(Signal::SIGHUP) {
            kept.config = None;
        }
    }
    Err(inherit::execute(&state, &kept))
}

/// Whether a signal asks for the end.
fn wants_stop(caught: Caught) -> bool {
    caught.has(Signal::SIGTERM) || caught.has(Signal::SIGINT)
}

/// The end of a stop: at once, or by way of a new image that may kill an engine that stays.
fn stop(mut state: State, kept: &Kept) -> Result<(), String> {
    if state.child.is_none() {
        logger::info("terminating");
        return Ok(());
    }
    state.stop = true;
    Err(inherit::execute(&state, kept))
}
