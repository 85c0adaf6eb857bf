//! Sets of prefixes: sorted, disjoint, both families.

use core::fmt;
use core::net::IpAddr;

use crate::net::{Address, Net, Prefix, Prefix4, Prefix6};

/// A set of prefixes of both families, each family strictly ascending and disjoint.
///
/// This is the form of a table: what is looked up is found by binary search, and two equal sets
/// of addresses in their minimal cover are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixSet {
    v4: Vec<Prefix4>,
    v6: Vec<Prefix6>,
}

/// A list of prefixes is not ascending or two of its members overlap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderError {
    /// The member that does not follow the one before it.
    pub at: Prefix,
}

impl fmt::Display for OrderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: not in ascending order, or within the prefix before", self.at)
    }
}

impl std::error::Error for OrderError {}

fn ordered<A: Address>(nets: &[Net<A>]) -> Result<(), Net<A>> {
    match nets.windows(2).find(|pair| pair[0].last() >= pair[1].addr()) {
        Some(pair) => Err(pair[1]),
        None => Ok(()),
    }
}

fn find<A: Address>(nets: &[Net<A>], addr: A) -> Option<Net<A>> {
    let after = nets.partition_point(|net| net.addr() <= addr);
    nets[..after].last().copied().filter(|net| net.contains(addr))
}

fn meets<A: Address>(nets: &[Net<A>], net: Net<A>) -> bool {
    let next = nets.partition_point(|one| one.last() < net.addr());
    nets.get(next).is_some_and(|one| one.addr() <= net.last())
}

impl PrefixSet {
    /// A set from its members.
    ///
    /// # Errors
    /// When a family is not strictly ascending and disjoint.
    pub fn new(v4: Vec<Prefix4>, v6: Vec<Prefix6>) -> Result<Self, OrderError> {
        ordered(&v4).map_err(|net| OrderError { at: net.into() })?;
        ordered(&v6).map_err(|net| OrderError { at: net.into() })?;
        Ok(Self { v4, v6 })
    }

    /// The IPv4 members, ascending.
    pub fn v4(&self) -> &[Prefix4] {
        &self.v4
    }

    /// The IPv6 members, ascending.
    pub fn v6(&self) -> &[Prefix6] {
        &self.v6
    }

    /// Number of prefixes of both families.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is no prefix at all.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// The member that covers the address.
    pub fn find(&self, addr: IpAddr) -> Option<Prefix> {
        match addr {
            IpAddr::V4(a) => find(&self.v4, a.to_bits()).map(Prefix::V4),
            IpAddr::V6(a) => find(&self.v6, a.to_bits()).map(Prefix::V6),
        }
    }

    /// Whether a member shares an address with a prefix.
    pub fn meets(&self, net: Prefix) -> bool {
        match net {
            Prefix::V4(net) => meets(&self.v4, net),
            Prefix::V6(net) => meets(&self.v6, net),
        }
    }

    /// All members, IPv4 first, each family ascending: the order of table files.
    pub fn iter(&self) -> impl Iterator<Item = Prefix> + '_ {
        self.v4.iter().copied().map(Prefix::V4).chain(self.v6.iter().copied().map(Prefix::V6))
    }
}
