//! The header that pf(4) puts before each logged packet: `struct pfloghdr` of
//! `<net/if_pflog.h>`, 100 octets since OpenBSD 4.5, 64 with padding (61 without) before.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::octets::Octets;

/// What tcpdump demands of the length field.
const MIN_LENGTH: u8 = 45;
/// Length of a header that has the addresses after translation.
const LENGTH_WITH_ADDRESSES: u8 = 100;
/// `rulenr` and `subrulenr` of the default rule.
const NO_RULE: u32 = u32::MAX;

/// Offsets of the fields.
mod field {
    pub const AF: usize = 1;
    pub const ACTION: usize = 2;
    pub const REASON: usize = 3;
    pub const IFNAME: usize = 4;
    pub const RULESET: usize = 20;
    pub const RULENR: usize = 36;
    pub const SUBRULENR: usize = 40;
    pub const DIR: usize = 60;
    pub const REWRITTEN: usize = 61;
    pub const NAF: usize = 62;
    pub const SADDR: usize = 64;
    pub const DADDR: usize = 80;
    pub const SPORT: usize = 96;
    pub const DPORT: usize = 98;
}

/// The words of `PFRES_NAMES` in `<net/pfvar.h>`, by number.
const REASONS: [&str; 17] = [
    "match",
    "bad-offset",
    "fragment",
    "short",
    "normalize",
    "memory",
    "bad-timestamp",
    "congestion",
    "ip-option",
    "proto-cksum",
    "state-mismatch",
    "state-insert",
    "state-limit",
    "src-limit",
    "synproxy",
    "translate",
    "no-route",
];

/// The way of a packet through its interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It was about to enter.
    In,
    /// It was about to leave.
    Out,
}

impl Direction {
    /// The word of pf.conf(5): `in` or `out`.
    pub fn word(self) -> &'static str {
        match self {
            Direction::In => "in",
            Direction::Out => "out",
        }
    }
}

/// The family of a packet's addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// `AF_INET`, 2.
    Inet,
    /// `AF_INET6`, 24 on OpenBSD.
    Inet6,
    /// Any other number.
    Other(u8),
}

impl From<u8> for Family {
    fn from(number: u8) -> Family {
        match number {
            2 => Family::Inet,
            24 => Family::Inet6,
            other => Family::Other(other),
        }
    }
}

/// What pf did with a packet: the number of the enumeration that begins with `PF_PASS` in
/// `<net/pfvar.h>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Action(pub u8);

impl Action {
    /// `PF_PASS`.
    pub const PASS: Action = Action(0);
    /// `PF_DROP`, printed as `block`.
    pub const BLOCK: Action = Action(1);
    /// `PF_MATCH`.
    pub const MATCH: Action = Action(12);

    /// The word that tcpdump prints, nothing for the actions that it does not name.
    pub fn word(self) -> &'static str {
        match self.0 {
            0 => "pass",
            1 => "block",
            2 => "scrub",
            4 | 5 => "nat",
            6 | 7 => "binat",
            8 | 9 => "rdr",
            12 => "match",
            _ => "",
        }
    }
}

/// Why pf logged a packet, `PFRES_*` of `<net/pfvar.h>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reason(pub u8);

impl Reason {
    /// The word that tcpdump prints, none for a number that OpenBSD 7.8 does not know.
    pub fn word(self) -> Option<&'static str> {
        REASONS.get(usize::from(self.0)).copied()
    }
}

/// Why the beginning of a record is no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// The record ends before its header does. Printed as `[|pflog]`.
    Truncated,
    /// The length field holds this number, less than 45.
    Length(u8),
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeaderError::Truncated => f.write_str("the record ends inside its pflog header"),
            HeaderError::Length(length) => {
                write!(f, "pflog header length {length}, less than {MIN_LENGTH}")
            }
        }
    }
}

impl std::error::Error for HeaderError {}

/// A pflog header, borrowed from its record. What the record does not hold reads as zero.
#[derive(Clone, Copy, Debug)]
pub struct Header<'a> {
    record: &'a [u8],
    length: u8,
}

impl<'a> Header<'a> {
    /// Looks at the captured octets of a record.
    ///
    /// # Errors
    /// When the length field is below 45 or beyond the captured octets.
    #[inline]
    pub fn parse(record: &'a [u8]) -> Result<Header<'a>, HeaderError> {
        let &length = record.first().ok_or(HeaderError::Truncated)?;
        if length < MIN_LENGTH {
            return Err(HeaderError::Length(length));
        }
        let header = Header { record, length };
        if record.len() < header.size() { Err(HeaderError::Truncated) } else { Ok(header) }
    }

    /// Octets from the beginning of the record to the packet: the length rounded up to four.
    /// The sum has eight bits in tcpdump, so lengths from 253 on have the packet at 0.
    #[inline]
    pub fn size(&self) -> usize {
        usize::from(self.length.wrapping_add(3) & 0xfc)
    }

    /// The captured part of the packet.
    #[inline]
    pub fn packet(&self) -> &'a [u8] {
        self.record.get(self.size()..).unwrap_or_default()
    }

    /// Family of the packet's addresses.
    #[inline]
    pub fn af(&self) -> Family {
        self.record.octet(field::AF).into()
    }

    /// What pf did.
    #[inline]
    pub fn action(&self) -> Action {
        Action(self.record.octet(field::ACTION))
    }

    /// Why pf logged the packet.
    #[inline]
    pub fn reason(&self) -> Reason {
        Reason(self.record.octet(field::REASON))
    }

    /// Name of the interface: foreign octets, not necessarily printable.
    #[inline]
    pub fn ifname(&self) -> &'a [u8] {
        self.string(field::IFNAME)
    }

    /// The whole field of the interface's name: a copy of constant size is cheaper.
    #[inline]
    pub(crate) fn ifname_field(&self) -> [u8; 16] {
        self.record.array(field::IFNAME)
    }

    /// Name of the ruleset (the anchor), empty for the main one. pf writes its first 15 octets.
    #[inline]
    pub fn ruleset(&self) -> &'a [u8] {
        self.string(field::RULESET)
    }

    /// Number of the rule in the main ruleset, none for the default rule.
    #[inline]
    pub fn rule(&self) -> Option<u32> {
        Some(self.record.be32(field::RULENR)).filter(|&rule| rule != NO_RULE)
    }

    /// Number of the rule in [`Header::ruleset`].
    #[inline]
    pub fn subrule(&self) -> Option<u32> {
        Some(self.record.be32(field::SUBRULENR)).filter(|&rule| rule != NO_RULE)
    }

    /// Which way the packet went.
    #[inline]
    pub fn direction(&self) -> Direction {
        if self.record.octet(field::DIR) == 2 { Direction::Out } else { Direction::In }
    }

    /// Did pf translate the packet? The packet behind the header is the one before.
    #[inline]
    pub fn rewritten(&self) -> bool {
        self.record.octet(field::REWRITTEN) != 0
    }

    /// Source and destination after translation with their ports; none when the header is too
    /// short for them or the family is unknown.
    pub fn translated(&self) -> Option<((IpAddr, u16), (IpAddr, u16))> {
        if self.length < LENGTH_WITH_ADDRESSES {
            return None;
        }
        let address = |at: usize| match self.record.octet(field::NAF).into() {
            Family::Inet => Some(IpAddr::V4(Ipv4Addr::from(self.record.array::<4>(at)))),
            Family::Inet6 => Some(IpAddr::V6(Ipv6Addr::from(self.record.array::<16>(at)))),
            Family::Other(_) => None,
        };
        Some((
            (address(field::SADDR)?, self.record.be16(field::SPORT)),
            (address(field::DADDR)?, self.record.be16(field::DPORT)),
        ))
    }

    /// The octets from `at` to the first NUL. A name without one runs on into the next fields,
    /// as it does in tcpdump.
    #[inline]
    fn string(&self, at: usize) -> &'a [u8] {
        let rest = self.record.get(at..).unwrap_or_default();
        let end = rest.iter().position(|&octet| octet == 0).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }
}
