//! Tables that may not be, whatever went before them and whoever wants them.

use policy::{Reason, grew_most};
use prefix::Refusal;

use super::judged::{Judged, KeptTable, New, Refused};
use crate::state::Policy;
use crate::tables::{Table, Tables};

impl Judged {
    /// A table that may not be, whatever went before it: why, and whose new lists keep their copies
    /// because of it. Without such lists the table stays as it is in force.
    pub(super) fn refused<'t>(
        &mut self,
        tables: &'t Tables,
        policy: &Policy,
    ) -> Option<Refused<'t>> {
        for table in tables.in_order() {
            let Some(kept) = self.made.refused.get(&table.id) else { continue };
            let (word, reason) = (table.word.clone(), kept.reason.clone());
            let is_of = |of: &Table, new: &New| of.has(new.copy.list.name(), new.copy.kind);
            let has_new = |of: &&Table| self.new.iter().any(|new| is_of(of, new));
            // what is allowed now may be all that was to be blocked
            let emptied = matches!(reason, Reason::Refused(Refusal::Empty));
            let allow = tables.iter().filter(|table| emptied && !table.blocks());
            let Some(of) = [table].into_iter().chain(allow).find(has_new) else {
                // what is only taken out of a table is in none
                let of = self.sources_of(table);
                let kept = KeptTable { of, ..KeptTable::new(word, reason, None) };
                self.kept_tables.entry(table.id).or_insert(kept);
                continue;
            };
            let pairs: Vec<_> = (self.new.iter().filter(|new| is_of(of, new)))
                .map(|new| {
                    (policy.copy(new.copy.list.name()).map(|copy| &copy.list), &new.copy.list)
                })
                .collect();
            let grew_most = match &reason {
                Reason::Refused(refusal) => grew_most(&pairs, refusal).map(ToOwned::to_owned),
                _ => None,
            };
            return Some(((table.id, KeptTable::new(word, reason, grew_most)), of));
        }
        None
    }
}
