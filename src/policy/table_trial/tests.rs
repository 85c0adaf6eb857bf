use prefix::Kind;

use super::*;
use crate::held::HeldRuns;
use crate::judge::{Accepted, Run};
use crate::list_trial::ListTrial;
use crate::tests::{guard, list, together};

/// A list of single addresses, no two of them neighbours.
fn some(name: &str, hosts: core::ops::Range<u32>) -> List {
    let host = |n: u32| core::net::Ipv4Addr::from_bits(0x1000_0000 + 2 * n).to_string();
    list(name, &hosts.map(host).collect::<Vec<_>>().join(" "))
}

/// Why a table is held.
fn held(old: &[List], new: &[List]) -> Option<String> {
    table_change(&together(old), &together(new), &guard()).map(|reason| reason.to_string())
}

/// Sixty lists, each with so many of a hundred addresses of its own.
fn sixty(each: u32) -> Vec<List> {
    (0..60).map(|n| some("a", 100 * n..100 * n + each)).collect()
}

#[test]
fn many_lists_with_a_small_change_each_are_a_large_one() {
    assert_eq!(held(&sixty(100), &sixty(100)), None);
    assert_eq!(held(&sixty(100), &sixty(50)), None);
    for (each, left) in [(49, 2940), (0, 0)] {
        let why = format!("6000 -> {left} entries, more than 50 % fewer (update -f to accept)");
        assert_eq!(held(&sixty(100), &sixty(each)), Some(why));
    }
    // two percent of the Internet, of which none has brought more than a third
    let news = ["a", "b", "c"].map(|name| list(name, "1.1.1.1"));
    let wide = [
        list("a", "25.0.0.0/8 26.0.0.0/8"),
        list("b", "27.0.0.0/8 28.0.0.0/8"),
        list("c", "29.0.0.0/8 30.0.0.0/8"),
    ];
    assert!(matches!(
        table_change(&together(&news), &together(&wide), &guard()),
        Some(Reason::Brings(brought, _)) if brought.count == 6 << 24
    ));
}

#[test]
fn what_other_lists_name_too_is_no_change() {
    // all of the second list is in the first one as well
    let old = [some("a", 0..1000), some("b", 0..1000)];
    assert_eq!(held(&old, &old[..1]), None);
    assert_eq!(held(&old[..1], &old), None);
}

/// Fails when somebody skips the second net because one list alone has changed.
#[test]
fn one_list_within_its_own_guard_may_take_all_that_others_have_not() {
    let step = |copy: &List, new: &List, rest: &List| {
        let bounds = guard().bounds;
        let trial = ListTrial {
            kind: Kind::Block,
            list: new,
            copy: Some(copy),
            day_before: None,
            bounds: &bounds,
        };
        let own = trial.judge(&guard(), &[], Run::Scheduled, &mut HeldRuns::default());
        assert_eq!(own, Ok(Accepted::Usual));
        let lists = [Together::of(&[copy, rest]), Together::of(&[new, rest])];
        table_change(&lists[0], &lists[1], &guard()).unwrap().to_string()
    };
    assert_eq!(
        step(&some("a", 0..2000), &some("a", 0..1000), &list("rest", "16.0.0.0/21")),
        "977 -> 1 entries, more than 50 % fewer (update -f to accept)"
    );
    let (copy, new) = (list("a", "25.0.0.0/8 26.0.0.0/8"), list("a", "27.0.0.0/8"));
    assert_eq!(
        step(&copy, &new, &list("rest", "27.0.0.0/8")),
        "covers 50331648 -> 16777216 addresses, more than 50 % fewer (update -f to accept)"
    );
}

#[test]
fn the_list_that_grew_most() {
    let old = [some("a", 0..100), some("b", 100..200), list("c", "1.1.1.1")];
    let new =
        [some("a", 0..150), some("b", 100..220), list("c", "25.0.0.0/8"), list("d", "2a00::1")];
    let pairs: Vec<_> = new.iter().enumerate().map(|(n, list)| (old.get(n), list)).collect();
    let entries = Refusal::Entries { entries: 2, max: 1 };
    let percent = Refusal::Covers(Excess::Percent { addresses: 2, max: 1 });
    let networks = Refusal::Covers(Excess::Networks { networks: 2, max: 1 });
    assert_eq!(grew_most(&pairs, &entries), Some("a"));
    assert_eq!(grew_most(&pairs, &percent), Some("c"));
    assert_eq!(grew_most(&pairs, &networks), Some("d"));
    let same: Vec<_> = old.iter().map(|list| (Some(list), list)).collect();
    assert_eq!(grew_most(&same, &entries), None);
    // of equal ones the first
    let (e, f) = (some("e", 0..10), some("f", 0..10));
    assert_eq!(grew_most(&[(None, &e), (None, &f)], &entries), Some("e"));
}
