//! The fourth step of a run: handing the sets to the helper.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use control::Change;
use imsg::{End, Purpose, TableId};
use policy::{Elsewhere, Guard, hold};
use prefix::PrefixSet;

use crate::change::{change, unchanged};
use crate::guard;
use crate::leave::Leave;
use crate::link::{Link, Outcome, Source, TableResult};
use crate::state::{Policy, State};
use crate::tables::Table;
use crate::watch::Watch;

/// How old the limit has to be to be looked at again when a set does not fit that should: where tables of
/// others have filled pf, that helps nobody, and everything begins anew for it.
const OLD: Duration = Duration::from_secs(24 * 60 * 60);

/// What became of the tables.
#[derive(Clone, Debug, Default)]
pub struct Published {
    /// What changed, or would change, in each.
    pub changes: BTreeMap<TableId, Change>,
    /// Those whose set of the run is in force.
    pub done: BTreeSet<TableId>,
    /// Those among them to which it was handed over: of the others nothing was tried.
    pub taken: BTreeSet<TableId>,
    /// Those among them that have more than that, and what they have: what has to go to a table that
    /// could not be published.
    pub holding: Sets,
    /// Why one is not, or has more than its set, as a sentence that names it.
    pub failures: BTreeMap<TableId, String>,
    /// What somebody had done to those that have another set now, which is gone with that.
    pub found: Vec<String>,
}

/// The sets of tables.
pub type Sets = BTreeMap<TableId, PrefixSet>;

impl Published {
    /// Adds what became of the tables afterwards.
    pub fn add(&mut self, later: &Self) {
        for (id, change) in &later.changes {
            let known = self.changes.entry(*id).or_default();
            known.entries = change.entries;
            known.added += change.added;
            known.removed += change.removed;
        }
        self.done.extend(&later.done);
        self.taken.extend(&later.taken);
        self.holding.clone_from(&later.holding);
        self.failures.extend(later.failures.clone());
        self.found.extend(later.found.iter().cloned());
    }
}

/// Gives the sets to the helper, table by table.
pub struct Publisher {
    guard: &'static Guard,
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

impl Publisher {
    /// Of a configuration that leaves pf alone unless it has `reload`, where pf has this limit.
    pub fn new(
        guard: &'static Guard,
        link: &'static Link,
        state: &'static State,
        watch: &'static Watch,
        leave: &'static Leave,
        (reload, limit): (bool, u32),
    ) -> Self {
        Self { guard, link, state, watch, leave, reload, limit, since: Instant::now() }
    }

    /// Waits until nothing can be published any more.
    pub async fn gone(&self) {
        self.link.gone().await;
    }

    /// Publishes the `sets` of a run, each for its `purpose`, or with [`Purpose::Trial`] only tries whether
    /// that could be done.
    ///
    /// What is blocked before and after is blocked at each moment between: what goes from one table to
    /// another leaves the first when the second has it.
    pub async fn publish_all(&self, sets: &Sets, purpose: impl Fn(&Table) -> Purpose) -> Published {
        let before = self.state.policy();
        let tables = self.state.tables;
        let mut published = Published {
            changes: tables.each(|table| Some(unchanged(before.set(table.id)))),
            ..Published::default()
        };
        let mut holding = Vec::new();
        for table in tables.in_order() {
            let (id, Some(set)) = (table.id, sets.get(&table.id)) else { continue };
            let purpose = purpose(table);
            let held = match purpose {
                Purpose::Trial => None,
                _ => self.held(table, sets, &before, &published),
            };
            let known = before.set(id);
            let first = held.as_ref().unwrap_or(set);
            let handed = self.put(table, known, first, purpose, &mut published.found).await;
            match handed {
                Ok((change, handed)) => {
                    published.changes.insert(id, change);
                    published.done.insert(id);
                    published.taken.extend(handed.then_some(id));
                    holding.extend(held.map(|held| (table, held, handed)));
                }
                Err(why) => {
                    published.failures.insert(id, format!("{} table: {why}", table.word));
                    // a block set composed against an allow set that is not in force may lock out
                    if !table.blocks() {
                        break;
                    }
                }
            }
        }
        for (table, held, handed) in holding {
            let (id, Some(set)) = (table.id, sets.get(&table.id)) else { continue };
            // the set before is the one before the run
            let purpose = if handed { Purpose::Repair } else { purpose(table) };
            let stays = match self.held(table, sets, &before, &published) {
                Some(_) => true,
                None => {
                    let found = &mut published.found;
                    match self.put(table, Some(&held), set, purpose, found).await {
                        Ok(_) => {
                            published.taken.insert(id);
                            false
                        }
                        Err(why) => {
                            published.failures.insert(id, format!("{} table: {why}", table.word));
                            // where its file could not be taken back, that has its set
                            !is_in_file(&before, &self.state.policy(), id)
                        }
                    }
                }
            };
            if stays {
                published.holding.insert(id, held);
            } else {
                published.changes.insert(id, change(before.set(id), set));
            }
        }
        published
    }

    /// What a table is to have as long as others that are not published yet lack what goes there; `None`
    /// when that is just its set. What the guards forbid is not held.
    fn held(
        &self,
        table: &Table,
        sets: &Sets,
        before: &Policy,
        published: &Published,
    ) -> Option<PrefixSet> {
        let (old, new) = (before.set(table.id)?, sets.get(&table.id)?);
        let none = PrefixSet::default();
        let others = self.state.tables.blocking().filter(|other| {
            table.blocks() && other.id != table.id && !published.done.contains(&other.id)
        });
        let others: Vec<Elsewhere<'_>> = others
            .filter_map(|other| {
                let old = before.set(other.id).unwrap_or(&none);
                Some(Elsewhere { old, new: sets.get(&other.id)? })
            })
            .collect();
        let held = hold(old, new, &others, self.guard.bounds.floor)?;
        let allow = sets.get(&TableId::ALLOW).filter(|_| published.done.contains(&TableId::ALLOW));
        guard::is_taken(self.guard, allow.or(before.allow()), table, &held).then_some(held)
    }

    /// Has a table have a set in place of the one that is `known` of it: what that changes, and whether it
    /// had to be handed over. Adds what somebody has been `found` to have done to it before.
    async fn put(
        &self,
        table: &Table,
        known: Option<&PrefixSet>,
        set: &PrefixSet,
        purpose: Purpose,
        found: &mut Vec<String>,
    ) -> Result<(Change, bool), String> {
        let is_ours = self.watch.is_ours(table.id);
        // what is known to be there as it is need not be handed over once more
        if known == Some(set) && is_ours {
            return Ok((unchanged(known), false));
        }
        let result = self.publish(table, known, set, purpose).await?;
        let way = change(known, set);
        if purpose != Purpose::Trial {
            // of a table that was looked at just now this is known already
            if known.is_some() && is_ours {
                found.extend(self.watch.overwritten(table, result, &way));
            }
            self.watch.published(table, set.len()).await;
        }
        Ok((way, true))
    }

    /// Has the helper publish a set in place of the one that is `known` of the table, put it back, or try
    /// whether it could.
    ///
    /// # Errors
    /// Why the previous set stays, in the helper's words.
    pub async fn publish(
        &self,
        table: &Table,
        known: Option<&PrefixSet>,
        set: &PrefixSet,
        purpose: Purpose,
    ) -> Result<TableResult, String> {
        let id = table.id;
        let result = self.link.publish(id, set, purpose).await?;
        // who only tries waits for an answer, and for nothing else
        if self.reload && purpose != Purpose::Trial {
            self.doubt(known, set, &result).await;
        }
        if result.outcome != Outcome::Failed {
            return Ok(result);
        }
        let file_has =
            async || self.link.list(id, Source::File).await.is_ok_and(|file| file == *set);
        if purpose == Purpose::Trial || known == Some(set) || !file_has().await {
            return Err(result.failure);
        }
        if purpose == Purpose::Repair {
            // which the helper does not take back by itself: it keeps no file of before for it
            self.put_back(table, known).await?;
            if !file_has().await {
                return Err(result.taken_back());
            }
        }
        // where the new file could not be taken back, it is the one in force, and the watch brings its
        // set to pf
        self.watch.forget(id);
        self.state.take(id, set.clone());
        Err(result.failure)
    }

    /// Has pf's limit read again, for another engine, where what became of a set says that it is not what it
    /// was: what status says and what is advised must not come from the limit of another day.
    async fn doubt(&self, known: Option<&PrefixSet>, set: &PrefixSet, result: &TableResult) {
        let entries = match result.outcome {
            Outcome::Published | Outcome::Unchanged => Some(result.entries.into()),
            // what is new comes before what is old goes
            _ if result.full => self.in_pf().await.map(|all| all + change(known, set).added),
            _ => None,
        };
        let age = self.since.elapsed();
        if entries.is_some_and(|entries| is_stale(self.limit, entries, result.full, age)) {
            logger::info(
                "pf may have another limit of table-entries than at the start: looking again",
            );
            self.leave.begin(End::Renew);
        }
    }

    /// How many entries pf has in all tables of ours; `None` where that is unknown.
    async fn in_pf(&self) -> Option<u64> {
        let stats = self.link.stats().await.ok().filter(|stats| stats.failure.is_empty())?;
        Some(stats.tables.iter().map(|stat| u64::from(stat.entries)).sum())
    }

    /// Has the file of a table have again what is `known` of it, which pf has still. That is not tried with
    /// what the helper would take for an offence: the guards may have changed since.
    async fn put_back(&self, table: &Table, known: Option<&PrefixSet>) -> Result<(), String> {
        let Some(known) = known else { return Ok(()) };
        let allow = self.link.list(TableId::ALLOW, Source::File).await.ok();
        if guard::is_taken(self.guard, allow.as_ref(), table, known) {
            self.link.publish(table.id, known, Purpose::Repair).await?;
        }
        Ok(())
    }
}

/// Whether a set was taken for the one in force though its publication failed, see [`Publisher::publish`].
fn is_in_file(before: &Policy, now: &Policy, id: TableId) -> bool {
    now.set(id) != before.set(id)
}

/// Whether pf's limit is not what it was `age` ago: so many entries were too many for it, or were not.
fn is_stale(limit: u32, entries: u64, full: bool, age: Duration) -> bool {
    let fits = entries <= limit.into();
    if full { fits && age > OLD } else { !fits }
}

#[cfg(test)]
mod tests;
