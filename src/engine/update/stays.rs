//! What is protected or allowed and stays blocked all the same, because no other block table may be.

use std::collections::BTreeMap;

use imsg::TableId;
use policy::{Composed, Guard, Hit, Protected};

use super::compose;
use super::judge::Judged;
use crate::runs::Unpublished;
use crate::state::{Policy, State};
use crate::tables::Table;
use crate::warning::Warning;

/// Networks that a sentence names.
const NAMED: usize = 4;

/// The warning of a run that could not put block tables in force, so that others are.
pub fn stays(
    guard: &Guard,
    state: &State,
    protected: &[Protected],
    judged: &Judged,
    unpublished: &BTreeMap<TableId, Unpublished>,
) -> Option<Warning> {
    let policy = state.policy();
    state.tables.blocking().find_map(|table| {
        let why = unpublished.get(&table.id)?.why.clone();
        let kept = judged.kept_tables.get(&table.id).map(|kept| kept.reason.to_string());
        of_table(guard, &policy, protected, &kept.unwrap_or(why), table)
    })
}

fn of_table(
    guard: &Guard,
    policy: &Policy,
    protected: &[Protected],
    why: &str,
    table: &Table,
) -> Option<Warning> {
    let block = policy.set(table.id)?;
    let allow = policy.allow().cloned().unwrap_or_default();
    let exempt = compose::exempt(&allow, &policy.lists);
    let Composed { set, removed } = compose::freed(guard, block, &exempt, protected)?;
    let what = named(&removed.hits);
    if set.is_empty() {
        let text = format!(
            "all of the {} table is protected or allowed now, but it is never made empty: \
             {what} stays blocked",
            table.word
        );
        let way_out = "threatstopctl update, once a list has something else to block";
        return Some(Warning::new(text, way_out));
    }
    let text = format!("{what} stays blocked: {why}");
    Some(Warning::new(text, "threatstopctl update tries again"))
}

/// The protected networks, as a subject.
fn named(hits: &[Hit]) -> String {
    let one = |hit: &Hit| format!("{} ({})", hit.protected.net, hit.protected.reason);
    let named: Vec<String> = hits.iter().take(NAMED).map(one).collect();
    match hits.len() {
        0 => "what is allowed now".into(),
        1..=NAMED => named.join(", "),
        all => format!("{} and {} more", named.join(", "), all - NAMED),
    }
}
