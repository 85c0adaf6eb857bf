//! The fourth step of a run: handing the sets to the helper.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use control::Change;
use imsg::{End, Purpose, TableId};
use prefix::PrefixSet;

use super::judge::Judged;
use super::summary::{change, unchanged};
use crate::leave::Leave;
use crate::link::{Link, Outcome, Source, TableResult};
use crate::state::State;
use crate::watch::Watch;

/// How old the limit has to be to be looked at again when a set does not fit.
const OLD: Duration = Duration::from_secs(10 * 60);

/// What became of the tables.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// What changed, or would change, in each.
    pub changes: BTreeMap<TableId, Change>,
    /// Those whose set of the run is in force.
    pub done: BTreeSet<TableId>,
    /// Why one is not.
    pub failures: Vec<String>,
}

/// The hand that gives the sets to the helper.
pub struct Hand {
    link: &'static Link,
    state: &'static State,
    watch: &'static Watch,
    leave: &'static Leave,
    /// Whether pf is ours to look at.
    reload: bool,
    /// The limit table-entries of pf, and since when it is known.
    limit: u32,
    since: Instant,
}

impl Hand {
    /// Of a configuration that leaves pf alone unless it has `reload`, where pf has this limit.
    pub fn new(
        link: &'static Link,
        state: &'static State,
        watch: &'static Watch,
        leave: &'static Leave,
        (reload, limit): (bool, u32),
    ) -> Self {
        Self { link, state, watch, leave, reload, limit, since: Instant::now() }
    }

    /// Publishes the sets of a run, or with [`Purpose::Trial`] only tries whether that could be done.
    pub async fn publish_all(&self, judged: &Judged, purpose: Purpose) -> Published {
        let before = self.state.policy();
        let tables = self.state.tables;
        let mut published = Published {
            changes: tables.each(|table| Some(unchanged(before.set(table.id)))),
            ..Published::default()
        };
        for table in tables.in_order() {
            let (id, Some(set)) = (table.id, judged.made.sets.get(&table.id)) else { continue };
            let same = before.set(id) == Some(set);
            // what is known to be there as it is need not be handed over once more
            if !(same && self.watch.is_ours(id)) {
                if let Err(why) = self.publish(id, set, purpose).await {
                    published.failures.push(format!("{} table: {why}", table.word));
                    // a block set composed against an allow set that is not in force may lock out
                    if !table.blocks() {
                        break;
                    }
                    continue;
                }
                if purpose != Purpose::Trial {
                    self.watch.published(id, set.len()).await;
                }
            }
            published.changes.insert(id, change(before.set(id), set));
            published.done.insert(id);
        }
        published
    }

    /// Has the helper publish a set, put it back, or try whether it could.
    ///
    /// # Errors
    /// Why the previous set stays, in the helper's words.
    pub async fn publish(
        &self,
        table: TableId,
        set: &PrefixSet,
        purpose: Purpose,
    ) -> Result<(), String> {
        let result = self.link.publish(table, set, purpose).await?;
        if self.reload && is_stale(self.limit, &result, self.since.elapsed()) {
            // what status says and what is advised must not come from the limit of another day
            logger::info("pf has another limit of table-entries than at the start");
            self.leave.begin(End::Renew);
        }
        if result.outcome != Outcome::Failed {
            return Ok(());
        }
        // where the new file could not be taken back, it is the one in force, and the watch brings its
        // set to pf
        if purpose != Purpose::Trial
            && self.link.list(table, Source::File).await.is_ok_and(|file| file == *set)
        {
            self.state.take(table, set.clone());
        }
        Err(result.failure)
    }
}

/// Whether what became of a set says that pf's limit is not what it was `age` ago.
fn is_stale(limit: u32, result: &TableResult, age: Duration) -> bool {
    let fits = matches!(result.outcome, Outcome::Published | Outcome::Unchanged);
    (result.full && age > OLD) || (fits && result.entries > limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_stale_when_what_happens_denies_it() {
        let result = |outcome, entries, full| TableResult {
            table: TableId::BLOCK,
            outcome,
            entries,
            added: 0,
            deleted: 0,
            full,
            failure: String::new(),
        };
        let hour = Duration::from_secs(3600);
        for (result, age, stale) in [
            (result(Outcome::Published, 1000, false), hour, false),
            (result(Outcome::Published, 1001, false), Duration::ZERO, true),
            (result(Outcome::Counted, 1001, false), hour, false),
            (result(Outcome::Failed, 900, true), hour, true),
            // it was read just now
            (result(Outcome::Failed, 900, true), Duration::ZERO, false),
            (result(Outcome::Failed, 1001, false), hour, false),
        ] {
            assert_eq!(is_stale(1000, &result, age), stale, "{result:?} {age:?}");
        }
    }
}
