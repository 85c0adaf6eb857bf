//! From the packet log to the report: follows pflog, keeps what hit our tables as text in a
//! durable spool, and uploads it.
//!
//! ```text
//! helper ── descriptor ──▶ follow ── scope ──▶ pending text ── cut ──▶ spool ──▶ upload
//!                                      └─ hits                (slice)   (files)   (thread)
//! ```
//!
//! Text is held in memory until it is cut into a slice; the cursor that is kept on disk stands
//! before it until then, so that a crash reads it again. A slice is removed when the server has
//! confirmed it with our own device id.
//!
//! * In: descriptors of the packet log and its rotated files; the policy in force.
//! * Out: counts of hits; slices of text, uploaded in order and kept until then.
//! * Never: more memory or disk than its bounds, whatever is in the log; drop a slice that the
//!   server has not confirmed, but for its age, for room, for damage, or for one record that is
//!   too large; that is counted and told.

mod answer;
mod follow;
mod journal;
mod losses;
mod request;
mod scope;
mod source;
mod spool;
mod suspects;
mod upload;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use config::Config;
use tokio::sync::{Mutex, Notify};

use crate::alarm::span;
use crate::clock;
use crate::days::Days;
use crate::events::{Event, Events, UPLOAD};
use crate::hits::Hits;
use crate::https::{Https, Roots};
use crate::subjects::SPOOL;
use crate::told::Told;
use crate::warning::Warning;

use answer::Failure;
pub use answer::shown;
pub use follow::follow;
use journal::{Journal, Position};
use losses::Losses;
use spool::{Slice, Spool};
pub use upload::OFF;

/// How long uploads may fail before that is told: a server has its bad hours.
const FAILING: u64 = 24 * 60 * 60;

/// How often is looked what has become too old, where nothing is uploaded.
const AGING: Duration = Duration::from_secs(60 * 60);

/// Text that is not in the spool yet.
#[derive(Debug, Default)]
struct Pending {
    text: Vec<u8>,
    records: u64,
    /// Times of the first and the last record.
    times: Option<(u32, u32)>,
}

/// What is read, kept and counted. It is never borrowed across an await.
struct Inner {
    spool: Spool,
    journal: Journal,
    /// The journal as it is on disk has the position before all pending text; this is the one
    /// behind it.
    position: Position,
    pending: Pending,
    /// Likewise what was counted, pending text included.
    hits: Hits,
    /// When the next upload is due, epoch seconds.
    next: Option<u64>,
    /// What went wrong with the packet log, for people; empty when nothing did.
    trouble: String,
    /// Likewise why what was read could not be kept last.
    unkept: String,
    /// The slices that the server refused, by id, and why.
    refused: BTreeMap<String, String>,
    /// What fell out of the spool because it was full, and because it was old, since an upload last
    /// went well.
    crowded_out: Losses,
    expired: Losses,
    /// What is counted of each day.
    days: &'static Days,
    /// Where changes of state are said.
    events: &'static Events,
}

/// The log path.
pub struct Log {
    config: &'static Config,
    directory: PathBuf,
    inner: RefCell<Inner>,
    /// What was logged of what goes wrong.
    told: Told,
    events: &'static Events,
    https: Https,
    /// Somebody wants the follower to look now.
    look: Notify,
    /// It has looked.
    looked: Notify,
    /// Number of the look that began last, and of the one that ended last.
    begun: Cell<u64>,
    ended: Cell<u64>,
    /// One upload at a time.
    uploading: Mutex<()>,
    /// An upload that somebody asked for has ended: the schedule goes on from there.
    asked: Notify,
    /// Why it failed, if it did.
    asked_failed: Cell<Option<Failure>>,
}

/// The figures of the log path at a moment.
pub struct Figures {
    /// The last attempt to upload.
    pub last: Option<control::Attempt>,
    /// The last one that the server confirmed.
    pub last_good: Option<u64>,
    /// When the next is due.
    pub next: Option<u64>,
    /// Since when every attempt has failed; absent when the last one did not.
    pub failing: Option<u64>,
    /// Slices that the server confirmed since counting began.
    pub uploaded: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Times that the packet log went on without the file that was read last.
    pub gaps: u64,
    /// Files of the packet log that were damaged.
    pub damaged: u64,
    /// The spool.
    pub spool: control::Spool,
    /// What goes wrong with the packet log and the spool, for people.
    pub warnings: Vec<Warning>,
}

impl Log {
    /// Opens spool and journal and starts the upload's thread.
    ///
    /// # Errors
    /// When the spool cannot be read or no thread be started. A journal that cannot be read is
    /// logged, and the packet log then read from its oldest file on.
    pub fn open(
        config: &'static Config,
        roots: &Roots,
        days: &'static Days,
        events: &'static Events,
    ) -> Result<Self, String> {
        if let Err(why) = roots
            && config.uploads()
        {
            let text = format!("https.ca_file: {why}; no log is uploaded");
            events.say(&Event::UploadFailing { text, grave: false });
        }
        let directory = config.log.spool.clone();
        let (spool, damaged) = Spool::open(&directory, config.log.spool_size.octets())?;
        let mut journal = Journal::load(&directory).unwrap_or_else(|why| {
            let text = format!("{why}; what it knew is lost, and records may come twice");
            events.say(&Event::Damaged { text, grave: false });
            Journal::default()
        });
        journal.dropped += damaged.len() as u64;
        damaged.into_iter().for_each(|text| events.say(&Event::LogGap { text }));
        // A slice behind the journal: the engine ended between the two.
        if let Some(newest) = spool.newest()
            && newest.head.sequence >= journal.next
        {
            journal.next = newest.head.sequence + 1;
            journal.position = newest.head.position.clone();
            if let Some((sequence, hits)) = journal.ahead.take()
                && sequence == newest.head.sequence
            {
                journal.hits = hits;
            }
        }
        if journal.hits.since == 0 {
            journal.hits.since = clock::now();
        }
        let inner = Inner {
            spool,
            position: journal.position.clone(),
            hits: journal.hits.clone(),
            journal,
            pending: Pending::default(),
            next: None,
            trouble: String::new(),
            unkept: String::new(),
            refused: BTreeMap::new(),
            crowded_out: Losses::default(),
            expired: Losses::default(),
            days,
            events,
        };
        Ok(Self {
            config,
            directory,
            inner: RefCell::new(inner),
            told: Told::default(),
            events,
            https: Https::start(config, roots)?,
            look: Notify::new(),
            looked: Notify::new(),
            begun: Cell::new(0),
            ended: Cell::new(0),
            uploading: Mutex::new(()),
            asked: Notify::new(),
            asked_failed: Cell::new(None),
        })
    }

    /// The way to web servers.
    pub fn https(&self) -> &Https {
        &self.https
    }

    /// What was counted, pending text included.
    pub fn hits(&self) -> Hits {
        self.inner.borrow().hits.clone()
    }

    /// The hosts that have sent to a listed address in the day before `now`.
    pub fn suspects(&self, now: u64) -> control::Suspects {
        let inner = self.inner.borrow();
        let (hosts, last) = inner.hits.hosts.suspects(now);
        control::Suspects { hosts: hosts as u64, last }
    }

    /// The figures of this moment.
    pub fn figures(&self) -> Figures {
        let inner = self.inner.borrow();
        let journal = &inner.journal;
        Figures {
            last: journal.last.clone(),
            last_good: journal.last_good,
            next: inner.next,
            failing: journal.failing,
            uploaded: journal.uploaded,
            failed: journal.failed,
            gaps: journal.gaps,
            damaged: journal.damaged,
            spool: control::Spool {
                slices: inner.spool.slices().len() as u64,
                octets: inner.spool.octets(),
                limit: inner.spool.limit(),
                dropped: journal.dropped,
            },
            warnings: inner.warnings(clock::now()),
        }
    }

    /// Puts the pending text into the spool as a slice and moves the cursor behind it.
    ///
    /// # Errors
    /// When it cannot be kept; the text stays pending then.
    fn cut(&self) -> Result<(), String> {
        self.inner.borrow_mut().cut(&self.directory)
    }

    /// Drops what has waited longer than the service would keep it.
    ///
    /// # Errors
    /// When it cannot be removed, or that not be remembered.
    fn expire(&self) -> Result<(), String> {
        let age = self.config.log.spool_age;
        self.inner.borrow_mut().expire(&self.directory, clock::now(), age)
    }

    /// Drops what has waited too long, for a configuration that uploads nothing; never returns.
    pub async fn wind_up(&self) -> ! {
        loop {
            match self.expire().and_then(|()| self.keep_clock()) {
                Ok(()) => self.spool_is_well(),
                Err(why) => self.spool_failed(&why),
            }
            clock::sleep(AGING).await;
        }
    }

    /// Keeps how the clock went on, as long as there is something that may become too old.
    fn keep_clock(&self) -> Result<(), String> {
        let inner = self.inner.borrow();
        match inner.spool.slices().len() {
            0 => Ok(()),
            _ => inner.journal.save(&self.directory),
        }
    }

    /// Whether something that is lost or halved by an upload is to be told: it was not since yesterday.
    fn is_news(&self, text: &str) -> bool {
        self.told.is_news(UPLOAD, text, clock::now())
    }

    /// Tells that the spool cannot be read or written, unless it was told today.
    fn spool_failed(&self, why: &str) {
        let (source, text) = (Some(SPOOL.to_owned()), format!("{SPOOL}: {why}"));
        self.events.say(&Event::Failed { source, text, grave: false });
    }

    /// The same of its being written again.
    fn spool_is_well(&self) {
        self.events.end(SPOOL, format!("{SPOOL}: written again"));
    }

    /// Everything that was due was sent, and some of it `confirmed`, if there was anything: what goes wrong
    /// from now on is told at once.
    fn all_is_well(&self, confirmed: bool) {
        self.told.forget(UPLOAD);
        if confirmed {
            self.events.end(UPLOAD, "log upload: the server confirms again");
        }
        self.spool_is_well();
        self.inner.borrow_mut().tell_losses(Losses::end, Losses::end);
    }

    /// Waits until the follower has read all that was in the packet log when this was called.
    async fn caught_up(&self) {
        let wanted = self.begun.get() + 1;
        loop {
            let looked = self.looked.notified();
            if self.ended.get() >= wanted {
                return;
            }
            self.look.notify_one();
            looked.await;
        }
    }
}

impl Inner {
    /// Whether the pending text is as long as a slice may be.
    fn is_full(&self) -> bool {
        self.pending.text.len() + pflog::MAX_TEXT > self.spool.slice_limit()
    }

    /// What goes wrong at `now`; a spool that stops the follower is told once.
    fn warnings(&self, now: u64) -> Vec<Warning> {
        let Self { trouble, unkept, .. } = self;
        let mut all = Vec::new();
        if !trouble.is_empty() {
            let text = format!("packet log: {trouble}");
            all.push(Warning::new(text, "threatstopctl doctor looks at packet log and spool"));
        }
        if !unkept.is_empty() && !trouble.starts_with(unkept.as_str()) {
            let text = format!("spool: {unkept}");
            all.push(Warning::new(text, "what was read is kept once that is mended"));
        }
        all.extend(self.failing(now));
        all.extend(self.refused());
        let (octets, limit) = (self.spool.octets(), self.spool.limit());
        // after a large slice fell out there is some room, which the next one takes
        if octets >= limit / 10 * 9 || self.crowded_out.any() {
            let text = "the spool is full: the oldest of the log is dropped for what comes";
            let way_out = "mend the upload, or make log.spool_size larger and threatstopctl reload";
            all.push(Warning::new(text, way_out));
        }
        all
    }

    /// The warning of uploads that have failed for too long.
    fn failing(&self, now: u64) -> Option<Warning> {
        let last = self.journal.last.as_ref().filter(|last| !last.ok)?;
        let failing = now.saturating_sub(self.journal.failing?);
        (failing >= FAILING).then(|| {
            let text = format!("no log was uploaded for {}: {}", span(failing), last.text);
            Warning::new(text, "threatstopctl upload tries now, threatstopctl test looks further")
        })
    }

    /// The warning of slices that the server refuses though it takes others.
    fn refused(&self) -> Option<Warning> {
        let waits = |id: &String| self.spool.slices().any(|stored| stored.head.id == *id);
        let refused: Vec<_> = self.refused.iter().filter(|(id, _)| waits(id)).collect();
        let (id, why) = refused.first()?;
        let more = match refused.len() - 1 {
            0 => String::new(),
            more => format!(", and {more} more"),
        };
        let text = format!("the log server refuses slice {id}{more}: {why}");
        let way_out =
            "see [log.request], threatstopctl upload -n; tried until log.spool_age is over";
        Some(Warning::new(text, way_out))
    }

    fn cut(&mut self, directory: &std::path::Path) -> Result<(), String> {
        let result = self.keep(directory);
        self.unkept = result.as_ref().err().cloned().unwrap_or_default();
        result
    }

    fn keep(&mut self, directory: &std::path::Path) -> Result<(), String> {
        // what is read before the cursor on disk is not read again
        self.days.save();
        if let Some(times) = self.pending.times {
            self.journal.ahead = Some((self.journal.next, self.hits.clone()));
            self.journal.save(directory)?;
            let text = std::mem::take(&mut self.pending.text);
            let (next, records) = (self.journal.next, self.pending.records);
            let slice = Slice::new(next, times, records, text, self.position.clone());
            let fallen = match self.spool.push(&slice) {
                Ok(fallen) => fallen,
                Err(why) => {
                    self.pending.text = slice.text;
                    return Err(why);
                }
            };
            self.journal.dropped += fallen.len() as u64;
            let now = clock::now();
            fallen.iter().for_each(|stored| self.crowded_out.add(&stored.head, now));
            self.tell_losses(|lost| lost.news(now), |_| None);
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

    /// Drops what the service would not keep.
    fn expire(
        &mut self,
        directory: &std::path::Path,
        now: u64,
        age: Duration,
    ) -> Result<(), String> {
        let is_steady = self.journal.seen.look(now);
        let before = if is_steady { now.saturating_sub(age.as_secs()) } else { 0 };
        let fallen = self.spool.expire(before)?;
        if fallen.is_empty() {
            return Ok(());
        }
        self.journal.dropped += fallen.len() as u64;
        fallen.iter().for_each(|stored| self.expired.add(&stored.head, now));
        self.tell_losses(|_| None, |lost| lost.news(now));
        self.journal.save(directory)
    }

    /// Tells what there is to tell of what fell out of the spool because it was full, and because it was
    /// old.
    fn tell_losses(
        &mut self,
        crowded_out: impl FnOnce(&mut Losses) -> Option<String>,
        expired: impl FnOnce(&mut Losses) -> Option<String>,
    ) {
        if let Some(what) = crowded_out(&mut self.crowded_out) {
            let text = format!(
                "the spool is full: dropped {what}; make log.spool_size larger or mend the upload \
                 (threatstopctl status)"
            );
            self.events.say(&Event::LogGap { text });
        }
        if let Some(what) = expired(&mut self.expired) {
            let text = format!(
                "dropped {what}: longer in the spool than log.spool_age; mend the upload \
                 (threatstopctl status)"
            );
            self.events.say(&Event::LogGap { text });
        }
    }
}

#[cfg(test)]
mod tests;
