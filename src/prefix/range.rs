//! Inclusive ranges of addresses.

use crate::net::{Address, Net};

/// An inclusive range of addresses; `first` is never above `last`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Range<A> {
    first: A,
    last: A,
}

/// A range of IPv4 addresses.
pub type Range4 = Range<u32>;
/// A range of IPv6 addresses.
pub type Range6 = Range<u128>;

impl<A: Address> Range<A> {
    /// A range from its ends; `None` when `first` is above `last`.
    #[inline]
    pub fn new(first: A, last: A) -> Option<Self> {
        (first <= last).then_some(Self { first, last })
    }

    /// The first address.
    #[inline]
    pub fn first(self) -> A {
        self.first
    }

    /// The last address.
    #[inline]
    pub fn last(self) -> A {
        self.last
    }

    /// Whether the address lies within.
    #[inline]
    pub fn contains(self, addr: A) -> bool {
        self.first <= addr && addr <= self.last
    }
}

impl<A: Address> From<Net<A>> for Range<A> {
    #[inline]
    fn from(net: Net<A>) -> Self {
        Self { first: net.addr(), last: net.last() }
    }
}
