use proptest::prelude::*;

use super::*;
use crate::tests::{Universe, each, list, lists, universe};

/// Counted in steps of so many ranges.
fn unique(lists: &[&List], chunk: usize) -> Vec<u64> {
    let mut unique = Unique::new(lists);
    while unique.step_of(chunk) {}
    unique.counts()
}

fn counts(lists: &[&str]) -> Vec<u64> {
    let lists: Vec<List> = lists.iter().map(|text| list("a", text)).collect();
    let counts = unique(&each(&lists), 1);
    assert_eq!(counts, unique(&each(&lists), CHUNK));
    counts
}

#[test]
fn what_one_list_alone_has() {
    assert_eq!(counts(&[]), [0; 0]);
    assert_eq!(counts(&["1.1.1.1 2.2.2.0/24 2001:db8::1"]), [3]);
    assert_eq!(counts(&["1.1.1.1 2.2.2.2", "1.1.1.1 3.3.3.3 ::1", "2.2.2.2"]), [0, 2, 0]);
    // the wider one has more than the narrower one
    assert_eq!(counts(&["1.1.1.0/24 2001:db8::/32", "1.1.1.7 2001:db8::7"]), [2, 0]);
    // in two others together, of which neither has all of it
    assert_eq!(counts(&["1.1.1.0/24", "1.1.1.0/25", "1.1.1.128/25"]), [0, 0, 0]);
    assert_eq!(counts(&["1.1.1.0/24", "1.1.1.0/25", "1.1.1.128/26"]), [1, 0, 0]);
    // of what a hole leaves each prefix counts
    assert_eq!(counts(&["1.1.1.0/24 !1.1.1.0", "1.1.1.128/25"]), [7, 0]);
    assert_eq!(counts(&["0.0.0.0/1 255.255.255.255", "255.255.255.255 127.0.0.0/8"]), [1, 0]);
}

/// Prefix by prefix and address by address.
fn plainly(universe: Universe, lists: &[List]) -> Vec<u64> {
    let bits: Vec<Vec<bool>> = lists.iter().map(|list| universe.bits(list.ranges())).collect();
    let own = |index: usize, span: core::ops::Range<usize>| {
        span.into_iter()
            .any(|at| bits.iter().enumerate().all(|(other, bits)| other == index || !bits[at]))
    };
    lists
        .iter()
        .enumerate()
        .map(|(index, list)| {
            let nets4 = list.v4().iter().flat_map(|range| cover(*range)).map(prefix::Prefix::from);
            let nets6 = list.v6().iter().flat_map(|range| cover(*range)).map(prefix::Prefix::from);
            nets4.chain(nets6).filter(|net| own(index, universe.span(*net))).count() as u64
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn as_counted_address_by_address(
        universe in universe(),
        lists in lists(),
        chunk in 1..20_usize,
    ) {
        let lists: Vec<List> = lists.iter().map(|items| universe.list(items)).collect();
        prop_assert_eq!(unique(&each(&lists), chunk), plainly(universe, &lists));
    }
}
