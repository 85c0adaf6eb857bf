use std::collections::{BTreeMap, BTreeSet};

use apl::decode;
use control::{Exported, Failure, Reply, Snapshot};
use prefix::{Items, Prefix};
use serde_json::json;

use super::{Stop, form, write};
use crate::client::ClientError;

fn exported(word: &str, v4: u64, v6: u64) -> Exported {
    let name = match word {
        "block" => "ThreatSTOP-Block",
        "allow" => "ThreatSTOP-Allow",
        other => other,
    };
    Exported { name: name.into(), word: word.into(), v4, v6 }
}

/// The answer of an engine that has these tables.
fn replies(tables: &[(&str, &[String], &[String])]) -> Vec<Reply> {
    let head = |(word, v4, v6): &(&str, &[String], &[String])| {
        exported(word, v4.len() as u64, v6.len() as u64)
    };
    let snapshot = Snapshot { serial: 42, tables: tables.iter().map(head).collect() };
    let mut all = vec![Reply::Snapshot(snapshot)];
    for (_, v4, v6) in tables {
        let texts = [*v4, *v6].concat();
        all.extend(texts.chunks(500).map(|part| Reply::Prefixes(part.to_vec())));
    }
    all.push(Reply::Done(json!({})));
    all
}

fn print(word: &str, zone: Option<&str>, replies: Vec<Reply>) -> (String, Result<(), String>) {
    let mut form = form(word, zone).unwrap();
    let (mut out, mut replies) = (Vec::new(), replies.into_iter());
    let written = write(|| replies.next().ok_or(ClientError::Closed), &mut *form, &mut out);
    let written = written.map_err(|stop| match stop {
        Stop::Client(error) => error.to_string(),
        Stop::Engine(failure) => failure.why,
        Stop::Unfit(why) => why,
        Stop::Stdout(error) => error.to_string(),
    });
    (String::from_utf8(out).unwrap(), written)
}

/// The text of tables in a form, which has to be whole.
fn text(word: &str, tables: &[(&str, &[String], &[String])]) -> String {
    let (text, written) = print(word, None, replies(tables));
    written.unwrap();
    text
}

fn texts(nets: &[&str]) -> Vec<String> {
    nets.iter().map(|&net| net.to_owned()).collect()
}

fn hosts(count: u32) -> Vec<String> {
    (0..count).map(|n| std::net::Ipv4Addr::from(0x0b00_0001 + 2 * n).to_string()).collect()
}

/// The tables of a small case: two prefixes, one of IPv6, an empty allow table.
fn small(word: &str) -> String {
    let (v4, v6) = (texts(&["192.0.2.0/24", "198.51.100.7"]), texts(&["2001:db8::/32"]));
    text(word, &[("block", &v4, &v6), ("allow", &[], &[])])
}

#[test]
fn nft_is_one_transaction() {
    assert_eq!(
        small("nft"),
        "add table inet threatstop\n\
         add set inet threatstop ThreatSTOP-Block-4 { type ipv4_addr; flags interval; }\n\
         add set inet threatstop ThreatSTOP-Block-6 { type ipv6_addr; flags interval; }\n\
         add set inet threatstop ThreatSTOP-Allow-4 { type ipv4_addr; flags interval; }\n\
         add set inet threatstop ThreatSTOP-Allow-6 { type ipv6_addr; flags interval; }\n\
         flush set inet threatstop ThreatSTOP-Block-4; flush set inet threatstop \
         ThreatSTOP-Block-6; flush set inet threatstop ThreatSTOP-Allow-4; flush set inet \
         threatstop ThreatSTOP-Allow-6; table inet threatstop {\n\
         \tset ThreatSTOP-Block-4 {\n\
         \t\ttype ipv4_addr; flags interval;\n\
         \t\telements = {\n\
         \t\t\t192.0.2.0/24,\n\
         \t\t\t198.51.100.7\n\
         \t\t}\n\
         \t}\n\
         \tset ThreatSTOP-Block-6 {\n\
         \t\ttype ipv6_addr; flags interval;\n\
         \t\telements = {\n\
         \t\t\t2001:db8::/32\n\
         \t\t}\n\
         \t}\n\
         \tset ThreatSTOP-Allow-4 {\n\
         \t\ttype ipv4_addr; flags interval;\n\
         \t}\n\
         \tset ThreatSTOP-Allow-6 {\n\
         \t\ttype ipv6_addr; flags interval;\n\
         \t}\n\
         }\n"
    );
}

/// From the line that empties the sets on, no brace is closed before the end.
#[test]
fn nft_that_ends_early_is_a_syntax_error() {
    let whole = small("nft");
    let opened =
        whole.find("table inet threatstop {\n\tset").unwrap() + "table inet threatstop {".len();
    for end in opened..whole.trim_end().len() {
        let cut = &whole[..end];
        assert!(cut.matches('{').count() > cut.matches('}').count(), "{cut}");
    }
}

#[test]
fn ipset_and_ipfw_change_tables_by_their_last_lines() {
    let ipset = small("ipset");
    let lines: Vec<&str> = ipset.lines().collect();
    assert_eq!(
        &lines[..7],
        [
            "create ThreatSTOP-Block-4 hash:net family inet maxelem 33554432 -exist",
            "create ThreatSTOP-Block-4-new hash:net family inet maxelem 33554432 -exist",
            "flush ThreatSTOP-Block-4-new",
            "add ThreatSTOP-Block-4-new 192.0.2.0/24",
            "add ThreatSTOP-Block-4-new 198.51.100.7",
            "create ThreatSTOP-Block-6 hash:net family inet6 maxelem 33554432 -exist",
            "create ThreatSTOP-Block-6-new hash:net family inet6 maxelem 33554432 -exist",
        ]
    );
    let ipfw = small("ipfw");
    assert_eq!(
        ipfw,
        "table ThreatSTOP-Block create type addr missing\n\
         table ThreatSTOP-Block-new create type addr or-flush\n\
         table ThreatSTOP-Block-new add 192.0.2.0/24\n\
         table ThreatSTOP-Block-new add 198.51.100.7\n\
         table ThreatSTOP-Block-new add 2001:db8::/32\n\
         table ThreatSTOP-Allow create type addr missing\n\
         table ThreatSTOP-Allow-new create type addr or-flush\n\
         table ThreatSTOP-Block swap ThreatSTOP-Block-new\n\
         table ThreatSTOP-Allow swap ThreatSTOP-Allow-new\n\
         table ThreatSTOP-Block-new destroy\n\
         table ThreatSTOP-Allow-new destroy\n"
    );
    for text in [&ipset, &ipfw] {
        let first = text.find("swap").unwrap();
        assert!(!text[first..].contains("add ") && !text[first..].contains("flush "), "{text}");
        assert!(!text[..first].contains("destroy"), "{text}");
    }
}

/// An engine that ends before it is done: the exit status says so, and nothing is swapped.
#[test]
fn an_answer_that_ends_early_puts_nothing_in_force() {
    let hosts = hosts(3000);
    let mut all = replies(&[("block", &hosts, &[])]);
    for left in (0..all.len()).rev() {
        all.truncate(left);
        for word in ["nft", "ipset", "ipfw", "apl"] {
            let (text, written) = print(word, None, all.clone());
            let why = written.unwrap_err();
            assert!(why.contains("closed the connection"), "{why}");
            assert!(!text.contains("swap") && !text.ends_with("\n}\n"), "{word}: {text}");
        }
    }
}

#[test]
fn other_prefixes_than_promised_are_no_answer() {
    let two = texts(&["192.0.2.1", "192.0.2.3"]);
    let promised = |v4, v6| {
        let tables = vec![exported("block", v4, v6)];
        let head = Reply::Snapshot(Snapshot { serial: 1, tables });
        vec![head, Reply::Prefixes(two.clone()), Reply::Done(json!({}))]
    };
    for (v4, v6) in [(1, 0), (3, 0), (1, 1), (0, 2), (0, 0)] {
        let why = print("nft", None, promised(v4, v6)).1.unwrap_err();
        assert!(why.contains("than it says"), "{v4} {v6}: {why}");
    }
    assert!(print("nft", None, promised(2, 0)).1.is_ok());
    let failure = Failure { what: "show".into(), why: "no".into() };
    assert_eq!(print("nft", None, vec![Reply::Error(failure)]), (String::new(), Err("no".into())));
}

/// What a zone has: the targets of PTR and the items of APL, by owner.
#[derive(Default)]
struct Read {
    ptr: BTreeMap<String, Vec<String>>,
    apl: BTreeMap<String, Vec<Vec<u8>>>,
}

fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Read {
    let mut read = Read::default();
    for line in lines {
        let mut words = line.split(' ');
        let (owner, kind) = (words.next().unwrap().to_owned(), words.next().unwrap());
        match kind {
            "PTR" => read.ptr.entry(owner).or_default().push(words.next().unwrap().into()),
            "APL" => {
                assert_eq!(words.next(), Some("\\#"));
                let len: usize = words.next().unwrap().parse().unwrap();
                let hex = words.collect::<String>();
                let octet = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
                let octets: Vec<u8> = (0..hex.len()).step_by(2).map(octet).collect();
                assert_eq!(octets.len(), len);
                read.apl.entry(owner).or_default().push(octets);
            }
            _ => {}
        }
    }
    read
}

/// The prefixes that a list leads to, and the names that are not there.
fn follow(zone: &Read, list: &str) -> (Vec<Prefix>, Vec<String>) {
    let (mut queue, mut seen) = (vec![list.to_owned()], BTreeSet::new());
    let (mut items, mut missing) = (Items::default(), Vec::new());
    while let Some(name) = queue.pop() {
        if !seen.insert(name.clone()) {
            continue;
        }
        let (ptr, apl) = (zone.ptr.get(&name), zone.apl.get(&name));
        if ptr.is_none() && apl.is_none() {
            missing.push(name.clone());
        }
        queue.extend(ptr.into_iter().flatten().cloned());
        for rdata in apl.into_iter().flatten() {
            decode(rdata, &mut items).unwrap();
        }
    }
    let v4 = items.v4.iter().map(|item| Prefix::V4(item.net()));
    let mut all: Vec<Prefix> =
        v4.chain(items.v6.iter().map(|item| Prefix::V6(item.net()))).collect();
    all.sort_unstable();
    (all, missing)
}

#[test]
fn a_zone_has_every_prefix_of_its_tables() {
    let (v4, v6) = (hosts(5_001), texts(&["2001:db8::/32", "2620::1"]));
    for (tables, names) in [(hosts(0), 1), (hosts(64), 1), (hosts(1984), 1), (v4, 3)] {
        let text = text("apl", &[("block", &tables, &v6), ("My_Table.x", &[], &v6)]);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some("$TTL 3600"));
        let soa = "threatstop.local. SOA localhost. root.localhost. 42 3600 600 604800 60";
        assert_eq!(lines.next(), Some(soa));
        let zone = read(lines);
        for (list, want) in [("block", [&tables[..], &v6].concat()), ("my-table-x", v6.clone())] {
            let mut want: Vec<Prefix> = want.iter().map(|text| text.parse().unwrap()).collect();
            want.sort_unstable();
            let (found, missing) = follow(&zone, &format!("{list}.threatstop.local."));
            assert!(found == want, "{list}: {} of {}", found.len(), want.len());
            assert!(missing.is_empty(), "{missing:?}");
        }
        // two more of IPv6, which fill a name of their own where the others are full
        let parts = zone.apl.keys().filter(|name| name.contains(".block.")).count();
        assert_eq!(parts, names + usize::from(tables.len() == 1984));
        for (name, records) in &zone.apl {
            let octets: usize = records.iter().map(|rdata| rdata.len() + 12).sum();
            assert!(records.len() <= 31 && octets < 50_000, "{name}: {octets}");
        }
    }
}

/// Cut after any line, a list leads to a name that is not there.
#[test]
fn a_zone_that_ends_early_has_no_whole_list() {
    let text = text("apl", &[("block", &hosts(405_000), &[])]);
    let lines: Vec<&str> = text.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("block.")).unwrap();
    let whole = read(lines.iter().copied());
    assert_eq!(follow(&whole, "threatstop.local.").0.len(), 405_000, "the apex is the list, too");
    assert_eq!(whole.ptr.keys().filter(|name| name.starts_with("i1-42.")).count(), 1);
    // what is named and not yet there
    let (mut named, mut there) = (BTreeSet::from(["block.threatstop.local."]), BTreeSet::new());
    for line in &lines[first..] {
        assert!(named.difference(&there).next().is_some(), "whole before {line}");
        let mut words = line.split(' ');
        let (owner, kind) = (words.next().unwrap(), words.next().unwrap());
        there.insert(owner);
        if kind == "PTR" {
            named.insert(words.next().unwrap());
        }
    }
    assert!(named.is_subset(&there));
}

#[test]
fn a_zone_that_cannot_be_is_told_before_anything_is_printed() {
    for zone in ["", "a..b", "a b", "x;y", &"a.".repeat(100)] {
        assert!(form("apl", Some(zone)).is_err(), "{zone}");
    }
    assert!(form("nft", Some("fleet.example")).is_err());
    assert!(form("toml", None).is_err());
    let too_many = Snapshot { serial: 1, tables: vec![exported("block", 2_015_745, 0)] };
    let (text, written) = print("apl", None, vec![Reply::Snapshot(too_many)]);
    assert!(text.is_empty(), "{text}");
    assert!(written.unwrap_err().contains("at most 2015744"));
    let twice = replies(&[("block", &[], &[]), ("block", &[], &[])]);
    let (text, written) = print("apl", Some("Fleet.Example."), twice);
    assert!(text.is_empty(), "{text}");
    assert_eq!(written.unwrap_err(), "two of the tables would be the list block.fleet.example");
}
