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
mod figures;
mod follow;
mod journal;
mod losses;
mod progress;
mod request;
mod scope;
mod source;
mod spool;
mod suspects;
mod upload;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::time::Duration;

use config::Config;
use tokio::sync::{Mutex, Notify};

use crate::clock;
use crate::days::Days;
use crate::events::subject::{SPOOL, UPLOAD};
use crate::events::{Event, Events};
use crate::files;
use crate::hits::Hits;
use crate::https::{Https, Roots};
use crate::told::Told;

use answer::Failure;
pub use answer::shown;
pub use figures::Figures;
pub use follow::follow;
use journal::Journal;
use losses::Losses;
use progress::Progress;
use spool::Spool;
pub use upload::OFF;

/// How often is looked what has become too old, where nothing is uploaded.
const AGING: Duration = Duration::from_secs(60 * 60);

/// The log path.
pub struct Log {
    config: &'static Config,
    directory: PathBuf,
    /// What is read, kept and counted. It is never borrowed across an await.
    progress: RefCell<Progress>,
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
    /// Whether the spool could not be read or written since the upload began that was last.
    is_spool_bad: Cell<bool>,
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
            let aside = files::put_aside(&directory, journal::FILE);
            let text = format!(
                "{why}; hits are counted anew, and of the packet log some may be uploaded \
                 twice{aside}"
            );
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
            // where it ends nobody says who cannot read it: its records come twice
            if !newest.by_name {
                journal.position = newest.head.position.clone();
                if let Some((sequence, hits)) = journal.ahead.take()
                    && sequence == newest.head.sequence
                {
                    journal.hits = hits;
                }
            }
        }
        if journal.hits.since == 0 {
            journal.hits.since = clock::now();
        }
        Ok(Self {
            config,
            directory,
            progress: RefCell::new(Progress::of(spool, journal, days)),
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
            is_spool_bad: Cell::new(false),
        })
    }

    /// The way to web servers.
    pub fn https(&self) -> &Https {
        &self.https
    }

    /// What was counted, pending text included.
    pub fn hits(&self) -> Hits {
        self.progress.borrow().hits.clone()
    }

    /// The hosts that have sent to a listed address in the day before `now`.
    pub fn suspects(&self, now: u64) -> control::Suspects {
        let progress = self.progress.borrow();
        let (hosts, last) = progress.hits.hosts.suspects(now);
        control::Suspects { hosts: hosts as u64, last }
    }

    /// The figures of this moment.
    pub fn figures(&self) -> Figures {
        Figures::of(&self.progress.borrow(), clock::now())
    }

    /// Cuts a slice of the pending text, see [`Progress::cut`].
    ///
    /// # Errors
    /// When it cannot be kept; the text stays pending then.
    fn cut(&self) -> Result<(), String> {
        self.progress.borrow_mut().cut(&self.directory, self.events)
    }

    /// Drops what has waited longer than the service would keep it.
    ///
    /// # Errors
    /// When it cannot be removed, or that not be remembered.
    fn expire(&self) -> Result<(), String> {
        let age = self.config.log.spool_age;
        self.progress.borrow_mut().expire(&self.directory, self.events, clock::now(), age)
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
        let progress = self.progress.borrow();
        match progress.spool.slices().len() {
            0 => Ok(()),
            _ => progress.journal.save(&self.directory),
        }
    }

    /// Whether something that is lost or halved by an upload is to be told: it was not since yesterday.
    fn is_news(&self, text: &str) -> bool {
        self.told.is_news(UPLOAD, text, clock::now())
    }

    /// Tells that the spool cannot be read or written, unless it was told today.
    fn spool_failed(&self, why: &str) {
        self.is_spool_bad.set(true);
        let (source, text) = (Some(SPOOL.to_owned()), format!("{SPOOL}: {why}"));
        self.events.say(&Event::Failed { source, text, grave: false });
    }

    /// The same of its being read and written again.
    fn spool_is_well(&self) {
        self.events.end(SPOOL, format!("{SPOOL}: read and written again"));
    }

    /// Everything that was due and could be read was sent, and some of it `confirmed`, if there was
    /// anything: what goes wrong from now on is told at once.
    fn all_is_well(&self, confirmed: bool) {
        self.told.forget(UPLOAD);
        if confirmed {
            self.events.end(UPLOAD, "log upload: the server confirms again");
        }
        // what was confirmed may not have been removed
        if !self.is_spool_bad.get() {
            self.spool_is_well();
        }
        let mut progress = self.progress.borrow_mut();
        // of what cannot be read it may be full still
        if !progress.is_spool_full() {
            progress.tell_losses(self.events, Losses::end, Losses::end);
        }
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

#[cfg(test)]
mod tests;
