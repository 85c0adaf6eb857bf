//! The rows of the second net: when a table is accepted though its lists together have changed too much.
//!
//! A table has a row of runs for each source for whose lists it was held back. A scheduled run that
//! counts for the source, by the interval of that, is one more in its row when the table is held back
//! for what it brings; any other to which it has come ends the row. Of runs that agree in what the
//! source brings into the table the third is accepted. So others neither end the row of a source nor go
//! on with it, whether they run between two of its runs or share one.
//!
//! Where one source alone brings too much, it is at fault, and the others are asked again without it.
//! Where only several do together, each of them is. If one of them is accepted then, so are the others
//! asked again. And if they bring together what no third run accepts, nobody knows whose fault that is:
//! a row stays as it is, unless what its source brings is another thing than before.
//!
//! With what is accepted a row ends when that is in force, see [`crate::update::note`]: what pf has refused
//! counts nothing.

use std::collections::BTreeMap;
use std::rc::Rc;

use policy::{Accepted, List, Measure, Reason, Run as Wanted, Together};

use super::by::{Composition, Judge};
use super::judged::{Judged, New};
use crate::clock;
use crate::lists::{Copy, Source, Sources};
use crate::state::Row;
use crate::tables::Table;
use crate::update::compose::Lists;

/// The numbers of all that a source brings into a table, or takes out of it.
fn brought(lists: &Lists, table: &Table, source: Source) -> Measure {
    let is_of = |copy: &&Rc<Copy>| {
        let is_left_out = lists.left_out.contains(copy.list.name());
        copy.source == source && copy.changes(table) && !is_left_out
    };
    let of: Vec<&List> = lists.copies.iter().filter(is_of).map(|copy| &copy.list).collect();
    Together::of(&of).measure()
}

impl Judge<'_> {
    /// The row of a source at a table as it was left, and what this run is in it.
    fn row(&self, table: &Table, source: Source) -> (Row, Wanted) {
        let row = self.state.memory().row(&table.word, source.name());
        (row, self.wanted(row, source))
    }
}

impl Composition<'_> {
    /// A table may not be, for this reason, because of these sources: those that are accepted all the same,
    /// and how the rows of the others are left.
    pub(super) fn count(
        &self,
        table: &Table,
        reason: &Reason,
        of: &Sources,
    ) -> (BTreeMap<Source, Accepted>, BTreeMap<Source, Row>) {
        let (mut accepted, mut rows) = (BTreeMap::new(), BTreeMap::new());
        for source in of {
            let (row, wanted) = self.by.row(table, *source);
            let (mut runs, new) = (row.runs(), brought(self.lists, table, *source));
            let agrees = self.by.guard.agrees(&runs, new);
            match self.by.guard.decide(new, Some(reason.clone()), wanted, &mut runs) {
                Ok(how) => drop(accepted.insert(*source, how)),
                // nobody knows whose it is
                Err(why) if of.len() > 1 && agrees && !why.can_be_third() => {}
                Err(_) => {
                    let at = (wanted == Wanted::Scheduled).then(clock::now);
                    rows.insert(*source, row.after(runs, at));
                }
            }
        }
        (accepted, rows)
    }
}

impl Judged {
    /// Ends the rows of the sources that have come, at each table at which they are not at fault. What is
    /// accepted is not in force yet. A list that has to wait because of another table ends them as well:
    /// what it would have been here is not known.
    pub(super) fn end_rows(&mut self, by: &Judge<'_>) {
        // while a copy is lost no block table is looked at
        let tables = by.state.tables.iter();
        for table in tables.filter(|table| self.unknown.is_none() || !table.blocks()) {
            let is_at_fault = |source: &&Source| {
                self.kept_tables.get(&table.id).is_some_and(|kept| kept.of.contains(*source))
            };
            for source in self.come.iter().filter(|source| !is_at_fault(source)) {
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
