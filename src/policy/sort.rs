//! Sorting of ranges.

use prefix::{Address, Range};

/// Below so many ranges, places cost more than comparing addresses.
const RADIX_MIN: usize = 64;
/// So many ranges, and the scratch, lie in the second cache of any processor.
const CACHED: usize = 1 << 14;
/// Places to which ranges are dealt at most; their numbers lie in the first cache.
const PLACES: usize = 1 << 13;
/// So many ranges of one place are put in order one by one.
const FEW: usize = 12;

/// Sorts by the first address.
///
/// More ranges than the cache holds are parted where they are by the first eight bits in which they
/// differ: a second buffer of that size would cost more in pages than all of the sorting. Parts that
/// the cache holds are dealt to places of equal width; where many come to one, these are dealt once more.
/// Whatever the ranges are, each time takes off six bits of an address at least. The scratch holds nothing
/// of use afterwards.
pub(crate) fn sort<A: Address>(ranges: &mut [Range<A>], scratch: &mut Vec<Range<A>>) {
    if ranges.len() < RADIX_MIN {
        ranges.sort_unstable_by_key(|range| range.first());
        return;
    }
    if ranges.is_sorted_by_key(|range| range.first()) {
        return;
    }
    let (mut low, mut high) = (A::ZERO.complement(), A::ZERO);
    for range in ranges.iter() {
        (low, high) = (low.min(range.first()), high.max(range.first()));
    }
    if ranges.len() <= CACHED {
        deal(ranges, scratch, low, high);
        return;
    }
    let (mut rest, mut start) = (&mut *ranges, 0);
    for end in part(rest, low.xor(high).leading_zeros()) {
        let (part, behind) = rest.split_at_mut(end - start);
        sort(part, scratch);
        (rest, start) = (behind, end);
    }
}

/// Moves the ranges to the parts of their octets, behind so many bits. The ends of the parts.
fn part<A: Address>(ranges: &mut [Range<A>], skip: u8) -> [usize; 256] {
    let octet = |range: &Range<A>| usize::from(range.first().window(skip) >> 8);
    let mut ends = [0; 256];
    ranges.iter().for_each(|range| ends[octet(range)] += 1);
    let mut next = starts(&ends);
    ends.iter_mut().zip(next).for_each(|(end, start)| *end += start);
    // In turns over all parts, each of which sends away what is there then: to follow one range to its
    // place, and what was there to its own, has the processor wait for each of them.
    let mut open: Vec<usize> = (0..ends.len()).collect();
    while !open.is_empty() {
        open.retain(|part| {
            for at in next[*part]..ends[*part] {
                let own = &mut next[octet(&ranges[at])];
                ranges.swap(at, *own);
                *own += 1;
            }
            next[*part] < ends[*part]
        });
    }
    ends
}

/// Deals the ranges, which begin between `low` and `high`, to places of equal width, about as many as
/// there are ranges, and puts in order what has come to the same place.
fn deal<A: Address>(ranges: &mut [Range<A>], scratch: &mut Vec<Range<A>>, low: A, high: A) {
    let count = ranges.len().next_power_of_two().min(PLACES);
    // so many low bits are of no account
    let width = (128 - (value(high) - value(low)).leading_zeros()) as u8;
    let low_bits = width.saturating_sub(count.ilog2() as u8);
    let (skip, shift) = match (A::BITS - 16).checked_sub(low_bits) {
        Some(skip) => (skip, 0),
        None => (0, low_bits - (A::BITS - 16)),
    };
    let window = |range: &Range<A>| range.first().window(skip);
    let base = low.window(skip);
    // bits above the window are lost on both sides, so that the difference is right
    let place = |range: &Range<A>| usize::from(window(range).wrapping_sub(base) >> shift);
    let mut next = vec![0_u16; count + 1];
    ranges.iter().for_each(|range| next[place(range)] += 1);
    let (mut end, mut most) = (0, 0);
    for next in &mut next {
        most = most.max(*next);
        end += *next;
        *next = end - *next;
    }
    if scratch.len() < ranges.len() {
        scratch.resize(ranges.len(), ranges[0]);
    }
    let dealt = &mut scratch[..ranges.len()];
    for range in ranges.iter() {
        let next = &mut next[place(range)];
        dealt[usize::from(*next)] = *range;
        *next += 1;
    }
    if usize::from(most) <= FEW {
        insert(dealt, ranges);
        return;
    }
    ranges.copy_from_slice(dealt);
    let alike = ranges.chunk_by_mut(|a, b| place(a) == place(b)).filter(|alike| alike.len() > 1);
    alike.for_each(|alike| sort(alike, scratch));
}

/// Sorts what nearly is in order into `ranges`: none is more than a few places from its own.
fn insert<A: Address>(dealt: &[Range<A>], ranges: &mut [Range<A>]) {
    for (at, range) in dealt.iter().enumerate() {
        let mut to = at;
        while to > 0 && range.first() < ranges[to - 1].first() {
            ranges[to] = ranges[to - 1];
            to -= 1;
        }
        ranges[to] = *range;
    }
}

/// Where each begins, of so many of each.
fn starts(counts: &[usize; 256]) -> [usize; 256] {
    let mut end = 0;
    counts.map(|count| {
        end += count;
        end - count
    })
}

/// An address as a number.
pub(crate) fn value<A: Address>(addr: A) -> u128 {
    let mut octets = [0; 16];
    addr.write_octets(&mut octets[16 - A::OCTETS..]);
    u128::from_be_bytes(octets)
}

#[cfg(test)]
mod tests;
