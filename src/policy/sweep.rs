//! The sweep over sorted ranges: union, subtraction and the cover by prefixes.

use std::borrow::Cow;

use prefix::{Address, Net, Range};

use crate::cover::{push_cover, single};
use crate::sort::{sort, value};

/// How many entries of lists something is, and how many addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Entries: the outermost prefixes of the lists, or for a list with negated items the
    /// ranges that are left of them.
    pub entries: usize,
    /// Addresses, saturating.
    pub addresses: u128,
}

impl Count {
    /// Adds another count.
    pub(crate) fn add(&mut self, other: Self) {
        self.entries += other.entries;
        self.addresses = self.addresses.saturating_add(other.addresses);
    }

    fn add_addresses<A: Address>(&mut self, range: Range<A>) {
        let size = value(range.last()) - value(range.first());
        self.addresses = self.addresses.saturating_add(size).saturating_add(1);
    }
}

/// The smallest range that holds both.
fn hull<A: Address>(a: Range<A>, b: Range<A>) -> Range<A> {
    Range::new(a.first().min(b.first()), a.last().max(b.last())).unwrap_or(a)
}

/// What two ranges share.
pub(crate) fn shared<A: Address>(a: Range<A>, b: Range<A>) -> Option<Range<A>> {
    Range::new(a.first().max(b.first()), a.last().min(b.last()))
}

/// Sorts the ranges and joins those that overlap.
///
/// Ranges that only touch stay apart, so that each still is one entry of a list.
pub(crate) fn sort_and_join<A: Address>(ranges: &mut Vec<Range<A>>) {
    sort(ranges, &mut Vec::new());
    join(ranges);
}

/// So many ranges are sorted at once, which the second cache of any processor holds.
const CHUNK: usize = 3 << 11;

/// The union of parts, each of them sorted and disjoint, as the result is.
///
/// They are sorted bit by bit, from one border of the address space to the next: a million ranges
/// of many lists take half the time then, for no bit of them has left the cache before it is done.
pub(crate) fn union<'a, A: Address>(parts: &[&'a [Range<A>]]) -> Cow<'a, [Range<A>]> {
    if let [only] = parts {
        return Cow::Borrowed(only);
    }
    let sum = parts.iter().map(|part| part.len()).sum();
    let longest = parts.iter().max_by_key(|part| part.len()).copied().unwrap_or_default();
    // what lies between two borders has the share of the longest part in it, or about that
    let step =
        (longest.len() as u64 * CHUNK as u64).checked_div(sum as u64).unwrap_or(0).max(1) as usize;
    let mut borders = longest.iter().skip(step).step_by(step).map(|range| range.first());
    let mut rest = parts.to_vec();
    let (mut all, mut chunk, mut scratch) = (Vec::with_capacity(sum), Vec::new(), Vec::new());
    loop {
        let border = borders.next();
        for part in &mut rest {
            let (now, later) =
                part.split_at(border.map_or(part.len(), |border| before(part, border)));
            chunk.extend_from_slice(now);
            *part = later;
        }
        sort(&mut chunk, &mut scratch);
        join(&mut chunk);
        // the last may reach into what comes
        let last = border.and_then(|_| chunk.pop());
        all.append(&mut chunk);
        chunk.extend(last);
        if border.is_none() {
            return Cow::Owned(all);
        }
    }
}

/// How many of sorted ranges begin before the border, which is looked for from the start on.
fn before<A: Address>(ranges: &[Range<A>], border: A) -> usize {
    let is_before = |range: &Range<A>| range.first() < border;
    let mut end = 16;
    while ranges.get(end).is_some_and(is_before) {
        end *= 2;
    }
    ranges[..end.min(ranges.len())].partition_point(is_before)
}

/// Joins sorted ranges that overlap.
fn join<A: Address>(ranges: &mut Vec<Range<A>>) {
    ranges.dedup_by(|next, last| {
        let overlaps = next.first() <= last.last();
        if overlaps {
            *last = hull(*last, *next);
        }
        overlaps
    });
}

/// How much of sorted, disjoint `ranges` lies within `hole`.
pub(crate) fn overlap<A: Address>(ranges: &[Range<A>], hole: Range<A>) -> Count {
    let mut count = Count::default();
    let start = ranges.partition_point(|range| range.last() < hole.first());
    for part in ranges.iter().skip(start).map_while(|range| shared(*range, hole)) {
        count.entries += 1;
        count.add_addresses(part);
    }
    count
}

/// Whether the address lies in one of the sorted, disjoint ranges.
pub(crate) fn contains<A: Address>(ranges: &[Range<A>], addr: A) -> bool {
    covering(ranges, addr).is_some()
}

/// The one of the sorted, disjoint ranges that the address lies in.
pub(crate) fn covering<A: Address>(ranges: &[Range<A>], addr: A) -> Option<Range<A>> {
    let start = ranges.partition_point(|range| range.last() < addr);
    ranges.get(start).copied().filter(|range| range.contains(addr))
}

/// Whether all of a range lies in sorted, disjoint ranges, which may touch.
pub(crate) fn spans<A: Address>(ranges: &[Range<A>], range: Range<A>) -> bool {
    let start = ranges.partition_point(|one| one.last() < range.first());
    let mut from = range.first();
    for one in ranges.iter().skip(start) {
        match one.last().next() {
            _ if !one.contains(from) => return false,
            Some(next) if one.last() < range.last() => from = next,
            _ => return true,
        }
    }
    false
}

/// Ascending, disjoint holes to be cut out of ascending, disjoint ranges.
pub(crate) struct Holes<A: Address, H> {
    next: Option<Range<A>>,
    rest: H,
    /// What was cut out so far; an entry that is only cut counts as one.
    pub(crate) removed: Count,
}

impl<A: Address, H: Iterator<Item = Range<A>>> Holes<A, H> {
    /// Begins with the first hole.
    pub(crate) fn new(mut holes: H) -> Self {
        Self { next: holes.next(), rest: holes, removed: Count::default() }
    }

    /// Where the next hole starts, without one the last address.
    pub(crate) fn start(&self) -> A {
        self.next.map_or(A::ZERO.complement(), Range::first)
    }

    /// Hands on what the holes leave of the range.
    #[inline]
    pub(crate) fn cut(&mut self, range: Range<A>, mut left: impl FnMut(Range<A>)) {
        let mut rest = range;
        while let Some(hole) = self.next {
            if hole.last() < rest.first() {
                self.next = self.rest.next();
                continue;
            }
            let Some(part) = shared(rest, hole) else { break };
            self.removed.entries += usize::from(rest.first() == range.first());
            self.removed.add_addresses(part);
            let before = hole.first().previous().and_then(|last| Range::new(rest.first(), last));
            if let Some(before) = before {
                left(before);
            }
            let after = hole.last().next().and_then(|first| Range::new(first, rest.last()));
            let Some(after) = after else { return };
            rest = after;
        }
        left(rest);
    }
}

/// The minimal cover of ascending, disjoint ranges by prefixes not wider than a floor.
pub(crate) struct Cover<A: Address> {
    nets: Vec<Net<A>>,
    /// Prefixes that were counted only.
    dropped: usize,
    /// The last range, which the next one may continue.
    open: Option<Range<A>>,
    floor: u8,
    max: usize,
}

impl<A: Address> Cover<A> {
    /// A cover by prefixes of `floor` bits and more, about `expected` of them.
    ///
    /// Once there are more than `max`, they are counted only, and where a range is wider than the
    /// floor not even all of it: an IPv6 range may need 254 prefixes, and nobody but the sender
    /// of a list decides how many ranges there are.
    pub(crate) fn new(floor: u8, max: usize, expected: usize) -> Self {
        let nets = Vec::with_capacity(expected.min(max));
        Self { nets, dropped: 0, open: None, floor, max }
    }

    /// Adds a range that begins after the last one.
    #[inline]
    pub(crate) fn push(&mut self, range: Range<A>) {
        match self.open {
            Some(open) if open.last().next() == Some(range.first()) => {
                self.open = Some(hull(open, range));
            }
            Some(open) => {
                self.close(open);
                self.open = Some(range);
            }
            None => self.open = Some(range),
        }
    }

    #[inline]
    fn close(&mut self, range: Range<A>) {
        // Nearly all ranges are one prefix; to see that first halves the time of the sweep.
        match single(range) {
            Some(net) if net.len() >= self.floor => self.nets.push(net),
            _ => self.split(range),
        }
        self.bound();
    }

    fn split(&mut self, range: Range<A>) {
        // A prefix no wider than the floor never crosses a multiple of the floor's size.
        let mut rest = Some(range);
        while let Some(range) = rest {
            let end = range.first().or(A::host_mask(self.floor)).min(range.last());
            if let Some(piece) = Range::new(range.first(), end) {
                push_cover(piece, &mut self.nets);
            }
            rest = end.next().and_then(|first| Range::new(first, range.last()));
            if self.bound() {
                return;
            }
        }
    }

    /// Lets go of the prefixes when there are more than the maximum.
    fn bound(&mut self) -> bool {
        let beyond = self.dropped + self.nets.len() > self.max;
        if beyond {
            self.dropped += self.nets.len();
            self.nets.clear();
        }
        beyond
    }

    /// The prefixes and their number; beyond the maximum there may be more, and the prefixes are
    /// of no use.
    pub(crate) fn finish(mut self) -> (Vec<Net<A>>, usize) {
        if let Some(range) = self.open {
            self.close(range);
        }
        self.nets.shrink_to_fit();
        let entries = self.dropped + self.nets.len();
        (self.nets, entries)
    }
}

#[cfg(test)]
mod tests;
