//! A million prefixes to their minimal cover.

use std::fs;
use std::net::Ipv4Addr;

use ipnet::Ipv4Net;
use policy::{Guard, List, Ranges, Together, compose_block};
use prefix::{Bounds, Floor, Item, Items, Net, PrefixSet, Shield, write_set};
use tests::harness::Scratch;
use tests::prng::Prng;

use crate::measure::{Cost, RUNS, installed, median, shell_with_peak, within};
use crate::report::{Comparison, Side};

const PREFIXES: usize = 1_000_000;
/// As many lists as a service spreads over names.
const LISTS: usize = 212;
const FLOOR: Floor = Floor { v4: 1, v6: 1 };

/// The argument by which this program does one side in a process of its own, for its peak memory.
pub const ALONE: &str = "compose-alone";
const OURS: &str = "policy";
const MANY: &str = "policy-many";
const THEIRS: &str = "ipnet";

/// Does one side once, with nothing else in memory than its input.
pub fn alone(side: &str) {
    match side {
        OURS => assert!(!sweep(&lists(deal(&nets(), 1))).is_empty()),
        MANY => assert!(!sweep(&lists(deal(&nets(), LISTS))).is_empty()),
        _ => assert!(!Ipv4Net::aggregate(&of_ipnet(&nets())).is_empty()),
    }
}

fn peak(side: &str) -> Option<f64> {
    let own = std::env::current_exe().expect("this program");
    shell_with_peak(&format!("{} {ALONE} {side}", own.display())).peak
}

fn nets() -> Vec<Net<u32>> {
    let mut random = Prng::new(7);
    let net = |_| {
        let (addr, dice) = (random.next_u64() as u32, random.next_u64());
        let len = if dice % 2 == 0 { 32 } else { 20 + (dice >> 8) % 13 };
        Net::masked(addr, len as u8)
    };
    (0..PREFIXES).filter_map(net).collect()
}

fn of_ipnet(nets: &[Net<u32>]) -> Vec<Ipv4Net> {
    let net = |net: &Net<u32>| Ipv4Net::new(Ipv4Addr::from_bits(net.addr()), net.len()).ok();
    nets.iter().filter_map(net).collect()
}

/// Runs the comparison.
pub fn compare() -> Vec<Comparison> {
    let nets = nets();
    let theirs = of_ipnet(&nets);
    let scratch = Scratch::new();
    let (text, out) = (scratch.path().join("prefixes"), scratch.path().join("out"));
    let lines: String = nets.iter().map(|net| format!("{net}\n")).collect();
    fs::write(&text, lines).expect("write the prefixes");
    let iprange = format!("iprange --optimize {} >{}", text.display(), out.display());

    let (mut own, mut many, mut net, mut range) = (vec![], vec![], vec![], vec![]);
    let (mut apart, mut table) = (vec![], vec![]);
    let (mut cover, mut aggregated) = (PrefixSet::default(), Vec::new());
    for _ in 0..RUNS {
        // each side begins with what its own parser would give it; ours is used up
        for (costs, count) in [(&mut many, LISTS), (&mut own, 1)] {
            let input = deal(&nets, count);
            costs.push(within(|| cover = sweep(&lists(input))));
            assert!(aggregated.is_empty() || cover.len() == aggregated.len(), "another cover");
        }
        let input = deal(&nets, LISTS);
        apart.push(within(|| drop(lists(input))));
        let one = lists(deal(&nets, 1));
        table.push(within(|| cover = sweep(&one)));
        net.push(within(|| aggregated = Ipv4Net::aggregate(&theirs)));
        if installed("iprange") {
            range.push(shell_with_peak(&iprange));
        }
    }
    assert_eq!(cover.v4().len(), aggregated.len(), "ipnet finds another cover");
    if installed("iprange") {
        let found = fs::read_to_string(&out).expect("the output of iprange");
        let mut ours = Vec::new();
        write_set(&cover, &mut ours);
        let ours = ours.iter().filter(|octet| **octet == b'\n').count();
        assert_eq!(found.lines().count(), ours, "iprange finds another cover");
    }
    let range = match range.is_empty() {
        true => Err("not installed".into()),
        false => Ok(median(range)),
    };
    let with_peak = |costs, side| Ok(Cost { peak: peak(side), ..median(costs) });
    let share = |costs| median(costs).cpu.as_secs_f64() / median(net.clone()).cpu.as_secs_f64();
    let (apart, table) = (share(apart), share(table));
    let note = format!(
        "Of the {LISTS} lists each is sorted and joined by itself, which takes {apart:.2} of ipnet's processor \
         time, and a table of one list takes {table:.2}: what they name together cannot be had for less than the sum."
    );
    vec![Comparison {
        title: format!("Compose: {PREFIXES} random prefixes to {} disjoint ones", aggregated.len()),
        by_cpu: true,
        alone: false,
        sides: vec![
            Side { name: "policy: sort, sweep, cover".into(), cost: with_peak(own, OURS) },
            Side {
                name: format!("policy: the same of {LISTS} lists"),
                cost: with_peak(many, MANY),
            },
            Side { name: "ipnet: Ipv4Net::aggregate".into(), cost: with_peak(net, THEIRS) },
            Side { name: "iprange --optimize (reads and writes text)".into(), cost: range },
        ],
        notes: vec![note],
    }]
}

/// Deals the prefixes out, one after the other to each of the lists.
fn deal(nets: &[Net<u32>], lists: usize) -> Vec<Items> {
    let mut items = vec![Items::default(); lists];
    for (index, net) in nets.iter().enumerate() {
        items[index % lists].v4.push(Item::new(*net, false));
    }
    items
}

/// A guard that lets everything through that is no wider than the floor, and not protected.
pub fn guard(floor: Floor, shield: Shield) -> Guard {
    let bounds = Bounds {
        floor,
        max_entries: u64::MAX,
        max_coverage: 100,
        max_coverage_v6: u32::MAX,
        allow_max_coverage: u64::MAX,
        expect: Vec::new(),
    };
    Guard { bounds, shield, max_shrink: 100, max_growth: 100 }
}

fn lists(items: Vec<Items>) -> Vec<List> {
    items.into_iter().map(|items| List::new("bench", items, FLOOR)).collect()
}

fn sweep(lists: &[List]) -> PrefixSet {
    let guard = guard(FLOOR, Shield::default());
    let together = Together::of(&lists.iter().collect::<Vec<_>>());
    compose_block(&together, &Ranges::default(), &[], &guard).expect("a table").set
}
