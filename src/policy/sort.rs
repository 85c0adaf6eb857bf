//! Sorting of ranges.

use prefix::{Address, Range};

/// Below so many ranges, counting octets costs more than comparing addresses.
const RADIX_MIN: usize = 4096;

/// Sorts by the first address.
///
/// Many IPv4 ranges are sorted by radix, octet by octet from the lowest, which takes little more
/// than half the time of comparing; the scratch then holds them once more, and nothing of use
/// afterwards. IPv6 would need four times the passes, so it is compared.
pub(crate) fn sort<A: Address>(ranges: &mut [Range<A>], scratch: &mut Vec<Range<A>>) {
    if ranges.is_sorted_by_key(|range| range.first()) {
        return;
    }
    if A::OCTETS > 4 || ranges.len() < RADIX_MIN {
        ranges.sort_unstable_by_key(|range| range.first());
        return;
    }
    let mut counts = [[0usize; 256]; 4];
    for range in ranges.iter() {
        for (count, octet) in counts.iter_mut().zip(octets(range)) {
            count[usize::from(octet)] += 1;
        }
    }
    scratch.clear();
    scratch.extend_from_slice(ranges);
    // four times from one to the other: the last time into the ranges
    let (mut from, mut to) = (ranges, scratch.as_mut_slice());
    for (index, places) in counts.iter_mut().enumerate().rev() {
        let mut place = 0;
        for count in places.iter_mut() {
            place += core::mem::replace(count, place);
        }
        for range in from.iter() {
            let place = &mut places[usize::from(octets(range)[index])];
            to[*place] = *range;
            *place += 1;
        }
        core::mem::swap(&mut from, &mut to);
    }
}

/// The first address of an IPv4 range, in network order.
fn octets<A: Address>(range: &Range<A>) -> [u8; 4] {
    let mut octets = [0; 16];
    range.first().write_octets(&mut octets);
    [octets[0], octets[1], octets[2], octets[3]]
}

#[cfg(test)]
mod tests;
