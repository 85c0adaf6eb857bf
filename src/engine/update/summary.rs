//! The numbers and the last lines of a run.

use std::collections::BTreeMap;
use std::time::Instant;

use control::Change;
use imsg::TableId;
use policy::LeftOut;

use crate::clock;
use crate::tables::{Table, Tables};

/// Networks that the note about what was left out names; the others it counts.
const NAMED: usize = 8;

/// What became of all that is blocked, and of what is allowed.
pub fn both(changes: &BTreeMap<TableId, Change>) -> [Change; 2] {
    let mut both = [Change::default(); 2];
    for (id, change) in changes {
        let sum = &mut both[usize::from(*id == TableId::ALLOW)];
        sum.entries += change.entries;
        sum.added += change.added;
        sum.removed += change.removed;
    }
    both
}

/// What the tables have now, block and then allow, then the others: `Adding` where the set of the run is
/// in force, `Keeping` where another one stays.
pub fn totals(
    tables: &Tables,
    changes: &BTreeMap<TableId, Change>,
    is_new: impl Fn(TableId) -> bool,
) -> Vec<String> {
    let line = |table: &Table| {
        let entries = changes.get(&table.id).copied().unwrap_or_default().entries;
        let what = match table.id {
            TableId::BLOCK => "blocked addresses".to_owned(),
            TableId::ALLOW => "allowed addresses".to_owned(),
            _ => format!("addresses of {}", table.name),
        };
        format!("{} {entries} {what}", if is_new(table.id) { "Adding" } else { "Keeping" })
    };
    tables.iter().map(line).collect()
}

/// What came and went: `Changed: +35 -23 blocked, +0 -0 allowed`.
pub fn changed([block, allow]: [Change; 2]) -> String {
    format!(
        "Changed: +{} -{} blocked, +{} -{} allowed",
        block.added, block.removed, allow.added, allow.removed
    )
}

/// What the lists name and no table may have, the most first: `Note: 4 entries left out: 3 in
/// 10.0.0.0/8 (private), 1 in 203.0.113.0/24 (never_block)`; `None` when that is nothing.
pub fn left_out(of_lists: &[LeftOut]) -> Option<String> {
    let mut all: Vec<LeftOut> = Vec::new();
    for one in of_lists {
        // block and allow lists may name the same
        match all.iter_mut().find(|known| known.protected.net == one.protected.net) {
            Some(known) => known.entries += one.entries,
            None => all.push(one.clone()),
        }
    }
    all.sort_by_key(|one| std::cmp::Reverse(one.entries));
    let total: usize = all.iter().map(|one| one.entries).sum();
    if total == 0 {
        return None;
    }
    let mut named: Vec<String> = all
        .iter()
        .take(NAMED)
        .map(|LeftOut { protected, entries }| {
            // the number of the RFC is for `why`
            let reason = protected.reason.split(", RFC").next().unwrap_or_default();
            format!("{entries} in {} ({reason})", protected.net)
        })
        .collect();
    let rest: usize = all.iter().skip(NAMED).map(|one| one.entries).sum();
    if rest > 0 {
        named.push(format!("{rest} elsewhere"));
    }
    let noun = if total == 1 { "entry" } else { "entries" };
    Some(format!("Note: {total} {noun} left out: {}", named.join(", ")))
}

/// When a run began, by the clock on the wall and by the one that nobody sets.
pub struct Time {
    /// When the run began, epoch seconds.
    pub started: u64,
    clock: Instant,
}

impl Time {
    /// A run begins.
    pub fn start() -> Self {
        Self { started: clock::now(), clock: Instant::now() }
    }

    /// How long it takes already.
    pub fn seconds(&self) -> f64 {
        self.clock.elapsed().as_secs_f64()
    }

    /// The last lines of the summary.
    pub fn last_lines(&self) -> [String; 2] {
        [
            format!("Finished ThreatSTOP update at {}", clock::date(clock::now())),
            format!("Run Length: {}", clock::run_length(self.seconds())),
        ]
    }
}

#[cfg(test)]
mod tests;
