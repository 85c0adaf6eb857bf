//! What is read, kept and counted: pending text becomes a slice, and slices that are too old fall out.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use tokio::time::Instant;

use super::journal::{Journal, Position};
use super::losses::Losses;
use super::spool::{Slice, Spool};
use crate::backoff::Backoff;
use crate::clock;
use crate::days::Days;
use crate::events::{Event, Events};
use crate::hits::Hits;

/// The first wait before text that could not be kept is tried again; it doubles.
const FIRST: Duration = Duration::from_secs(1);
/// The longest: a packet log is rotated away in hours at the soonest.
const LONGEST: Duration = Duration::from_secs(5 * 60);

/// Text that is not in the spool yet.
#[derive(Debug, Default)]
pub struct Pending {
    /// The text.
    pub text: Vec<u8>,
    /// Its records.
    pub records: u64,
    /// Times of the first and the last record.
    pub times: Option<(u32, u32)>,
}

/// What is read, kept and counted.
pub struct Progress {
    /// The slices that wait.
    pub spool: Spool,
    /// What is on disk of the rest.
    pub journal: Journal,
    /// The journal as it is on disk has the position before all pending text; this is the one
    /// behind it.
    pub position: Position,
    /// What is not in the spool yet.
    pub pending: Pending,
    /// Likewise what was counted, pending text included.
    pub hits: Hits,
    /// When the next upload is due, by the monotonic clock.
    pub next: Option<Instant>,
    /// What went wrong with the packet log, for people; empty when nothing did.
    pub trouble: String,
    /// Likewise why what was read could not be kept last.
    pub unkept: String,
    /// When that is tried again only because there is more to read: each time costs the disk a slice.
    again: Option<Instant>,
    waits: Backoff,
    /// The slices that could not be read when they were to be sent, by id, and why.
    pub unread: BTreeMap<String, String>,
    /// Likewise those that the server refused.
    pub refused: BTreeMap<String, String>,
    /// What fell out of the spool because it was full since an upload last went well.
    pub crowded_out: Losses,
    /// Likewise because it was old.
    expired: Losses,
    /// What is counted of each day.
    pub days: &'static Days,
}

impl Progress {
    /// Goes on where the journal stands.
    pub fn of(spool: Spool, journal: Journal, days: &'static Days) -> Self {
        Self {
            spool,
            position: journal.position.clone(),
            hits: journal.hits.clone(),
            journal,
            pending: Pending::default(),
            next: None,
            trouble: String::new(),
            unkept: String::new(),
            again: None,
            waits: Backoff::new(FIRST, LONGEST),
            unread: BTreeMap::new(),
            refused: BTreeMap::new(),
            crowded_out: Losses::default(),
            expired: Losses::default(),
            days,
        }
    }

    /// Forgets what there was to say of slices that have left.
    pub fn forget(&mut self) {
        let Self { unread, refused, spool, .. } = self;
        for said in [unread, refused] {
            said.retain(|id, _| spool.slices().any(|stored| stored.head.id == *id));
        }
    }

    /// Whether the pending text is as long as a slice may be.
    pub fn is_full(&self) -> bool {
        self.pending.text.len() + pflog::MAX_TEXT > self.spool.slice_limit()
    }

    /// Makes room in memory for what is read next, if need be by [`Self::cut`]; where that has failed, not
    /// before it has waited for a while.
    ///
    /// # Errors
    /// Why there is none.
    pub fn make_room(&mut self, directory: &Path, events: &Events) -> Result<(), String> {
        match self.again {
            _ if !self.is_full() => Ok(()),
            Some(again) if Instant::now() < again => Err(self.unkept.clone()),
            _ => self.cut(directory, events),
        }
    }

    /// Puts the pending text into the spool as a slice and moves the cursor behind it.
    ///
    /// # Errors
    /// When it cannot be kept; the text stays pending then.
    pub fn cut(&mut self, directory: &Path, events: &Events) -> Result<(), String> {
        let result = self.keep(directory, events);
        self.unkept = result.as_ref().err().cloned().unwrap_or_default();
        self.again = match result {
            Ok(()) => {
                self.waits.succeeded();
                None
            }
            Err(_) => Some(Instant::now() + self.waits.failed(rand::random())),
        };
        result
    }

    fn keep(&mut self, directory: &Path, events: &Events) -> Result<(), String> {
        // what is read before the cursor on disk is not read again
        self.days.save();
        if let Some(times) = self.pending.times {
            self.journal.ahead = Some((self.journal.next, self.hits.clone()));
            self.journal.save(directory)?;
            let text = std::mem::take(&mut self.pending.text);
            let (next, records) = (self.journal.next, self.pending.records);
            let slice = Slice::new(next, times, records, text, self.position.clone());
            let mut fallen = Vec::new();
            let pushed = self.spool.push(&slice, &mut fallen);
            // it is gone, whatever becomes of what it made room for
            self.journal.dropped += fallen.len() as u64;
            let now = clock::now();
            fallen.iter().for_each(|stored| self.crowded_out.add(&stored.head, now));
            self.tell_losses(events, |lost| lost.news(now), |_| None);
            if let Err(why) = pushed {
                self.pending.text = slice.text;
                return Err(why);
            }
            self.pending = Pending::default();
            self.journal.next += 1;
        } else if self.journal.position == self.position && self.journal.hits == self.hits {
            return Ok(());
        }
        self.journal.position = self.position.clone();
        self.journal.hits = self.hits.clone();
        self.journal.ahead = None;
        self.journal.save(directory)
    }

    /// Drops what has waited longer than the service would keep it: for `age`, at `now`.
    ///
    /// # Errors
    /// When it cannot be removed, or that not be remembered.
    pub fn expire(
        &mut self,
        directory: &Path,
        events: &Events,
        now: u64,
        age: Duration,
    ) -> Result<(), String> {
        let is_steady = self.journal.seen.look(now);
        let before = if is_steady { now.saturating_sub(age.as_secs()) } else { 0 };
        let mut fallen = Vec::new();
        let expired = self.spool.expire(before, &mut fallen);
        if fallen.is_empty() {
            return expired;
        }
        self.journal.dropped += fallen.len() as u64;
        fallen.iter().for_each(|stored| self.expired.add(&stored.head, now));
        self.tell_losses(events, |_| None, |lost| lost.news(now));
        self.journal.save(directory).and(expired)
    }

    /// Tells what there is to tell of what fell out of the spool because it was full, and because it was
    /// old.
    pub fn tell_losses(
        &mut self,
        events: &Events,
        crowded_out: impl FnOnce(&mut Losses) -> Option<String>,
        expired: impl FnOnce(&mut Losses) -> Option<String>,
    ) {
        if let Some(what) = crowded_out(&mut self.crowded_out) {
            let text = format!(
                "the spool is full: dropped {what}; make log.spool_size larger or mend the upload \
                 (threatstopctl status)"
            );
            events.say(&Event::LogGap { text });
        }
        if let Some(what) = expired(&mut self.expired) {
            let text = format!(
                "dropped {what}: longer in the spool than log.spool_age; mend the upload \
                 (threatstopctl status)"
            );
            events.say(&Event::LogGap { text });
        }
    }
}
