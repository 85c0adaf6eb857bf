//! How often our tables were hit, by address, list, direction, protocol and port: all bounded,
//! whoever sends the packets.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;

use pflog::Direction;
use serde::{Deserialize, Serialize};

/// Addresses and ports that are kept for sure; twice as many are counted between two cuts.
pub const BUSIEST: usize = 1000;
/// Lists that are counted: more than a configuration has.
const LISTS: usize = 256;

/// A record that hit.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    /// The address in our table; of a rule in our anchor the far one. Absent when the packet has
    /// none.
    pub address: Option<IpAddr>,
    /// The lists that name it.
    pub lists: &'a [&'a str],
    /// The way of the packet.
    pub direction: Direction,
    /// Number of the protocol, when there is a packet.
    pub protocol: Option<u8>,
    /// Destination port.
    pub port: Option<u16>,
    /// When, epoch seconds.
    pub at: u32,
}

/// Packets that came in, and that went out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// In.
    pub r#in: u64,
    /// Out.
    pub out: u64,
    /// The last one, epoch seconds.
    pub last: u32,
}

impl Count {
    /// Both ways.
    pub fn total(&self) -> u64 {
        self.r#in + self.out
    }

    /// Both together.
    fn with(&self, other: &Self) -> Self {
        let (r#in, out) = (self.r#in + other.r#in, self.out + other.out);
        Self { r#in, out, last: self.last.max(other.last) }
    }

    fn add(&mut self, direction: Direction, at: u32) {
        match direction {
            Direction::In => self.r#in += 1,
            Direction::Out => self.out += 1,
        }
        self.last = at;
    }
}

/// Counters of which the busiest are kept. When there are twice as many as are kept, the less
/// busy half goes, so that counting costs the same however many keys come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Busiest<K: Eq + Hash> {
    counts: HashMap<K, Count>,
    /// What was counted for keys that went.
    gone: Count,
}

impl<K: Eq + Hash> Default for Busiest<K> {
    fn default() -> Self {
        Self { counts: HashMap::new(), gone: Count::default() }
    }
}

impl<K: Eq + Hash + Ord + Clone> Busiest<K> {
    fn add(&mut self, key: K, keep: usize, direction: Direction, at: u32) {
        self.counts.entry(key).or_default().add(direction, at);
        if self.counts.len() > 2 * keep {
            let (kept, others) = self.split(keep);
            (self.counts, self.gone) = (kept.into_iter().collect(), others);
        }
    }

    /// All that are kept, the busiest first; of equal ones the latest.
    pub fn sorted(&self) -> Vec<(K, Count)> {
        let mut all: Vec<_> =
            self.counts.iter().map(|(key, count)| (key.clone(), *count)).collect();
        all.sort_by(|(a, x), (b, y)| {
            (y.total(), y.last).cmp(&(x.total(), x.last)).then_with(|| a.cmp(b))
        });
        all
    }

    /// The busiest, as many as wanted, and what was counted for all others, those that went too.
    pub fn split(&self, most: usize) -> (Vec<(K, Count)>, Count) {
        let mut busiest = self.sorted();
        let mut others = self.gone;
        for (_, count) in busiest.drain(most.min(busiest.len())..) {
            others = others.with(&count);
        }
        (busiest, others)
    }
}

impl<K: Eq + Hash + Ord + Clone + Serialize> Serialize for Busiest<K> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.sorted(), self.gone).serialize(to)
    }
}

impl<'de, K: Eq + Hash + Deserialize<'de>> Deserialize<'de> for Busiest<K> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (counts, gone) = <(Vec<_>, Count)>::deserialize(from)?;
        Ok(Self { counts: counts.into_iter().collect(), gone })
    }
}

/// All counters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hits {
    /// When counting began, epoch seconds.
    pub since: u64,
    /// All hits.
    pub total: Count,
    /// By address.
    pub addresses: Busiest<IpAddr>,
    /// By list.
    pub lists: Busiest<String>,
    /// By number of the protocol.
    pub protocols: Busiest<u8>,
    /// By number of the protocol and destination port.
    pub ports: Busiest<(u8, u16)>,
}

impl Hits {
    /// Counts one.
    pub fn add(&mut self, hit: &Hit<'_>) {
        let (direction, at) = (hit.direction, hit.at);
        self.total.add(direction, at);
        if let Some(address) = hit.address {
            self.addresses.add(address, BUSIEST, direction, at);
        }
        for list in hit.lists {
            self.lists.add((*list).to_owned(), LISTS, direction, at);
        }
        if let Some(protocol) = hit.protocol {
            self.protocols.add(protocol, usize::from(u8::MAX) + 1, direction, at);
            if let Some(port) = hit.port {
                self.ports.add((protocol, port), BUSIEST, direction, at);
            }
        }
    }
}

/// The word of a protocol, as protocols(5) has it; the number when it has none here.
pub fn protocol_word(number: u8) -> String {
    let word = match number {
        1 => "icmp",
        2 => "igmp",
        4 => "ipencap",
        6 => "tcp",
        17 => "udp",
        41 => "ipv6",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "ipv6-icmp",
        89 => "ospf",
        112 => "carp",
        132 => "sctp",
        other => return other.to_string(),
    };
    word.to_owned()
}

#[cfg(test)]
mod tests;
