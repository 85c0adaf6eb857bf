//! What goes wrong for days is told at once, and then once a day: a log that says the same each hour
//! hides what else it has.

use super::spool::Head;
use crate::clock;

/// How often the same is told, in seconds.
const AGAIN: u64 = 24 * 60 * 60;
/// Texts that are told in that time: a server may have another one for each attempt.
const MOST: usize = 8;

/// What was told lately.
#[derive(Debug, Default)]
pub struct Told {
    texts: Vec<String>,
    /// When the first of them was.
    since: u64,
}

impl Told {
    /// Whether a text is to be told at `now`, epoch seconds; it counts as told then.
    pub fn is_news(&mut self, text: &str, now: u64) -> bool {
        if is_due(self.since, now) {
            self.texts.clear();
            self.since = now;
        }
        let news = self.texts.len() < MOST && self.texts.iter().all(|told| told != text);
        if news {
            self.texts.push(text.to_owned());
        }
        news
    }

    /// All is well again: whatever comes next is news.
    pub fn forget(&mut self) {
        self.texts.clear();
    }
}

/// Slices that fall out of the spool for one reason.
#[derive(Debug, Default)]
pub struct Losses {
    /// Those that were not told of yet.
    slices: u64,
    records: u64,
    /// When the first of them fell out.
    from: u64,
    /// The last one, for people.
    last: String,
    /// When was last told.
    told: Option<u64>,
}

impl Losses {
    /// Takes note of one that falls out at `now`, epoch seconds.
    pub fn add(&mut self, head: &Head, now: u64) {
        if self.slices == 0 {
            self.from = now;
        }
        self.slices += 1;
        self.records += head.records;
        self.last = format!("slice {}", head.id);
    }

    /// Whether there was any since all was well.
    pub fn any(&self) -> bool {
        self.told.is_some()
    }

    /// What is to be told at `now`, if it is time: `slice ID with 5 records`, or how many since when.
    pub fn news(&mut self, now: u64) -> Option<String> {
        let due = self.told.is_none_or(|at| is_due(at, now));
        (due && self.slices > 0).then(|| {
            self.told = Some(now);
            self.take()
        })
    }

    /// All is well again: what was not told yet, if anything, and what comes next is told at once.
    pub fn end(&mut self) -> Option<String> {
        self.told = None;
        (self.slices > 0).then(|| self.take())
    }

    fn take(&mut self) -> String {
        let told = self.told;
        let Self { slices, records, from, last, .. } =
            std::mem::replace(self, Self { told, ..Self::default() });
        match slices {
            1 => format!("{last} with {records} records"),
            _ => format!("{slices} slices with {records} records since {}", clock::date(from)),
        }
    }
}

/// Whether a day has gone by; nobody knows when the clock was set back meanwhile.
fn is_due(at: u64, now: u64) -> bool {
    now.checked_sub(at).is_none_or(|age| age >= AGAIN)
}

#[cfg(test)]
mod tests;
