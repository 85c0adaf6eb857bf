//! What became of a table, in numbers.

use control::Change;
use prefix::PrefixSet;

/// The difference of two sets in numbers.
pub fn change(old: Option<&PrefixSet>, new: &PrefixSet) -> Change {
    let empty = PrefixSet::default();
    let mut change = Change { entries: new.len() as u64, ..Change::default() };
    for one in policy::diff(old.unwrap_or(&empty), new) {
        match one {
            policy::Change::Added(_) => change.added += 1,
            policy::Change::Removed(_) => change.removed += 1,
        }
    }
    change
}

/// The numbers of a table that stays as it is.
pub fn unchanged(set: Option<&PrefixSet>) -> Change {
    Change { entries: set.map_or(0, PrefixSet::len) as u64, ..Change::default() }
}

/// Whether a table has changed.
pub fn differs(change: &Change) -> bool {
    change.added + change.removed > 0
}
