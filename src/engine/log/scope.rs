//! Which records are ours: an address of theirs is in a block table or was in the one before,
//! or their rule stands in our anchor.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use imsg::TableId;
use pflog::{Direction, Flow, Header, Record};
use prefix::{Kind, PrefixSet};

use super::hits::Hit;
use crate::state::Policy;

/// Name under which rules of our anchor are counted when no list names the address.
const ANCHOR: &str = "anchor";
/// The same of an address that no list names any more.
const UNLISTED: &str = "unlisted";

/// What is ours at the moment.
pub struct Scope {
    /// `log.anchor` as packet logs have it.
    anchor: Option<String>,
    current: Rc<Policy>,
    previous: Rc<Policy>,
}

impl Scope {
    /// Takes the policy in force, and the tables before it.
    pub fn new(
        anchor: Option<&str>,
        current: Rc<Policy>,
        before: BTreeMap<TableId, PrefixSet>,
    ) -> Self {
        let previous = Rc::new(Policy { sets: before, ..Policy::default() });
        Self { anchor: anchor.map(ToOwned::to_owned), current, previous }
    }

    /// Takes notice of another policy in force. Packets that the old one blocked may still come
    /// out of the log.
    pub fn follow(&mut self, current: Rc<Policy>) {
        if Rc::ptr_eq(&self.current, &current) {
            return;
        }
        let before = std::mem::replace(&mut self.current, current);
        if !before.blocked().eq(self.current.blocked()) {
            self.previous = before;
        }
    }

    /// Judges a record: calls `hit` with what to count when it is ours.
    pub fn judge(&self, record: &Record<'_>, hit: impl FnOnce(&Hit<'_>)) -> bool {
        let Ok(header) = Header::parse(record.data) else { return false };
        let flow = Flow::of(&header);
        let far = flow.and_then(|flow| self.listed(&header, &flow));
        let ours = self.anchor.as_ref().is_some_and(|name| header.ruleset() == name.as_bytes());
        if far.is_none() && !ours {
            return false;
        }
        let other = flow.map(|flow| match flow.direction {
            Direction::In => flow.source,
            Direction::Out => flow.destination,
        });
        let address = far.map(|(address, _)| address).or(other);
        let mut lists: Vec<&str> = match far {
            Some((address, policy)) => {
                let named = policy.lists(Kind::Block).into_iter();
                named.filter(|list| list.contains(address)).map(policy::List::name).collect()
            }
            None => vec![ANCHOR],
        };
        if lists.is_empty() {
            lists.push(UNLISTED);
        }
        hit(&Hit {
            address,
            lists: &lists,
            direction: header.direction(),
            protocol: flow.map(|flow| flow.protocol),
            port: flow.and_then(|flow| flow.ports).map(|(_, destination)| destination),
            at: record.seconds,
        });
        true
    }

    /// The address of a packet that is in a table, and whose table that is: the far end first,
    /// then the near one, then what translation made of them.
    fn listed(&self, header: &Header<'_>, flow: &Flow) -> Option<(IpAddr, &Policy)> {
        let ends = |source, destination| match flow.direction {
            Direction::In => [source, destination],
            Direction::Out => [destination, source],
        };
        let [far, near] = ends(flow.source, flow.destination);
        let translated = header.translated().filter(|_| header.rewritten());
        let translated =
            translated.map(|((source, _), (destination, _))| ends(source, destination));
        let all = [far, near].into_iter().chain(translated.into_iter().flatten());
        let mut tables = [&self.current, &self.previous].into_iter();
        tables.find_map(|policy| {
            let has =
                |address: &IpAddr| policy.blocked().any(|(_, set)| set.find(*address).is_some());
            Some((all.clone().find(has)?, &**policy))
        })
    }
}

#[cfg(test)]
mod tests;
