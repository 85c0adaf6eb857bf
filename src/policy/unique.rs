//! What a list has that no other has.

use prefix::{Address, Range};

use crate::cover::{cover, cover_len};
use crate::list::List;
use crate::sort::sort;
use crate::sweep::covering;

/// For each list the number of its entries of which not all is in the others, in the order in which
/// they are handed in. Entries are prefixes, counted like those of [`List::measure`].
pub fn unique(lists: &[&List]) -> Vec<u64> {
    let v4: Vec<_> = lists.iter().map(|list| list.v4()).collect();
    let v6: Vec<_> = lists.iter().map(|list| list.v6()).collect();
    family(&v4).into_iter().zip(family(&v6)).map(|(v4, v6)| v4 + v6).collect()
}

fn family<A: Address>(lists: &[&[Range<A>]]) -> Vec<u64> {
    let shared = shared(lists);
    lists.iter().map(|ranges| ranges.iter().map(|range| own(*range, &shared)).sum()).collect()
}

/// The addresses that lie in two lists or more: disjoint, and no two of them touch.
fn shared<A: Address>(lists: &[&[Range<A>]]) -> Vec<Range<A>> {
    let mut all = lists.concat();
    sort(&mut all, &mut Vec::new());
    let mut shared: Vec<Range<A>> = Vec::new();
    let mut reach: Option<A> = None;
    for range in all {
        // The ranges of one list are disjoint: what an earlier one reaches is another list's.
        let twice = reach.and_then(|reach| Range::new(range.first(), range.last().min(reach)));
        reach = reach.max(Some(range.last()));
        let Some(twice) = twice else { continue };
        match shared.last_mut() {
            Some(last) if last.last().next().is_none_or(|next| twice.first() <= next) => {
                let end = last.last().max(twice.last());
                *last = Range::new(last.first(), end).unwrap_or(*last);
            }
            _ => shared.push(twice),
        }
    }
    shared
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
