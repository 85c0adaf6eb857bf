//! Slices that fall out of the spool are told of at once, and then once a day how many.

use super::spool::Head;
use crate::clock;
use crate::told::is_due;

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
        // of one that could not be read nobody knows
        let with = match records {
            0 => String::new(),
            _ => format!(" with {records} records"),
        };
        match slices {
            1 => format!("{last}{with}"),
            _ => format!("{slices} slices{with} since {}", clock::date(from)),
        }
    }
}

#[cfg(test)]
mod tests;
