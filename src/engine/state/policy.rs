//! What is in force: the sets of the tables, and the lists that they were made of.

use std::collections::BTreeMap;
use std::rc::Rc;

use ::policy::{List, Since};
use imsg::TableId;
use prefix::{Kind, PrefixSet};

use crate::lists::Copy;

/// The sets in force and what they were made of. What stays as it is, the next policy has as well.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The tables; those before their first set are not among them.
    pub sets: BTreeMap<TableId, Rc<PrefixSet>>,
    /// Since when each entry of a block table is covered.
    pub since: BTreeMap<TableId, Rc<Since>>,
    /// The lists, in the order of the configuration; those without a copy are not among them.
    pub lists: Vec<Rc<Copy>>,
}

impl Policy {
    /// The set of a table.
    pub fn set(&self, table: TableId) -> Option<&PrefixSet> {
        self.sets.get(&table).map(|set| &**set)
    }

    /// What is allowed.
    pub fn allow(&self) -> Option<&PrefixSet> {
        self.set(TableId::ALLOW)
    }

    /// All that is blocked, table by table.
    pub fn blocked(&self) -> impl Iterator<Item = (TableId, &Rc<PrefixSet>)> {
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
        if self.set(table) == Some(&set) {
            return;
        }
        if table != TableId::ALLOW {
            let since = match (self.sets.get(&table), self.since.get(&table)) {
                (Some(old), Some(since)) => since.follow(old, &set, now),
                _ => Since::new(&set, now),
            };
            self.since.insert(table, Rc::new(since));
        }
        self.sets.insert(table, Rc::new(set));
    }
}

/// A list of the configuration that had a copy once and has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The name of the list.
    pub name: String,
    /// Whether it names what to block or what to let through.
    pub kind: Kind,
    /// Whether it is only taken out of what is blocked, and never in the allow table.
    pub exempts: bool,
}
