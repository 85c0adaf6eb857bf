//! What the monitor tells each child through a pipe: the text of the configuration, and a NUL; then, to
//! the engine, notes, each with a NUL.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::unistd::{read, write};

use crate::signals::{self, PollFd};

/// How long it may take; the monitor writes it at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the text, which ends with a NUL, and gives also what has come behind it. `None` when the
/// monitor is gone, or a signal asks to stop.
///
/// # Errors
/// When it does not come, or is no text.
pub fn configuration(told: &OwnedFd) -> Result<Option<(String, Vec<u8>)>, String> {
    let (mut text, mut part) = (Vec::new(), [0; 4096]);
    let end = Instant::now() + PATIENCE;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let _ = signals::wait(&mut [signals::watch(told, true, false)], Some(left));
        if signals::stop().is_some() {
            return Ok(None);
        }
        match read(told, &mut part) {
            Ok(0) => return Ok(None),
            Ok(count) => text.extend_from_slice(&part[..count]),
            Err(Errno::EAGAIN) if !left.is_zero() => {}
            Err(Errno::EAGAIN) => return Err("no configuration came from the monitor".into()),
            Err(errno) => return Err(format!("configuration: {}", errno.desc())),
        }
        if let Some(at) = text.iter().position(|octet| *octet == 0) {
            let behind = text.split_off(at + 1);
            text.pop();
            let text = String::from_utf8(text).map_err(|error| error.to_string())?;
            return Ok(Some((text, behind)));
        }
    }
}

/// The monitor's end, non-blocking.
#[derive(Debug)]
pub struct Teller {
    /// `None` when nobody listens any more, or is to.
    pipe: Option<OwnedFd>,
    waiting: VecDeque<u8>,
}

impl Teller {
    /// One that has said nothing yet.
    pub fn new(pipe: OwnedFd) -> Self {
        Self { pipe: Some(pipe), waiting: VecDeque::new() }
    }

    /// Tells a text, as far as it is taken now; the rest follows with each [`Teller::flush`].
    pub fn tell(&mut self, text: &str) {
        self.waiting.extend(text.bytes().chain([0]));
        self.flush();
    }

    /// Tells that this is the end, for who is to leave at it.
    pub fn end(&mut self) {
        self.pipe = None;
    }

    /// Tells what waits, as far as it is taken.
    pub fn flush(&mut self) {
        while let Some(pipe) = self.pipe.as_ref().filter(|_| !self.waiting.is_empty()) {
            match write(pipe, self.waiting.as_slices().0) {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(Errno::EAGAIN) => return,
                Err(_) => self.pipe = None,
            }
        }
    }

    /// The room to wait for, where something waits.
    pub fn watch(&self) -> Option<PollFd> {
        let pipe = self.pipe.as_ref().filter(|_| !self.waiting.is_empty())?;
        Some(signals::watch(pipe, false, true))
    }
}
