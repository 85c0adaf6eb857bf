//! The minimal cover of a range by prefixes. Root never makes one, so it is not beside the ranges.

use prefix::{Address, Net, Range};

/// The prefix that covers `range` exactly, if one does.
#[inline]
pub(crate) fn single<A: Address>(range: Range<A>) -> Option<Net<A>> {
    // the bits in which the ends differ have to be all the low ones, and zeros in the first address
    let differ = range.first().xor(range.last());
    let is_low = differ.next().is_none_or(|next| next.and(differ) == A::ZERO);
    let is_one = is_low && differ.and(range.first()) == A::ZERO;
    is_one.then(|| Net::masked(range.first(), differ.leading_zeros()))?
}

/// Appends the minimal list of prefixes that covers `range` exactly, in ascending order.
///
/// At most `2 * BITS - 2` prefixes come from one range.
#[inline]
pub fn push_cover<A: Address>(range: Range<A>, out: &mut Vec<Net<A>>) {
    // nearly all ranges are one prefix
    match single(range) {
        Some(net) => out.push(net),
        None => push_several(range, out),
    }
}

/// The same of a range that is several. Apart, so that what is done for each range can be inlined.
#[inline(never)]
fn push_several<A: Address>(range: Range<A>, out: &mut Vec<Net<A>>) {
    let mut first = range.first();
    loop {
        // The widest prefix that may start here is bounded by the alignment of `first` and by the
        // bits that both ends share; it is narrowed until it ends at `last` or before.
        let aligned = A::BITS - first.trailing_zeros();
        let shared = first.xor(range.last()).leading_zeros();
        let mut len = aligned.max(shared);
        while len < A::BITS && first.or(A::host_mask(len)) > range.last() {
            len += 1;
        }
        let Some(net) = Net::new(first, len) else { return };
        out.push(net);
        if net.last() >= range.last() {
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

/// How many prefixes `cover` makes of `range`, without making them.
#[inline]
pub fn cover_len<A: Address>(range: Range<A>) -> u8 {
    if single(range).is_some() {
        return 1;
    }
    let shared = range.first().xor(range.last()).leading_zeros();
    // The ends lie in different halves of the smallest prefix around both. What is covered of the
    // lower half ends with it, what is covered of the upper half begins with it: each takes a
    // prefix for each bit of its size, and both whole halves are one.
    let half = A::host_mask(shared + 1);
    let size = |rest: A| rest.and(half).next().unwrap_or(A::ZERO);
    let (lower, upper) = (size(range.first().complement()), size(range.last()));
    lower.count_ones() + upper.count_ones()
}

#[cfg(test)]
mod tests;
