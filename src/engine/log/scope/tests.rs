use std::cell::RefCell;

use policy::List;
use prefix::{Floor, Items};

use super::*;
use crate::lists::{Copy, Source};

/// A record: `block in` on em0, rule of an anchor, TCP from one address to another.
fn packet(anchor: &str, direction: u8, source: [u8; 4], destination: [u8; 4]) -> Vec<u8> {
    let mut data = vec![0; 140];
    (data[0], data[1], data[2], data[60]) = (100, 2, 1, direction);
    data[4..7].copy_from_slice(b"em0");
    data[20..20 + anchor.len()].copy_from_slice(anchor.as_bytes());
    data[100] = 0x45;
    data[103] = 40;
    data[109] = 6;
    data[112..116].copy_from_slice(&source);
    data[116..120].copy_from_slice(&destination);
    data[120..124].copy_from_slice(&[0x30, 0x39, 0, 80]);
    data[132] = 0x50;
    data
}

fn policy(prefixes: &[&str]) -> Rc<Policy> {
    let mut items = Items::default();
    for prefix in prefixes {
        items.push(prefix.parse().unwrap(), false);
    }
    let list = List::new("basic.example", items, Floor { v4: 8, v6: 16 });
    let v4 = prefixes.iter().map(|prefix| match prefix.parse().unwrap() {
        prefix::Prefix::V4(net) => net,
        prefix::Prefix::V6(_) => panic!("{prefix}"),
    });
    let block = PrefixSet::new(v4.collect(), Vec::new()).unwrap();
    let copy = Copy { source: Source::Policy, kind: Kind::Block, list, changed: 0, origin: None };
    let sets = [(TableId::BLOCK, Rc::new(block))].into();
    Rc::new(Policy { sets, lists: vec![Rc::new(copy)], ..Policy::default() })
}

/// Address, lists, port and direction of a record that is ours.
fn judge(scope: &Scope, data: &[u8]) -> Option<(IpAddr, Vec<String>, Option<u16>, Direction)> {
    let record = Record { offset: 0, end: 0, seconds: 7, micros: 0, len: data.len() as u32, data };
    let found = RefCell::new(None);
    let ours = scope.judge(&record, |hit| {
        let lists = hit.lists.iter().map(|list| (*list).to_owned()).collect();
        found.replace(Some((hit.address.unwrap(), lists, hit.port, hit.direction)));
    });
    assert_eq!(ours, found.borrow().is_some());
    found.into_inner()
}

/// The host of a record that is ours, and whether it has sent.
fn host(scope: &Scope, data: &[u8]) -> (IpAddr, Direction) {
    let record = Record { offset: 0, end: 0, seconds: 7, micros: 0, len: data.len() as u32, data };
    let found = RefCell::new(None);
    scope.judge(&record, |hit| {
        found.replace(Some((hit.host.unwrap(), hit.way)));
    });
    found.into_inner().unwrap()
}

const BAD: [u8; 4] = [203, 0, 113, 9];
const HOME: [u8; 4] = [192, 0, 2, 1];
const OTHER: [u8; 4] = [198, 51, 100, 1];

#[test]
fn either_end_in_the_table_is_ours() {
    let scope = Scope::new(None, policy(&["203.0.113.0/24"]), BTreeMap::new());
    let bad: IpAddr = BAD.into();
    let listed = vec!["basic.example".to_owned()];
    for (direction, source, destination, way) in [
        (1, BAD, HOME, Direction::In),
        (2, HOME, BAD, Direction::Out),
        (1, HOME, BAD, Direction::In),
    ] {
        let found = judge(&scope, &packet("", direction, source, destination));
        assert_eq!(found, Some((bad, listed.clone(), Some(80), way)));
    }
    assert_eq!(judge(&scope, &packet("", 1, OTHER, HOME)), None);
    assert_eq!(judge(&scope, b"no header"), None);
}

#[test]
fn the_table_before_counts_too_until_the_next() {
    let mut scope = Scope::new(None, policy(&["198.51.100.0/24"]), BTreeMap::new());
    scope.follow(policy(&["203.0.113.0/24"]));
    assert!(judge(&scope, &packet("", 1, OTHER, HOME)).is_some());
    assert!(judge(&scope, &packet("", 1, BAD, HOME)).is_some());
    // the same table again leaves the one before
    scope.follow(policy(&["203.0.113.0/24"]));
    assert!(judge(&scope, &packet("", 1, OTHER, HOME)).is_some());
    scope.follow(policy(&["192.88.99.0/24"]));
    assert!(judge(&scope, &packet("", 1, OTHER, HOME)).is_none());
    let at_start = policy(&["203.0.113.0/24"]).sets.clone();
    let scope = Scope::new(None, Rc::default(), at_start);
    let (_, lists, ..) = judge(&scope, &packet("", 1, BAD, HOME)).unwrap();
    assert_eq!(lists, [UNLISTED]);
}

#[test]
fn a_rule_of_our_anchor_is_ours() {
    let path: config::AnchorPath = "filters/threatstop-rules-long".parse().unwrap();
    let scope = Scope::new(Some(path.pflog_name()), Rc::default(), BTreeMap::new());
    let (address, lists, ..) = judge(&scope, &packet("threatstop-rule", 1, OTHER, HOME)).unwrap();
    assert_eq!((address, lists), (OTHER.into(), vec![ANCHOR.to_owned()]));
    assert_eq!(judge(&scope, &packet("", 1, OTHER, HOME)), None);
    assert_eq!(judge(&scope, &packet("threatstop-rul", 1, OTHER, HOME)), None);
    let none = Scope::new(None, Rc::default(), BTreeMap::new());
    assert_eq!(judge(&none, &packet("", 1, OTHER, HOME)), None);
}

/// What NAT made of an address may be what the rule matched.
#[test]
fn translated_addresses_count() {
    let scope = Scope::new(None, policy(&["203.0.113.0/24"]), BTreeMap::new());
    let mut data = packet("", 1, OTHER, HOME);
    data[62] = 2;
    data[80..84].copy_from_slice(&BAD);
    assert_eq!(judge(&scope, &data), None, "not rewritten");
    data[61] = 1;
    assert_eq!(judge(&scope, &data).map(|(address, ..)| address), Some(BAD.into()));
}

/// An address may be in a table of its own alone.
#[test]
fn every_block_table_counts() {
    let named = TableId::all(3).last().unwrap();
    let set = policy(&["203.0.113.0/24"]).sets[&TableId::BLOCK].clone();
    let other = Rc::new(Policy { sets: [(named, set.clone())].into(), ..Policy::default() });
    let scope = Scope::new(None, other, BTreeMap::new());
    assert!(judge(&scope, &packet("", 1, BAD, HOME)).is_some());
    // what is allowed is no hit
    let allow = Rc::new(Policy { sets: [(TableId::ALLOW, set)].into(), ..Policy::default() });
    assert_eq!(judge(&Scope::new(None, allow, BTreeMap::new()), &packet("", 1, BAD, HOME)), None);
}

/// A packet as pf logs it that it has translated: family, source and destination in the header.
fn translated(mut data: Vec<u8>, source: [u8; 4], destination: [u8; 4]) -> Vec<u8> {
    (data[61], data[62]) = (1, 2);
    data[64..68].copy_from_slice(&source);
    data[80..84].copy_from_slice(&destination);
    data
}

const INSIDE: [u8; 4] = [10, 0, 0, 23];

/// The host is the other end, whichever interface has seen the packet.
#[test]
fn the_host_is_the_other_end_than_the_listed_one() {
    let scope = Scope::new(None, policy(&["203.0.113.0/24"]), BTreeMap::new());
    for (direction, source, destination, way) in [
        (1, BAD, HOME, Direction::In),
        (2, HOME, BAD, Direction::Out),
        // on the interface to the inside
        (1, HOME, BAD, Direction::Out),
        (2, BAD, HOME, Direction::In),
    ] {
        let found = host(&scope, &packet("", direction, source, destination));
        assert_eq!(found, (HOME.into(), way), "{direction} {source:?} {destination:?}");
    }
    let anchor = Scope::new(Some("ours"), Rc::default(), BTreeMap::new());
    assert_eq!(host(&anchor, &packet("ours", 1, OTHER, HOME)), (HOME.into(), Direction::In));
    assert_eq!(host(&anchor, &packet("ours", 2, HOME, OTHER)), (HOME.into(), Direction::Out));
}

/// As a real pf has logged it (nat-to, rdr-to, and packets of states of both): the host is the one
/// inside, by its own address.
#[test]
fn behind_nat_the_host_is_the_one_inside() {
    let scope = Scope::new(None, policy(&["203.0.113.0/24"]), BTreeMap::new());
    for (direction, packet_ends, header_ends, way) in [
        (2, (INSIDE, BAD), (HOME, BAD), Direction::Out),
        (1, (BAD, HOME), (BAD, INSIDE), Direction::In),
        // of a state, both ways round
        (2, (HOME, BAD), (INSIDE, BAD), Direction::Out),
        (1, (BAD, INSIDE), (BAD, HOME), Direction::In),
        // rdr-to on the interface to the inside, to an address that is listed
        (1, (INSIDE, OTHER), (INSIDE, BAD), Direction::Out),
    ] {
        let data = packet("", direction, packet_ends.0, packet_ends.1);
        let data = translated(data, header_ends.0, header_ends.1);
        assert_eq!(host(&scope, &data), (INSIDE.into(), way), "{packet_ends:?} {header_ends:?}");
    }
    // without a private address that of the packet has sent it, and that of the header gets it
    let public = [192, 0, 2, 99];
    let out = translated(packet("", 2, public, BAD), HOME, BAD);
    assert_eq!(host(&scope, &out), (public.into(), Direction::Out));
    let r#in = translated(packet("", 1, BAD, HOME), BAD, public);
    assert_eq!(host(&scope, &r#in), (public.into(), Direction::In));
    // a header without addresses
    let none = translated(packet("", 1, BAD, HOME), [0; 4], [0; 4]);
    assert_eq!(host(&scope, &none), (HOME.into(), Direction::In));
}

/// With tables.monitor a packet that a match rule has logged would have been blocked; that another rule
/// has let it pass is no second hit. Without it each record counts.
#[test]
fn a_monitor_counts_what_would_have_been_blocked() {
    let scope = || Scope::new(None, policy(&["203.0.113.0/24"]), BTreeMap::new());
    let data = |action: u8| {
        let mut data = packet("", 1, BAD, HOME);
        data[2] = action;
        data
    };
    for (action, counts) in [(Action::MATCH, true), (Action::BLOCK, true), (Action::PASS, false)] {
        let (data, hits) = (data(action.0), std::cell::Cell::new(0));
        let record = Record {
            offset: 0,
            end: 0,
            seconds: 7,
            micros: 0,
            len: data.len() as u32,
            data: &data,
        };
        for monitor in [true, false] {
            let scope = scope().monitoring(monitor);
            assert!(scope.judge(&record, |_| hits.set(hits.get() + 1)), "it is sent all the same");
        }
        assert_eq!(hits.get(), 1 + u32::from(counts), "{action:?}");
    }
}
