//! Sorting of ranges.

use prefix::{Address, Range};

/// Below so many ranges, counting octets costs more than comparing addresses.
const RADIX_MIN: usize = 256;
/// So many ranges, and the scratch, lie in the second cache of any processor.
const CACHED: usize = 1 << 13;

/// Sorts by the first address.
///
/// More ranges than the cache holds are parted where they are by the first eight bits in which they
/// differ: a second buffer of that size would cost more in pages than all of the sorting. Parts that
/// the cache holds are dealt to the scratch and back by the first 16 bits in which they differ, and
/// compared only where these are the same. Whatever the ranges are, all are passed once for each octet
/// of an address, and compared, at the worst. The scratch holds nothing of use afterwards.
pub(crate) fn sort<A: Address>(ranges: &mut [Range<A>], scratch: &mut Vec<Range<A>>) {
    if ranges.len() < RADIX_MIN {
        ranges.sort_unstable_by_key(|range| range.first());
        return;
    }
    // one pass for both: whether there is anything to do, and which bits say in what order
    let one = ranges[0].first();
    let (mut differ, mut last, mut is_sorted) = (A::ZERO, one, true);
    for range in ranges.iter() {
        differ = differ.or(range.first().xor(one));
        is_sorted &= last <= range.first();
        last = range.first();
    }
    if is_sorted {
        return;
    }
    let skip = differ.leading_zeros();
    if ranges.len() <= CACHED {
        deal(ranges, scratch, skip);
        return;
    }
    let (mut rest, mut start) = (&mut *ranges, 0);
    for end in part(rest, skip) {
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

/// Sorts by the 16 bits behind so many, in two passes of an octet each, and then by what follows.
fn deal<A: Address>(ranges: &mut [Range<A>], scratch: &mut Vec<Range<A>>, skip: u8) {
    let key = |range: &Range<A>| range.first().window(skip);
    let octets = |range: &Range<A>| key(range).to_le_bytes().map(usize::from);
    let mut counts = [[0; 256]; 2];
    for range in ranges.iter() {
        let [low, high] = octets(range);
        counts[0][low] += 1;
        counts[1][high] += 1;
    }
    let [mut low, mut high] = [starts(&counts[0]), starts(&counts[1])];
    scratch.clear();
    scratch.extend_from_slice(ranges);
    for range in ranges.iter() {
        let place = &mut low[octets(range)[0]];
        scratch[*place] = *range;
        *place += 1;
    }
    for range in scratch.iter() {
        let place = &mut high[octets(range)[1]];
        ranges[*place] = *range;
        *place += 1;
    }
    let alike = ranges.chunk_by_mut(|a, b| key(a) == key(b)).filter(|alike| alike.len() > 1);
    alike.for_each(|alike| alike.sort_unstable_by_key(|range| range.first()));
}

/// Where each begins, of so many of each.
fn starts(counts: &[usize; 256]) -> [usize; 256] {
    let mut end = 0;
    counts.map(|count| {
        end += count;
        end - count
    })
}

#[cfg(test)]
mod tests;
