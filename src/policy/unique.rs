//! What a list has that no other has.

use prefix::{Address, Range};

use crate::cover::{cover, cover_len};
use crate::list::List;
use crate::sort::sort;
use crate::sweep::covering;

/// Ranges that are taken at once: a millisecond's work, after which others may have their turn.
const CHUNK: usize = 1 << 13;

/// Counts for each list, step by step, its entries of which not all is in the others.
///
/// Entries are prefixes, counted like those of [`List::measure`]. Memory is that of what two lists or more
/// have in common.
#[derive(Debug)]
pub struct Unique<'a> {
    v4: Family<'a, u32>,
    v6: Family<'a, u128>,
}

impl<'a> Unique<'a> {
    /// Of these lists; nothing is counted yet.
    pub fn new(lists: &[&'a List]) -> Self {
        Self {
            v4: Family::new(lists.iter().map(|list| list.v4()).collect()),
            v6: Family::new(lists.iter().map(|list| list.v6()).collect()),
        }
    }

    /// Counts on for a moment; whether there is more to count.
    pub fn step(&mut self) -> bool {
        self.step_of(CHUNK)
    }

    fn step_of(&mut self, chunk: usize) -> bool {
        self.v4.step(chunk) || self.v6.step(chunk)
    }

    /// How many there are of each list, in the order in which they were handed in.
    pub fn counts(&self) -> Vec<u64> {
        self.v4.counts.iter().zip(&self.v6.counts).map(|(v4, v6)| v4 + v6).collect()
    }
}

/// The lists of an address family: first what they share is found, then what is without.
#[derive(Debug)]
struct Family<'a, A: Address> {
    lists: Vec<&'a [Range<A>]>,
    /// What of each was not looked at for what it shares.
    rest: Vec<&'a [Range<A>]>,
    shared: Shared<A>,
    /// What of each was not counted.
    uncounted: Vec<&'a [Range<A>]>,
    counts: Vec<u64>,
}

impl<'a, A: Address> Family<'a, A> {
    fn new(lists: Vec<&'a [Range<A>]>) -> Self {
        let shared = Shared { ranges: Vec::new(), reach: None };
        let (rest, counts) = (lists.clone(), vec![0; lists.len()]);
        Self { uncounted: lists.clone(), lists, rest, shared, counts }
    }

    /// Looks at about so many ranges; whether there was one.
    fn step(&mut self, chunk: usize) -> bool {
        self.share(chunk) || self.count(chunk)
    }

    /// Adds to what is shared.
    fn share(&mut self, chunk: usize) -> bool {
        let many = (chunk / self.lists.len().max(1)).max(1);
        // up to where nothing more can come: the list that sets it gives all that is taken of it
        let ends = self.rest.iter().filter(|rest| rest.len() > many);
        let border = ends.map(|rest| rest[many - 1].first()).min();
        let mut ready = Vec::new();
        for rest in &mut self.rest {
            let whole = *rest;
            let before = |range: &Range<A>| border.is_none_or(|border| range.first() <= border);
            let count = whole[..many.min(whole.len())].partition_point(before);
            ready.extend_from_slice(&whole[..count]);
            *rest = &whole[count..];
        }
        sort(&mut ready, &mut Vec::new());
        ready.iter().for_each(|range| self.shared.add(*range));
        !ready.is_empty()
    }

    /// Counts what is not shared.
    fn count(&mut self, chunk: usize) -> bool {
        let Some(at) = self.uncounted.iter().position(|ranges| !ranges.is_empty()) else {
            return false;
        };
        let ranges = self.uncounted[at];
        let (now, later) = ranges.split_at(chunk.min(ranges.len()));
        self.counts[at] += now.iter().map(|range| own(*range, &self.shared.ranges)).sum::<u64>();
        self.uncounted[at] = later;
        true
    }
}

/// The addresses that lie in two lists or more: disjoint, and no two of them touch.
#[derive(Debug)]
struct Shared<A: Address> {
    ranges: Vec<Range<A>>,
    /// The last address of all that was added.
    reach: Option<A>,
}

impl<A: Address> Shared<A> {
    /// Adds a range that begins where the last one did, or behind. Those of one list are disjoint: what an
    /// earlier one reaches is another list's.
    fn add(&mut self, range: Range<A>) {
        let twice = self.reach.and_then(|reach| Range::new(range.first(), range.last().min(reach)));
        self.reach = self.reach.max(Some(range.last()));
        let Some(twice) = twice else { return };
        match self.ranges.last_mut() {
            Some(last) if last.last().next().is_none_or(|next| twice.first() <= next) => {
                let end = last.last().max(twice.last());
                *last = Range::new(last.first(), end).unwrap_or(*last);
            }
            _ => self.ranges.push(twice),
        }
    }
}

/// How many prefixes of a range do not lie within one of the shared ones.
fn own<A: Address>(range: Range<A>, shared: &[Range<A>]) -> u64 {
    let within = |range: Range<A>| {
        let around = covering(shared, range.first());
        around.is_some_and(|around| range.last() <= around.last())
    };
    if cover_len(range) == 1 {
        return u64::from(!within(range));
    }
    cover(range).into_iter().filter(|net| !within((*net).into())).count() as u64
}

#[cfg(test)]
mod tests;
