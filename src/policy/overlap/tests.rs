use proptest::prelude::*;

use super::*;
use crate::cover::cover;
use crate::tests::{Universe, each, list, lists, universe};

/// Counted in steps of so many entries.
fn counted<'a>(lists: &[&'a List], chunk: usize) -> Overlaps<'a> {
    let mut overlaps = Overlaps::new(lists);
    while overlaps.step_of(chunk) {}
    overlaps
}

/// The pairs as the two lists, the entries in common, those of the first, and percent.
fn pairs(lists: &[&str]) -> Vec<([usize; 2], u64, u64, u64)> {
    let lists: Vec<List> = lists.iter().map(|text| list("a", text)).collect();
    let pairs = counted(&each(&lists), 1).pairs(10);
    pairs.into_iter().map(|pair| (pair.lists, pair.entries, pair.of, pair.percent())).collect()
}

#[test]
fn what_two_lists_have_in_common() {
    assert_eq!(pairs(&[]), []);
    assert_eq!(pairs(&["1.1.1.1 2001:db8::1"]), []);
    assert_eq!(pairs(&["1.1.1.1", "", "2.2.2.2"]), []);
    // of the smaller one, whichever comes first
    let (small, large) = ("1.1.1.1 3.3.3.3 2001:db8::1", "1.1.1.1 2.2.2.2 4.4.4.4 2001:db8::1");
    assert_eq!(pairs(&[small, large]), [([0, 1], 2, 3, 66)]);
    assert_eq!(pairs(&[large, small]), [([1, 0], 2, 3, 66)]);
    assert_eq!(pairs(&["1.1.1.1", "1.1.1.1"]), [([0, 1], 1, 1, 100)]);
    // what is covered counts, and not what covers it
    assert_eq!(pairs(&["1.1.1.0/24", "1.1.1.7 1.1.1.9 2.2.2.2"]), [([1, 0], 2, 3, 66)]);
    // by several that touch
    assert_eq!(pairs(&["1.1.1.0/24", "1.1.1.0/25 1.1.1.128/25 9.9.9.9"]), [([0, 1], 1, 1, 100)]);
    assert_eq!(pairs(&["1.1.1.0/24", "1.1.1.0/25 1.1.1.128/26"]), [([1, 0], 2, 2, 100)]);
    // to the end of the addresses
    let ends = ["0.0.0.0/1 255.255.255.255", "255.255.255.255 255.255.255.254 0.0.0.0"];
    assert_eq!(pairs(&ends), [([1, 0], 2, 3, 66)]);
}

/// The largest come first, and no more of them than are wanted.
#[test]
fn the_largest_come_first() {
    let lists = ["1.1.1.1 2.2.2.2 3.3.3.3", "2.2.2.2 3.3.3.3", "3.3.3.3 4.4.4.4 5.5.5.5"];
    let all = [([1, 0], 2, 2, 100), ([1, 2], 1, 2, 50), ([0, 2], 1, 3, 33)];
    assert_eq!(pairs(&lists), all);
    let same: Vec<List> = (0..30).map(|_| list("a", "1.1.1.1")).collect();
    let same = counted(&each(&same), CHUNK);
    assert_eq!((same.pairs(10).len(), same.pairs(1000).len()), (10, 30 * 29 / 2));
}

/// Pair by pair, prefix by prefix and address by address.
fn plainly(universe: Universe, lists: &[List]) -> Vec<Overlap> {
    let bits: Vec<Vec<bool>> = lists.iter().map(|list| universe.bits(list.ranges())).collect();
    let nets = |list: &List| -> Vec<prefix::Prefix> {
        let v4 = list.v4().iter().flat_map(|range| cover(*range)).map(prefix::Prefix::from);
        let v6 = list.v6().iter().flat_map(|range| cover(*range)).map(prefix::Prefix::from);
        v4.chain(v6).collect()
    };
    let within = |one: usize, two: usize| {
        let nets = nets(&lists[one]);
        let is_within = |net: &&prefix::Prefix| universe.span(**net).all(|at| bits[two][at]);
        let entries = nets.iter().filter(is_within).count() as u64;
        Overlap { lists: [one, two], entries, of: nets.len() as u64 }
    };
    let mut pairs = Vec::new();
    for one in 0..lists.len() {
        for two in one + 1..lists.len() {
            let (a, b) = (within(one, two), within(two, one));
            let (share, other) = (a.entries * b.of.max(1), b.entries * a.of.max(1));
            let second = other > share || other == share && b.of < a.of;
            pairs.push(if second { b } else { a });
        }
    }
    pairs.retain(|pair| pair.entries > 0);
    pairs.sort_by_key(|pair| {
        let share = pair.entries * 1_000_000_000_000 / pair.of;
        (u64::MAX - pair.entries, u64::MAX - share, pair.lists)
    });
    pairs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn as_counted_address_by_address(
        universe in universe(),
        lists in lists(),
        chunk in 1usize..40,
    ) {
        let lists: Vec<List> = lists.iter().map(|items| universe.list(items)).collect();
        let overlaps = counted(&each(&lists), chunk);
        prop_assert_eq!(overlaps.pairs(usize::MAX), plainly(universe, &lists));
        let entries: Vec<u64> = lists.iter().map(|list| list.measure().entries).collect();
        prop_assert_eq!(overlaps.counts.entries, entries);
    }
}
