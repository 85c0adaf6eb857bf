//! Sorting of ranges.

use prefix::{Address, Range};

/// Below so many ranges, counting octets costs more than comparing addresses.
const RADIX_MIN: usize = 4096;

/// Sorts by the first address.
///
/// Many ranges are sorted by the first 16 bits in which they differ, in two passes of an octet
/// each, and compared only where these are the same; the scratch holds them once more meanwhile,
/// and nothing of use afterwards. Whatever the ranges are, comparing all of them is the worst that
/// comes of it.
pub(crate) fn sort<A: Address>(ranges: &mut [Range<A>], scratch: &mut Vec<Range<A>>) {
    if ranges.is_sorted_by_key(|range| range.first()) {
        return;
    }
    if ranges.len() < RADIX_MIN {
        ranges.sort_unstable_by_key(|range| range.first());
        return;
    }
    let one = ranges[0].first();
    let differ = |bits: A, range: &Range<A>| bits.or(range.first().xor(one));
    let skip = ranges.iter().fold(A::ZERO, differ).leading_zeros();
    let key = |range: &Range<A>| range.first().window(skip);
    let mut places = [[0usize; 256]; 2];
    for range in ranges.iter() {
        for (count, octet) in places.iter_mut().zip(key(range).to_le_bytes()) {
            count[usize::from(octet)] += 1;
        }
    }
    for places in &mut places {
        let mut place = 0;
        places.iter_mut().for_each(|count| place += core::mem::replace(count, place));
    }
    scratch.clear();
    scratch.extend_from_slice(ranges);
    let [low, high] = &mut places;
    deal(ranges, scratch, low, |range| key(range).to_le_bytes()[0]);
    deal(scratch, ranges, high, |range| key(range).to_le_bytes()[1]);
    let alike = ranges.chunk_by_mut(|a, b| key(a) == key(b)).filter(|alike| alike.len() > 1);
    alike.for_each(|alike| alike.sort_unstable_by_key(|range| range.first()));
}

/// Deals the ranges out, each to the next place of its octet.
fn deal<A: Address>(
    from: &[Range<A>],
    to: &mut [Range<A>],
    places: &mut [usize; 256],
    octet: impl Fn(&Range<A>) -> u8,
) {
    for range in from {
        let place = &mut places[usize::from(octet(range))];
        to[*place] = *range;
        *place += 1;
    }
}

#[cfg(test)]
mod tests;
