//! Packets that are alike for the rules.

use core::fmt;

use super::interfaces::Interfaces;
use super::takes::Takes;
use crate::doctor::rules::{Direction, Family, Named};

/// What a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, of IPv6 ICMPv6.
    Icmp,
    /// Something else.
    Other,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Icmp => "ICMP",
            Self::Other => "other protocol",
        })
    }
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tcp, Self::Udp, Self::Icmp, Self::Other];

    /// How much of it is asked for behind `proto`, with the names of protocols(5).
    pub fn takes(self, wanted: Option<&str>, family: Family) -> Takes {
        let wanted = match wanted {
            None => return Takes::All,
            Some("tcp" | "6") => Self::Tcp,
            Some("udp" | "17") => Self::Udp,
            Some("icmp" | "1") if family == Family::V4 => Self::Icmp,
            Some("ipv6-icmp" | "icmp6" | "58") if family == Family::V6 => Self::Icmp,
            Some(_) => Self::Other,
        };
        match (wanted, self) {
            (Self::Other, Self::Other) => Takes::Some,
            (wanted, own) => Takes::when(wanted == own),
        }
    }
}

/// Packets that have the address of somebody else in a table.
#[derive(Clone, Copy, Debug)]
pub struct Class<'a> {
    /// Their way; in they come from the table, out they go to it.
    pub direction: Direction,
    /// Their family.
    pub family: Family,
    /// What they carry.
    pub protocol: Protocol,
    /// The interface, or the group of it; `None` is one that no rule names.
    pub interface: Option<&'a str>,
    /// All interfaces.
    pub interfaces: &'a Interfaces,
}

impl Class<'_> {
    /// How much of it crosses what stands behind `on`.
    pub fn on(&self, wanted: Option<&Named>) -> Takes {
        self.interfaces.on(wanted, self.interface)
    }
}

/// All classes of a direction, by the interfaces that [`Interfaces::named`] has found.
pub fn classes<'a>(
    direction: Direction,
    named: &'a [String],
    interfaces: &'a Interfaces,
) -> Vec<Class<'a>> {
    let mut found = Vec::new();
    for interface in named.iter().map(|name| Some(name.as_str())).chain([None]) {
        for family in [Family::V4, Family::V6] {
            for protocol in Protocol::ALL {
                found.push(Class { direction, family, protocol, interface, interfaces });
            }
        }
    }
    found
}
