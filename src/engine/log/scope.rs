//! Which records are ours: an address of theirs is in a block table or was in the one before,
//! or their rule stands in our anchor.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;

use imsg::TableId;
use pflog::{Action, Direction, Flow, Header, Record};
use prefix::{Kind, PrefixSet};

use crate::hits::Hit;
use crate::state::Policy;

/// Name under which rules of our anchor are counted when no list names the address.
const ANCHOR: &str = "anchor";
/// The same of an address that no list names any more.
const UNLISTED: &str = "unlisted";

/// What is ours at the moment.
pub struct Scope {
    /// `log.anchor` as packet logs have it.
    anchor: Option<String>,
    /// Whether rules of ours only watch: what they match is what would have been blocked, and what
    /// others let pass of the same packet is no hit besides.
    monitor: bool,
    current: Rc<Policy>,
    previous: Rc<Policy>,
}

impl Scope {
    /// Takes the policy in force, and the tables before it.
    pub fn new(
        anchor: Option<&str>,
        current: Rc<Policy>,
        before: BTreeMap<TableId, Rc<PrefixSet>>,
    ) -> Self {
        let previous = Rc::new(Policy { sets: before, ..Policy::default() });
        let anchor = anchor.map(ToOwned::to_owned);
        Self { anchor, monitor: false, current, previous }
    }

    /// The same with tables.monitor or without.
    pub fn monitoring(self, monitor: bool) -> Self {
        Self { monitor, ..self }
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
        let counts = !(self.monitor && header.action() == Action::PASS);
        let ends = Flow::of(&header).map(|flow| (flow, Ends::of(&header, &flow)));
        let far = ends.as_ref().and_then(|(_, ends)| self.listed(ends));
        let ours = self.anchor.as_ref().is_some_and(|name| header.ruleset() == name.as_bytes());
        if far.is_none() && !ours {
            return false;
        }
        let address = far.map(|(far, _)| far).or(ends.as_ref().map(|(_, ends)| ends.far));
        let host = match (&ends, address) {
            (Some((_, ends)), Some(address)) => Some(ends.opposite(address)),
            _ => None,
        };
        let tables: Vec<TableId> = match far {
            Some((address, policy)) => {
                let has = |set: &PrefixSet| set.find(address).is_some();
                policy.blocked().filter(|(_, set)| has(set)).map(|(id, _)| id).collect()
            }
            None => Vec::new(),
        };
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
        let flow = ends.map(|(flow, _)| flow);
        let hit_of = Hit {
            address,
            host: host.map(|(host, _)| host),
            way: host.map_or(header.direction(), |(_, way)| way),
            tables: &tables,
            lists: &lists,
            direction: header.direction(),
            protocol: flow.map(|flow| flow.protocol),
            port: flow.and_then(|flow| flow.ports).map(|(_, destination)| destination),
            at: record.seconds,
        };
        if counts {
            hit(&hit_of);
        }
        true
    }

    /// The address of a packet that is in a table, and whose table that is: the far end first,
    /// then the near one, then what translation made of them.
    fn listed(&self, ends: &Ends) -> Option<(IpAddr, &Policy)> {
        let Ends { far, near, translated, .. } = *ends;
        let all = [far, near].into_iter();
        let all = all.chain(translated.into_iter().flat_map(|(far, near)| [far, near]));
        let mut tables = [&self.current, &self.previous].into_iter();
        tables.find_map(|policy| {
            let has =
                |address: &IpAddr| policy.blocked().any(|(_, set)| set.find(*address).is_some());
            Some((all.clone().find(has)?, &**policy))
        })
    }
}

/// The ends of a packet: the far one is where it comes from when it comes in, and where it goes when
/// it goes out.
#[derive(Clone, Copy, Debug)]
struct Ends {
    far: IpAddr,
    near: IpAddr,
    /// Both as the header has them, where pf has translated the packet.
    translated: Option<(IpAddr, IpAddr)>,
    direction: Direction,
}

impl Ends {
    fn of(header: &Header<'_>, flow: &Flow) -> Self {
        let ends = |source, destination| match flow.direction {
            Direction::In => (source, destination),
            Direction::Out => (destination, source),
        };
        let (far, near) = ends(flow.source, flow.destination);
        let translated = header.translated().filter(|_| header.rewritten());
        let translated =
            translated.map(|((source, _), (destination, _))| ends(source, destination));
        Self { far, near, translated, direction: flow.direction }
    }

    /// The host at the other end than a listed address, and whether it has sent the packet. On an
    /// interface to the inside what a host sends comes in, so that the far end is the host.
    fn opposite(&self, listed: IpAddr) -> (IpAddr, Direction) {
        let was_far = listed == self.far
            || self
                .translated
                .is_some_and(|(far, near)| listed == far && listed != self.near && listed != near);
        let turned = match self.direction {
            Direction::In => Direction::Out,
            Direction::Out => Direction::In,
        };
        let (host, translated, way) = match was_far {
            true => (self.near, self.translated.map(|(_, near)| near), self.direction),
            false => (self.far, self.translated.map(|(far, _)| far), turned),
        };
        (translated.map_or(host, |other| inside(host, other, way)), way)
    }
}

/// Which of the two addresses that a host has, before and behind translation, is its own: the private
/// one. Where both are or none is, that of the packet when the host has sent it (nat-to), and the one
/// that the packet was translated to when it was sent to it (rdr-to). pf logs packets of a state, for
/// rules with `log (all)`, the other way round than the first one.
fn inside(of_packet: IpAddr, translated: IpAddr, way: Direction) -> IpAddr {
    let is_private = |address| prefix::private().any(|(net, _)| net.contains(address));
    match (is_private(of_packet), is_private(translated)) {
        (true, false) => of_packet,
        (false, true) => translated,
        _ if translated.is_unspecified() || way == Direction::Out => of_packet,
        _ => translated,
    }
}

#[cfg(test)]
mod tests;
