//! The log path in figures, and what goes wrong with it.

use super::progress::Progress;
use crate::clock::{at, monotonic, span};
use crate::warning::Warning;

/// How long uploads may fail before that is told: a server has its bad hours.
pub const FAILING: u64 = 24 * 60 * 60;

/// The figures of the log path at a moment.
pub struct Figures {
    /// The last attempt to upload.
    pub last: Option<control::Attempt>,
    /// The last one that the server confirmed.
    pub last_good: Option<u64>,
    /// When the next is due, epoch seconds.
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

impl Figures {
    /// Those of `now`.
    pub fn of(progress: &Progress, now: u64) -> Self {
        let journal = &progress.journal;
        Self {
            last: journal.last.clone(),
            last_good: journal.last_good,
            next: progress.next.map(|due| at(due, monotonic())),
            failing: journal.failing,
            uploaded: journal.uploaded,
            failed: journal.failed,
            gaps: journal.gaps,
            damaged: journal.damaged,
            spool: control::Spool {
                slices: progress.spool.slices().len() as u64,
                octets: progress.spool.octets(),
                limit: progress.spool.limit(),
                dropped: journal.dropped,
            },
            warnings: progress.warnings(now),
        }
    }
}

impl Progress {
    /// What goes wrong at `now`; a spool that stops the follower is told once.
    pub fn warnings(&self, now: u64) -> Vec<Warning> {
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
        if let Some(unread) = self.unread() {
            let text = format!("spool: {unread}");
            all.push(Warning::new(text, "the slice is kept, and sent once that is mended"));
        }
        all.extend(self.failing(now));
        all.extend(self.refused());
        if self.is_spool_full() {
            let text = "the spool is full: the oldest of the log is dropped for what comes";
            let way_out = "mend the upload, or make log.spool_size larger and threatstopctl reload";
            all.push(Warning::new(text, way_out));
        }
        all
    }

    /// Whether the spool has no room for what comes, or soon has none.
    pub fn is_spool_full(&self) -> bool {
        let tenths = |part: u64| self.spool.octets() >= self.spool.limit() / 10 * part;
        // after a large slice, a quarter of it at most, fell out there is some room, which the next one takes
        tenths(9) || (tenths(7) && self.crowded_out.any())
    }

    /// The warning of uploads that have failed for too long.
    pub fn failing(&self, now: u64) -> Option<Warning> {
        let last = self.journal.last.as_ref().filter(|last| !last.ok)?;
        let failing = now.saturating_sub(self.journal.failing?);
        (failing >= FAILING).then(|| {
            let text = format!("no log was uploaded for {}: {}", span(failing), last.text);
            Warning::new(text, "threatstopctl upload tries now, threatstopctl test looks further")
        })
    }

    /// Why the oldest slice that could not be read could not.
    pub fn unread(&self) -> Option<&String> {
        self.spool.slices().find_map(|stored| self.unread.get(&stored.head.id))
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
}
