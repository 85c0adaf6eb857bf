//! The sweep against `ipnet::Ipv4Net::aggregate` on a million random IPv4 prefixes.
//!
//! Prints the time of both and their ratio, the best of several turns of each. Ours begins with
//! the items of a list and ends with the table, protection included.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use ipnet::Ipv4Net;
use policy::{Guard, List, Protected, Ranges, compose_block};
use prefix::{Bounds, Floor, Item, Items, Net, Shield, reserved};

const PREFIXES: usize = 1_000_000;
const TURNS: usize = 21;
const FLOOR: Floor = Floor { v4: 8, v6: 16 };

/// xorshift64: the same numbers in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Half hosts, half networks of 20 to 32 bits: what reputation lists are made of.
fn prefixes() -> Vec<Net<u32>> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    (0..PREFIXES)
        .filter_map(|_| {
            let (addr, dice) = ((random.next() >> 32) as u32, random.next() >> 32);
            let len = if dice % 2 == 0 { 32 } else { 20 + (dice >> 8) % 13 };
            Net::masked(addr, len as u8)
        })
        .collect()
}

fn best<T>(mut turn: impl FnMut() -> (Duration, T)) -> (Duration, Option<T>) {
    let mut best = (Duration::MAX, None);
    for _ in 0..TURNS {
        let (time, result) = turn();
        if time < best.0 {
            best = (time, Some(result));
        }
    }
    best
}

fn main() {
    let nets = prefixes();
    let theirs_in: Vec<Ipv4Net> = nets
        .iter()
        .filter_map(|net| Ipv4Net::new(Ipv4Addr::from_bits(net.addr()), net.len()).ok())
        .collect();
    let protected: Vec<Protected> =
        reserved(false).map(|(net, why)| Protected { net, reason: why.to_owned() }).collect();
    let bounds = Bounds {
        floor: FLOOR,
        max_entries: u64::MAX,
        max_coverage: 100,
        max_coverage_v6: u32::MAX,
        allow_max_coverage: u64::MAX,
        expect: Vec::new(),
    };
    let guard = Guard { bounds, shield: Shield::default(), max_shrink: 100, max_growth: 100 };

    let (theirs, aggregated) = best(|| {
        let start = Instant::now();
        let result = Ipv4Net::aggregate(&theirs_in);
        (start.elapsed(), result)
    });
    let sweep = |parts: usize, protected: &[Protected]| {
        best(|| {
            let mut items: Vec<Items> = vec![Items::default(); parts];
            for (index, net) in nets.iter().enumerate() {
                items[index % parts].v4.push(Item::positive(*net));
            }
            let start = Instant::now();
            let lists: Vec<List> =
                items.into_iter().map(|items| List::new("list", items, FLOOR)).collect();
            let lists: Vec<&List> = lists.iter().collect();
            let result = compose_block(&lists, &Ranges::default(), protected, &guard);
            (start.elapsed(), result)
        })
    };
    let (ours, plain) = sweep(1, &[]);
    let (ours_protected, _) = sweep(1, &protected);
    let (ours_many, _) = sweep(212, &protected);

    let addresses = |nets: &mut dyn Iterator<Item = u8>| nets.map(|len| 1u64 << (32 - len)).sum();
    let ipnet: u64 = addresses(&mut aggregated.iter().flatten().map(Ipv4Net::prefix_len));
    let Some(Ok(plain)) = plain else {
        eprintln!("sweep: the table was refused");
        std::process::exit(1);
    };
    let policy: u64 = addresses(&mut plain.set.v4().iter().map(|net| net.len()));
    if ipnet != policy || aggregated.iter().flatten().count() != plain.set.len() {
        eprintln!("sweep: results differ: {ipnet} and {policy} addresses");
        std::process::exit(1);
    }

    let millis = |time: Duration| time.as_secs_f64() * 1e3;
    println!("{PREFIXES} IPv4 prefixes -> {} entries", plain.set.len());
    println!("ipnet aggregate          {:8.1} ms", millis(theirs));
    for (what, time) in [
        ("sweep, one list", ours),
        ("sweep, and protection", ours_protected),
        ("sweep, 212 lists", ours_many),
    ] {
        println!(
            "{what:24} {:8.1} ms   ratio {:.2}",
            millis(time),
            time.as_secs_f64() / theirs.as_secs_f64()
        );
    }
}
