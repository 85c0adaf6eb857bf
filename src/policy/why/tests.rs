use super::*;
use crate::tests::{each, guard, list, protected, together};
use crate::{compose_block, exempt};

struct World {
    block: PrefixSet,
    since: Since,
    block_lists: Vec<List>,
    allow_lists: Vec<List>,
    protected: Vec<Protected>,
}

fn world() -> World {
    let block_lists = vec![
        list("basic.threatstop.local", "1.2.2.0/24 7.7.7.7 10.1.2.3 2001:db8::/32"),
        list("local_block", "1.2.3.0/24 1.2.2.9 8.0.0.0/8 !8.8.8.8"),
    ];
    let allow_lists = vec![list("dns.threatstop.local", "7.7.7.0/24 9.9.9.9")];
    let protected = protected("10.0.0.0/8 10.1.0.0/16 fe80::/10");
    let exempt = exempt(&each(&allow_lists));
    let block = compose_block(&together(&block_lists), &exempt, &protected, &guard()).unwrap().set;
    let since = Since::new(&block, 1_795_348_800);
    World { block, since, block_lists, allow_lists, protected }
}

fn ask<'a>(world: &'a World, addr: &str) -> Why<'a> {
    let evidence = Evidence {
        block: &world.block,
        since: &world.since,
        block_lists: &each(&world.block_lists),
        allow_lists: &each(&world.allow_lists),
        protected: &world.protected,
    };
    why(&evidence, addr.parse().unwrap())
}

fn lists<'a>(why: &Why<'a>) -> Vec<&'a str> {
    why.listed_by.iter().map(|(list, _)| *list).collect()
}

/// Fails when an item is not the list's own, but what is in the table.
#[test]
fn each_list_has_its_own_item() {
    let world = world();
    let items = |addr| -> Vec<String> {
        ask(&world, addr).listed_by.iter().map(|(_, item)| item.to_string()).collect()
    };
    assert_eq!(items("1.2.3.4"), ["1.2.3.0/24"]);
    assert_eq!(items("1.2.2.9"), ["1.2.2.0/24", "1.2.2.9"]);
    assert_eq!(items("::ffff:10.1.2.3"), ["10.1.2.3"]);
    // what a negated item leaves of 8.0.0.0/8
    assert_eq!(items("8.8.8.9"), ["8.8.8.9"]);
    assert_eq!(items("8.200.0.1"), ["8.128.0.0/9"]);
    assert_eq!(items("2001:db8::1"), ["2001:db8::/32"]);
}

#[test]
fn several_lists_name_an_address_each_in_its_own_width() {
    let block_lists = [
        list("drop", "5.0.0.0/8 !5.6.0.0/16 2001:db8::/32"),
        list("own", "5.6.7.8 5.6.8.0/24"),
        list("scanners", "5.6.7.0/24 5.6.7.8"),
        list("local_block", "5.6.0.0/16"),
    ];
    let allow_lists = [list("dns", "5.6.7.9"), list("local_allow", "5.6.7.8/29")];
    let protected = protected("5.6.7.12");
    let exempt = exempt(&each(&allow_lists));
    let set = compose_block(&together(&block_lists), &exempt, &protected, &guard()).unwrap().set;
    let evidence = Evidence {
        block: &set,
        since: &Since::new(&set, 7),
        block_lists: &each(&block_lists),
        allow_lists: &each(&allow_lists),
        protected: &protected,
    };
    let answer = |addr: &str| {
        let answer = why(&evidence, addr.parse().unwrap());
        let item = |(list, item): &(&str, Prefix)| format!("{list} {item}");
        let listed = answer.listed_by.iter().map(item).collect::<Vec<_>>().join(", ");
        let entry = answer.entry.map(|entry| entry.to_string()).unwrap_or_default();
        (listed, entry, answer.allowed_by.join(" "))
    };
    let told = |listed: &str, entry: &str, allowed: &str| {
        (listed.to_owned(), entry.to_owned(), allowed.to_owned())
    };
    let all = "own 5.6.7.8, scanners 5.6.7.0/24, local_block 5.6.0.0/16";
    assert_eq!(answer("5.6.7.8"), told(all, "", "local_allow"));
    let two = "scanners 5.6.7.0/24, local_block 5.6.0.0/16";
    assert_eq!(answer("5.6.7.9"), told(two, "", "dns local_allow"));
    assert_eq!(answer("5.6.7.16"), told(two, "5.6.7.16/28", ""));
    assert_eq!(answer("5.6.8.1"), told("own 5.6.8.0/24, local_block 5.6.0.0/16", "5.6.8.0/21", ""));
    // of drop, what its hole leaves
    assert_eq!(answer("5.7.0.1"), told("drop 5.7.0.0/16", "5.7.0.0/16", ""));
    assert_eq!(answer("5.200.0.1"), told("drop 5.128.0.0/9", "5.128.0.0/9", ""));
}

#[test]
fn blocked_by_one_list_or_by_several() {
    let world = world();
    let one = ask(&world, "1.2.3.4");
    assert!(one.blocked());
    assert_eq!(one.entry.unwrap().to_string(), "1.2.2.0/23");
    assert_eq!(one.since, Some(1_795_348_800));
    assert_eq!(lists(&one), ["local_block"]);
    assert_eq!((one.allowed_by.len(), one.protected_by), (0, None));
    assert_eq!(lists(&ask(&world, "1.2.2.9")), ["basic.threatstop.local", "local_block"]);
    assert_eq!(lists(&ask(&world, "2001:db8::1")), ["basic.threatstop.local"]);
}

#[test]
fn a_mapped_address_is_the_ipv4_one() {
    let world = world();
    assert_eq!(ask(&world, "::ffff:1.2.3.4"), ask(&world, "1.2.3.4"));
}

#[test]
fn allowed_although_listed() {
    let world = world();
    let answer = ask(&world, "7.7.7.7");
    assert!(!answer.blocked());
    assert_eq!(answer.since, None);
    assert_eq!(answer.allowed_by, ["dns.threatstop.local"]);
    assert_eq!(lists(&answer), ["basic.threatstop.local"]);
    assert_eq!(ask(&world, "9.9.9.9").allowed_by, ["dns.threatstop.local"]);
}

#[test]
fn protected_by_the_most_specific_network() {
    let world = world();
    let answer = ask(&world, "10.1.2.3");
    assert!(!answer.blocked());
    assert_eq!(answer.protected_by.unwrap().reason, "reason of 10.1.0.0/16");
    assert_eq!(lists(&answer), ["basic.threatstop.local"]);
    assert_eq!(ask(&world, "10.2.0.0").protected_by.unwrap().reason, "reason of 10.0.0.0/8");
    assert!(ask(&world, "fe80::1").protected_by.is_some());
}

#[test]
fn not_listed_at_all_or_excepted_by_its_list() {
    let world = world();
    for addr in ["6.6.6.6", "8.8.8.8", "::1"] {
        let nothing = Why {
            entry: None,
            since: None,
            listed_by: Vec::new(),
            allowed_by: Vec::new(),
            protected_by: None,
        };
        assert_eq!(ask(&world, addr), nothing, "{addr}");
    }
    assert!(ask(&world, "8.8.8.9").blocked());
}
