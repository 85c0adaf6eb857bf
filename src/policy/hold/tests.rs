use prefix::Prefix;
use proptest::prelude::*;

use super::*;
use crate::tests::{NO_FLOOR, Small, Universe, set, small, text, universe};

fn held(old: &str, new: &str, others: &[[&str; 2]]) -> Option<String> {
    let sets: Vec<[PrefixSet; 2]> = others.iter().map(|sides| sides.map(set)).collect();
    let others: Vec<_> = sets.iter().map(|[old, new]| Elsewhere { old, new }).collect();
    hold(&set(old), &set(new), &others, NO_FLOOR).map(|set| text(&set))
}

#[test]
fn what_goes_to_another_table_is_kept() {
    let old = "1.0.0.0/24 2.0.0.0/24 2001:db8::/32";
    assert_eq!(held(old, "1.0.0.0/24", &[["", "2.0.0.0/24 2001:db8::/32"]]).as_deref(), Some(old));
    // no more than that
    let kept = held(old, "3.0.0.1", &[["", "2.0.0.128/25 9.0.0.0/8"], ["", "1.0.0.7"]]);
    assert_eq!(kept.as_deref(), Some("1.0.0.7 2.0.0.128/25 3.0.0.1"));
}

#[test]
fn what_no_other_table_is_to_have_goes() {
    assert_eq!(held("1.1.1.1 2.2.2.2", "1.1.1.1", &[]), None);
    assert_eq!(held("1.1.1.1 2.2.2.2", "1.1.1.1", &[["", "3.3.3.3"]]), None);
    // it is there already, or stays here
    assert_eq!(held("1.1.1.1 2.2.2.2", "1.1.1.1", &[["2.2.0.0/16", "2.2.2.2"]]), None);
    assert_eq!(held("1.1.1.1", "1.1.1.0/24", &[["", "1.1.1.1"]]), None);
}

fn set_of(universe: Universe, items: &[Small]) -> PrefixSet {
    let items: Vec<_> = items.iter().map(|small| (*small, false)).collect();
    let list = universe.list(&items);
    let nets = list.v4().iter().flat_map(|range| crate::cover::cover(*range)).map(Prefix::V4);
    let nets6 = list.v6().iter().flat_map(|range| crate::cover::cover(*range)).map(Prefix::V6);
    set(&nets.chain(nets6).map(|net| net.to_string()).collect::<Vec<_>>().join(" "))
}

proptest! {
    /// Address by address: what is to be here, and what was here, is not in the other table and is to be.
    #[test]
    fn as_looked_at_one_by_one(
        universe in universe(),
        sets in proptest::collection::vec(proptest::collection::vec(small(), 0..6), 6),
    ) {
        let sets: Vec<PrefixSet> = sets.iter().map(|items| set_of(universe, items)).collect();
        let marks: Vec<Vec<bool>> = sets.iter().map(|set| universe.marks(set)).collect();
        let others = [
            Elsewhere { old: &sets[2], new: &sets[3] },
            Elsewhere { old: &sets[4], new: &sets[5] },
        ];
        let found = hold(&sets[0], &sets[1], &others, NO_FLOOR);
        let is_due = |at: usize, old: usize| marks[old + 1][at] && !marks[old][at];
        let kept: Vec<bool> = (0..marks[0].len())
            .map(|at| marks[1][at] || (marks[0][at] && (is_due(at, 2) || is_due(at, 4))))
            .collect();
        prop_assert_eq!(found.is_some(), kept != marks[1]);
        let found = found.unwrap_or_else(|| sets[1].clone());
        prop_assert!(universe.marks(&found) == kept);
    }
}
