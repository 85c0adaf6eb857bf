use proptest::prelude::*;

use super::*;
use crate::tests::{NO_FLOOR, list, paint, small, universe};

fn ranges4(list: &List) -> Vec<String> {
    let text = |addr: u32| core::net::Ipv4Addr::from_bits(addr).to_string();
    list.v4()
        .iter()
        .map(|range| format!("{}-{}", text(range.first()), text(range.last())))
        .collect()
}

#[test]
fn the_most_specific_item_decides() {
    let list = list("a", "1.2.3.0/24 1.0.0.0/8 !1.2.0.0/16");
    assert_eq!(
        ranges4(&list),
        ["1.0.0.0-1.1.255.255", "1.2.3.0-1.2.3.255", "1.3.0.0-1.255.255.255"]
    );
    assert!(list.contains("1.2.3.4".parse().unwrap()));
    assert!(!list.contains("1.2.4.0".parse().unwrap()));
    assert!(!list.contains("::1".parse().unwrap()));
}

#[test]
fn of_equal_prefixes_the_negated_one_wins() {
    assert!(list("a", "1.2.3.4 !1.2.3.4 1.2.3.4").is_empty());
    assert_eq!(
        ranges4(&list("a", "!1.2.3.4 1.2.3.0/31 1.2.3.4/31")),
        ["1.2.3.0-1.2.3.1", "1.2.3.5-1.2.3.5"]
    );
}

#[test]
fn without_negation_neighbours_stay_apart_and_nested_ones_go() {
    let list = list("a", "1.2.3.5 1.2.3.4 1.2.3.4 9.0.0.0/8 9.1.0.0/16 2001:db8::/32 2001:db8::1");
    assert_eq!(ranges4(&list), ["1.2.3.4-1.2.3.4", "1.2.3.5-1.2.3.5", "9.0.0.0-9.255.255.255"]);
    assert_eq!(list.v6().len(), 1);
    assert_eq!(list.len(), 4);
}

#[test]
fn mapped_addresses_are_ipv4() {
    let mapped =
        list("a", "::ffff:1.2.0.0/112 !::ffff:1.2.128.0/113 ::ffff:9.9.9.9 ::fffe:1.2.3.4");
    assert_eq!(ranges4(&mapped), ["1.2.0.0-1.2.127.255", "9.9.9.9-9.9.9.9"]);
    assert_eq!(mapped.v6().len(), 1);
    // down to the floor, and what is wider is none of IPv4, neither positive nor negated
    assert_eq!(ranges4(&list("a", "::ffff:9.0.0.0/104")), ["9.0.0.0-9.255.255.255"]);
    let wide = list("a", "::ffff:0:0/96 ::ffff:8.0.0.0/103 9.9.9.9 !::fffe:0:0/95");
    assert_eq!(ranges4(&wide), ["9.9.9.9-9.9.9.9"]);
    assert!(!wide.contains("8.8.8.8".parse().unwrap()));
    // a negated IPv4 item meets a mapped positive one
    assert!(list("a", "::ffff:1.2.3.4 !1.2.3.4").is_empty());
}

#[test]
fn items_wider_than_the_floor_are_remembered() {
    let wide = |text| list("a", text).wide().iter().map(Prefix::to_string).collect::<Vec<_>>();
    assert_eq!(wide("1.0.0.0/8 2001::/19"), [""; 0]);
    assert_eq!(wide("2.0.0.0/7 2000::/18 2.0.0.0/8"), ["2.0.0.0/7", "2000::/18"]);
    // also where nested items hide them
    assert_eq!(wide("0.0.0.0/0 !0.0.0.0/1 !128.0.0.0/1"), ["0.0.0.0/0"]);
    assert_eq!(wide("!0.0.0.0/0 1.0.0.0/8"), [""; 0]);
    // what would be wider than the floor of IPv4 stays IPv6, whose packets never have such an address
    assert_eq!(wide("::ffff:0:0/96 ::ffff:0:0/103 ::/19"), [""; 0]);
}

#[test]
fn both_ends_of_the_space() {
    assert_eq!(
        ranges4(&list("a", "0.0.0.0/0 !0.0.0.0 !255.255.255.255")),
        ["0.0.0.1-255.255.255.254"]
    );
    assert_eq!(
        ranges4(&list("a", "255.255.255.254/31 !255.255.255.255 254.0.0.0/7")),
        ["254.0.0.0-255.255.255.254"]
    );
    let all = list("a", "::/0 !::/1 ::1");
    assert_eq!(all.v6().len(), 2);
    assert!(all.contains("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff".parse().unwrap()));
    assert!(all.contains("::1".parse().unwrap()));
    assert!(!all.contains("::2".parse().unwrap()));
}

#[test]
fn a_million_repetitions_are_one_entry() {
    let item = Item::new(Net::new(0x0102_0300, 24).unwrap(), false);
    let hole = Item::new(Net::new(0x0102_0304, 32).unwrap(), true);
    let mut items = Items { v4: vec![item; 1_000_000], v6: Vec::new() };
    assert_eq!(List::new("a", items.clone(), NO_FLOOR).len(), 1);
    items.v4.extend(vec![hole; 1000]);
    assert_eq!(List::new("a", items, NO_FLOOR).len(), 2);
}

#[test]
fn a_list_is_measured_in_prefixes_and_in_what_can_be_met() {
    let measure = |text| list("a", text).measure();
    let hosts = "1.2.3.4 1.2.3.5 5.0.0.0/8 5.1.0.0/16 2001:db8::/32 2001:db9::1";
    assert_eq!(measure(hosts), Measure { entries: 5, v4: (1 << 24) + 2, v6: 2 });
    // what a negated item leaves of a prefix is several of them
    assert_eq!(measure("1.2.3.0/24 !1.2.3.128"), Measure { entries: 8, v4: 255, v6: 0 });
    // nobody is there, or nobody of the Internet
    let nowhere =
        "0.0.0.0/8 10.0.0.0/8 127.0.0.0/9 224.0.0.0/3 192.0.0.0/8 fd00::/19 ff00::/8 ::/8";
    assert_eq!(measure(nowhere), Measure { entries: 8, v4: (1 << 24) - (1 << 16), v6: 0 });
}

proptest! {
    #[test]
    fn as_painted_item_by_item(
        universe in universe(),
        items in proptest::collection::vec((small(), any::<bool>()), 0..40),
    ) {
        let list = universe.list(&items);
        prop_assert!(universe.bits(list.ranges()) == paint(&items));
    }

    #[test]
    fn what_was_kept_as_prefixes_measures_the_same(
        universe in universe(),
        items in proptest::collection::vec((small(), any::<bool>()), 0..40),
    ) {
        let list = universe.list(&items);
        let mut kept = Items::default();
        let nets4 = list.v4().iter().flat_map(|range| cover(*range)).map(Prefix::from);
        let nets6 = list.v6().iter().flat_map(|range| cover(*range)).map(Prefix::from);
        nets4.chain(nets6).for_each(|net| kept.push(net, false));
        let entries = kept.len() as u64;
        let again = List::new("again", kept, NO_FLOOR);
        prop_assert_eq!(again.measure(), list.measure());
        prop_assert_eq!(again.measure().entries, entries);
        prop_assert!(universe.bits(again.ranges()) == paint(&items));
    }
}

#[test]
fn mapped_prefixes_stand_for_ipv4_down_to_a_floor() {
    let unmapped = |text: &str, floor| match text.parse().unwrap() {
        Prefix::V6(net) => super::unmapped(net, floor).map(|net| net.to_string()),
        Prefix::V4(net) => panic!("{net}"),
    };
    assert_eq!(unmapped("::ffff:1.2.3.4", 8).as_deref(), Some("1.2.3.4"));
    assert_eq!(unmapped("::ffff:1.0.0.0/104", 8).as_deref(), Some("1.0.0.0/8"));
    assert_eq!(unmapped("::ffff:0:0/96", 0).as_deref(), Some("0.0.0.0/0"));
    for text in ["::ffff:0:0/103", "::ffff:0:0/96", "::fffe:0:0/95", "::/0", "::fffe:1.2.3.4"] {
        assert_eq!(unmapped(text, 8), None, "{text}");
    }
}
