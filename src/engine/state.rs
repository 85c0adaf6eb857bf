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
#[cfg(test)]
pub mod bare;
mod memory;
mod policy;
pub mod serial;
mod start;

use std::cell::{Ref, RefCell};
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};

use ::policy::Since;
use config::Config;
use imsg::TableId;
use prefix::{Kind, PrefixSet};

use crate::days::Days;
use crate::events::Events;
use crate::events::subject::{MEMORY, of_ages, of_copy};
use crate::lists::{Copy, Source, copies};
use crate::tables::{Table, Tables};
pub use memory::{Failing, Fared, HeldBack, Known, Memory, Refused, Row, history, points, why};
pub use policy::{Lost, Policy};
pub use start::floor;

/// The state of the engine.
pub struct State {
    /// The tables of the configuration.
    pub tables: &'static Tables,
    /// Where it is counted what becomes of them.
    days: &'static Days,
    /// Where it is said what cannot be kept.
    events: &'static Events,
    directory: PathBuf,
    policy: RefCell<Rc<Policy>>,
    /// The policy whose sets were numbered last.
    numbered: RefCell<Weak<Policy>>,
    memory: RefCell<Memory>,
}

impl State {
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
        let changed: Vec<_> =
            policy.sets.iter().filter(|(id, set)| before.sets.get(id) != Some(*set)).collect();
        for (id, set) in &changed {
            let word = self.tables.word(**id);
            // what is allowed has no ages
            if let Some(since) = policy.since.get(*id) {
                keep_ages(self.events, &self.directory, word, set, since);
            }
            self.days.note_table(word, before.set(**id), set);
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
        let kept = memory::save(&self.directory, &memory);
        drop(memory);
        self.events.kept(MEMORY, kept, "this would be forgotten at a restart");
    }

    /// Keeps the copy of a list, with that before if it is to be `replaced`.
    pub fn keep_copy(&self, copy: &Copy, replaced: bool) {
        let (list, origin) = (&copy.list, copy.origin.as_ref());
        let kept = copies::save(&self.directory, list, copy.changed, origin, replaced);
        let what = "after a restart the list has to come again";
        self.events.kept(&of_copy(list.name()), kept, what);
    }
}

/// Keeps since when a table has its entries, and says when that cannot be.
fn keep_ages(events: &Events, directory: &Path, table: &str, set: &PrefixSet, since: &Since) {
    let what = "after a restart the age of an entry is unknown";
    events.kept(&of_ages(table), ages::save(directory, table, set, since), what);
}
