use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::tests::{Universe, set};

fn lines(old: &str, new: &str) -> Vec<String> {
    diff(&set(old), &set(new)).map(|change| change.to_string()).collect()
}

#[test]
fn both_families_in_the_order_of_a_table_file() {
    assert_eq!(
        lines("1.1.1.1 2.0.0.0/8 9.9.9.9 ::1", "1.1.1.1 2.0.0.0/9 3.3.3.3 ::1 2001:db8::/32"),
        ["-2.0.0.0/8", "+2.0.0.0/9", "+3.3.3.3", "-9.9.9.9", "+2001:db8::/32"]
    );
}

#[test]
fn the_ends() {
    assert_eq!(lines("", ""), [""; 0]);
    assert_eq!(lines("1.1.1.1 ::1", "1.1.1.1 ::1"), [""; 0]);
    assert_eq!(lines("", "1.1.1.1 ::1"), ["+1.1.1.1", "+::1"]);
    assert_eq!(lines("1.1.1.1 ::1", ""), ["-1.1.1.1", "-::1"]);
}

proptest! {
    #[test]
    fn as_the_difference_of_sets(
        old in proptest::collection::btree_set(any::<u8>(), 0..60),
        new in proptest::collection::btree_set(any::<u8>(), 0..60),
        v6: bool,
    ) {
        let universe = if v6 { Universe::V6(1 << 100) } else { Universe::V4(1 << 24) };
        let make = |addrs: &BTreeSet<u8>| {
            let texts: Vec<String> = addrs
                .iter()
                .map(|addr| universe.net((u16::from(*addr), 16)).to_string())
                .collect();
            set(&texts.join(" "))
        };
        let net = |addr: &u8| universe.net((u16::from(*addr), 16));
        let (mut added, mut removed) = (Vec::new(), Vec::new());
        for change in diff(&make(&old), &make(&new)) {
            match change {
                Change::Added(net) => added.push(net),
                Change::Removed(net) => removed.push(net),
            }
        }
        prop_assert_eq!(common(&make(&old), &make(&new)), old.intersection(&new).count());
        prop_assert_eq!(added, new.difference(&old).map(net).collect::<Vec<_>>());
        prop_assert_eq!(removed, old.difference(&new).map(net).collect::<Vec<_>>());
    }
}
