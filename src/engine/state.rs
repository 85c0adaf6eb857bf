//! What is in force, and what the engine remembers over restarts.
//!
//! The truth about the tables is the helper's: at start the sets in force are read from its files.
//! The engine's own directory adds what these do not say: which list named what, since when, and
//! how the last runs went. All of that may be lost without harm.

mod memory;
mod store;

use std::cell::{Ref, RefCell};
use std::path::PathBuf;
use std::rc::Rc;

use config::Config;
use imsg::TableId;
use policy::{List, Since};
use prefix::PrefixSet;

use crate::files::replace;
use crate::link::{Link, Source};
pub use memory::{HeldBack, Known, Memory, history, points};

/// The sets in force and what they were made of.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The block table; absent before the first one.
    pub block: Option<PrefixSet>,
    /// The allow table; absent before the first one.
    pub allow: Option<PrefixSet>,
    /// Since when each entry of the block table is covered.
    pub since: Since,
    /// The block lists and local_block.
    pub block_lists: Vec<List>,
    /// The allow lists and local_allow.
    pub allow_lists: Vec<List>,
}

impl Policy {
    /// The set of a table.
    pub fn set(&self, table: TableId) -> Option<&PrefixSet> {
        match table {
            TableId::Block => self.block.as_ref(),
            TableId::Allow => self.allow.as_ref(),
        }
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
    /// When the helper is gone. A state that cannot be read is logged and begins anew.
    pub async fn load(config: &Config, link: &Link) -> Result<Self, String> {
        let directory = config.log.spool.clone();
        let memory = memory::load(&directory).unwrap_or_else(|why| {
            logger::warn(format_args!("{why}; the engine's memory begins anew"));
            Memory::default()
        });
        let stored = store::load(&directory, config.guard.floor()).unwrap_or_else(|why| {
            logger::warn(format_args!("{why}; lists will be known after the next update"));
            store::Stored::default()
        });
        let (block, allow) =
            (in_force(link, TableId::Block).await, in_force(link, TableId::Allow).await);
        let since = block.as_ref().map(|set| {
            let (v4, v6) = stored.times;
            Since::from_parts(set, v4, v6).unwrap_or_else(|_| Since::new(set, crate::clock::now()))
        });
        let policy = Policy {
            block,
            allow,
            since: since.unwrap_or_default(),
            block_lists: stored.block_lists,
            allow_lists: stored.allow_lists,
        };
        let policy = RefCell::new(Rc::new(policy));
        Ok(Self { directory, policy, memory: RefCell::new(memory) })
    }

    /// The policy in force.
    pub fn policy(&self) -> Rc<Policy> {
        Rc::clone(&self.policy.borrow())
    }

    /// Puts another policy in force and keeps what it was made of.
    pub fn set_policy(&self, policy: Policy) {
        if let Err(why) = store::save(&self.directory, &policy) {
            logger::err(format_args!("{why}; after a restart the lists of an address are unknown"));
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

/// The set of the table file. One that cannot be read counts as none and is written anew by the
/// next update; the helper has logged why.
async fn in_force(link: &Link, table: TableId) -> Option<PrefixSet> {
    match link.list(table, Source::File).await {
        // what setup makes, so that pf.conf loads before the first update: no set at all yet
        Ok(set) if set.is_empty() && table == TableId::Block => None,
        Ok(set) => Some(set),
        Err(why) => {
            logger::info(format_args!("no previous {} set: {why}", table.word()));
            None
        }
    }
}
