//! Records, and how much room they take in a message.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Names that hickory-proto compresses in one message (its COMPRESSED_NAME_LIMIT); the rest is sent
/// in full.
pub(super) const LIBRARY_NAMES: usize = 120;

/// Record types, from the IANA registry.
pub mod rtype {
    /// IPv4 address.
    pub const A: u16 = 1;
    /// Alias.
    pub const CNAME: u16 = 5;
    /// Start of authority.
    pub const SOA: u16 = 6;
    /// Pointer to another name.
    pub const PTR: u16 = 12;
    /// Text.
    pub const TXT: u16 = 16;
    /// IPv6 address.
    pub const AAAA: u16 = 28;
    /// EDNS, in the additional section only.
    pub const OPT: u16 = 41;
    /// Address prefix list, RFC 3123.
    pub const APL: u16 = 42;
}

/// The data of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// The name that this one stands for.
    Cname(String),
    /// A pointer to a name.
    Ptr(String),
    /// Strings of at most 255 octets each.
    Txt(Vec<String>),
    /// The octets of an APL record, sound or not.
    Apl(Vec<u8>),
}

impl Data {
    /// The record type.
    pub fn rtype(&self) -> u16 {
        match self {
            Self::A(_) => rtype::A,
            Self::Aaaa(_) => rtype::AAAA,
            Self::Cname(_) => rtype::CNAME,
            Self::Ptr(_) => rtype::PTR,
            Self::Txt(_) => rtype::TXT,
            Self::Apl(_) => rtype::APL,
        }
    }

    /// The octets of the data in a message, names not compressed.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::A(_) => 4,
            Self::Aaaa(_) => 16,
            Self::Cname(name) | Self::Ptr(name) => name_size(name),
            Self::Txt(strings) => strings.iter().map(|string| 1 + string.len()).sum(),
            Self::Apl(octets) => octets.len(),
        }
    }
}

/// The octets of a name on the wire, not compressed.
pub(super) fn name_size(name: &str) -> usize {
    name.len() + 2
}
