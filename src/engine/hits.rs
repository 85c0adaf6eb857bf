//! How often our tables were hit, by address, list, direction, protocol, port and host: all bounded,
//! whoever sends the packets.
//!
//! * In: each hit, with the time at which it was logged.
//! * Out: counters of the busiest, with a known error; whether a host has become suspect.
//! * Never: more counters than its bounds; a word to anybody.

pub mod busiest;
pub mod cursor;
mod hosts;

use std::net::IpAddr;

use imsg::TableId;
use pflog::Direction;
use serde::{Deserialize, Serialize};

use busiest::{Busiest, Count};
use hosts::Hosts;

/// Addresses and ports that are shown.
pub const BUSIEST: usize = 1000;
/// Those that are counted: the error is half as large then.
pub const COUNTED: usize = 2 * BUSIEST;
/// Protocols: all that there are.
const PROTOCOLS: usize = 256;
/// Lists that are counted: more than a configuration has.
const LISTS: usize = 256;

/// A record that hit.
#[derive(Clone, Copy, Debug)]
pub struct Hit<'a> {
    /// The address in our table; of a rule in our anchor the far one. Absent when the packet has
    /// none.
    pub address: Option<IpAddr>,
    /// The other end: the host on our side, as it is known there. Absent when the packet has none.
    pub host: Option<IpAddr>,
    /// Whether that one has sent the packet, or it was sent to it.
    pub way: Direction,
    /// The tables that have the address.
    pub tables: &'a [TableId],
    /// The lists that name the address.
    pub lists: &'a [&'a str],
    /// The way of the packet.
    pub direction: Direction,
    /// Number of the protocol, when there is a packet.
    pub protocol: Option<u8>,
    /// Destination port.
    pub port: Option<u16>,
    /// When the packet was logged, epoch seconds.
    pub at: u32,
}

/// All counters of hits, each kind in bounded room.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hits {
    /// When counting began, epoch seconds.
    pub since: u64,
    /// All hits.
    pub total: Count,
    /// Hits by the address in our table.
    pub addresses: Busiest<IpAddr>,
    /// Hits by list, by its name.
    pub lists: Busiest<String>,
    /// By number of the protocol.
    pub protocols: Busiest<u8>,
    /// By number of the protocol and destination port.
    pub ports: Busiest<(u8, u16)>,
    /// By host on our side.
    pub hosts: Hosts,
}

impl Hits {
    /// Counts one; says whether its host is suspect by it and was not before.
    pub fn add(&mut self, hit: &Hit<'_>) -> bool {
        let (direction, at) = (hit.direction, hit.at);
        self.total.add(direction, at);
        if let Some(address) = hit.address {
            self.addresses.add(&address, COUNTED, direction, at, ());
        }
        let is_new = hit.host.is_some_and(|host| self.hosts.add(host, hit.way, at, hit.address));
        for list in hit.lists {
            self.lists.add(*list, LISTS, direction, at, ());
        }
        if let Some(protocol) = hit.protocol {
            self.protocols.add(&protocol, PROTOCOLS, direction, at, ());
            if let Some(port) = hit.port {
                self.ports.add(&(protocol, port), COUNTED, direction, at, ());
            }
        }
        is_new
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
