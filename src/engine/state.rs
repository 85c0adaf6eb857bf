//! What is in force, and what the engine remembers over restarts.
//!
//! The truth about the tables is the helper's: at start the sets in force are read from its files.
//! The engine's own directory adds what these do not say: the lists that they were made of, since
//! when, and how the last runs went. All of that may be lost without harm: the table in force stands
//! in for a list whose copy is gone.
//!
//! * In: sets and lists that a run has put in force, how it ended; the files of the engine's
//!   directory.
//! * Out: the policy in force, its number, the ages of its entries, and what was remembered.
//! * Never: change a table, believe a file whose sum is wrong, or keep a secret.

mod ages;
pub mod copies;
mod memory;
pub mod serial;

use std::cell::{Ref, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};

use config::Config;
use imsg::TableId;
use policy::{List, Since};
use prefix::{Floor, Kind, PrefixSet};

use crate::days::Days;
use crate::events::{Event, Events};
use crate::files;
use crate::link::{self, Link};
use crate::source::{Copy, Source};
use crate::tables::{Table, Tables};
use copies::Which;
pub use memory::{Failing, Fared, HeldBack, Known, Memory, Row, history, points, why};

/// The sets in force and what they were made of.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The tables; those before their first set are not among them.
    pub sets: BTreeMap<TableId, PrefixSet>,
    /// Since when each entry of a block table is covered.
    pub since: BTreeMap<TableId, Since>,
    /// The lists, in the order of the configuration; those without a copy are not among them.
    pub lists: Vec<Rc<Copy>>,
}

impl Policy {
    /// The set of a table.
    pub fn set(&self, table: TableId) -> Option<&PrefixSet> {
        self.sets.get(&table)
    }

    /// What is allowed.
    pub fn allow(&self) -> Option<&PrefixSet> {
        self.set(TableId::ALLOW)
    }

    /// All that is blocked, table by table.
    pub fn blocked(&self) -> impl Iterator<Item = (TableId, &PrefixSet)> {
        self.sets.iter().filter(|(id, _)| **id != TableId::ALLOW).map(|(id, set)| (*id, set))
    }

    /// The lists of what to block, or of what to let through.
    pub fn lists(&self, kind: Kind) -> Vec<&List> {
        let lists = self.lists.iter().filter(|copy| copy.kind == kind);
        lists.map(|copy| &copy.list).collect()
    }

    /// The copy of a list.
    pub fn copy(&self, name: &str) -> Option<&Rc<Copy>> {
        self.lists.iter().find(|copy| copy.list.name() == name)
    }

    /// Puts another set in force in a table, at `now`.
    pub fn put(&mut self, table: TableId, set: PrefixSet, now: u64) {
        if table != TableId::ALLOW {
            let since = match (self.sets.get(&table), self.since.get(&table)) {
                (Some(old), Some(since)) => since.follow(old, &set, now),
                _ => Since::new(&set, now),
            };
            self.since.insert(table, since);
        }
        self.sets.insert(table, set);
    }
}

/// A list of the configuration that had a copy once and has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The name of the list.
    pub name: String,
    /// Whether it names what to block or what to let through.
    pub kind: Kind,
    /// Whether it is only taken out of what is blocked, see [`Source::exempts`].
    pub exempts: bool,
}

/// The state of the engine.
pub struct State {
    /// The tables of the configuration.
    pub tables: &'static Tables,
    /// Where it is counted what becomes of them.
    days: &'static Days,
    directory: PathBuf,
    policy: RefCell<Rc<Policy>>,
    /// The policy whose sets were numbered last.
    numbered: RefCell<Weak<Policy>>,
    memory: RefCell<Memory>,
}

impl State {
    /// The state as it was left, and the sets as the helper has them.
    ///
    /// # Errors
    /// When the helper is gone, or there is no place for copies. A state that cannot be read is
    /// told of and begins anew.
    pub async fn load(
        config: &Config,
        tables: &'static Tables,
        days: &'static Days,
        link: &Link,
        events: &Events,
    ) -> Result<Self, String> {
        let directory = config.log.spool.clone();
        copies::prepare(&directory)?;
        let damaged = |text| events.say(&Event::Damaged { text, grave: false });
        let mut memory = memory::load(&directory).unwrap_or_else(|why| {
            damaged(format!("{why}; the engine's memory begins anew"));
            Memory::default()
        });
        left(config, tables, &directory, &mut memory, events);
        let mut policy = Policy { lists: lists(config, &directory, damaged), ..Policy::default() };
        for table in tables.iter() {
            let Some(set) = in_force(link, table).await else { continue };
            if table.blocks() {
                let kept = ages::load(&directory, &table.word, &set).unwrap_or_else(|why| {
                    damaged(format!("{why}; all entries are as old as this start"));
                    None
                });
                let since = kept.unwrap_or_else(|| Since::new(&set, crate::clock::now()));
                policy.since.insert(table.id, since);
            }
            policy.sets.insert(table.id, set);
        }
        let (policy, numbered) = (RefCell::new(Rc::new(policy)), RefCell::default());
        Ok(Self { tables, days, directory, policy, numbered, memory: RefCell::new(memory) })
    }

    /// The engine's own directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The policy in force.
    pub fn policy(&self) -> Rc<Policy> {
        Rc::clone(&self.policy.borrow())
    }

    /// Puts another policy in force, keeps the ages of its entries, and counts what has changed.
    pub fn set_policy(&self, policy: Policy) {
        let before = self.policy();
        for (id, since) in &policy.since {
            if before.since.get(id) != Some(since)
                && let Err(why) = ages::save(&self.directory, self.tables.word(*id), since)
            {
                logger::err(format_args!("{why}; after a restart the age of an entry is unknown"));
            }
        }
        let changed: Vec<_> =
            policy.sets.iter().filter(|(id, set)| before.set(**id) != Some(*set)).collect();
        for (id, set) in &changed {
            self.days.note_table(self.tables.word(**id), before.set(**id), set);
        }
        if !changed.is_empty() {
            // the engine may be stopped at any time
            self.days.save();
        }
        let is_same = changed.is_empty() && before.sets.len() == policy.sets.len();
        let policy = Rc::new(policy);
        if is_same && self.is_numbered(&before) {
            self.numbered.replace(Rc::downgrade(&policy));
        }
        self.policy.replace(policy);
    }

    /// The policy in force and its number, which grows with each change of a table; `None` while there
    /// is no table. It is given when it is asked for, of the time at which a table last changed.
    pub fn numbered(&self) -> Option<(Rc<Policy>, u32)> {
        let policy = self.policy();
        if policy.sets.is_empty() {
            return None;
        }
        if !self.is_numbered(&policy) {
            let (before, changed) = (self.memory().numbered, self.memory().changed());
            let numbered = before.follow(&policy.sets, changed.unwrap_or_else(crate::clock::now));
            if numbered != before {
                self.remember(|memory| memory.numbered = numbered);
            }
            self.numbered.replace(Rc::downgrade(&policy));
        }
        let serial = self.memory().numbered.serial;
        Some((policy, serial))
    }

    /// Whether the sets of a policy have their number already.
    fn is_numbered(&self, policy: &Rc<Policy>) -> bool {
        self.numbered.borrow().ptr_eq(&Rc::downgrade(policy))
    }

    /// Takes a set for the one in force, of the same lists as before.
    pub fn take(&self, table: TableId, set: PrefixSet) {
        let mut next = Policy::clone(&self.policy());
        next.put(table, set, crate::clock::now());
        self.set_policy(next);
    }

    /// The tables that show what a list without a copy had: those that it goes into, and those in which
    /// it was last, of which the configuration may have taken it since; all of what is blocked, where it
    /// was taken out of that.
    pub fn tables_of(&self, lost: &Lost) -> impl Iterator<Item = &'static Table> {
        let Lost { name, kind, exempts } = lost.clone();
        let known = self.memory().list(&name).map(|list| list.tables.clone()).unwrap_or_default();
        self.tables.iter().filter(move |table| match exempts {
            true => table.blocks(),
            false => table.kind == kind && (table.has(&name, kind) || known.contains(&table.word)),
        })
    }

    /// The lists of the configuration that had a copy once and have none: the table in force stands in
    /// for them. One that has just come into the configuration is not among them.
    pub fn lost(&self, config: &Config) -> Vec<Lost> {
        let (policy, memory) = (self.policy(), self.memory());
        let is_lost = |lost: &Lost| {
            let name = &lost.name;
            let mut tables = self.tables_of(lost);
            let table = tables.any(|table| policy.set(table.id).is_some_and(|set| !set.is_empty()));
            let had = match &memory.lists {
                Some(lists) => lists.get(name).is_some_and(|list| list.kept),
                // of an engine before this one, or of nobody
                None => true,
            };
            table && had && policy.copy(name).is_none()
        };
        let mut lost = Vec::new();
        for source in Source::all(config) {
            let lists = source.lists(config).into_iter().map(|(name, kind)| {
                let exempts = kind == Kind::Allow && source.exempts();
                Lost { name: name.to_owned(), kind, exempts }
            });
            lost.extend(lists.filter(is_lost));
        }
        lost
    }

    /// What is remembered.
    pub fn memory(&self) -> Ref<'_, Memory> {
        self.memory.borrow()
    }

    /// Changes what is remembered, and keeps it.
    pub fn remember(&self, change: impl FnOnce(&mut Memory)) {
        let mut memory = self.memory.borrow_mut();
        change(&mut memory);
        if let Err(why) = memory::save(&self.directory, &memory) {
            logger::err(format_args!("{why}; this would be forgotten at a restart"));
        }
    }
}

/// Says once of a table that has left the configuration what is left of it, and forgets it.
fn left(config: &Config, tables: &Tables, directory: &Path, memory: &mut Memory, events: &Events) {
    let words: Vec<String> = memory.tables.keys().cloned().collect();
    for word in words.iter().filter(|word| tables.find(word).is_none()) {
        memory.tables.remove(word);
        let of_anchor = config.tables.anchor.as_ref().map(|anchor| format!("-a {anchor} "));
        let file = config.tables.directory.join(format!("{word}.pftable"));
        events.say(&Event::Warned(format!(
            "table <{word}> is not in the configuration any more: table and file stay as they are; \
             take its lines out of pf.conf, load it, then: pfctl {}-t {word} -T kill; rm {}*",
            of_anchor.unwrap_or_default(),
            file.display()
        )));
        let forgotten =
            ages::forget(directory, word).and_then(|()| memory::save(directory, memory));
        if let Err(why) = forgotten {
            logger::err(why);
        }
    }
}

/// The floor by which a copy is read. Of what is to be blocked everything was permitted when it came;
/// what is wider than the floor of now is cut up, for a table that is refused as a whole would leave
/// blocked what has come to be protected.
pub fn floor(config: &Config, kind: Kind) -> Floor {
    match kind {
        Kind::Block => Floor { v4: 0, v6: 0 },
        Kind::Allow => config.guard.floor(),
    }
}

/// The lists of the configuration that have a copy.
fn lists(config: &Config, directory: &Path, damaged: impl Fn(String)) -> Vec<Rc<Copy>> {
    // of a version before, whose lists the tables in force stand in for
    let _ = files::remove(directory, "policy.lists");
    let mut all = Vec::new();
    for source in Source::all(config) {
        for (name, kind) in source.lists(config) {
            match copies::load(directory, name, Which::Now, floor(config, kind)) {
                Ok(Some(stored)) => {
                    let copies::Stored { list, changed, origin } = stored;
                    all.push(Rc::new(Copy { source, kind, list, changed, origin }));
                }
                Ok(None) => {}
                Err(why) => damaged(format!(
                    "{why}; the table in force stands in for list {name} until it comes again"
                )),
            }
        }
    }
    all
}

/// The set of the table file. One that cannot be read counts as none and is written anew by the
/// next update.
async fn in_force(link: &Link, table: &Table) -> Option<PrefixSet> {
    match link.list(table.id, link::Source::File).await {
        // what setup makes, so that pf.conf loads before the first update: no set at all yet
        Ok(set) if set.is_empty() && table.blocks() => None,
        Ok(set) => Some(set),
        Err(why) => {
            logger::info(format_args!("no previous {} set: {why}", table.word));
            None
        }
    }
}
