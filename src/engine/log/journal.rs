//! What the log path keeps over restarts, in `log.state`: where it is in the packet log, what was
//! counted, and how the uploads went. One file, so that all of it is of the same moment.

use std::collections::VecDeque;
use std::path::Path;

use pflog::Fingerprint;
use serde::{Deserialize, Serialize};

use crate::files::{read_json, replace};
use crate::hits::Hits;
use crate::hits::cursor::{Cursor, Print};

/// Its name in the engine's directory.
pub const FILE: &str = "log.state";
/// Far more than it ever has: counters are bounded.
const LARGEST: u64 = 4 << 20;
/// Files that were read to their end and are remembered: more than there are generations.
const FINISHED: usize = 16;

/// Where the follower is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Position {
    /// In the file that is being read; absent before the first.
    pub cursor: Option<Cursor>,
    /// Older files that were read to their end, the latest last.
    pub finished: VecDeque<Print>,
}

impl Position {
    /// Begins with a file; the one before is done with.
    pub fn enter(&mut self, file: Fingerprint, offset: u64) {
        let next = Cursor { file: Print(file), offset };
        if let Some(before) = self.cursor.replace(next)
            && before.file != next.file
        {
            self.finished.retain(|print| *print != before.file);
            self.finished.push_back(before.file);
            while self.finished.len() > FINISHED {
                self.finished.pop_front();
            }
        }
    }

    /// The offset to go on at in a file, when that is the one that is being read.
    pub fn offset_in(&self, file: Fingerprint) -> Option<u64> {
        self.cursor.filter(|cursor| cursor.file.0 == file).map(|cursor| cursor.offset)
    }

    /// Whether a file was read to its end.
    pub fn has_finished(&self, file: Fingerprint) -> bool {
        self.finished.contains(&Print(file))
    }
}

/// A clock that goes on by no more than so many seconds between two looks is the same clock.
const LEAP: u64 = 2 * DAY;
/// So long it has to have gone on before the age of something is counted by it.
const STEADY: u64 = DAY;
const DAY: u64 = 24 * 60 * 60;

/// The clock on the wall as it was seen: a host may boot with one that is years ahead, until ntpd(8) or
/// somebody sets it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Seen {
    last: Option<u64>,
    /// Since when it has made no leap.
    since: u64,
}

impl Seen {
    /// Takes note that it is `now`; says whether the age of something can be counted by that.
    pub fn look(&mut self, now: u64) -> bool {
        if self.last.is_none_or(|last| last.abs_diff(now) > LEAP) {
            self.since = now;
        }
        self.last = Some(now);
        now.saturating_sub(self.since) >= STEADY
    }
}

/// What is kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Journal {
    /// Sequence number of the next slice.
    pub next: u64,
    /// All that matters before this position is in slices up to `next`.
    pub position: Position,
    /// What was counted up to there.
    pub hits: Hits,
    /// What is counted once the slice of this number is in the spool: kept before the slice is, for
    /// a crash between the two.
    pub ahead: Option<(u64, Hits)>,
    /// Slices that fell out of a full spool, waited too long, were damaged, or were a record too large
    /// to be sent.
    pub dropped: u64,
    /// How often the packet log went on without the file that was read last.
    pub gaps: u64,
    /// How many files of it were damaged, so that records in them were not read.
    pub damaged: u64,
    /// The last of these that was being read.
    pub damaged_file: Option<Print>,
    /// The last attempt to upload.
    pub last: Option<control::Attempt>,
    /// The last one that the server confirmed.
    pub last_good: Option<u64>,
    /// The first attempt that failed since.
    pub failing: Option<u64>,
    /// Slices that the server confirmed.
    pub uploaded: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// The clock, as each attempt saw it.
    pub seen: Seen,
}

impl Journal {
    /// Reads it back; nothing when there is none.
    ///
    /// # Errors
    /// When it cannot be read or is damaged, with its path.
    pub fn load(directory: &Path) -> Result<Self, String> {
        Ok(read_json(directory, FILE, LARGEST)?.unwrap_or_default())
    }

    /// Keeps it, durably.
    ///
    /// # Errors
    /// When it cannot be written, with its path; the one before is there then.
    pub fn save(&self, directory: &Path) -> Result<(), String> {
        let text = serde_json::to_vec(self).map_err(|error| format!("{FILE}: {error}"))?;
        replace(directory, FILE, [&text], true)
    }
}

#[cfg(test)]
mod tests;
