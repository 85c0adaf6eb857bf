//! Why tables are not what the lists in force make.

use std::collections::BTreeMap;

use imsg::TableId;
use policy::Reason;
use prefix::Refusal;

use super::judge::Judged;
use super::publish::Published;
use crate::runs::Unpublished;
use crate::tables::Tables;

/// Those that are not, of a run that has published what it could, and why.
pub fn unpublished(
    tables: &Tables,
    judged: &Judged,
    published: &Published,
) -> BTreeMap<TableId, Unpublished> {
    let failure = |id: TableId| published.failures.get(&id);
    tables.each(|table| {
        let id = table.id;
        let is_done = published.done.contains(&id);
        // what was composed against an allow set that is not in force is not tried
        let untried = failure(TableId::ALLOW).filter(|_| judged.made.sets.contains_key(&id));
        if let Some(why) = failure(id).or(untried.filter(|_| !is_done)) {
            return Some(Unpublished { why: why.clone(), again: true });
        }
        let kept = judged.kept_tables.get(&id).filter(|_| !is_done)?;
        let why = match kept.reason {
            Reason::Refused(Refusal::Empty) => {
                format!("the {} table would have nothing left, and is never made empty", table.word)
            }
            _ => kept.to_string(),
        };
        Some(Unpublished { why, again: false })
    })
}
