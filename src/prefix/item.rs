//! What a list says of its prefixes, before negation is worked out.

use crate::net::{Address, Net, Prefix};

/// One item of a list: a prefix, or with `negated` a hole (the `!` of RFC 3123, section 5).
///
/// No larger than the range that it becomes in its place, for there are as many as a list has: eight octets
/// for one of IPv4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item<A: Address> {
    addr: A,
    len: u8,
    /// Whether the list excludes the prefix instead of naming it.
    pub negated: bool,
}

/// The items of one list, in no particular order and with repetitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Items {
    /// The IPv4 items.
    pub v4: Vec<Item<u32>>,
    /// The IPv6 items.
    pub v6: Vec<Item<u128>>,
}

impl<A: Address> Item<A> {
    /// An item that names the prefix, or excludes it.
    pub fn new(net: Net<A>, negated: bool) -> Self {
        Self { addr: net.addr(), len: net.len(), negated }
    }

    /// The prefix.
    pub fn net(self) -> Net<A> {
        Net { addr: self.addr, len: self.len }
    }
}

impl Items {
    /// Number of items of both families.
    pub fn len(&self) -> usize {
        self.v4.len() + self.v6.len()
    }

    /// Whether there is no item at all.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Adds an item of either family.
    pub fn push(&mut self, prefix: Prefix, negated: bool) {
        match prefix {
            Prefix::V4(net) => self.v4.push(Item::new(net, negated)),
            Prefix::V6(net) => self.v6.push(Item::new(net, negated)),
        }
    }
}
