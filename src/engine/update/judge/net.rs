//! The second net: tables whose lists together have changed too much, and the rows of runs in which
//! they have.

use std::collections::BTreeMap;
use std::ptr;

use config::Config;
use imsg::TableId;
use policy::{Accepted, Kept as Held, List, Run as Wanted, Together, judge_table};

use super::by::Judge;
use super::judged::{Judged, KeptTable, New, Refused};
use super::lists::Broken;
use crate::clock;
use crate::lists::Source;
use crate::state::{Lost, Policy, Row};
use crate::tables::Table;
use crate::update::compose::{Lists, as_list, of_table};

/// Whether these are the same lists, and not only equal ones.
fn are_one(these: &[&List], those: &[&List]) -> bool {
    these.len() == those.len() && these.iter().zip(those).all(|(one, other)| ptr::eq(*one, *other))
}

impl Judged {
    /// The second net: a table whose lists together have changed too much. Only lists that have a copy
    /// on both sides are looked at, and of these not the ones that somebody or three runs accepted.
    pub(super) fn held<'a>(
        &mut self,
        by: &Judge<'_>,
        policy: &Policy,
        broken: &Broken,
        lists: &'a Lists,
        together: &BTreeMap<TableId, Together<'a>>,
    ) -> Option<Refused<'static>> {
        let still = self.still_lost();
        for table in by.state.tables.in_order() {
            let (id, kind) = (table.id, table.kind);
            // what has left a table for another may go out of it
            let is_of = |lost: &Lost| match lost.exempts {
                true => table.blocks(),
                false => table.has(&lost.name, lost.kind),
            };
            let row = by.state.memory().table(&table.word).held_row;
            let wanted = by.wanted(row, None);
            let mut runs = row.runs();
            let judged = if self.lost.iter().any(is_of) && !still.iter().any(is_of) {
                // what stood in for lists without a copy is all that they can be held against
                let (Some(old), Some(set)) = (policy.set(id), self.made.sets.get(&id)) else {
                    continue;
                };
                let [old, set] = [old, set].map(|set| as_list(kind, set));
                let both = (&Together::of(&[&old]), &Together::of(&[&set]));
                judge_table(kind, both, by.guard, wanted, &mut runs)
            } else {
                let both = lists.copies(table).filter_map(|list| {
                    let new = self.new.iter().find(|new| ptr::eq(&new.copy.list, list));
                    match new {
                        None => Some((list, list)),
                        Some(New { accepted: Accepted::Usual, .. })
                            if !broken.contains_key(list.name()) =>
                        {
                            Some((&policy.copy(list.name())?.list, list))
                        }
                        Some(_) => None,
                    }
                });
                let (old, now): (Vec<&List>, Vec<&List>) = both.unzip();
                let in_force: Vec<&List> = of_table(&policy.lists, table).collect();
                let known = by.measures.get(&id).filter(|_| are_one(&in_force, &old));
                let Some(all) = together.get(&id) else { continue };
                if are_one(&old, &now) {
                    // with a list that had no copy they name more from now on
                    let known = known.filter(|_| are_one(all.lists(), &now));
                    self.made.measures.extend(known.map(|known| (id, *known)));
                    self.end_row(by, policy, table);
                    continue;
                }
                let some = (now.len() < all.lists().len()).then(|| Together::of(&now));
                let before = match known {
                    Some(known) => Together::known(&old, *known),
                    None => Together::of(&old),
                };
                self.made.measures.insert(id, all.measure());
                judge_table(
                    kind,
                    (&before, some.as_ref().unwrap_or(all)),
                    by.guard,
                    wanted,
                    &mut runs,
                )
            };
            // what others bring does not end the row of those that are at fault
            let of_others =
                self.at_fault.contains(&id) || self.is_of_the_row(by, table) == Some(false);
            if judged.is_err() || !of_others {
                let at = (wanted == Wanted::Scheduled && judged.is_err()).then(clock::now);
                self.table_rows.insert(id, row.after(runs, at));
            }
            if let Err(Held { reason, .. }) = judged {
                let word = table.word.clone();
                return Some(((id, KeptTable::new(word, reason, None)), table));
            }
        }
        None
    }

    /// The lists of a table are as they are in force, which ends its row where the run counts.
    pub(super) fn end_row(&mut self, by: &Judge<'_>, policy: &Policy, table: &Table) {
        if self.at_fault.contains(&table.id) {
            // it is as it is in force without the lists that this run counts against it
            return;
        }
        if self.unknown.is_some() && table.blocks() {
            // it is as it is in force whatever has come
            return;
        }
        let has_come = || self.has_come(by.config, policy, table);
        let is_over = self.is_of_the_row(by, table).unwrap_or_else(has_come);
        if is_over && self.counts(by, table) {
            self.table_rows.insert(table.id, Row::default());
        }
    }

    /// The lists of a table are refused whatever went before, which ends its row as it does that of a list.
    pub(super) fn break_row(&mut self, by: &Judge<'_>, id: TableId) {
        let table = by.state.tables.iter().find(|table| table.id == id);
        let Some(table) = table.filter(|table| self.counts(by, table)) else { return };
        if self.is_of_the_row(by, table) != Some(false) {
            self.table_rows.insert(id, Row::default());
        }
    }

    /// Whether the run counts in the row of a table.
    fn counts(&self, by: &Judge<'_>, table: &Table) -> bool {
        let row = by.state.memory().table(&table.word).held_row;
        by.wanted(row, None) == Wanted::Scheduled
    }

    /// Whether one has come whose lists hold a table back: each run in which that is so is one of its row,
    /// though others may be at fault as well. `None` where nobody's do.
    fn is_of_the_row(&self, by: &Judge<'_>, table: &Table) -> Option<bool> {
        let held = by.state.memory().table(&table.word).held?;
        (!held.of.is_empty()).then(|| held.of.iter().any(|name| self.has_come_from(name)))
    }

    /// Whether lists of a table have come as they are in force, of the service if it has to bring some:
    /// where that has failed, nothing is known.
    fn has_come(&self, config: &Config, policy: &Policy, table: &Table) -> bool {
        let service = config.policy.is_asked();
        let copies = self.confirmed.iter().filter_map(|name| policy.copy(name));
        let mut copies = copies.filter(|copy| table.has(copy.list.name(), copy.kind));
        copies.any(|copy| !service || copy.source == Source::Policy)
    }
}
