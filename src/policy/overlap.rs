//! Which lists have the most in common.

use core::cmp::Ordering;
use std::collections::VecDeque;

use prefix::{Address, Net, Range};

use crate::cover::push_cover;
use crate::list::List;

/// Entries that are taken at once: a millisecond's work, after which others may have their turn.
const CHUNK: usize = 1 << 13;

/// What two lists have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The two lists, by their place among those handed in: the one of which more lies in the other,
    /// and that one.
    pub lists: [usize; 2],
    /// How many entries of the first lie within the second.
    pub entries: u64,
    /// How many entries the first has.
    pub of: u64,
}

impl Overlap {
    /// How much of the first that is, rounded down: 100 is all of it.
    pub fn percent(&self) -> u64 {
        let percent = u128::from(self.entries) * 100 / u128::from(self.of.max(1));
        u64::try_from(percent).unwrap_or(100)
    }

    /// By the share, exactly.
    fn cmp_share(&self, other: &Self) -> Ordering {
        let share = |one: &Self, other: &Self| u128::from(one.entries) * u128::from(other.of);
        share(self, other).cmp(&share(other, self))
    }
}

/// A sweep over lists, step by step, that counts for each two of them how many entries of the one lie
/// within the other.
///
/// Entries are prefixes, as [`crate::Unique`] counts them, and one lies within a list when that has all
/// of its addresses, be it in several entries. Memory is some thousand entries, and a number for each
/// two lists; time grows with the entries, and with the lists that have the same.
#[derive(Debug)]
pub struct Overlaps<'a> {
    v4: Sweep<'a, u32>,
    v6: Sweep<'a, u128>,
    counts: Counts,
}

impl<'a> Overlaps<'a> {
    /// Of these lists; nothing is counted yet.
    pub fn new(lists: &[&'a List]) -> Self {
        let count = lists.len();
        Self {
            v4: Sweep::new(lists.iter().map(|list| list.v4())),
            v6: Sweep::new(lists.iter().map(|list| list.v6())),
            counts: Counts { entries: vec![0; count], common: vec![0; count * count] },
        }
    }

    /// Counts on for a moment; whether there is more to count.
    pub fn step(&mut self) -> bool {
        self.step_of(CHUNK)
    }

    fn step_of(&mut self, chunk: usize) -> bool {
        self.v4.step(chunk, &mut self.counts) || self.v6.step(chunk, &mut self.counts)
    }

    /// The pairs with the most entries in common, as many as wanted, the largest first.
    pub fn pairs(&self, most: usize) -> Vec<Overlap> {
        let count = self.counts.entries.len();
        let both = (0..count).flat_map(|one| (one + 1..count).map(move |two| [one, two]));
        let mut pairs: Vec<Overlap> = both.filter_map(|lists| self.counts.pair(lists)).collect();
        pairs.sort_by(|a, b| {
            b.entries.cmp(&a.entries).then(b.cmp_share(a)).then(a.lists.cmp(&b.lists))
        });
        pairs.truncate(most);
        pairs
    }
}

/// What was counted so far.
#[derive(Debug)]
struct Counts {
    /// The entries of each list.
    entries: Vec<u64>,
    /// For each list, and then for each other, how many of its entries lie within that one.
    common: Vec<u64>,
}

impl Counts {
    /// What two lists have in common, if there is something.
    fn pair(&self, [one, two]: [usize; 2]) -> Option<Overlap> {
        let count = self.entries.len();
        let of = |list: usize, other: usize| Overlap {
            lists: [list, other],
            entries: self.common[list * count + other],
            of: self.entries[list],
        };
        let (one, two) = (of(one, two), of(two, one));
        // of equal shares that of the smaller list
        let order = two.cmp_share(&one).then(one.of.cmp(&two.of));
        let pair = if order == Ordering::Greater { two } else { one };
        (pair.entries > 0).then_some(pair)
    }
}

/// The sweep over the addresses of a family.
#[derive(Debug)]
struct Sweep<'a, A: Address> {
    lists: Vec<Cursor<'a, A>>,
    /// The lists that have the address the sweep has come to, and the last one that each has from there
    /// on without a gap.
    open: Vec<(usize, A)>,
}

/// How far a list was taken.
#[derive(Debug)]
struct Cursor<'a, A: Address> {
    rest: &'a [Range<A>],
    /// What was taken of it and not counted yet.
    taken: VecDeque<Entry<A>>,
    /// Where the last gap that is known begins.
    end: Option<A>,
}

/// A prefix of a list.
#[derive(Clone, Copy, Debug)]
struct Entry<A: Address> {
    net: Net<A>,
    list: usize,
    /// Of the first one behind a gap: the last address before the next gap.
    run: Option<A>,
}

impl<A: Address> Cursor<'_, A> {
    /// Takes entries until there are so many.
    fn take(&mut self, list: usize, many: usize) {
        let mut nets = Vec::new();
        while self.taken.len() < many
            && let Some((range, rest)) = self.rest.split_first()
        {
            let mut run = None;
            if self.end.is_none_or(|end| end < range.first()) {
                run = Some(without_gap(*range, rest));
                self.end = run;
            }
            self.rest = rest;
            push_cover(*range, &mut nets);
            self.taken.extend(nets.drain(..).map(|net| Entry { net, list, run: run.take() }));
        }
    }

    /// Up to which address nothing more can come; none when nothing comes at all.
    fn border(&self) -> Option<A> {
        let last = self.taken.back().filter(|_| !self.rest.is_empty());
        last.map(|entry| entry.net.addr())
    }
}

/// The last address before the first gap behind a range.
fn without_gap<A: Address>(range: Range<A>, rest: &[Range<A>]) -> A {
    let mut end = range.last();
    for next in rest {
        if end.next() != Some(next.first()) {
            break;
        }
        end = next.last();
    }
    end
}

impl<'a, A: Address> Sweep<'a, A> {
    fn new(lists: impl Iterator<Item = &'a [Range<A>]>) -> Self {
        let cursor = |rest| Cursor { rest, taken: VecDeque::new(), end: None };
        Self { lists: lists.map(cursor).collect(), open: Vec::new() }
    }

    /// Counts about so many entries of all lists together; whether there was one.
    fn step(&mut self, chunk: usize, counts: &mut Counts) -> bool {
        let many = (chunk / self.lists.len().max(1)).max(1);
        self.lists.iter_mut().enumerate().for_each(|(list, cursor)| cursor.take(list, many));
        // the list that sets it gives all that was taken of it
        let border = self.lists.iter().filter_map(Cursor::border).min();
        let mut ready = Vec::new();
        for cursor in &mut self.lists {
            let before = |entry: &Entry<A>| border.is_none_or(|border| entry.net.addr() <= border);
            let count = cursor.taken.partition_point(before);
            ready.extend(cursor.taken.drain(..count));
        }
        // what comes of each list is sorted: few comparisons
        ready.sort_by_key(|entry| entry.net.addr());
        for alike in ready.chunk_by(|a, b| a.net.addr() == b.net.addr()) {
            let at = alike[0].net.addr();
            self.open.retain(|(_, end)| at <= *end);
            self.open.extend(alike.iter().filter_map(|entry| Some((entry.list, entry.run?))));
            for entry in alike {
                counts.entries[entry.list] += 1;
                let common = &mut counts.common[entry.list * self.lists.len()..];
                let within = self.open.iter().filter(|(_, end)| entry.net.last() <= *end);
                within.for_each(|(other, _)| common[*other] += 1);
            }
        }
        !ready.is_empty()
    }
}

#[cfg(test)]
mod tests;
