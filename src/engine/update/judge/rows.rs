//! The rows of the second net: when a table is accepted though its lists together have changed too much.
//!
//! A table has a row of runs for each source for whose lists it was held back. A scheduled run that
//! counts for the source, by the interval of that, is one more in its row when the table is held back
//! for what it brings; any other to which it has come ends the row. Of runs that agree in what the
//! source brings into the table the third is accepted. So others neither end the row of a source nor go
//! on with it, whether they run between two of its runs or share one.
//!
//! Where several sources bring too much together, each of them is at fault. If one of them is accepted
//! then, the others are asked again without it. And if they bring together what no third run accepts,
//! nobody knows whose fault that is: their rows stay as they are.
//!
//! A row ends with what is accepted when that is in force, see [`crate::update::note`]: what pf has
//! refused counts nothing.

use std::collections::BTreeMap;

use policy::{Accepted, List, Measure, Reason, Run as Wanted, Together};

use super::by::{Composition, Judge};
use super::judged::{Judged, New};
use crate::clock;
use crate::lists::{Source, Sources};
use crate::state::Row;
use crate::tables::Table;
use crate::update::compose::Lists;

/// The numbers of all that a source brings into a table, or takes out of it.
fn brought(lists: &Lists, table: &Table, source: Source) -> Measure {
    let of = lists.copies.iter().filter(|copy| copy.source == source && copy.changes(table));
    let of: Vec<&List> = of.map(|copy| &copy.list).collect();
    Together::of(&of).measure()
}

impl Judge<'_> {
    /// The row of a source at a table as it was left, and what this run is in it.
    fn row(&self, table: &Table, source: Source) -> (Row, Wanted) {
        let row = self.state.memory().row(&table.word, source.name());
        (row, self.wanted(row, source))
    }
}

impl Judged {
    /// A table may not be, for this reason, because of these sources: so it is with their rows. Gives those
    /// that are accepted all the same.
    pub(super) fn count(
        &mut self,
        made: &Composition<'_>,
        table: &Table,
        reason: &Reason,
        of: &Sources,
    ) -> BTreeMap<Source, Accepted> {
        let mut accepted = BTreeMap::new();
        for source in of {
            let (row, wanted) = made.by.row(table, *source);
            let (mut runs, new) = (row.runs(), brought(made.lists, table, *source));
            match made.by.guard.decide(new, Some(reason.clone()), wanted, &mut runs) {
                Ok(how) => drop(accepted.insert(*source, how)),
                // nobody knows whose it is
                Err(why) if of.len() > 1 && !matches!(why, Reason::Changed(_)) => {}
                Err(_) => {
                    let at = (wanted == Wanted::Scheduled).then(clock::now);
                    self.table_rows.insert((table.id, *source), row.after(runs, at));
                }
            }
        }
        accepted
    }

    /// Ends the rows of the sources that have come and are not at fault. What is accepted is not in force
    /// yet, nor is what another table has not.
    pub(super) fn end_rows(&mut self, by: &Judge<'_>) {
        let is_at_fault = |source| self.kept_tables.values().any(|kept| kept.of.contains(source));
        let good: Vec<Source> =
            self.come.iter().filter(|source| !is_at_fault(source)).copied().collect();
        // while a copy is lost no block table is looked at
        let tables = by.state.tables.iter();
        for table in tables.filter(|table| self.unknown.is_none() || !table.blocks()) {
            for source in &good {
                let is_accepted = self.new.iter().any(|New { copy, accepted }| {
                    copy.source == *source && copy.changes(table) && *accepted != Accepted::Usual
                });
                if !is_accepted && by.row(table, *source).1 == Wanted::Scheduled {
                    self.table_rows.insert((table.id, *source), Row::default());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
