//! The second net, below the guards of the lists: tables whose lists together have changed too much.

use std::ptr;
use std::rc::Rc;

use policy::{Accepted, List, Reason, Together, table_change};

use super::by::Composition;
use super::judged::{Fault, Judged, KeptTable};
use crate::lists::{Copy, Sources};
use crate::state::Lost;
use crate::tables::Table;
use crate::update::compose::{as_list, of_table};

/// Whether these are the same lists, and not only equal ones.
fn are_one(these: &[&List], those: &[&List]) -> bool {
    these.len() == those.len() && these.iter().zip(those).all(|(one, other)| ptr::eq(*one, *other))
}

/// Whether a list is among those that have come.
fn is_among(come: &[Rc<Copy>], list: &List) -> bool {
    come.iter().any(|copy| ptr::eq(&copy.list, list))
}

impl Composition<'_> {
    /// A table whose lists together have changed too much, and those of them that are at fault: only
    /// lists that have a copy on both sides are asked about, and not the ones that somebody or three
    /// runs accepted.
    pub(super) fn held(&self, judged: &mut Judged) -> Option<Fault> {
        let still = judged.still_lost();
        for table in self.by.state.tables.in_order() {
            // what has left a table for another may go out of it
            let is_of = |lost: &&Lost| match lost.exempts {
                true => table.blocks(),
                false => table.has(&lost.name, lost.kind),
            };
            let again = match still.iter().find(is_of) {
                Some(_) => Vec::new(),
                None => judged.lost.iter().filter(is_of).map(|lost| lost.name.clone()).collect(),
            };
            while let Some((reason, lists)) = self.fault(judged, table, &again) {
                let of: Sources = lists.iter().map(|copy| copy.source).collect();
                let (accepted, rows) = self.count(table, &reason, &of);
                if accepted.is_empty() {
                    let word = table.word.clone();
                    let kept = KeptTable { table: word, reason, grew_most: None, of };
                    return Some(Fault { id: table.id, kept, lists, rows });
                }
                // the others have to do without them
                for new in judged.new.iter_mut().filter(|new| is_among(&lists, &new.copy.list)) {
                    let how = accepted.get(&new.copy.source).copied();
                    new.accepted = how.unwrap_or(new.accepted);
                }
            }
        }
        None
    }

    /// What forbids a table, and the new lists that are at fault: those of one source if they are too much
    /// by themselves, or all where they are so together; else those that have come `again`.
    fn fault(
        &self,
        judged: &mut Judged,
        table: &Table,
        again: &[String],
    ) -> Option<(Reason, Vec<Rc<Copy>>)> {
        let new = judged.new.iter().filter(|new| new.accepted == Accepted::Usual);
        let new = new.map(|new| &new.copy).filter(|copy| copy.changes(table));
        let (come_again, others): (Vec<Rc<Copy>>, Vec<Rc<Copy>>) =
            new.cloned().partition(|copy| again.iter().any(|again| again == copy.list.name()));
        let of_set = match come_again.is_empty() {
            true => None,
            false => Some(self.change_of_set(judged, table)?),
        };
        // only what has a copy that may be in force is held against it
        let has_copy = |copy: &Rc<Copy>| {
            let name = copy.list.name();
            self.policy.copy(name).is_some()
                && !self.broken.contains_key(name)
                && !copy.is_exemption()
        };
        let asked: Vec<Rc<Copy>> = others.into_iter().filter(has_copy).collect();
        let Some(reason) = self.change(judged, table, &asked, &asked) else {
            return of_set.map(|reason| (reason, come_again));
        };
        let sources: Sources = asked.iter().map(|copy| copy.source).collect();
        let alone = sources.iter().filter(|_| sources.len() > 1).find_map(|source| {
            let of =
                asked.iter().filter(|copy| copy.source == *source).cloned().collect::<Vec<_>>();
            let why = self.change(judged, table, &asked, &of)?;
            // what no third run accepts of all is not to be had by the third run of one
            (reason.can_be_third() || !why.can_be_third()).then_some((why, of))
        });
        alone.or(Some((reason, asked)))
    }

    /// What forbids the set of a table of which lists have come again: what stood in for them is all that
    /// they can be held against.
    fn change_of_set(&self, judged: &Judged, table: &Table) -> Option<Reason> {
        let (old, new) = (self.policy.set(table.id)?, judged.made.sets.get(&table.id)?);
        let [old, new] = [old, new].map(|set| as_list(table.kind, set));
        table_change(&Together::of(&[&old]), &Together::of(&[&new]), self.by.guard)
    }

    /// What forbids the change of some `of` those lists of a table that are `asked` about.
    fn change(
        &self,
        judged: &mut Judged,
        table: &Table,
        asked: &[Rc<Copy>],
        of: &[Rc<Copy>],
    ) -> Option<Reason> {
        let both = self.lists.copies(table).filter_map(|list| {
            if is_among(asked, list) {
                let copy = &self.policy.copy(list.name())?.list;
                return Some((copy, if is_among(of, list) { list } else { copy }));
            }
            let is_new = judged.new.iter().any(|new| ptr::eq(&new.copy.list, list));
            (!is_new).then_some((list, list))
        });
        let (old, now): (Vec<&List>, Vec<&List>) = both.unzip();
        let in_force: Vec<&List> = of_table(&self.policy.lists, table).collect();
        let known = self.by.measures.get(&table.id).filter(|_| are_one(&in_force, &old));
        let all = self.together.get(&table.id)?;
        if are_one(&old, &now) {
            // with a list that had no copy they name more from now on
            let known = known.filter(|_| are_one(all.lists(), &now));
            judged.made.measures.extend(known.map(|known| (table.id, *known)));
            return None;
        }
        let before = match known {
            Some(known) => Together::known(&old, *known),
            None => Together::of(&old),
        };
        judged.made.measures.insert(table.id, all.measure());
        match are_one(all.lists(), &now) {
            true => table_change(&before, all, self.by.guard),
            false => table_change(&before, &Together::of(&now), self.by.guard),
        }
    }
}
