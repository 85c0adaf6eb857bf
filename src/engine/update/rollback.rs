//! Putting back the lists that the last run replaced.

use std::collections::BTreeMap;
use std::rc::Rc;

use control::{Change, Updated};
use imsg::{Purpose, TableId};
use policy::Kept;
use prefix::{PrefixSet, Refusal};

use super::compose::{Lists, Made, compose};
use super::publish::{Published, Sets};
use super::summary::{Time, both};
use super::wiring::Update;
use crate::change::differs;
use crate::clock;
use crate::events::Event;
use crate::link::{Link, Source as Where};
use crate::lists::copies::{self, Which};
use crate::lists::{Copy, Source};
use crate::state::{Lost, Policy, State, floor};
use crate::tables::Table;
use crate::watch::Depth;

/// How to get what no rollback brings.
const WAY_OUT: &str = "the configuration of before brings back what was there";

/// What a table had before the last run or rollback that changed something.
pub enum Before {
    /// The same: that left it alone, and its file `.prev` is of an older one.
    Same,
    /// No set: it was the first.
    Nothing,
    /// The set before, which is another one than that in force.
    Set(PrefixSet),
}

/// Finds what a table had before the last run or rollback that changed something.
///
/// # Errors
/// When the previous set cannot be read.
pub async fn set_before(state: &State, link: &Link, table: &Table) -> Result<Before, String> {
    let (known, last) = {
        let memory = state.memory();
        (memory.table(&table.word), memory.last_order())
    };
    if known.order < last {
        return Ok(Before::Same);
    }
    if known.was_first {
        return Ok(Before::Nothing);
    }
    link.list(table.id, Where::Previous).await.map(Before::Set)
}

/// The lists as they were before the last run that brought something.
struct Way {
    /// All of them.
    lists: Vec<Rc<Copy>>,
    /// Those among them that are put back.
    back: Vec<String>,
    /// Those that did not exist before, and go.
    gone: Vec<String>,
    /// The sources of both.
    sources: Vec<Source>,
}

impl Update {
    /// Puts back the copies that the last run replaced which asked the sources and changed something,
    /// all or none, and publishes nothing that comes until somebody updates.
    ///
    /// Guards, protected networks and the configuration may have changed since: the tables are composed
    /// of these copies under those of now.
    ///
    /// # Errors
    /// When it was done already, when there is nothing before, or when not all of it can be published;
    /// then everything is as it was.
    pub async fn rollback(&self) -> Result<Updated, String> {
        let time = Time::start();
        let _turn = self.runs.turn().await;
        if let Some(at) = self.state.memory().rolled_back {
            let date = clock::date(at);
            return Err(format!("already rolled back on {date}; threatstopctl update ends that"));
        }
        let way = self.way_back()?;
        let lists = Lists { copies: way.lists.clone(), ..Lists::default() };
        let protected = self.protect.all();
        let tables = self.state.tables;
        let together = lists.together(tables);
        let Made { sets, mut refused, .. } =
            compose(tables, self.guard, &self.state.policy(), &protected, &lists, &together);
        if let Some((table, kept)) =
            tables.in_order().find_map(|table| Some((table, refused.remove(&table.id)?)))
        {
            return Err(why_not(table, kept, &way.lists));
        }
        for table in tables.in_order() {
            let Some(set) = sets.get(&table.id) else { continue };
            let tried = self.publisher.publish(table, None, set, Purpose::Trial).await;
            tried.map_err(|why| format!("{} table: {why}", table.word))?;
        }
        let mut warnings = self.watch.mend(Depth::Whole).await.found;
        let Published { changes, found, .. } = self.publish_whole(&sets).await?;
        warnings.extend(found);
        warnings.extend(self.put_in_force(sets, &changes, &way, &time));
        self.runs.overtake();
        let lists = way.back.iter().chain(&way.gone);
        let is_changed = |id| changes.get(&id).is_some_and(differs);
        self.voice(None).rolled_back(
            self.runs,
            lists,
            &way.sources.iter().copied().collect(),
            is_changed,
        );
        self.runs.set_stays(None);
        self.runs.set_unpublished(BTreeMap::new());
        let undone: Vec<String> = way.sources.iter().map(|one| one.name().to_owned()).collect();
        let sources = undone.join(", ");
        let text =
            format!("rolled back ({sources}): nothing is published until threatstopctl update");
        self.events.say(&Event::Published { text, rollback: true });
        let [block, allow] = both(&changes);
        Ok(Updated {
            started: time.started,
            seconds: time.seconds(),
            server: None,
            dry_run: false,
            block,
            allow,
            warnings,
            undone,
        })
    }

    /// Finds the lists before the last run that brought something.
    fn way_back(&self) -> Result<Way, String> {
        let none = "there is no previous set to put back";
        let memory = self.state.memory();
        let policy = self.state.policy();
        let mut way =
            Way { lists: Vec::new(), back: Vec::new(), gone: Vec::new(), sources: Vec::new() };
        if memory.run == 0 {
            return Err(format!("{none}: no run is known that changed a list"));
        }
        // the table in force has what is to be undone
        if let Some(Lost { name, .. }) = self.state.lost(self.config).first() {
            return Err(format!(
                "{none}: the copy of list {name} is lost, and the table in force stands in for it; \
                 threatstopctl update brings it"
            ));
        }
        for copy in policy.lists.iter().filter(|copy| copy.source != Source::Own) {
            let name = copy.list.name();
            let listed = memory.list(name).filter(|listed| listed.run == memory.run);
            let Some(listed) = listed else {
                way.lists.push(Rc::clone(copy));
                continue;
            };
            if !way.sources.contains(&copy.source) {
                way.sources.push(copy.source);
            }
            if !listed.replaced {
                way.gone.push(name.to_owned());
                continue;
            }
            let floor = floor(self.config, copy.kind);
            let stored = copies::load(self.state.directory(), name, Which::Before, floor)
                .map_err(|why| format!("{none}: {why}"))?
                .ok_or_else(|| format!("{none}: the copy of list {name} before is gone"))?;
            way.back.push(name.to_owned());
            way.lists.push(Rc::new(Copy {
                source: copy.source,
                kind: copy.kind,
                list: stored.list,
                changed: stored.changed,
                origin: stored.origin,
            }));
        }
        match (way.back.is_empty(), way.gone.is_empty()) {
            (true, true) if memory.undone == memory.run => Err(format!(
                "{none}: what the last run brought was rolled back already, and no update has \
                 brought anything since"
            )),
            (true, true) => Err(format!(
                "{none}: the lists of the last run are no longer configured; {WAY_OUT}"
            )),
            (true, false) if way.lists.is_empty() && memory.run == 1 => {
                Err(format!("{none}: the first is in force"))
            }
            (true, false) if way.lists.is_empty() => Err(format!(
                "{none}: no list that is configured was there before the last run; {WAY_OUT}"
            )),
            _ => {
                // what the administrator says is never undone
                way.lists.extend(self.own.lists());
                Ok(way)
            }
        }
    }

    /// Publishes all sets; when one cannot be, the others are taken back.
    async fn publish_whole(&self, sets: &Sets) -> Result<Published, String> {
        let before = self.state.policy();
        let published = self.publisher.publish_all(sets, |_| Purpose::Publish).await;
        let Some(mut why) = published.failures.values().next().cloned() else {
            return Ok(published);
        };
        let is_other = |table: &&Table| {
            published.done.contains(&table.id)
                && published.changes.get(&table.id).is_some_and(differs)
        };
        for table in self.state.tables.iter().filter(is_other) {
            let done = table.id;
            let empty = PrefixSet::default();
            let old = match (before.set(done), done == TableId::ALLOW) {
                (Some(old), _) => old,
                (None, true) => &empty,
                // a block table is never made empty
                (None, false) => continue,
            };
            self.watch.forget(done);
            // what it has now may be more than its set
            let now = published.holding.get(&done).or(sets.get(&done));
            // the set before comes back by this as well
            let put_back = self.publisher.publish(table, now, old, Purpose::Publish).await;
            if let Err(also) = put_back {
                self.state.take(done, now.cloned().unwrap_or_default());
                let word = &table.word;
                why = format!("{why}; {word} table, which was put back already: {also}");
            }
        }
        Err(why)
    }

    /// Takes what was published for the policy in force; gives what could not be kept of it.
    fn put_in_force(
        &self,
        sets: Sets,
        changes: &BTreeMap<TableId, Change>,
        way: &Way,
        time: &Time,
    ) -> Vec<String> {
        let before = self.state.policy();
        let directory = self.state.directory();
        let mut failed: Vec<String> = Vec::new();
        failed.extend(way.back.iter().filter_map(|name| copies::put_back(directory, name).err()));
        failed.extend(way.gone.iter().filter_map(|name| copies::forget(directory, name).err()));
        failed.iter().for_each(logger::err);
        // a local file is what it was, and its list another
        self.files.forget();
        let is_undone = |name: &str| way.sources.iter().any(|source| source.name() == name);
        self.state.remember(|memory| {
            let now = clock::now();
            let order = Some(memory.next_order());
            for table in self.state.tables.iter() {
                let is_changed = changes.get(&table.id).is_some_and(differs);
                if is_changed {
                    memory.note_change(&table.word, order, now, before.set(table.id));
                }
                let held = &mut memory.table_mut(&table.word).held;
                // what is in force is as it was where nothing has changed
                if is_changed || held.as_ref().is_some_and(|held| !held.of.is_empty()) {
                    *held = held.take().and_then(|held| held.without(is_undone));
                }
            }
            for name in way.back.iter().chain(&way.gone) {
                let listed = memory.list_mut(name);
                listed.kept = way.back.contains(name);
                (listed.run, listed.replaced, listed.held) = (0, false, None);
                listed.history.clear();
            }
            // runs from before it are not in a row with those after it
            memory.end_rows();
            (memory.rolled_back, memory.undone) = (Some(time.started), memory.run);
        });
        let mut next = Policy { lists: way.lists.clone(), ..Policy::clone(&before) };
        for (id, set) in sets {
            next.put(id, set, time.started);
        }
        self.state.set_policy(next);
        failed
    }
}

/// Why nothing is put back, which would be made of those lists.
fn why_not(table: &Table, Kept { reason, .. }: Kept, lists: &[Rc<Copy>]) -> String {
    let word = &table.word;
    let has = |copy: &Copy| table.has(copy.list.name(), copy.kind) && !copy.list.is_empty();
    let had = lists.iter().any(|copy| has(copy));
    match reason {
        policy::Reason::Refused(Refusal::Empty) if had => format!(
            "nothing would be blocked: what the previous {word} table had is protected or allowed \
             now; all tables stay as they are"
        ),
        policy::Reason::Refused(Refusal::Empty) => format!(
            "nothing would be blocked: no list that is configured for the {word} table had anything \
             before the last run; all tables stay as they are; {WAY_OUT}"
        ),
        reason => format!("the previous {word} table: {reason}; all tables stay as they are"),
    }
}
