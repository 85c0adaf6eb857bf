//! Sets that were held back, until enough of them agree.

use crate::judge::Guard;

/// The scheduled runs in a row whose set was held back, by number of entries.
///
/// Plain numbers, to be kept with the state of the engine, one for each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldRuns {
    /// The run before the last one.
    pub before: Option<u64>,
    /// The last run.
    pub last: Option<u64>,
}

impl HeldRuns {
    /// Ends the row.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// Adds a run; true when it is the third in a row and all three are within the limits of one
    /// another, whichever came first.
    ///
    /// A run that does not agree with an earlier one begins the row anew after that one.
    pub(crate) fn agree(&mut self, entries: u64, guard: &Guard) -> bool {
        let last = self.last.filter(|&last| guard.alike(last, entries));
        // the limits may have changed since, so the two earlier ones are compared again
        let agrees = |before: &u64| {
            last.is_some_and(|last| guard.alike(*before, last)) && guard.alike(*before, entries)
        };
        let before = self.before.filter(agrees);
        *self = Self { before: last, last: Some(entries) };
        before.is_some()
    }
}

#[cfg(test)]
mod tests;
