//! The third step of a run: which of the lists that have come may be in force, and what tables they
//! make. A list is held against its own copy; then the tables are looked at once more as a whole.
//!
//! * In: the lists that have come, those in force, the guards, what is protected, the rows of runs in
//!   which something was held back.
//! * Out: the lists that may be in force and the tables that they make; what is refused or held back,
//!   whose fault that is, and the words for it; the rows as the run leaves them.
//! * Never: put anything in force, or change what is remembered.

mod by;
pub mod judged;
mod lists;
mod net;
mod refused;

use std::rc::Rc;

use prefix::Kind;

use super::compose::{Lists, Told, compose, stand_ins};
use crate::lists::{Copy, Source, Sources};
use crate::state::{Policy, Row};
use crate::tables::Table;

pub use by::Judge;
pub use judged::{Judged, New, Stays, unknown};

impl Judge<'_> {
    /// Judges what has come. What the tables are made of is all that may be, and copies else; the lists
    /// of the sources that are the `same` have come as they are in force.
    ///
    /// Where all else that tables are made of is what those in force were made of, there is what was
    /// `told` of these. Then none is made anew, as long as all lists have come as they are in force: most
    /// runs are so, and cost next to nothing.
    pub fn judge(&self, come: Vec<Copy>, same: &Sources, told: Option<&Told>) -> Judged {
        let (policy, tables) = (&*self.state.policy(), self.state.tables);
        let mut judged = Judged { lost: self.state.lost(self.config), ..self.begin(same) };
        let broken = self.broken(policy);
        for copy in come {
            judged.come.insert(copy.source);
            judged.list(self, policy, &broken, copy);
        }
        let is_same = judged.new.is_empty() && judged.kept.is_empty();
        if let Some(told) = told.filter(|_| is_same) {
            tables.iter().for_each(|table| judged.end_row(self, policy, table));
            judged.is_as_before = true;
            judged.lists.copies.clone_from(&policy.lists);
            judged.made.told = told.clone();
            return judged;
        }
        loop {
            let still = judged.still_lost();
            judged.unknown = unknown(&still);
            if judged.unknown.is_some() {
                let come = judged.new.len();
                judged.new.retain(|new| new.copy.kind != Kind::Block);
                judged.waits |= judged.new.len() < come;
            }
            let is_new = |name: &str| judged.new.iter().any(|new| new.copy.list.name() == name);
            let left_out = broken.keys().filter(|name| !is_new(name)).cloned().collect();
            let lists = Lists {
                copies: self.in_order(policy, &judged.new),
                left_out,
                stand_ins: stand_ins(self.state, policy, &still),
                unknown: judged.unknown.is_some(),
            };
            // with many lists this takes most of the time: once for the tables and for the second net
            let together = lists.together(tables);
            judged.made = compose(tables, self.guard, policy, self.protected, &lists, &together);
            let refused = judged.refused(tables, policy);
            let is_refused = refused.is_some();
            let held = || judged.held(self, policy, &broken, &lists, &together);
            if let Some(((id, kept), of)) = refused.or_else(held) {
                let is_of = |new: &New| of.has(new.copy.list.name(), new.copy.kind);
                let (at_fault, others): (Vec<New>, Vec<New>) =
                    std::mem::take(&mut judged.new).into_iter().partition(is_of);
                judged.new = others;
                let at_fault: Sources = at_fault.iter().map(|new| new.copy.source).collect();
                let before = judged.kept_tables.insert(id, kept);
                if let Some(kept) = judged.kept_tables.get_mut(&id) {
                    kept.of.extend(before.map(|before| before.of).unwrap_or_default());
                    kept.of.extend(&at_fault);
                }
                if !at_fault.is_empty() {
                    judged.at_fault.insert(id);
                    if is_refused {
                        judged.break_row(self, id);
                    }
                    continue;
                }
                // nothing that has come is at fault: the table stays as it is
                judged.made.sets.remove(&id);
            }
            drop(together);
            judged.leave_out(policy, &lists.left_out, broken);
            judged.lists = lists;
            return judged;
        }
    }

    /// What is known without a look at what has come: the lists of these sources have come as they are in
    /// force.
    fn begin(&self, same: &Sources) -> Judged {
        let row = |table: &Table| Some(self.state.memory().table(&table.word).held_row);
        let mut judged = Judged {
            table_rows: self.state.tables.each(row),
            protected: self.protected.to_vec(),
            own: self.own.to_vec(),
            ..Judged::default()
        };
        judged.come.clone_from(same);
        let policy = self.state.policy();
        for source in same {
            let lists = source.lists(self.config).into_iter();
            // a rollback may have taken it away meanwhile
            for (name, _) in lists.filter(|(name, _)| policy.copy(name).is_some()) {
                let row = self.state.memory().list(name).map_or(Row::default(), |list| list.row);
                judged.confirm(name, self.wanted(row, Some(*source)));
            }
        }
        judged
    }

    /// The copies of the policy in force, with those that are new in their places, in the order of the
    /// configuration; then what the administrator said.
    fn in_order(&self, policy: &Policy, new: &[New]) -> Vec<Rc<Copy>> {
        let mut all = Vec::new();
        for source in Source::all(self.config) {
            for (name, _) in source.lists(self.config) {
                let new = new.iter().map(|new| &new.copy).find(|copy| copy.list.name() == name);
                all.extend(new.or_else(|| policy.copy(name)).cloned());
            }
        }
        all.extend(self.own.iter().cloned());
        all
    }
}

#[cfg(test)]
mod tests;
