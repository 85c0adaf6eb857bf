//! What became of a table, in numbers.

use control::Change;
use prefix::PrefixSet;

/// The difference of two sets in numbers.
pub fn change(old: Option<&PrefixSet>, new: &PrefixSet) -> Change {
    let (entries, had) = (new.len() as u64, old.map_or(0, PrefixSet::len) as u64);
    let common = old.map_or(0, |old| policy::common(old, new)) as u64;
    Change { entries, added: entries - common, removed: had - common }
}

/// The numbers of a table that stays as it is.
pub fn unchanged(set: Option<&PrefixSet>) -> Change {
    Change { entries: set.map_or(0, PrefixSet::len) as u64, ..Change::default() }
}

/// Whether a table has changed.
pub fn differs(change: &Change) -> bool {
    change.added + change.removed > 0
}
