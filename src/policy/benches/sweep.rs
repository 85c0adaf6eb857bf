//! The way from items to verdicts and a table, of a million random prefixes.
//!
//! First the sweep alone against `ipnet::Ipv4Net::aggregate`, then composing and judging a million
//! entries of one list and of 64, and what 64 lists have in common. Prints times and ratios, the best of several turns of each; who
//! is compared takes turns.

use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use ipnet::Ipv4Net;
use policy::{
    Composed, Guard, HeldRuns, List, ListTrial, Measure, Overlaps, Protected, Ranges, Run,
    Together, Unique, check_table, compose_block, exempt, table_change,
};
use prefix::{Bounds, Floor, Item, Items, Kind, Net, PrefixSet, Shield, reserved};

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

    /// Half hosts, half networks of 20 to 32 bits: what reputation lists are made of.
    fn net(&mut self) -> Net<u32> {
        let (addr, dice) = ((self.next() >> 32) as u32, self.next() >> 32);
        let len = if dice % 2 == 0 { 32 } else { 20 + (dice >> 8) % 13 };
        Net::masked(addr, len as u8).unwrap_or(Net::host(addr))
    }
}

fn guard() -> Guard {
    let bounds = Bounds {
        floor: FLOOR,
        max_entries: 4_000_000,
        max_coverage: 100,
        max_coverage_v6: u32::MAX,
        allow_max_coverage: u64::MAX,
        expect: Vec::new(),
    };
    Guard { bounds, shield: Shield::default(), max_shrink: 50, max_growth: 400 }
}

fn networks() -> Vec<Protected> {
    reserved(false).map(|(net, why)| Protected { net, reason: why.to_owned() }).collect()
}

/// Deals the prefixes out, one after the other to each of the lists.
fn deal(nets: &[Net<u32>], lists: usize) -> Vec<Items> {
    let mut items = vec![Items::default(); lists];
    for (index, net) in nets.iter().enumerate() {
        items[index % lists].v4.push(Item::new(*net, false));
    }
    items
}

fn made(items: Vec<Items>) -> Vec<List> {
    items.into_iter().map(|items| List::new("list", items, FLOOR)).collect()
}

/// What a run has when its lists have come.
struct Gathered {
    copies: Vec<List>,
    measure: Measure,
    items: Vec<Items>,
    allow: List,
    protected: Vec<Protected>,
    guard: Guard,
}

/// What its parts take.
const PARTS: [&str; 5] = ["sort", "judge lists", "second net", "compose", "check table"];
type Times = [Duration; PARTS.len()];

impl Gathered {
    /// Lists of which one entry in a hundred has changed since their copies, and a thousand allowed
    /// networks.
    fn new(lists: usize) -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut nets: Vec<_> = (0..PREFIXES).map(|_| random.net()).collect();
        let copies = made(deal(&nets, lists));
        nets.iter_mut().step_by(100).for_each(|net| *net = random.net());
        let allow: Vec<_> = (0..1000).map(|_| random.net()).collect();
        let allow = List::new("allow", deal(&allow, 1).remove(0), FLOOR);
        let measure = Together::of(&copies.iter().collect::<Vec<_>>()).measure();
        Self {
            copies,
            measure,
            items: deal(&nets, lists),
            allow,
            protected: networks(),
            guard: guard(),
        }
    }

    /// Composes and judges; what is refused or held is a mistake of this file.
    fn run(&self) -> (Times, PrefixSet) {
        let items = self.items.clone();
        let mut times = Times::default();
        let mut start = Instant::now();
        let mut done = |part: usize| {
            times[part] = start.elapsed();
            start = Instant::now();
        };
        let lists = made(items);
        done(0);
        for (list, copy) in lists.iter().zip(&self.copies) {
            let bounds = &self.guard.bounds;
            let trial =
                ListTrial { kind: Kind::Block, list, copy: Some(copy), day_before: None, bounds };
            let mut held = HeldRuns::default();
            if let Err(why) = trial.judge(&self.guard, &self.protected, Run::Scheduled, &mut held) {
                fail(&why.to_string());
            }
        }
        done(1);
        let copies: Vec<&List> = self.copies.iter().collect();
        let lists: Vec<&List> = lists.iter().collect();
        let together = Together::of(&lists);
        // whose numbers are known from the run that put them in force
        let before = Together::known(&copies, self.measure);
        if let Some(why) = table_change(&before, &together, &self.guard) {
            fail(&why.to_string());
        }
        done(2);
        let exempt = exempt(&[&self.allow]);
        let set = match compose_block(&together, &exempt, &self.protected, &self.guard) {
            Ok(Composed { set, .. }) => set,
            Err(why) => fail(&why.to_string()),
        };
        done(3);
        let none = PrefixSet::default();
        if let Err(why) = check_table(Kind::Block, &set, &none, &self.guard) {
            fail(&why.to_string());
        }
        done(4);
        (times, set)
    }
}

fn fail(why: &str) -> ! {
    eprintln!("sweep: {why}");
    std::process::exit(1);
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// One list and many, in turns.
fn judged() {
    let sides = [1, 64].map(|lists| (lists, Gathered::new(lists)));
    let mut best = [[Duration::MAX; PARTS.len()]; 2];
    let mut sets = [PrefixSet::default(), PrefixSet::default()];
    for _ in 0..TURNS {
        for (side, (_, gathered)) in sides.iter().enumerate() {
            let (times, set) = gathered.run();
            // part by part: on a busy machine no turn is undisturbed as a whole
            for (best, time) in best[side].iter_mut().zip(times) {
                *best = time.min(*best);
            }
            sets[side] = set;
        }
    }
    if sets[0] != sets[1] {
        fail("the tables differ");
    }
    println!("\n{PREFIXES} entries, composed and judged -> {} entries", sets[0].len());
    println!("{:24}    1 list   64 lists   ratio", "");
    let row = |what: &str, one: Duration, many: Duration| {
        let ratio = many.as_secs_f64() / one.as_secs_f64();
        println!("{what:24} {:7.1} ms {:7.1} ms {ratio:7.2}", millis(one), millis(many));
    };
    for (part, what) in PARTS.iter().enumerate() {
        row(what, best[0][part], best[1][part]);
    }
    let [one, many] = best.map(|times| times.iter().sum());
    row("all", one, many);
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

/// The sweep against another.
fn sweep() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let nets: Vec<_> = (0..PREFIXES).map(|_| random.net()).collect();
    let theirs_in: Vec<Ipv4Net> = nets
        .iter()
        .filter_map(|net| Ipv4Net::new(Ipv4Addr::from_bits(net.addr()), net.len()).ok())
        .collect();
    let (protected, guard) = (networks(), guard());

    let (theirs, aggregated) = best(|| {
        let start = Instant::now();
        let result = Ipv4Net::aggregate(&theirs_in);
        (start.elapsed(), result)
    });
    let sweep = |lists: usize, protected: &[Protected]| {
        best(|| {
            let items = deal(&nets, lists);
            let start = Instant::now();
            let lists = made(items);
            let lists: Vec<&List> = lists.iter().collect();
            let result =
                compose_block(&Together::of(&lists), &Ranges::default(), protected, &guard);
            (start.elapsed(), result)
        })
    };
    let (ours, plain) = sweep(1, &[]);
    let (ours_protected, _) = sweep(1, &protected);
    let (ours_many, _) = sweep(212, &protected);

    let addresses = |nets: &mut dyn Iterator<Item = u8>| nets.map(|len| 1u64 << (32 - len)).sum();
    let ipnet: u64 = addresses(&mut aggregated.iter().flatten().map(Ipv4Net::prefix_len));
    let Some(Ok(plain)) = plain else { fail("the table was refused") };
    let policy: u64 = addresses(&mut plain.set.v4().iter().map(|net| net.len()));
    if ipnet != policy || aggregated.iter().flatten().count() != plain.set.len() {
        fail(&format!("results differ: {ipnet} and {policy} addresses"));
    }
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

/// Goes on step by step; the time of the longest.
fn slowest(mut step: impl FnMut() -> bool) -> Duration {
    let mut slowest = Duration::ZERO;
    loop {
        let start = Instant::now();
        let goes_on = step();
        slowest = slowest.max(start.elapsed());
        if !goes_on {
            return slowest;
        }
    }
}

/// What 64 lists have in common, of together a million entries: of which none is in two, or all are in
/// all of them. How long the longest step holds up an event loop counts as much as the whole.
fn overlaps() {
    const LISTS: usize = 64;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let nets: Vec<_> = (0..PREFIXES).map(|_| random.net()).collect();
    let apart = made(deal(&nets, LISTS));
    let same = made(vec![deal(&nets[..PREFIXES / LISTS], 1).remove(0); LISTS]);
    println!("\n{LISTS} lists of {PREFIXES} entries together");
    for (what, lists) in [("hardly anything in common", apart), ("all in common", same)] {
        let lists: Vec<&List> = lists.iter().collect();
        let mut longest = [Duration::MAX; 2];
        let (whole, pairs) = best(|| {
            let start = Instant::now();
            let mut overlaps = Overlaps::new(&lists);
            longest[0] = longest[0].min(slowest(|| overlaps.step()));
            (start.elapsed(), overlaps.pairs(10))
        });
        let (unique, _) = best(|| {
            let start = Instant::now();
            let mut unique = Unique::new(&lists);
            longest[1] = longest[1].min(slowest(|| unique.step()));
            (start.elapsed(), unique.counts())
        });
        let [whole, unique] = [whole, unique].map(millis);
        let longest = longest.map(millis);
        let pairs = pairs.map_or(0, |pairs| pairs.len());
        println!(
            "{what:28} overlaps {whole:7.1} ms, longest step {:5.2} ms, {pairs} pairs; \
             unique {unique:5.1} ms, longest step {:5.2} ms",
            longest[0], longest[1]
        );
    }
}

fn main() {
    sweep();
    judged();
    overlaps();
}
