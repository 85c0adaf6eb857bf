//! The RDATA of APL records (RFC 3123).
//!
//! An item is the address family (two octets), the prefix length, the N bit with seven bits of
//! AFDLENGTH, and that many octets of address; trailing zero octets are left out. Decoding is
//! lenient where real servers differ: NSD sends the trailing zero octets, PowerDNS copies host bits
//! that its backend holds.

use core::fmt;

use prefix::{Address, Item, Items, Net, Prefix};

/// Address family of IPv4, from the registry that RFC 3123 refers to.
const FAMILY_V4: u16 = 1;
/// Address family of IPv6.
const FAMILY_V6: u16 = 2;
/// The N bit, beside the seven bits of AFDLENGTH.
const NEGATED: u8 = 0x80;

/// What was met while decoding, for the administrator; none of it is an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Items read, of both families.
    pub items: usize,
    /// Items whose host bits were set; they were cleared.
    pub host_bits: usize,
    /// Items that came with trailing zero octets, which RFC 3123 forbids.
    pub trailing_zeros: usize,
    /// Items of a family other than 1 and 2; they were skipped.
    pub unknown_family: usize,
}

impl Counts {
    /// Adds the counts of another message.
    pub fn add(&mut self, other: Self) {
        self.items += other.items;
        self.host_bits += other.host_bits;
        self.trailing_zeros += other.trailing_zeros;
        self.unknown_family += other.unknown_family;
    }
}

/// Why RDATA is not a list of prefixes. Offsets count octets from the start of the RDATA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AplError {
    /// Fewer octets are left than an item's head of four or its AFDLENGTH needs.
    Short {
        /// Where the item begins.
        at: usize,
    },
    /// AFDLENGTH exceeds the octets of an address of the family.
    Length {
        /// Where the item begins.
        at: usize,
        /// AFDLENGTH.
        octets: u8,
    },
    /// The prefix length exceeds the bits of an address of the family.
    Prefix {
        /// Where the item begins.
        at: usize,
        /// The prefix length.
        len: u8,
    },
}

impl fmt::Display for AplError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { at } => write!(f, "the item at octet {at} is cut off"),
            Self::Length { at, octets } => {
                write!(f, "the item at octet {at} has {octets} octets of address")
            }
            Self::Prefix { at, len } => {
                write!(f, "the item at octet {at} has the prefix length {len}")
            }
        }
    }
}

impl std::error::Error for AplError {}

/// Appends the items of one RDATA to `items`. Empty RDATA is an empty list.
///
/// Octets that were left out are zero, host bits are cleared and counted, items of unknown families
/// are skipped and counted.
///
/// # Errors
/// When the RDATA is malformed; `items` then holds what came before the malformed item as well.
pub fn decode(rdata: &[u8], items: &mut Items) -> Result<Counts, AplError> {
    let mut counts = Counts::default();
    let mut rest = rdata;
    while !rest.is_empty() {
        let at = rdata.len() - rest.len();
        let Some((&[family_high, family_low, len, flags], tail)) = rest.split_first_chunk() else {
            return Err(AplError::Short { at });
        };
        let octets = flags & !NEGATED;
        let Some((address, tail)) = tail.split_at_checked(usize::from(octets)) else {
            return Err(AplError::Short { at });
        };
        rest = tail;
        let head = Head { at, len, octets, negated: flags & NEGATED != 0 };
        match u16::from_be_bytes([family_high, family_low]) {
            FAMILY_V4 => items.v4.push(item(head, address, &mut counts)?),
            FAMILY_V6 => items.v6.push(item(head, address, &mut counts)?),
            _ => counts.unknown_family += 1,
        }
    }
    Ok(counts)
}

/// The fixed part of an item.
#[derive(Clone, Copy)]
struct Head {
    at: usize,
    len: u8,
    octets: u8,
    negated: bool,
}

#[inline]
fn item<A: Address>(head: Head, address: &[u8], counts: &mut Counts) -> Result<Item<A>, AplError> {
    let Head { at, len, octets, negated } = head;
    // Most items are single hosts, whose octets are all there.
    let addr = A::from_octets(address).or_else(|| {
        let mut full = [0; 16];
        full[..A::OCTETS].get_mut(..address.len())?.copy_from_slice(address);
        A::from_octets(&full[..A::OCTETS])
    });
    let addr = addr.ok_or(AplError::Length { at, octets })?;
    // what passes by as a Result lies in memory for a moment, which costs more than all the rest
    let Some(net) = Net::masked(addr, len) else { return Err(AplError::Prefix { at, len }) };
    counts.items += 1;
    counts.host_bits += usize::from(net.addr() != addr);
    counts.trailing_zeros += usize::from(address.last() == Some(&0));
    Ok(Item::new(net, negated))
}

/// Appends one item as RFC 3123 wants it from a sender: without trailing zero octets.
pub fn encode(prefix: Prefix, negated: bool, rdata: &mut Vec<u8>) {
    match prefix {
        Prefix::V4(net) => encode_net(FAMILY_V4, net, negated, rdata),
        Prefix::V6(net) => encode_net(FAMILY_V6, net, negated, rdata),
    }
}

fn encode_net<A: Address>(family: u16, net: Net<A>, negated: bool, rdata: &mut Vec<u8>) {
    let mut full = [0; 16];
    net.addr().write_octets(&mut full);
    let octets = full.iter().rposition(|&octet| octet != 0).map_or(0, |last| last + 1);
    rdata.extend_from_slice(&family.to_be_bytes());
    rdata.push(net.len());
    // At most 16, so that the cast keeps the value.
    rdata.push(octets as u8 | if negated { NEGATED } else { 0 });
    rdata.extend_from_slice(&full[..octets]);
}

#[cfg(test)]
mod tests;
