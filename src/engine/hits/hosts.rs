//! Which of our hosts talk to addresses in the block tables, or are talked to by them.

use std::net::IpAddr;

use pflog::Direction;
use serde::{Deserialize, Serialize};

use super::busiest::{Busiest, Count};

/// Hosts that are kept of those that sent, and of those that were sent to.
pub const HOSTS: usize = 1000;

/// How long a host that has sent is suspect, in seconds.
const DAY: u32 = 24 * 60 * 60;

/// A host, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its address.
    pub address: IpAddr,
    /// Packets to it, and of it.
    pub count: Count,
    /// The address at the other end of the last one.
    pub far: Option<IpAddr>,
}

/// The near ends of hits. Who sends to a listed address is counted apart from who is sent to by one:
/// whatever strangers send to all our addresses, a host that talks to them is not lost among these.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hosts {
    /// Those that sent, with the last far end.
    senders: Busiest<IpAddr, Option<IpAddr>>,
    /// Those that were sent to, likewise.
    targets: Busiest<IpAddr, Option<IpAddr>>,
}

impl Hosts {
    /// Counts a packet of a host, or to it; says whether the host has sent, and had not for a day.
    pub fn add(&mut self, address: IpAddr, way: Direction, at: u32, far: Option<IpAddr>) -> bool {
        let counts = match way {
            Direction::Out => &mut self.senders,
            Direction::In => &mut self.targets,
        };
        let last = counts.add(&address, HOSTS, way, at, far);
        way == Direction::Out && last.is_none_or(|last| at.saturating_sub(last) >= DAY)
    }

    /// At most a thousand: those that sent first, then those that were sent to, each time the busiest
    /// first.
    pub fn sorted(&self) -> Vec<Host> {
        let mut all: Vec<Host> = Vec::new();
        let mut targets = self.targets.sorted();
        for (address, mut count, mut far) in self.senders.sorted() {
            if let Some(at) = targets.iter().position(|(target, ..)| *target == address) {
                let (_, entered, from) = targets.remove(at);
                if entered.last > count.last {
                    far = from;
                }
                count = count.with(&entered);
            }
            all.push(Host { address, count, far });
        }
        all.extend(targets.into_iter().map(|(address, count, far)| Host { address, count, far }));
        all.truncate(HOSTS);
        all
    }

    /// By how many packets a number may be too low, at most.
    pub fn error(&self) -> u64 {
        self.senders.error().max(self.targets.error())
    }

    /// How many have sent in the day before `now`, epoch seconds, and the one that did last.
    pub fn suspects(&self, now: u64) -> (usize, Option<IpAddr>) {
        let since = u32::try_from(now.saturating_sub(DAY.into())).unwrap_or(u32::MAX);
        let senders: Vec<_> = self.senders.since(since).collect();
        let last = senders.iter().max_by_key(|(address, count)| (count.last, **address));
        (senders.len(), last.map(|(address, _)| **address))
    }
}

#[cfg(test)]
mod tests;
