//! Changes of state: each is said here, to the log and to whoever watches, and nowhere else.
//!
//! A change of state is what begins or ends to be as it should not be, what is lost, and what somebody
//! else has done to what is ours. What a run does on its way, what an administrator has said himself,
//! and what follows from an event already told, are for the log alone.
//!
//! What is wrong of a subject is said when it begins, and once a day as long as it is so: [`Events::say`].
//! That it is over is said once, and only where it was said: [`Events::end`]. What is wrong now is in the
//! file, too: another engine says it once more in its log, and tells who watches nothing twice.
//!
//! The last thousand are kept in a file before they are told, with their numbers: who has read up to one
//! can go on behind it, whatever was started anew meanwhile. It is written without fsync(2), for which
//! everything would have to wait: a power failure may cost it.
//!
//! * In: a change of state, from whoever notices it.
//! * Out: a line in the log, an entry in `events.json`, and news for those who wait for it.
//! * Never: wait for a watcher or for fsync(2), or keep more than [`KEPT`] events.

mod event;
pub mod subject;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use event::begins;
pub use event::{Event, is_trouble};

use crate::told::Told;
use crate::{clock, files};

/// Its name in the engine's directory.
const FILE: &str = "events.json";
/// Events that are kept.
pub const KEPT: usize = 1000;
/// Longest sentence in octets: so are a thousand of them less than the largest file.
const LONGEST: usize = 1024;
/// What is compared of a sentence to know it again, in octets.
const KNOWN: usize = 256;
/// Far more than it ever has.
const LARGEST: u64 = 8 << 20;

/// What is kept.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Ring {
    /// The number of the next.
    next: u64,
    /// The last, in the order of their numbers.
    events: VecDeque<control::Event>,
    /// What is wrong now, by subject, however long ago that was said; no more subjects than the
    /// configuration has, see [`Events::left`].
    open: Told,
}

impl Ring {
    /// Whether each has the number behind the one before it, the next one the one behind all, and there are
    /// numbers left.
    fn is_numbered(&self) -> bool {
        let first = self.next.checked_sub(self.events.len() as u64);
        let numbers = first.into_iter().flat_map(|first| first..self.next);
        self.next < u64::MAX / 2 && numbers.eq(self.events.iter().map(|event| event.number))
    }
}

/// The last events, the file that they are kept in, and who waits for the next.
pub struct Events {
    directory: PathBuf,
    ring: RefCell<Ring>,
    /// What this engine has said of it.
    logged: Told,
    /// There is another.
    news: Notify,
    /// Whether it was said that they cannot be kept.
    unkept: Cell<bool>,
}

impl Events {
    /// The events as they were left. What cannot be read is logged, and their numbers begin anew.
    pub fn load(directory: &Path) -> Self {
        let read = || {
            let ring = files::read_json::<Ring>(directory, FILE, LARGEST)?;
            match ring.as_ref().is_none_or(Ring::is_numbered) {
                true => Ok(ring),
                false => {
                    let file = directory.join(FILE);
                    Err(format!("{}: damaged: its events are not numbered", file.display()))
                }
            }
        };
        let ring: Option<Ring> = read().unwrap_or_else(|why: String| {
            let aside = files::put_aside(directory, FILE);
            logger::warn(format_args!(
                "{why}; the events before are lost, and numbers begin with 1: so does watch \
                 -e{aside}"
            ));
            None
        });
        let mut ring = ring.unwrap_or_default();
        ring.next = ring.next.max(1);
        if ring.open.subjects().is_empty() {
            // a version before kept nothing but the events
            ring.events.iter().for_each(|event| follow(&ring.open, event));
        }
        let (ring, directory) = (RefCell::new(ring), directory.to_owned());
        let (logged, news) = (Told::default(), Notify::new());
        Self { directory, ring, logged, news, unkept: Cell::new(false) }
    }

    /// Says that a subject is as it should be, if it was said that something is wrong with it.
    pub fn end(&self, name: &str, text: impl Into<String>) {
        self.logged.forget(name);
        if self.is_open(name) {
            self.ring.borrow().open.forget(name);
            let event = Event::Recovered { name: name.to_owned(), text: text.into() };
            event.log();
            self.put(&event);
        }
    }

    /// Ends what is wrong of subjects that are none of these any more, because the configuration is
    /// another. What has no name that `is_any` has another one since a version before, under which it is
    /// told if it is so still: of that nothing ends.
    pub fn left(&self, subjects: &BTreeSet<String>, is_any: impl Fn(&str) -> bool) {
        let open = self.ring.borrow().open.subjects();
        for name in open.iter().filter(|name| !subjects.contains(*name)) {
            if is_any(name) {
                self.end(name, format!("{name}: not looked at under this configuration any more"));
            } else {
                self.ring.borrow().open.forget(name);
            }
        }
    }

    /// Takes note of whether something could be `kept` of a subject, and says of what cannot what comes of
    /// it.
    pub fn kept(&self, subject: &str, kept: Result<(), String>, what: &str) {
        match kept {
            Ok(()) => self.end(subject, format!("{subject}: kept again")),
            Err(why) => {
                let (source, text) = (Some(subject.to_owned()), format!("{why}; {what}"));
                self.say_as(&Event::Failed { source, text, grave: false }, &why);
            }
        }
    }

    /// Whether it was said that something is wrong with a subject, and not that it is over.
    pub fn is_open(&self, name: &str) -> bool {
        self.ring.borrow().open.knows(name)
    }

    /// What is wrong of a subject, as it was said last and is kept.
    pub fn wrong(&self, name: &str) -> Option<String> {
        let ring = self.ring.borrow();
        let said = |event: &&control::Event| event.subject.as_deref() == Some(name);
        let last = ring.events.iter().rev().find(said).filter(|_| ring.open.knows(name))?;
        Some(last.text.clone())
    }

    /// Logs an event, keeps it, and tells whoever watches; of what begins to be wrong unless that was said
    /// since yesterday.
    pub fn say(&self, event: &Event) {
        self.say_as(event, &event.to_string());
    }

    /// The same of one whose sentence has something that differs each time: it is another one when what is
    /// `said` is.
    pub fn say_as(&self, event: &Event, said: &str) {
        let (is_event, is_line) = self.are_due(event, said, clock::now());
        match is_event || is_line {
            true => event.log(),
            false => logger::debug(event),
        }
        if is_event {
            self.put(event);
        }
    }

    /// Whether an event is one for who watches, and one for the log, of which this engine may have told
    /// less. They have their day together: else the log would have each reminder twice.
    fn are_due(&self, event: &Event, said: &str, now: u64) -> (bool, bool) {
        let Some(subject) = begun(event) else { return (true, true) };
        let ring = self.ring.borrow();
        if ring.open.is_over(&subject, now) {
            self.logged.forget(&subject);
        }
        let said = cut(said, KNOWN);
        let is_due = |told: &Told| match event.is_grave() {
            true => told.is_alarm(&subject, said, now),
            false => told.is_news(&subject, said, now),
        };
        (is_due(&ring.open), is_due(&self.logged))
    }

    /// The same of one that is in the log already, of another process.
    pub fn keep(&self, event: &Event) {
        let text = event.to_string();
        let is_news = |subject: String| {
            let said = cut(&text, KNOWN);
            self.ring.borrow().open.is_news(&subject, said, clock::now())
        };
        if begun(event).is_none_or(is_news) {
            self.put(event);
        }
    }

    fn put(&self, event: &Event) {
        let mut ring = self.ring.borrow_mut();
        let number = ring.next;
        ring.next += 1;
        let said = control::Event {
            number,
            time: clock::now(),
            event: event.word().to_owned(),
            subject: event.subject(),
            text: cut(&event.to_string(), LONGEST).to_owned(),
        };
        ring.events.push_back(said);
        while ring.events.len() > KEPT {
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
        if self.unkept.replace(failed) && !failed {
            logger::info(format_args!("{FILE}: kept again"));
        }
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

/// What an event is about that tells of something that begins to be wrong.
fn begun(event: &Event) -> Option<String> {
    event.subject().filter(|_| begins(event.word()) == Some(true))
}

/// Takes note of a subject with which something is wrong, or is not any more.
fn follow(open: &Told, event: &control::Event) {
    match (&event.subject, begins(&event.event)) {
        (Some(subject), Some(true)) => {
            open.is_news(subject, cut(&event.text, KNOWN), event.time);
        }
        (Some(subject), Some(false)) => open.forget(subject),
        _ => {}
    }
}

/// A sentence that is not longer than so many octets.
fn cut(text: &str, longest: usize) -> &str {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
