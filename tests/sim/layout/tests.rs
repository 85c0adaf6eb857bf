use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::item::items;
use crate::lists::{basic_list, big_list, hosts};
use crate::sim::{Zone, rtype};

const LIST: &str = "basic.threatstop.local";

fn zone(items: &[Item], shape: impl Into<Shape>) -> Zone {
    let mut zone = Zone::new("threatstop.local");
    zone.set_list(LIST, items, shape);
    zone
}

/// The items of the APL records at each name.
fn by_name(zone: &Zone) -> BTreeMap<String, Vec<Item>> {
    let mut out: BTreeMap<String, Vec<Item>> = BTreeMap::new();
    for (name, data) in zone.records() {
        if let Data::Apl(rdata) = data {
            out.entry(name.to_string()).or_default().extend(apl::read(rdata).unwrap());
        }
    }
    out
}

fn pointers(zone: &Zone, name: &str) -> BTreeSet<String> {
    let answer = zone.answer(name, rtype::PTR);
    let target = |(_, data): &(String, Data)| match data {
        Data::Ptr(target) => target.clone(),
        other => panic!("{other:?}"),
    };
    answer.records.iter().map(target).collect()
}

#[test]
fn every_layout_holds_every_item_in_answers_that_fit() {
    let sample = basic_list(26_424);
    for layout in [Layout::Index, Layout::Continuation, Layout::Chain] {
        for shape in [layout.into(), Shape::from(layout).per_record(64)] {
            let zone = zone(&sample.items, shape);
            let chunks = by_name(&zone);
            // 7.7 octets an item on the average, and a fifth of an octet for small records.
            assert_eq!(chunks.len(), 4, "{shape:?}");
            for name in chunks.keys() {
                assert!(!zone.answer(name, rtype::APL).truncated, "{shape:?} {name}");
            }
            let mut all: Vec<Item> = chunks.into_values().flatten().collect();
            let mut expected = sample.items.clone();
            all.sort_unstable();
            expected.sort_unstable();
            assert!(all == expected, "{shape:?}");
        }
    }
}

#[test]
fn pointers_follow_the_layout() {
    let three = items("5.0.0.1 5.0.0.2 5.0.0.3");
    let set = |names: &[&str]| names.iter().map(|name| format!("{name}.{LIST}")).collect();

    let index = zone(&three, Shape::from(Layout::Index).names(3));
    assert_eq!(pointers(&index, LIST), set(&["1", "2", "3"]));
    assert!(index.answer(LIST, rtype::APL).records.is_empty());

    let continuation = zone(&three, Shape::from(Layout::Continuation).names(3));
    assert_eq!(pointers(&continuation, LIST), set(&["1", "2"]));
    assert_eq!(continuation.answer(LIST, rtype::APL).records.len(), 1);

    let chain = zone(&three, Shape::from(Layout::Chain).names(3));
    assert_eq!(pointers(&chain, LIST), set(&["1"]));
    assert_eq!(pointers(&chain, &format!("1.{LIST}")), set(&["2"]));
    assert_eq!(pointers(&chain, &format!("2.{LIST}")), set(&[]));
}

#[test]
fn the_largest_list_takes_212_names() {
    let zone = zone(&big_list(845_023).items, Shape::from(Layout::Index).names(212));
    let chunks = by_name(&zone);
    assert_eq!(chunks.len(), 212);
    assert_eq!(chunks.values().map(Vec::len).sum::<usize>(), 845_023);
    assert_eq!(pointers(&zone, LIST), chunks.keys().cloned().collect());
}

#[test]
fn a_single_name_may_hold_too_much() {
    let sample = basic_list(26_424);
    assert!(zone(&sample.items, Layout::Single).answer(LIST, rtype::APL).truncated);
    assert!(!zone(&sample.items[..8000], Layout::Single).answer(LIST, rtype::APL).truncated);
}

#[test]
fn an_empty_list_is_an_empty_record() {
    for (layout, at) in [
        (Layout::Single, LIST.to_string()),
        (Layout::Continuation, LIST.to_string()),
        (Layout::Chain, LIST.to_string()),
        (Layout::Index, format!("1.{LIST}")),
    ] {
        let answer = zone(&[], layout).answer(&at, rtype::APL);
        assert_eq!(answer.records, [(at, Data::Apl(Vec::new()))], "{layout:?}");
    }
}

#[test]
fn numbered_names_hold_hosts() {
    let hosts = hosts(&basic_list(12_000).table);
    let zone = zone(&hosts, Layout::Numbered);
    assert_eq!(zone.names_of(LIST), [LIST, "basic1.threatstop.local", "basic2.threatstop.local"]);
    assert_eq!(zone.answer(LIST, rtype::A).records.len(), 4000);
    assert_eq!(zone.records().count(), hosts.len());
}

#[test]
fn text_holds_prefixes() {
    let zone = zone(&items("5.0.0.1 5.1.0.0/16 2a0b::/32"), Layout::Txt);
    let strings = ["5.0.0.1/32", "5.1.0.0/16", "2a0b::/32"].map(String::from).to_vec();
    assert_eq!(zone.answer(LIST, rtype::TXT).records, [(LIST.to_string(), Data::Txt(strings))]);
}
