use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use prefix::{Bounds, Item, Items};
use proptest::prelude::*;

use super::*;
use crate::tests::{
    NO_FLOOR, SIZE, Small, Universe, bounds, each, guard, hosts, least, list, paint, protected,
    small, text, together, universe,
};

fn block(lists: &[List], allow: &str, never: &str) -> Composed {
    let exempt = exempt(&[&list("allow", allow)]);
    compose_block(&together(lists), &exempt, &protected(never), &guard()).unwrap()
}

fn table_of(lists: &[List]) -> String {
    text(&block(lists, "", "").set)
}

#[test]
fn lists_are_united_and_aggregated() {
    let lists = [
        list("a", "1.2.3.0/25 9.9.9.9 2001:db8::/33"),
        list("b", "1.2.3.128/25 1.2.3.4 9.9.9.8 2001:db8:8000::/33"),
    ];
    assert_eq!(table_of(&lists), "1.2.3.0/24 9.9.9.8/31 2001:db8::/32");
    assert_eq!(table_of(&[]), "");
}

#[test]
fn a_hole_of_one_list_is_no_hole_of_another() {
    let lists = [list("a", "1.0.0.0/8 !1.2.0.0/16 1.2.3.0/24"), list("b", "1.2.4.0/24")];
    let set = block(&lists, "", "").set;
    for (addr, covered) in
        [("1.2.3.4", true), ("1.2.4.4", true), ("1.2.5.4", false), ("1.3.0.0", true)]
    {
        assert_eq!(set.find(addr.parse().unwrap()).is_some(), covered, "{addr}");
    }
}

#[test]
fn allowed_and_protected_networks_are_taken_out() {
    let lists = [list("a", "1.2.3.4/30 5.0.0.0/8 2001:db8::/32"), list("b", "10.1.0.0/16 9.9.9.9")];
    let composed = block(&lists, "1.2.3.5 7.7.7.7 2001:db8::/33", "10.0.0.0/8 6.0.0.0/8 5.0.0.0/9");
    assert_eq!(text(&composed.set), "1.2.3.4 1.2.3.6/31 5.128.0.0/9 9.9.9.9 2001:db8:8000::/33");
    let removed = composed.removed;
    assert_eq!(removed.allowed, Count { entries: 2, addresses: 1 + (1 << 95) });
    assert_eq!(removed.protected, Count { entries: 2, addresses: (1 << 16) + (1 << 23) });
    let hits: Vec<String> = removed.hits.iter().map(Hit::to_string).collect();
    assert_eq!(
        hits,
        [
            "b has 1 entry in 10.0.0.0/8, which is never blocked (reason of 10.0.0.0/8)",
            "a has 1 entry in 5.0.0.0/9, which is never blocked (reason of 5.0.0.0/9)",
        ]
    );
    assert_eq!(removed.hits[0].count.addresses, 1 << 16);
}

#[test]
fn allow_lists_resolve_their_own_negation() {
    let lists = [list("a", "1.2.3.0/24 !1.2.3.0/25"), list("b", "1.2.3.1 ::1")];
    let allow = |lists: &[List]| compose_allow(&together(lists), &[], &guard()).unwrap().set;
    assert_eq!(text(&allow(&lists)), "1.2.3.1 1.2.3.128/25 ::1");
    assert!(allow(&[]).is_empty());
}

#[test]
fn reports_of_protection_are_bounded() {
    let text: Vec<String> = (0..200).map(|i| format!("10.{i}.0.0/16")).collect();
    let removed = block(&[list("a", "10.0.0.0/8")], "", &text.join(" ")).removed;
    assert_eq!(removed.hits.len(), MAX_HITS);
    assert_eq!(removed.protected.addresses, 200 << 16);
}

#[test]
fn items_wider_than_the_floor_are_refused() {
    let refused = |text: &str, never: &str| {
        let lists = [list("ok", "1.2.3.4"), list("wide", text)];
        compose_block(&together(&lists), &Ranges::default(), &protected(never), &guard())
            .map(|composed| composed.set.len())
            .map_err(|kept| kept.to_string())
    };
    assert_eq!(refused("9.0.0.0/8 2001::/19", ""), Ok(3));
    assert_eq!(
        refused("8.0.0.0/7", "").unwrap_err(),
        "Keeping the previous block list: wide has 8.0.0.0/7, wider than /8 \
         (see min_prefix_v4 in [guard])"
    );
    assert_eq!(
        refused("2000::/18", "").unwrap_err(),
        "Keeping the previous block list: wide has 2000::/18, wider than /19 \
         (see min_prefix_v6 in [guard])"
    );
    // 0.0.0.0/0 of which holes leave nothing wide, or nothing at all
    assert!(refused("0.0.0.0/0 !0.0.0.0/1 !128.0.0.0/1", "").is_err());
    // what is protected as a whole, by one network or by several, harms nobody; what only overlaps
    // does
    assert_eq!(refused("224.0.0.0/4 fc00::/7", "224.0.0.0/4 fc00::/7"), Ok(1));
    assert_eq!(refused("224.0.0.0/3", "240.0.0.0/4 224.0.0.0/4"), Ok(1));
    for (text, never) in [
        ("224.0.0.0/3", "224.0.0.0/4"),
        ("224.0.0.0/3", "224.0.0.0/4 240.0.0.0/5"),
        ("224.0.0.0/3", "240.0.0.0/4"),
        ("0.0.0.0/0", "224.0.0.0/4"),
        ("2a00::/12", "2a00::/13"),
    ] {
        assert!(refused(text, never).is_err(), "{text} {never}");
    }
    // of an allow list too
    assert_eq!(
        compose_allow(&together(&[list("a", "8.0.0.0/7")]), &unrouted(), &guard())
            .unwrap_err()
            .to_string(),
        "Keeping the previous allow list: a has 8.0.0.0/7, wider than /8 \
         (see min_prefix_v4 in [guard])"
    );
}

/// What lists of bogons and martians name, as they write it.
const MARTIANS: &str = "0.0.0.0/8 127.0.0.0/8 169.254.0.0/16 224.0.0.0/4 224.0.0.0/3 240.0.0.0/4 \
     255.255.255.255 ::/8 ::/96 ::/3 ::1 ::ffff:0:0/96 ::fffe:0:0/95 100::/8 200::/7 4000::/2 \
     8000::/1 fc00::/7 fe80::/10 fec0::/10 ff00::/8";

#[test]
fn reserved_space_makes_no_list_refused_however_wide_it_is_written() {
    let reserved: Vec<Protected> = prefix::reserved(false).map(Protected::from).collect();
    for one in MARTIANS.split_whitespace().chain([MARTIANS]) {
        let lists = [list("a", &format!("{one} 1.2.3.4 2001:db8::1"))];
        let composed =
            compose_block(&together(&lists), &Ranges::default(), &reserved, &guard()).expect(one);
        assert_eq!(super::tests::text(&composed.set), "1.2.3.4 2001:db8::1", "{one}");
        let allowed = compose_allow(&together(&lists), &unrouted(), &guard()).expect(one);
        assert_eq!(super::tests::text(&allowed.set), "1.2.3.4 2001:db8::1", "{one}");
        // and nothing disappears without a word
        for removed in [composed.removed, allowed.removed] {
            let told: usize = removed.left_out.iter().map(|left_out| left_out.entries).sum();
            assert_eq!(told, lists[0].len() - 2, "{one}");
        }
    }
    // half of it is of use
    let lists = [list("a", "0.0.0.0/7")];
    assert!(compose_block(&together(&lists), &Ranges::default(), &reserved, &guard()).is_err());
}

#[test]
fn what_is_private_is_let_through_where_it_is_wanted() {
    let reserved: Vec<Protected> = prefix::reserved(true).map(Protected::from).collect();
    let lists = [list("a", "10.0.0.0/8 8000::/1 fc00::/7 fd00::1")];
    let set =
        compose_block(&together(&lists), &Ranges::default(), &reserved, &guard()).unwrap().set;
    // no prefix of a table is wider than the floor
    assert_eq!(set.v6().len(), 1 << (guard().bounds.floor.v6 - 7));
    assert!(set.find("10.1.2.3".parse().unwrap()).is_some());
    assert!(set.find("fdff::1".parse().unwrap()).is_some());
    // an allow table always may have it, but for what is wider than the floor
    let allow =
        compose_allow(&together(&[list("a", "10.0.0.0/8 fd12::/32")]), &unrouted(), &guard())
            .unwrap();
    assert_eq!(text(&allow.set), "10.0.0.0/8 fd12::/32");
}

#[test]
fn what_is_left_out_is_counted_for_one_network_each() {
    let lists = [
        list("a", "10.1.1.1 10.1.1.1 10.1.2.0/24 10.9.9.9 5.5.5.5 192.168.0.0/16 fe80::1"),
        list("b", "10.1.1.1 203.0.112.0/23"),
    ];
    let never = "10.0.0.0/8 192.168.0.0/16 fe80::/10 10.1.0.0/16 203.0.113.0/24 10.0.0.0/8";
    let removed = block(&lists, "", never).removed;
    let told: Vec<String> = removed
        .left_out
        .iter()
        .map(|left_out| format!("{} {}", left_out.entries, left_out.protected.net))
        .collect();
    assert_eq!(
        told,
        ["1 10.0.0.0/8", "1 192.168.0.0/16", "1 fe80::/10", "2 10.1.0.0/16", "1 203.0.113.0/24"]
    );
    assert_eq!(removed.protected.entries, 6);
}

#[test]
fn neighbours_that_no_list_named_together_are_split_at_the_floor() {
    let halves =
        "8.0.0.0/9 8.128.0.0/9 9.0.0.0/9 9.128.0.0/9 2000::/20 2000:1000::/20 2000:2000::/19";
    assert_eq!(table_of(&[list("a", halves)]), "8.0.0.0/8 9.0.0.0/8 2000::/19 2000:2000::/19");
}

#[test]
fn entries_at_the_maximum() {
    let hosts = text(&hosts(99));
    let lists = [list("a", &hosts), list("b", "2001:db8::1")];
    let of = |max_entries| {
        let guard = Guard { bounds: Bounds { max_entries, ..bounds() }, ..guard() };
        compose_block(&together(&lists), &Ranges::default(), &[], &guard)
    };
    assert_eq!(of(100).unwrap().set.len(), 100);
    assert_eq!(
        of(99).unwrap_err().to_string(),
        "Keeping the previous block list: 100 entries, more than 99 (see max_entries in [guard])"
    );
    assert_eq!(
        of(1).unwrap_err().reason,
        Reason::Refused(Refusal::Entries { entries: 100, max: 1 })
    );
}

#[test]
fn both_ends_of_the_space() {
    let none = Guard { bounds: Bounds { floor: NO_FLOOR, ..bounds() }, ..guard() };
    let of = |text: &str, never: &str| {
        let mut items = Items::default();
        text.split_whitespace().for_each(|net| items.push(net.parse().unwrap(), false));
        let lists = [List::new("a", items, NO_FLOOR)];
        compose_block(&together(&lists), &Ranges::default(), &protected(never), &none).unwrap().set
    };
    assert_eq!(text(&of("0.0.0.0/0 ::/0", "")), "0.0.0.0/0 ::/0");
    assert_eq!(of("0.0.0.0/0 ::/0", "0.0.0.0/0 ::/0").len(), 0);
    assert_eq!(text(&of("0.0.0.0/0", "128.0.0.0/1")), "0.0.0.0/1");
    assert_eq!(of("0.0.0.0/0", "0.0.0.0 255.255.255.255").len(), 62);
    assert_eq!(of("::/0", ":: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff").len(), 254);
    assert_eq!(text(&of("0.0.0.0/1 128.0.0.0/1", "")), "0.0.0.0/0");
}

/// Some lists of a universe.
fn lists(most: usize) -> impl Strategy<Value = Vec<Vec<(Small, bool)>>> {
    let negated = prop_oneof![3 => Just(false), 1 => Just(true)];
    let list = proptest::collection::vec((small(), negated), 0..30);
    proptest::collection::vec(list, 0..most)
}

fn painted(lists: &[Vec<(Small, bool)>]) -> Vec<bool> {
    lists.iter().map(|list| paint(list)).fold(vec![false; SIZE], |mut sum, bits| {
        sum.iter_mut().zip(bits).for_each(|(sum, bit)| *sum |= bit);
        sum
    })
}

fn made(universe: Universe, lists: &[Vec<(Small, bool)>]) -> Vec<List> {
    lists.iter().map(|list| universe.list(list)).collect()
}

proptest! {
    #[test]
    fn as_painted_item_by_item(
        universe in universe(),
        mut blocks in lists(4),
        allows in lists(3),
        never in proptest::collection::vec(small(), 0..4),
        floor in prop_oneof![Just(0u8), 0u8..=16],
    ) {
        blocks.iter_mut().flatten().for_each(|((_, len), _)| *len = floor.max(*len));
        let unbounded = Guard { bounds: Bounds { floor: NO_FLOOR, ..bounds() }, ..guard() };
        let narrow = Floor { v4: 16 + floor, v6: 112 + floor };
        let guard = Guard { bounds: Bounds { floor: narrow, ..bounds() }, ..guard() };
        let shields: Vec<Protected> = never
            .iter()
            .map(|&net| Protected { net: universe.net(net), reason: String::new() })
            .collect();

        let allow_lists = made(universe, &allows);
        let allow = compose_allow(&together(&allow_lists), &[], &unbounded).unwrap().set;
        let allowed = painted(&allows);
        prop_assert!(universe.marks(&allow) == allowed);
        prop_assert_eq!(allow.len(), least(&allowed, 0));
        let exempt = exempt(&each(&allow_lists));
        prop_assert!(universe.bits(&exempt) == allowed);

        let Composed { set, removed } =
            compose_block(&together(&made(universe, &blocks)), &exempt, &shields, &guard).unwrap();
        let named = painted(&blocks);
        let shield = painted(&[never.iter().map(|net| (*net, false)).collect::<Vec<_>>()]);
        let wanted: Vec<bool> =
            (0..SIZE).map(|i| named[i] && !allowed[i] && !shield[i]).collect();
        prop_assert!(universe.marks(&set) == wanted);
        prop_assert_eq!(set.len(), least(&wanted, floor));

        let count = |f: &dyn Fn(usize) -> bool| (0..SIZE).filter(|i| f(*i)).count() as u128;
        prop_assert_eq!(removed.allowed.addresses, count(&|i| named[i] && allowed[i]));
        prop_assert_eq!(
            removed.protected.addresses,
            count(&|i| named[i] && !allowed[i] && shield[i])
        );
        prop_assert_eq!(removed.allowed.entries == 0, removed.allowed.addresses == 0);
        prop_assert_eq!(removed.protected.entries == 0, removed.protected.addresses == 0);

        // once more with the result as a list: nothing changes
        let mut items = Items::default();
        set.iter().for_each(|net| items.push(net, false));
        let again = [List::new("again", items, narrow)];
        let repeated = compose_block(&together(&again), &Ranges::from(&allow), &shields, &guard).unwrap();
        prop_assert_eq!(&repeated.set, &set);
        prop_assert_eq!(repeated.removed, Removed::default());
    }

    #[test]
    fn as_ipnet_aggregates(
        raw4 in proptest::collection::vec((any::<u32>(), 0u8..=32), 0..200),
        near4 in proptest::collection::vec((any::<u16>(), 20u8..=32), 0..200),
        raw6 in proptest::collection::vec((any::<u128>(), 0u8..=128), 0..200),
        near6 in proptest::collection::vec((any::<u16>(), 114u8..=128), 0..200),
    ) {
        // few random prefixes are neighbours; those of one /16 or /112 are
        let v4: Vec<(u32, u8)> =
            raw4.into_iter().filter(|(_, len)| *len > 3)
                .chain(near4.into_iter().map(|(a, len)| (u32::from(a), len))).collect();
        let v6: Vec<(u128, u8)> =
            raw6.into_iter().filter(|(_, len)| *len > 3)
                .chain(near6.into_iter().map(|(a, len)| (u128::from(a) | 1 << 64, len))).collect();
        let items = Items {
            v4: v4.iter().map(|(a, l)| Item::new(Net::masked(*a, *l).unwrap(), false)).collect(),
            v6: v6.iter().map(|(a, l)| Item::new(Net::masked(*a, *l).unwrap(), false)).collect(),
        };
        let unbounded = Guard { bounds: Bounds { floor: NO_FLOOR, ..bounds() }, ..guard() };
        let ours = compose_allow(&together(&[List::new("a", items, NO_FLOOR)]), &[], &unbounded).unwrap().set;
        let v4: Vec<Ipv4Net> =
            v4.iter().map(|(a, l)| Ipv4Net::new(Ipv4Addr::from_bits(*a), *l).unwrap()).collect();
        let v6: Vec<Ipv6Net> =
            v6.iter().map(|(a, l)| Ipv6Net::new(Ipv6Addr::from_bits(*a), *l).unwrap()).collect();
        let mut theirs4: Vec<(u32, u8)> = Ipv4Net::aggregate(&v4)
            .iter().map(|net| (net.network().to_bits(), net.prefix_len())).collect();
        let mut theirs6: Vec<(u128, u8)> = Ipv6Net::aggregate(&v6)
            .iter().map(|net| (net.network().to_bits(), net.prefix_len())).collect();
        theirs4.sort_unstable();
        theirs6.sort_unstable();
        let ours4: Vec<(u32, u8)> = ours.v4().iter().map(|net| (net.addr(), net.len())).collect();
        let ours6: Vec<(u128, u8)> = ours.v6().iter().map(|net| (net.addr(), net.len())).collect();
        prop_assert_eq!(ours4, theirs4);
        prop_assert_eq!(ours6, theirs6);
    }
}
