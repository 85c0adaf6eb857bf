//! Sets that were held back, until enough of them agree.

use crate::measure::Measure;

/// The scheduled runs in a row whose set was held back, by its numbers.
///
/// To be kept with the state of the engine, one for each table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeldRuns {
    /// The run before the last one.
    pub before: Option<Measure>,
    /// The last run.
    pub last: Option<Measure>,
}

impl HeldRuns {
    /// Ends the row.
    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// Adds a run; true when it is the third in a row and all three are `alike`, whichever came
    /// first.
    ///
    /// A run that does not agree with an earlier one begins the row anew after that one.
    pub(crate) fn agree(&mut self, run: Measure, alike: impl Fn(Measure, Measure) -> bool) -> bool {
        let last = self.last.filter(|last| alike(*last, run));
        // the limits may have changed since, so the two earlier ones are compared again
        let agrees =
            |before: &Measure| last.is_some_and(|last| alike(*before, last)) && alike(*before, run);
        let before = self.before.filter(agrees);
        *self = Self { before: last, last: Some(run) };
        before.is_some()
    }
}

#[cfg(test)]
mod tests;
