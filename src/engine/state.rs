//! What is in force, and what the engine remembers over restarts.
//!
//! The truth about the tables is the helper's: at start the sets in force are read from its files.
//! The engine's own directory adds what these do not say: the lists that they were made of, since
//! when, and how the last runs went. All of that may be lost without harm: the table in force stands
//! in for a list whose copy is gone.

mod ages;
pub mod copies;
mod memory;

use std::cell::{Ref, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use config::Config;
use imsg::TableId;
use policy::{List, Since};
use prefix::{Floor, Kind, PrefixSet};

use crate::files;
use crate::link::{self, Link};
use crate::source::{Copy, Source};
use copies::Which;
pub use memory::{Failing, Fared, HeldBack, Known, Memory, Row, history, points, why};

/// The sets in force and what they were made of.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The block table; absent before the first one.
    pub block: Option<PrefixSet>,
    /// The allow table; absent before the first one.
    pub allow: Option<PrefixSet>,
    /// Since when each entry of the block table is covered.
    pub since: Since,
    /// The lists, in the order of the configuration; those without a copy are not among them.
    pub lists: Vec<Rc<Copy>>,
}

impl Policy {
    /// The set of a table.
    pub fn set(&self, table: TableId) -> Option<&PrefixSet> {
        match table {
            TableId::Block => self.block.as_ref(),
            TableId::Allow => self.allow.as_ref(),
        }
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

    /// Since when each entry of the block table is covered once `block` is in force, at `now`.
    pub fn since_with(&self, block: &PrefixSet, now: u64) -> Since {
        match &self.block {
            Some(old) => self.since.follow(old, block, now),
            None => Since::new(block, now),
        }
    }
}

/// The state of the engine.
pub struct State {
    directory: PathBuf,
    policy: RefCell<Rc<Policy>>,
    memory: RefCell<Memory>,
}

impl State {
    /// The state as it was left, and the sets as the helper has them.
    ///
    /// # Errors
    /// When the helper is gone, or there is no place for copies. A state that cannot be read is
    /// logged and begins anew.
    pub async fn load(config: &Config, link: &Link) -> Result<Self, String> {
        let directory = config.log.spool.clone();
        copies::prepare(&directory)?;
        let memory = memory::load(&directory).unwrap_or_else(|why| {
            logger::warn(format_args!("{why}; the engine's memory begins anew"));
            Memory::default()
        });
        let (block, allow) =
            (in_force(link, TableId::Block).await, in_force(link, TableId::Allow).await);
        let since = block.as_ref().map(|set| {
            let kept = ages::load(&directory, set).unwrap_or_else(|why| {
                logger::warn(format_args!("{why}; all entries are as old as this start"));
                None
            });
            kept.unwrap_or_else(|| Since::new(set, crate::clock::now()))
        });
        let lists = lists(config, &directory);
        let policy = Policy { block, allow, since: since.unwrap_or_default(), lists };
        let policy = RefCell::new(Rc::new(policy));
        Ok(Self { directory, policy, memory: RefCell::new(memory) })
    }

    /// The engine's own directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The policy in force.
    pub fn policy(&self) -> Rc<Policy> {
        Rc::clone(&self.policy.borrow())
    }

    /// Puts another policy in force and keeps the ages of its entries.
    pub fn set_policy(&self, policy: Policy) {
        if policy.since != self.policy.borrow().since
            && let Err(why) = ages::save(&self.directory, &policy.since)
        {
            logger::err(format_args!("{why}; after a restart the age of an entry is unknown"));
        }
        self.policy.replace(Rc::new(policy));
    }

    /// Takes a set for the one in force, of the same lists as before.
    pub fn take(&self, table: TableId, set: PrefixSet) {
        let before = self.policy();
        let mut next = Policy::clone(&before);
        match table {
            TableId::Allow => next.allow = Some(set),
            TableId::Block => {
                next.since = before.since_with(&set, crate::clock::now());
                next.block = Some(set);
            }
        }
        self.set_policy(next);
    }

    /// The lists of the configuration that had a copy once and have none: the table in force stands in
    /// for them. One that has just come into the configuration is not among them.
    pub fn lost(&self, config: &Config) -> Vec<(String, Kind)> {
        let (policy, memory) = (self.policy(), self.memory());
        let is_lost = |name: &str, kind: Kind| {
            let table = policy.set(table(kind)).is_some_and(|set| !set.is_empty());
            let had = match &memory.lists {
                Some(lists) => lists.get(name).is_some_and(|list| list.kept),
                // of an engine before this one, or of nobody
                None => true,
            };
            table && had && policy.copy(name).is_none()
        };
        let mut lost = Vec::new();
        for source in Source::all(config) {
            let lists =
                source.lists(config).into_iter().filter(|(name, kind)| is_lost(name, *kind));
            lost.extend(lists.map(|(name, kind)| (name.to_owned(), kind)));
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

/// The table of a kind.
pub fn table(kind: Kind) -> TableId {
    match kind {
        Kind::Block => TableId::Block,
        Kind::Allow => TableId::Allow,
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
fn lists(config: &Config, directory: &Path) -> Vec<Rc<Copy>> {
    // of a version before, whose lists the tables in force stand in for
    let _ = files::remove(directory, "policy.lists");
    let mut all = Vec::new();
    for source in Source::all(config) {
        for (name, kind) in source.lists(config) {
            match copies::load(directory, name, Which::Now, floor(config, kind)) {
                Ok(Some(stored)) => {
                    let copies::Stored { list, changed } = stored;
                    all.push(Rc::new(Copy { source, kind, list, changed }));
                }
                Ok(None) => {}
                Err(why) => logger::warn(format_args!(
                    "{why}; the table in force stands in for list {name} until it comes again"
                )),
            }
        }
    }
    all
}

/// The set of the table file. One that cannot be read counts as none and is written anew by the
/// next update.
async fn in_force(link: &Link, table: TableId) -> Option<PrefixSet> {
    match link.list(table, link::Source::File).await {
        // what setup makes, so that pf.conf loads before the first update: no set at all yet
        Ok(set) if set.is_empty() && table == TableId::Block => None,
        Ok(set) => Some(set),
        Err(why) => {
            logger::info(format_args!("no previous {} set: {why}", table.word()));
            None
        }
    }
}
