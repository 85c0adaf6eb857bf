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
mod rows;

use std::rc::Rc;

use prefix::Kind;

use by::Composition;

use super::compose::{Lists, Told, compose, stand_ins};
use crate::lists::{Copy, Source, Sources};
use crate::state::{Policy, Row};

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
        let is_same = judged.new.is_empty()
            && judged.kept.is_empty()
            && judged.lost.is_empty()
            && broken.is_empty();
        if let Some(told) = told.filter(|_| is_same) {
            judged.end_rows(self);
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
            let made = Composition {
                by: self,
                policy,
                broken: &broken,
                lists: &lists,
                together: lists.together(tables),
            };
            judged.made =
                compose(tables, self.guard, policy, self.protected, &lists, &made.together);
            if let Some(fault) = made.refused(&mut judged).or_else(|| made.held(&mut judged)) {
                judged.keep(fault);
                continue;
            }
            drop(made);
            judged.end_rows(self);
            judged.leave_out(policy, &lists.left_out, broken);
            judged.lists = lists;
            return judged;
        }
    }

    /// What is known without a look at what has come: the lists of these sources have come as they are in
    /// force.
    fn begin(&self, same: &Sources) -> Judged {
        let mut judged = Judged {
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
                judged.confirm(name, self.wanted(row, *source));
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
