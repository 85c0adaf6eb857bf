//! Inclusive ranges of addresses and their minimal cover by prefixes.

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

/// Appends the minimal list of prefixes that covers `range` exactly, in ascending order.
///
/// At most `2 * BITS - 2` prefixes come from one range.
pub fn push_cover<A: Address>(range: Range<A>, out: &mut Vec<Net<A>>) {
    let mut first = range.first;
    loop {
        // The widest prefix that may start here is bounded by the alignment of `first` and by the
        // bits that both ends share; it is narrowed until it ends at `last` or before.
        let aligned = A::BITS - first.trailing_zeros();
        let shared = first.xor(range.last).leading_zeros();
        let mut len = aligned.max(shared);
        while len < A::BITS && first.or(A::host_mask(len)) > range.last {
            len += 1;
        }
        let Some(net) = Net::new(first, len) else { return };
        out.push(net);
        if net.last() >= range.last {
            return;
        }
        let Some(next) = net.last().next() else { return };
        first = next;
    }
}

/// The minimal list of prefixes that covers `range` exactly, in ascending order.
pub fn cover<A: Address>(range: Range<A>) -> Vec<Net<A>> {
    let mut out = Vec::new();
    push_cover(range, &mut out);
    out
}

/// How many prefixes [`cover`] makes of `range`, without making them.
#[inline]
pub fn cover_len<A: Address>(range: Range<A>) -> u8 {
    let shared = range.first.xor(range.last).leading_zeros();
    if shared == A::BITS {
        return 1;
    }
    // The ends lie in different halves of the smallest prefix around both. What is covered of the
    // lower half ends with it, what is covered of the upper half begins with it: each takes a
    // prefix for each bit of its size, and both whole halves are one.
    let half = A::host_mask(shared + 1);
    let size = |rest: A| rest.and(half).next().unwrap_or(A::ZERO);
    let (lower, upper) = (size(range.first.complement()), size(range.last));
    let whole = half.next();
    if Some(lower) == whole && Some(upper) == whole {
        return 1;
    }
    lower.count_ones() + upper.count_ones()
}
