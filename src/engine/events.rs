//! Changes of state: each is said here, to the log and to whoever watches, and nowhere else.
//!
//! A change of state is what begins or ends to be as it should not be, what is lost, and what somebody
//! else has done to what is ours. What a run does on its way, what an administrator has said himself,
//! and what follows from an event already told, are for the log alone.
//!
//! What has begun to be wrong of a subject ends once, and only where it was said, by this engine or one
//! before it: [`Events::end`].
//!
//! The last thousand are kept in a file before they are told, with their numbers: who has read up to one
//! can go on behind it, whatever was started anew meanwhile. It is written without fsync(2), for which
//! everything would have to wait: a power failure may cost it.
//!
//! * In: a change of state, from whoever notices it.
//! * Out: a line in the log, an entry in `events.json`, and news for those who wait for it.
//! * Never: wait for a watcher or for fsync(2), or keep more than [`KEPT`] events.

mod event;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use event::begins;
pub use event::{Event, UPLOAD, is_trouble, of_host, of_list, of_table};

use crate::{clock, files};

/// Its name in the engine's directory.
const FILE: &str = "events.json";
/// Events that are kept.
pub const KEPT: usize = 1000;
/// Longest sentence in octets: so are a thousand of them less than the largest file.
const LONGEST: usize = 1024;
/// Far more than it ever has.
const LARGEST: u64 = 4 << 20;

/// What is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Ring {
    /// The number of the next.
    next: u64,
    /// The last, in the order of their numbers.
    events: VecDeque<control::Event>,
}

/// The last events, the file that they are kept in, and who waits for the next.
pub struct Events {
    directory: PathBuf,
    ring: RefCell<Ring>,
    /// The subjects of what was said to be wrong and is not over yet.
    open: RefCell<BTreeSet<String>>,
    /// There is another.
    news: Notify,
    /// Whether it was said that they cannot be kept.
    unkept: Cell<bool>,
}

impl Events {
    /// The events as they were left. What cannot be read is logged, and their numbers begin anew.
    pub fn load(directory: &Path) -> Self {
        let read = || {
            let text = files::read(directory, FILE, LARGEST)?;
            let ring = text.map(|text| serde_json::from_slice(&text)).transpose();
            ring.map_err(|error| format!("{}: {error}", directory.join(FILE).display()))
        };
        let ring: Option<Ring> = read().unwrap_or_else(|why| {
            logger::warn(format_args!("{why}; events are numbered from 1 on"));
            None
        });
        let mut ring = ring.unwrap_or_default();
        ring.next = ring.next.max(1);
        let mut open = BTreeSet::new();
        ring.events.iter().for_each(|event| follow(&mut open, event));
        let (ring, open, directory) =
            (RefCell::new(ring), RefCell::new(open), directory.to_owned());
        Self { directory, ring, open, news: Notify::new(), unkept: Cell::new(false) }
    }

    /// Says that a subject is as it should be, if it was said that something is wrong with it.
    pub fn end(&self, name: &str, text: impl Into<String>) {
        if self.is_open(name) {
            self.say(&Event::Recovered { name: name.to_owned(), text: text.into() });
        }
    }

    /// Whether it was said that something is wrong with a subject, and not that it is over.
    pub fn is_open(&self, name: &str) -> bool {
        self.open.borrow().contains(name)
    }

    /// Logs an event, keeps it, and tells whoever watches.
    pub fn say(&self, event: &Event) {
        event.log();
        self.keep(event);
    }

    /// The same of one that is in the log already, of another process or because somebody asked.
    pub fn keep(&self, event: &Event) {
        let mut ring = self.ring.borrow_mut();
        let number = ring.next;
        ring.next += 1;
        let said = control::Event {
            number,
            time: clock::now(),
            event: event.word().to_owned(),
            subject: event.subject(),
            text: cut(&event.to_string()).to_owned(),
        };
        follow(&mut self.open.borrow_mut(), &said);
        ring.events.push_back(said);
        if ring.events.len() > KEPT {
            ring.events.pop_front();
        }
        let text = serde_json::to_vec(&*ring).map_err(|error| error.to_string());
        drop(ring);
        let kept = text.and_then(|text| files::replace(&self.directory, FILE, [&text], false));
        let failed = kept.is_err();
        if let Err(why) = kept
            && !self.unkept.get()
        {
            logger::err(format_args!("{why}; after a restart watch does not know what was since"));
        }
        self.unkept.set(failed);
        self.news.notify_waiters();
    }

    /// The number of the next.
    pub fn next(&self) -> u64 {
        self.ring.borrow().next
    }

    /// The number of the oldest that is kept; that of the next when none is.
    pub fn oldest(&self) -> u64 {
        let ring = self.ring.borrow();
        ring.events.front().map_or(ring.next, |event| event.number)
    }

    /// The events that are kept and wanted, in the order of their numbers.
    pub fn of(&self, is_wanted: impl Fn(&control::Event) -> bool) -> Vec<control::Event> {
        self.ring.borrow().events.iter().filter(|event| is_wanted(event)).cloned().collect()
    }

    /// The event of a number, if it is kept.
    pub fn get(&self, number: u64) -> Option<control::Event> {
        let ring = self.ring.borrow();
        let at = number.checked_sub(ring.events.front()?.number)?;
        ring.events.get(usize::try_from(at).ok()?).cloned()
    }

    /// Waits until there is an event of a number.
    pub async fn reached(&self, number: u64) {
        loop {
            let news = self.news.notified();
            if self.next() > number {
                return;
            }
            news.await;
        }
    }
}

/// Takes note of a subject with which something is wrong, or is not any more.
fn follow(open: &mut BTreeSet<String>, event: &control::Event) {
    match (&event.subject, begins(&event.event)) {
        (Some(subject), Some(true)) => drop(open.insert(subject.clone())),
        (Some(subject), Some(false)) => drop(open.remove(subject)),
        _ => {}
    }
}

/// A sentence that is not longer than one may be.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
