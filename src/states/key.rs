//! Who began a state, and with whom.

use core::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::abi::{AF_INET, AF_INET6, PF_OUT, PF_SK_STACK, PF_SK_WIRE, State, StateKey};

/// An end of a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Who sent the first packet.
    Initiator,
    /// Whom it was sent to.
    Target,
}

impl StateKey {
    /// One of its addresses; `None` for a family that is neither IPv4 nor IPv6.
    pub(crate) fn addr(&self, index: usize) -> Option<IpAddr> {
        let octets = self.addrs[index];
        match self.af {
            AF_INET => {
                let [a, b, c, d, ..] = octets;
                Some(Ipv4Addr::new(a, b, c, d).into())
            }
            AF_INET6 => Some(Ipv6Addr::from(octets).into()),
            _ => None,
        }
    }
}

impl State {
    /// Which key has the first packet as it came: the wire's of one that came in, the stack's of one
    /// that goes out. The initiator has the same number within this key.
    pub(crate) fn first(&self) -> usize {
        if self.direction == PF_OUT { PF_SK_STACK } else { PF_SK_WIRE }
    }

    /// The addresses of an end: before and after a translation, which are mostly the same.
    ///
    /// Where a rule has translated the family (af-to), the other key has its ends the other way
    /// round: pf_state_key_setup() in pf.c.
    pub(crate) fn addrs(&self, end: End) -> impl Iterator<Item = IpAddr> {
        let (first, translated) = (self.first(), self.keys[0].af != self.keys[1].af);
        let of_key = move |number: usize| {
            let turned = (translated && number != first) != (end == End::Target);
            self.keys[number].addr(first ^ usize::from(turned))
        };
        [PF_SK_WIRE, PF_SK_STACK].into_iter().filter_map(of_key)
    }

    /// The address and the port of an end, as in the first packet.
    pub fn end(&self, end: End) -> Option<SocketAddr> {
        let key = &self.keys[self.first()];
        let index = self.first() ^ usize::from(end == End::Target);
        Some(SocketAddr::new(key.addr(index)?, u16::from_be_bytes(key.ports[index])))
    }

    /// The interface, "all" for a state that is bound to none.
    pub fn interface(&self) -> String {
        let name = self.interface.split(|octet| *octet == 0).next().unwrap_or_default();
        String::from_utf8_lossy(name).into_owned()
    }

    /// Its protocol, by its name in protocols(5) or its number.
    pub fn protocol(&self) -> String {
        match self.proto {
            1 => "icmp".into(),
            6 => "tcp".into(),
            17 => "udp".into(),
            58 => "ipv6-icmp".into(),
            number => number.to_string(),
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = |end| self.end(end).map_or_else(|| "?".to_owned(), |addr| addr.to_string());
        let (from, to) = (end(End::Initiator), end(End::Target));
        write!(f, "{} {} {from} -> {to}", self.interface(), self.protocol())
    }
}
