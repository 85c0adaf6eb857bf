//! Tables that may not be, whatever went before them and whoever wants them.

use std::rc::Rc;

use policy::{Reason, grew_most};
use prefix::Refusal;

use super::by::Composition;
use super::judged::{Fault, Judged, KeptTable, New};
use crate::lists::Sources;
use crate::tables::Table;

impl Composition<'_> {
    /// A table that may not be, whatever went before it: why, and whose new lists keep their copies
    /// because of it. Without such lists the table stays as it is in force.
    pub(super) fn refused(&self, judged: &mut Judged) -> Option<Fault> {
        let tables = self.by.state.tables;
        for table in tables.in_order() {
            let Some(kept) = judged.made.refused.get(&table.id) else { continue };
            let (word, reason) = (table.word.clone(), kept.reason.clone());
            let is_of = |of: &Table, new: &New| of.has(new.copy.list.name(), new.copy.kind);
            let has_new = |of: &&Table| judged.new.iter().any(|new| is_of(of, new));
            // what is allowed now may be all that was to be blocked
            let emptied = matches!(reason, Reason::Refused(Refusal::Empty));
            let allow = tables.iter().filter(|table| emptied && !table.blocks());
            let Some(of) = [table].into_iter().chain(allow).find(has_new) else {
                // what is only taken out of a table is in none
                let of = judged.sources_of(table);
                let kept = KeptTable { table: word, reason, grew_most: None, of };
                judged.kept_tables.entry(table.id).or_insert(kept);
                continue;
            };
            let new = judged.new.iter().filter(|new| is_of(of, new));
            let new: Vec<_> = new.map(|new| Rc::clone(&new.copy)).collect();
            let copy = |name| self.policy.copy(name).map(|copy| &copy.list);
            let pairs: Vec<_> = new.iter().map(|new| (copy(new.list.name()), &new.list)).collect();
            let grew_most = match &reason {
                Reason::Refused(refusal) => grew_most(&pairs, refusal).map(ToOwned::to_owned),
                _ => None,
            };
            let of: Sources = new.iter().map(|new| new.source).collect();
            let (_, rows) = self.count(table, &reason, &of);
            let kept = KeptTable { table: word, reason, grew_most, of };
            return Some(Fault { id: table.id, kept, lists: new, rows });
        }
        None
    }
}
