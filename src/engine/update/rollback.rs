//! Putting back the lists that the last run replaced.

use std::rc::Rc;

use control::{Change, Updated};
use imsg::{Purpose, TableId};
use policy::Kept;
use prefix::{PrefixSet, Refusal};

use super::compose::{Lists, Tables, compose};
use super::run::Update;
use super::summary::{Time, change, differs};
use crate::clock;
use crate::link::{Link, Source as Where};
use crate::source::{Copy, Source};
use crate::state::copies::{self, Which};
use crate::state::{Policy, State, floor};
use crate::watch::Depth;

/// What a table had before the last change.
pub enum Before {
    /// The same: that change left it alone, and its file `.prev` is of an older one.
    Same,
    /// No set: that change was the first.
    Nothing,
    /// Another set.
    Set(PrefixSet),
}

/// Finds what a table had before the last change.
///
/// # Errors
/// When the previous set cannot be read.
pub async fn set_before(state: &State, link: &Link, table: TableId) -> Result<Before, String> {
    let (order, was_first) = {
        let memory = state.memory();
        (memory.order, memory.was_first[table as usize])
    };
    if Some(order[table as usize]) < order.into_iter().max() {
        return Ok(Before::Same);
    }
    if was_first {
        return Ok(Before::Nothing);
    }
    link.list(table, Where::Previous).await.map(Before::Set)
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
    sources: Vec<&'static str>,
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
        let Tables { sets, refused: [no_block, no_allow], .. } =
            compose(self.guard, &self.state.policy(), &protected, &lists, &lists.together());
        if let Some(kept) = no_allow.or(no_block) {
            return Err(refused(kept));
        }
        let sets = sets.map(Option::unwrap_or_default);
        for id in TableId::PUBLISH_ORDER {
            let tried = self.hand.publish(id, &sets[id as usize], Purpose::Trial).await;
            tried.map_err(|why| format!("{} table: {why}", id.word()))?;
        }
        let mut warnings = self.watch.mend(Depth::Whole).await.found;
        let changes = self.publish_both(&sets).await?;
        warnings.extend(self.put_in_force(sets, &changes, &way, &time));
        self.runs.overtake();
        self.runs.set_stays(None);
        logger::warn(format_args!(
            "rolled back ({}): nothing is published until threatstopctl update",
            way.sources.join(", ")
        ));
        let [block, allow] = changes;
        Ok(Updated {
            started: time.started,
            seconds: time.seconds(),
            server: None,
            dry_run: false,
            block,
            allow,
            warnings,
            undone: way.sources.iter().map(|&name| name.to_owned()).collect(),
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
        if let Some((name, _)) = self.state.lost(self.config).first() {
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
            if !way.sources.contains(&copy.source.name()) {
                way.sources.push(copy.source.name());
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
            }));
        }
        match (way.back.is_empty(), way.gone.is_empty()) {
            (true, true) => {
                Err(format!("{none}: the lists of the last run are no longer configured"))
            }
            (true, false) if way.lists.is_empty() => Err(format!("{none}: the first is in force")),
            _ => {
                // what the administrator says is never undone
                way.lists.extend(self.own.lists());
                Ok(way)
            }
        }
    }

    /// Publishes both sets; when the second cannot be, the first is taken back.
    async fn publish_both(&self, sets: &[PrefixSet; 2]) -> Result<[Change; 2], String> {
        let before = self.state.policy();
        let mut changes = [Change::default(); 2];
        for id in TableId::PUBLISH_ORDER {
            let set = &sets[id as usize];
            self.watch.forget(id);
            let Err(why) = self.hand.publish(id, set, Purpose::Publish).await else {
                changes[id as usize] = change(before.set(id), set);
                continue;
            };
            let mut why = format!("{} table: {why}", id.word());
            if differs(&changes[TableId::Allow as usize]) {
                let allow = before.allow.clone().unwrap_or_default();
                // the set before comes back by this as well
                if let Err(also) = self.hand.publish(TableId::Allow, &allow, Purpose::Publish).await
                {
                    self.state.take(TableId::Allow, sets[TableId::Allow as usize].clone());
                    why = format!("{why}; allow table, which was put back already: {also}");
                }
            }
            return Err(why);
        }
        Ok(changes)
    }

    /// Takes what was published for the policy in force; gives what could not be kept of it.
    fn put_in_force(
        &self,
        sets: [PrefixSet; 2],
        changes: &[Change; 2],
        way: &Way,
        time: &Time,
    ) -> Vec<String> {
        let before = self.state.policy();
        let [block, allow] = sets;
        let directory = self.state.directory();
        let mut failed: Vec<String> = Vec::new();
        failed.extend(way.back.iter().filter_map(|name| copies::put_back(directory, name).err()));
        failed.extend(way.gone.iter().filter_map(|name| copies::forget(directory, name).err()));
        failed.iter().for_each(logger::err);
        // a local file is what it was, and its list another
        self.files.forget();
        self.state.remember(|memory| {
            let now = clock::now();
            let order = memory.next_order();
            for id in TableId::BY_NUMBER {
                if differs(&changes[id as usize]) {
                    memory.note_change(id, order, now, before.set(id));
                }
            }
            for name in way.back.iter().chain(&way.gone) {
                let listed = memory.list_mut(name);
                listed.kept = way.back.contains(name);
                (listed.run, listed.replaced, listed.held) = (0, false, None);
                listed.history.clear();
            }
            memory.rolled_back = Some(time.started);
        });
        self.state.set_policy(Policy {
            since: before.since_with(&block, time.started),
            block: Some(block),
            allow: Some(allow),
            lists: way.lists.clone(),
        });
        failed
    }
}

/// Why nothing is put back.
fn refused(Kept { table, reason }: Kept) -> String {
    match reason {
        policy::Reason::Refused(Refusal::Empty) => {
            "nothing would be blocked: what the previous block table had is protected \
                          or allowed now; both tables stay as they are"
                .into()
        }
        reason => format!("the previous {table} table: {reason}; both tables stay as they are"),
    }
}
