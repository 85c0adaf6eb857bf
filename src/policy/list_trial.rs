//! The guards of one list: against what holds for every list, and against its own copy.

use prefix::{Bounds, Kind};

use crate::compose::{compose, unrouted};
use crate::held::HeldRuns;
use crate::judge::{Accepted, Guard, Reason, Run, brought};
use crate::left_out::Protected;
use crate::list::List;
use crate::measure::{Measure, coverage};
use crate::ranges::Ranges;
use crate::together::Together;

/// What is left of a prefix is at most so many of them, when another one is taken out of it.
const SPLIT: u64 = 128;

/// A list that has come, to be judged.
///
/// What is refused or held keeps its copy; without a copy it is left out. Both concern this list
/// alone.
#[derive(Clone, Copy, Debug)]
pub struct ListTrial<'a> {
    /// The tables that it is for: allow lists of every origin are judged as such.
    pub kind: Kind,
    /// The list.
    pub list: &'a List,
    /// Its last good copy, if there is one.
    pub copy: Option<&'a List>,
    /// The numbers of the copy of a day ago, see [`crate::History`].
    pub day_before: Option<Measure>,
    /// What holds for the list, whatever its copy is.
    pub bounds: &'a Bounds,
}

impl ListTrial<'_> {
    /// Holds the list against what no run may override: the floor, the number of entries and the
    /// coverage of the table that this list alone would make, beside the `protected` networks.
    ///
    /// Reserved space never makes a list refused: it is left out before anything is counted, as it
    /// is left out of the table. Of an allow list that is [`unrouted`] alone, whatever is
    /// `protected`. A list that names nothing is within all bounds.
    ///
    /// # Errors
    /// [`Reason::Wider`] or [`Reason::Refused`].
    pub fn check(&self, protected: &[Protected]) -> Result<(), Reason> {
        let unrouted = unrouted();
        let never = match self.kind {
            Kind::Block => protected,
            Kind::Allow => &unrouted,
        };
        if self.fits(never.len() + prefix::private().count()) {
            return Ok(());
        }
        let list = Together::of(&[self.list]);
        let alone = compose(self.kind, &list, &Ranges::default(), never, self.bounds)?;
        let covers = self.bounds.covers(self.kind, &coverage(&alone.set));
        covers.map_err(Reason::Refused)
    }

    /// Whether the list is within all bounds whatever so many holes leave of it, so that nobody has
    /// to look at what that is.
    fn fits(&self, holes: usize) -> bool {
        let size = self.list.size();
        // a hole lies in one prefix at most, and where a range is cut at the floor nobody counts
        let most = size.entries.saturating_add((holes as u64).saturating_mul(SPLIT));
        !size.exceeds(self.bounds.floor)
            && self.list.wide().is_empty()
            && most <= self.bounds.max_entries
            && self.bounds.covers(self.kind, &size.coverage).is_ok()
    }

    /// Judges the list: [`ListTrial::check`], then against its copy and that of a day ago by
    /// `max_shrink` and `max_growth`, by entries and by addresses. Without a copy nothing is held.
    ///
    /// `held` is the row of runs in which this list was held; the caller keeps it between runs, and
    /// keeps the changed value only when the run really counts: not for `update -n`, and not when
    /// no table could be published with the list.
    ///
    /// # Errors
    /// The [`Reason`] why the copy must stay; [`crate::KeptList`] is the message.
    pub fn judge(
        &self,
        guard: &Guard,
        protected: &[Protected],
        run: Run,
        held: &mut HeldRuns,
    ) -> Result<Accepted, Reason> {
        self.check(protected).inspect_err(|_| run.end(held))?;
        let new = self.list.measure();
        let reason = self.copy.and_then(|copy| {
            let before = copy.measure();
            let brought = brought(new, copy.ranges(), self.list.ranges());
            guard.change(before, self.day_before, new, brought)
        });
        guard.decide(new, reason, run, held)
    }
}

#[cfg(test)]
mod tests;
