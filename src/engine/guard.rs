//! The guards: what no table may be, whatever brought it, and what the helper holds each set against once
//! more.

use std::borrow::Cow;

use config::Config;
use imsg::TableId;
use policy::{Guard, Protected, check_table};
use prefix::{Bounds, PrefixSet};

use crate::tables::Table;

/// The guards of a configuration, where the helper refuses what is `given`.
pub fn of_config(config: &Config, given: &[Protected]) -> Guard {
    let guard = &config.guard;
    Guard {
        bounds: guard.bounds(true),
        // what the engine protects besides, the helper does not know of
        shield: given.iter().map(|protected| protected.net).collect(),
        max_shrink: guard.max_shrink.into(),
        max_growth: guard.max_growth,
    }
}

/// The guards of a table: what is expected concerns the block table alone.
pub fn of_table<'a>(guard: &'a Guard, table: &Table) -> Cow<'a, Guard> {
    if table.id == TableId::BLOCK || guard.bounds.expect.is_empty() {
        return Cow::Borrowed(guard);
    }
    let bounds = Bounds { expect: Vec::new(), ..guard.bounds.clone() };
    Cow::Owned(Guard { bounds, ..guard.clone() })
}

/// Whether the helper would take the set as it is, where this is allowed.
pub fn is_taken(guard: &Guard, allow: Option<&PrefixSet>, table: &Table, set: &PrefixSet) -> bool {
    let allow = allow.cloned().unwrap_or_default();
    check_table(table.kind, set, &allow, &of_table(guard, table)).is_ok()
}
