//! The monitor, which has started this process: what it says, and what it hears of us.

use std::cell::RefCell;
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::time::{Duration, Instant};

use imsg::{End, VERSION};
use nix::unistd::{read, write};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::errors::words;
use crate::events::subject::CONFIGURATION;
use crate::events::{Event, Events};
use crate::leave::FAREWELL;
use crate::state::{Refused, State};

/// How often it hears that the engine lives.
const ALIVE: Duration = Duration::from_secs(15);
/// How long after its start an engine has heard all that the monitor has to say of the configuration.
const QUIET: Duration = Duration::from_secs(5);
/// What the monitor logs when it goes back to the configuration before.
const TAKEN_BACK: &str = "nothing could be started with the new configuration; going on with the \
                          previous configuration";
/// The longest note.
const MAX_NOTE: usize = 64 << 10;

/// The arguments that it gives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// [`imsg::VERSION`] of the monitor.
    pub version: u32,
    /// The log goes to stderr alone.
    pub debug: bool,
    /// Debug messages too.
    pub verbose: bool,
    /// How long the service runs.
    pub uptime: Duration,
    /// How often helper or engine had to be started again.
    pub restarts: u32,
    /// The file of the configuration, which the engine cannot read.
    pub config: String,
}

impl Arguments {
    /// Reads them; `None` when nobody else than a monitor can have made them, and none did.
    pub fn parse(args: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut args = args.into_iter();
        let mut all = Self { version: args.next()?.parse().ok()?, ..Self::default() };
        if all.version != VERSION {
            // whose other arguments are its own
            return Some(all);
        }
        all.uptime = Duration::from_secs(args.next()?.parse().ok()?);
        all.restarts = args.next()?.parse().ok()?;
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "-d" => all.debug = true,
                "-v" => all.verbose = true,
                "-f" => all.config = args.next()?,
                "-s" => drop(args.next()?),
                _ => return None,
            }
        }
        Some(all)
    }
}

/// Why the configuration of the file is not the one in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// It does not load, for this reason.
    Broken(String),
    /// Nothing could be started with it, for this reason.
    TakenBack(String),
}

impl Note {
    /// As an event, of which the log has that sentence.
    fn event(&self) -> Event {
        let text = match self {
            Self::Broken(why) => {
                format!("configuration reload failed: {why}; the running configuration stays")
            }
            Self::TakenBack(_) => TAKEN_BACK.to_owned(),
        };
        Event::Failed { source: Some(CONFIGURATION.to_owned()), text, grave: false }
    }

    /// As a warning.
    pub fn text(&self) -> String {
        match self {
            Self::Broken(why) => format!("{}{why}", control::BROKEN),
            Self::TakenBack(why) => format!("{}{why}", control::REVERTED),
        }
    }
}

/// The monitor as the engine sees it.
pub struct Monitor {
    arguments: Arguments,
    started: Instant,
    /// Why helper or engine before this one ended.
    before: String,
    note: RefCell<Option<Note>>,
    /// SIGUSR1 came to it.
    update_now: Notify,
}

impl Monitor {
    /// The monitor that has given these arguments, and what was left in the pipe `before`.
    pub fn new(arguments: Arguments, before: &OwnedFd) -> Self {
        let mut text = [0; 4096];
        let count = read(before, &mut text).unwrap_or(0);
        let before = String::from_utf8_lossy(text.get(..count).unwrap_or_default());
        // each has left its sentence there
        let before = before.trim_end_matches("; ").to_owned();
        let (note, update_now) = (RefCell::default(), Notify::new());
        Self { arguments, started: Instant::now(), before, note, update_now }
    }

    /// Why the configuration of the file is not in use, if it is not.
    pub fn note(&self) -> Option<Note> {
        self.note.borrow().clone()
    }

    /// How long the service runs.
    pub fn uptime(&self) -> Duration {
        self.arguments.uptime + self.engine_uptime()
    }

    /// How long the engine runs.
    pub fn engine_uptime(&self) -> Duration {
        self.started.elapsed()
    }

    /// How often helper or engine had to be started again.
    pub fn restarts(&self) -> u32 {
        self.arguments.restarts
    }

    /// The file of the configuration.
    pub fn config(&self) -> &str {
        &self.arguments.config
    }

    /// Somebody who can read the file wanted it loaded, and it does not load. The monitor has not looked at
    /// it: the engine remembers that for those after it.
    pub fn refuse(&self, why: &str, events: &Events, state: &State) {
        let refused = Refused { why: why.to_owned(), restarts: self.restarts(), renewed: false };
        state.remember(|memory| memory.refused = Some(refused));
        let note = Note::Broken(why.to_owned());
        match events.is_open(CONFIGURATION) {
            // who watches knows, and in words of the monitor, which may be better
            true => logger::err(note.event()),
            false => events.say(&note.event()),
        }
        self.note.replace(Some(note));
    }

    /// Goes on with what the engine before this one knew of the file, unless the monitor has read it again
    /// for this start.
    pub fn resume(&self, state: &State) {
        let Some(refused) = state.memory().refused.clone() else { return };
        let left = left(refused, self.restarts());
        self.note.replace(left.as_ref().map(|refused| Note::Broken(refused.why.clone())));
        state.remember(|memory| memory.refused = left);
    }

    /// Waits for SIGUSR1 at the monitor.
    pub async fn update_now(&self) {
        self.update_now.notified().await;
    }

    /// Takes a note; gives it when it is one about the configuration.
    fn take(&self, note: &[u8]) -> Option<Note> {
        let note = match note.split_first() {
            Some((b'U', _)) => {
                self.update_now.notify_one();
                return None;
            }
            Some((b'F', why)) => Note::Broken(visible(&String::from_utf8_lossy(why))),
            _ if self.before.is_empty() => Note::TakenBack("see the log".into()),
            _ => Note::TakenBack(visible(&self.before)),
        };
        self.note.replace(Some(note.clone()));
        Some(note)
    }
}

/// What is left of a refusal at a start, after so many `restarts`: nothing where that is neither a restart
/// nor what an engine has wanted that had nothing to do with the file, because the file was read for it.
fn left(refused: Refused, restarts: u32) -> Option<Refused> {
    let is_same = refused.renewed || restarts > refused.restarts;
    is_same.then_some(Refused { restarts, renewed: false, ..refused })
}

/// A text for a terminal, whatever was in it: paths may have control characters, and what an engine before
/// this one has left was anybody's if it was taken over.
fn visible(text: &str) -> String {
    let shown = |c: char| if c.is_control() { c.escape_debug().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Tells the monitor from time to time that the event loop turns; the first time, that the engine is
/// ready. Never returns.
pub async fn live(alive: OwnedFd) {
    logger::settle();
    loop {
        // full when the monitor sleeps, and gone with it
        let _ = write(&alive, b"a");
        tokio::time::sleep(ALIVE).await;
    }
}

/// Takes notes from the monitor, of which `behind` has come already. When it ends, so does the engine.
pub async fn listen(monitor: &Monitor, events: &Events, told: OwnedFd, behind: Vec<u8>) {
    let mut told = match Receiver::from_owned_fd(told) {
        Ok(told) => told,
        Err(error) => {
            logger::crit(format_args!("fatal in engine: event loop: {}", words(&error)));
            End::Fault.leave();
        }
    };
    let mut open = behind;
    let mut quiet = pin!(sleep(QUIET));
    let mut is_quiet = false;
    loop {
        while let Some(at) = open.iter().position(|octet| *octet == 0) {
            if let Some(note) = monitor.take(&open[..at]) {
                // each engine hears of it, and it is in the log already
                events.keep(&note.event());
            }
            open.drain(..=at);
        }
        let read = tokio::select! {
            read = told.read_buf(&mut open) => read,
            () = &mut quiet, if !is_quiet => {
                is_quiet = true;
                if monitor.note().is_none() {
                    events.end(CONFIGURATION, "the configuration of the file is in use again");
                }
                continue;
            }
        };
        if !matches!(read, Ok(1..)) || open.len() > MAX_NOTE {
            logger::debug("engine leaves: the monitor is gone");
            tokio::time::sleep(FAREWELL).await;
            End::Left.leave();
        }
    }
}

#[cfg(test)]
mod tests;
