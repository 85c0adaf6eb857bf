use proptest::prelude::*;

use super::*;
use crate::compose_allow;
use crate::tests::{NO_FLOOR, SIZE, bounds, guard, set, small, together, universe};

const OLD: &str = "1.0.0.0/24 1.0.1.0/25 2.2.2.2 9.9.9.8/31 2001:db8::/32";

fn since(set: &PrefixSet, v4: &[u32], v6: &[u32]) -> Since {
    let [v4, v6] = [v4, v6].map(|times| times.iter().copied().collect());
    Since::from_parts(set, v4, v6).unwrap()
}

fn times(since: &Since) -> (Vec<u32>, Vec<u32>) {
    (since.v4().iter().collect(), since.v6().iter().collect())
}

fn old() -> (PrefixSet, Since) {
    let set = set(OLD);
    let since = since(&set, &[100, 200, 300, 400], &[500]);
    (set, since)
}

fn follow(new: &str) -> (Vec<u32>, Vec<u32>) {
    let (before, since) = old();
    times(&since.follow(&before, &set(new), 1000))
}

#[test]
fn the_same_set_keeps_its_times() {
    assert_eq!(follow(OLD), (vec![100, 200, 300, 400], vec![500]));
}

#[test]
fn a_part_is_as_old_as_the_whole() {
    assert_eq!(
        follow("1.0.0.1 1.0.0.128/25 9.9.9.9 2001:db8::1"),
        (vec![100, 100, 400], vec![500])
    );
}

#[test]
fn a_whole_is_as_old_as_its_youngest_part() {
    let before = set("1.0.0.0/25 1.0.0.128/26 1.0.0.192/26 1.0.1.0/25");
    let since = since(&before, &[100, 300, 200, 900], &[]);
    let after = since.follow(&before, &set("1.0.0.0/24 1.0.1.0/24"), 1000);
    assert_eq!(times(&after), (vec![300, 1000], vec![]));
}

#[test]
fn what_was_not_covered_as_a_whole_begins_now() {
    // a gap before, within, behind
    assert_eq!(
        follow("1.0.0.0/23 2.2.2.2/31 9.9.9.8/29 ::1"),
        (vec![1000, 1000, 1000], vec![1000])
    );
    assert_eq!(follow("0.0.0.0/0 ::/0"), (vec![1000], vec![1000]));
    assert_eq!(follow(""), (vec![], vec![]));
}

#[test]
fn both_ends_of_the_space() {
    let before = set("0.0.0.0/1 128.0.0.0/1 ::/1 8000::/1");
    let since = since(&before, &[1, 2], &[3, 4]);
    let after = since.follow(&before, &set("0.0.0.0/0 ::/0"), 9);
    assert_eq!(times(&after), (vec![2], vec![4]));
    let after = since.follow(&before, &set("255.255.255.255 ffff::/16"), 9);
    assert_eq!(times(&after), (vec![2], vec![4]));
}

#[test]
fn times_are_found_by_address() {
    let (set, since) = old();
    for (addr, time) in [
        ("1.0.0.255", Some(100)),
        ("1.0.1.0", Some(200)),
        ("1.0.1.128", None),
        ("0.0.0.0", None),
        ("255.255.255.255", None),
        ("2001:db8::5", Some(500)),
        ("::1", None),
    ] {
        assert_eq!(since.find(&set, addr.parse().unwrap()), time, "{addr}");
    }
}

#[test]
fn times_of_another_set_are_refused() {
    let set = set(OLD);
    let is_taken = |v4, v6| {
        let [v4, v6] = [v4, v6].map(|entries| (0..entries).collect());
        Since::from_parts(&set, v4, v6).is_some()
    };
    assert!(is_taken(4, 1) && !is_taken(3, 1) && !is_taken(4, 0));
    // the right sum is not enough
    assert!(!is_taken(3, 2));
}

#[test]
fn late_times_are_kept_at_the_end_of_their_range() {
    let one = set("1.1.1.1");
    assert_eq!(times(&Since::new(&one, u64::MAX)).0, [u32::MAX]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn as_each_address_remembers_it(
        universe in universe(),
        before in proptest::collection::vec(small(), 0..20),
        after in proptest::collection::vec(small(), 0..20),
        times in proptest::collection::vec(prop_oneof![0u32..3, 0u32..1000], 1..20),
    ) {
        let guard = crate::Guard {
            bounds: prefix::Bounds { floor: NO_FLOOR, ..bounds() },
            ..guard()
        };
        let make = |nets: &[(u16, u8)]| {
            let items: Vec<_> = nets.iter().map(|net| (*net, false)).collect();
            compose_allow(&together(&[universe.list(&items)]), &[], &guard).unwrap().set
        };
        let (before, after) = (make(&before), make(&after));
        let mut times = times.iter().copied().cycle();
        let v4: Vec<u32> = times.by_ref().take(before.v4().len()).collect();
        let v6: Vec<u32> = times.take(before.v6().len()).collect();
        let since = since(&before, &v4, &v6);
        let next = since.follow(&before, &after, 5000);
        prop_assert_eq!((next.v4().len(), next.v6().len()), (after.v4().len(), after.v6().len()));

        // what the old set says of each single address
        let known: Vec<Option<u64>> = (0..SIZE)
            .map(|addr| since.find(&before, universe.net((addr as u16, 16)).addr()))
            .collect();
        for net in after.iter() {
            let expected = known[universe.span(net)]
                .iter()
                .try_fold(0, |youngest: u64, &time| time.map(|time| time.max(youngest)))
                .unwrap_or(5000);
            prop_assert_eq!(next.find(&after, net.addr()), Some(expected), "{}", net);
        }
    }
}
