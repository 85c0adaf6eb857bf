//! Where the time of an update goes, and what it would be if only memory and the kernel took any.
//!
//! Each step of an update is done by itself, by the code that the programs have, with what the step
//! before it makes; beside it stands what moving the same octets takes on this machine.

use std::fmt::Write as _;
use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use apl::{ListName, QueryType, Question, Reply};
use imsg::{Channel, EngineMessage, Entries, Input, Output};
use policy::{Guard, List, Ranges, Since, Together, check_table, compose_block, diff};
use prefix::{
    Address, Floor, Items, Kind, Net, Prefix, PrefixSet, Shield, Tally, pack, read_line, write_set,
};
use tests::harness::Scratch;
use tests::lists::big_list;
use tests::sim::{Client, rtype};

use crate::compose::guard;
use crate::measure::{Cost, RUNS, median, within};
use crate::server::Server;

const LIST: &str = "basic.threatstop.local";
const NAMES: usize = 212;
const PREFIXES: usize = 845_023;
const FLOOR: Floor = Floor { v4: 8, v6: 19 };
/// Octets that are moved to learn what one costs.
const MUCH: usize = 64 << 20;
/// Octets of one read or write.
const PART: usize = 64 << 10;
/// Prefixes that are packed at once.
const AT_ONCE: usize = 1 << 13;
/// Octets of `struct pfr_addr`, of which pf takes an array.
const PFR_ADDR: usize = 52;

/// What an octet costs on this machine, in seconds of a processor.
struct Machine {
    copied: f64,
    fresh: f64,
    socket: f64,
    read: f64,
    written: f64,
    /// And fsync(2) of a file of so many octets, on the clock.
    synced: f64,
}

/// A step.
struct Step {
    name: &'static str,
    /// What moving its octets would take, in seconds, and which these are.
    least: f64,
    octets: String,
    cost: Cost,
}

/// The table of the steps.
pub struct Limit {
    machine: Machine,
    /// Those of the first update.
    steps: Vec<Step>,
    /// What later ones do besides.
    later: Vec<Step>,
}

fn times(mut work: impl FnMut()) -> Cost {
    median((0..RUNS).map(|_| within(&mut work)).collect())
}

/// Processor seconds for an octet of `much`.
fn each(much: usize, work: impl FnMut()) -> f64 {
    times(work).cpu.as_secs_f64() / much as f64
}

/// Sends octets through a pair of sockets; who reads gives up at their end.
fn through(mut send: impl FnMut(UnixStream) + Send, mut receive: impl FnMut(UnixStream)) {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    thread::scope(|scope| {
        scope.spawn(move || send(theirs));
        receive(ours);
    });
}

fn machine(scratch: &Path, text: usize) -> Machine {
    let from = vec![1_u8; MUCH];
    let mut to = vec![2_u8; MUCH];
    let part = vec![3_u8; PART];
    let file = scratch.join("much");
    let write = |octets: usize| {
        let mut file = File::create(&file).expect("a file");
        (0..octets.div_ceil(PART)).for_each(|_| file.write_all(&part).expect("room for a file"));
        file
    };
    let copied = each(MUCH, || black_box(&mut to).copy_from_slice(black_box(&from)));
    let fresh = each(MUCH, || drop(black_box(vec![black_box(1_u8); MUCH])));
    let socket = each(MUCH, || {
        let send = |mut socket: UnixStream| {
            (0..MUCH / PART).for_each(|_| socket.write_all(&part).expect("a reader"));
        };
        through(send, |mut socket| {
            let mut part = vec![0_u8; PART];
            while socket.read(&mut part).expect("a writer") > 0 {}
        });
    });
    let written = each(MUCH, || drop(write(MUCH)));
    let read = each(MUCH, || {
        let (mut file, mut part) = (File::open(&file).expect("a file"), vec![0_u8; PART]);
        while file.read(&mut part).expect("its octets") > 0 {}
    });
    let sync = |_| {
        let file = write(text);
        within(|| file.sync_all().expect("a disk"))
    };
    let synced = median((0..RUNS).map(sync).collect()).wall.as_secs_f64();
    Machine { copied, fresh, socket, read, written, synced }
}

/// The answers of a server that has the list, and what reading them alone takes.
fn messages(list: &[tests::item::Item]) -> (Vec<(Question, Vec<u8>)>, Cost) {
    let mut server = Server::start();
    server.set(&[(LIST, list)], NAMES);
    let names: Vec<String> = (1..=NAMES).map(|name| format!("{name}.{LIST}")).collect();
    let question = |name: &String| {
        let name = ListName::parse(name).expect("a name");
        Question { name, qtype: QueryType::Apl }
    };
    let mut client = Client::connect(server.addr()).expect("a server");
    let mut all = Vec::new();
    let mut costs = Vec::new();
    for _ in 0..RUNS {
        all.clear();
        costs.push(within(|| {
            for name in &names {
                client.send(name, rtype::APL).expect("a server that reads");
                all.push((question(name), client.receive().expect("an answer")));
            }
        }));
    }
    // the server may be in this process: of the processors' time nothing can be said
    (all, Cost { cpu: Duration::ZERO, ..median(costs) })
}

fn items_of(messages: &[(Question, Vec<u8>)]) -> Items {
    let mut items = Items::default();
    for (question, message) in messages {
        let reply = Reply::parse(message).expect("a message");
        reply.read(question, &mut items).expect("an answer");
    }
    items
}

/// A prefix in as many octets as pf takes it.
fn pfr_addr(net: Prefix) -> [u8; PFR_ADDR] {
    let mut addr = [0; PFR_ADDR];
    match net {
        Prefix::V4(net) => net.addr().write_octets(&mut addr),
        Prefix::V6(net) => net.addr().write_octets(&mut addr),
    }
    addr[PFR_ADDR / 2] = net.len();
    addr
}

/// Hands a set over as the engine does, and takes it as the helper does.
fn hand_over(set: &PrefixSet, Guard { bounds, shield, .. }: &Guard) {
    let send = |socket: UnixStream| {
        let mut channel = Channel::new(socket.into(), usize::MAX);
        for part in Entries::split(set.v4()).chain(Entries::split(set.v6())) {
            EngineMessage::TableEntries(part).queue(&mut channel, 1).expect("a message");
        }
        assert_eq!(channel.flush().expect("a reader"), Output::Sent);
    };
    through(send, |socket| {
        let mut channel = Channel::new(socket.into(), usize::MAX);
        let mut tally = Tally::new(Kind::Block, bounds);
        let mut kept: Vec<[u8; PFR_ADDR]> = Vec::with_capacity(set.len());
        while channel.read().expect("a writer") != Input::Closed {
            while let Some(frame) = channel.next().expect("messages") {
                let Ok(EngineMessage::TableEntries(part)) = EngineMessage::read(&frame, 1) else {
                    panic!("another message than was sent");
                };
                for net in part.prefixes() {
                    let net = net.expect("a prefix");
                    tally.add(net, bounds, shield).expect("a prefix that may be there");
                    kept.push(pfr_addr(net));
                }
            }
        }
        assert_eq!(kept.len(), set.len());
    });
}

/// Prefixes in packed form, in parts.
fn packed<A: Address>(nets: &[Net<A>]) -> impl Iterator<Item = Vec<u8>> {
    nets.chunks(AT_ONCE).map(|nets| {
        let mut part = Vec::new();
        pack(nets, &mut part);
        part
    })
}

/// Keeps the copy of a list, and since when its prefixes are there, as the engine does.
fn keep(path: &Path, set: &PrefixSet) {
    let ages = Since::new(set, 1);
    let (mut file, mut crc) = (File::create(path).expect("a file"), flate2::Crc::new());
    let mut of = flate2::Crc::new();
    let mut put = |octets: &[u8]| {
        crc.update(octets);
        file.write_all(octets).expect("room for a file");
    };
    packed(set.v4()).chain(packed(set.v6())).for_each(|part| put(&part));
    // by which the times are known to be those of the set
    packed(set.v4()).chain(packed(set.v6())).for_each(|part| of.update(&part));
    for ages in [ages.v4(), ages.v6()] {
        put(ages.begins());
        ages.times().iter().for_each(|age| put(&age.to_le_bytes()));
    }
    black_box([crc.sum(), of.sum()]);
}

/// Measures.
pub fn measure() -> Limit {
    let scratch = Scratch::new();
    let list = big_list(PREFIXES);
    // as many networks as a firewall with some interfaces protects
    let shield: Shield = policy::unrouted().into_iter().map(|protected| protected.net).collect();
    let guard = guard(FLOOR, shield);
    let (messages, received) = messages(&list.items);
    let wire: usize = messages.iter().map(|(_, message)| message.len() + 2).sum();
    let mut items = Items::default();
    let decoded = times(|| items = items_of(&messages));
    // each run uses its items up
    let mut one = List::default();
    let made = median(
        (0..RUNS)
            .map(|_| {
                let items = items_of(&messages);
                within(|| one = List::new(LIST, items, FLOOR))
            })
            .collect(),
    );
    let together = Together::of(&[&one]);
    let none = Ranges::default();
    let compose = || compose_block(&together, &none, &[], &guard).expect("a table").set;
    let mut set = PrefixSet::default();
    let composed = times(|| set = compose());
    assert_eq!(set.len(), PREFIXES);
    let checked = times(|| {
        check_table(Kind::Block, &set, &PrefixSet::default(), &guard).expect("a table");
    });
    let mut less = set.v4().to_vec();
    less.pop();
    let before = PrefixSet::new(less, set.v6().to_vec()).expect("a set");
    let compared = times(|| assert_eq!(diff(&before, &set).count(), 1));
    let handed = times(|| hand_over(&set, &guard));
    let mut text = Vec::new();
    let written = times(|| {
        text = Vec::new();
        write_set(&set, &mut text);
    });
    let reading = times(|| {
        let (mut rest, mut last, mut count) = (&text[..], None, 0);
        while let Some((next, behind)) = read_line(rest, last.as_ref()) {
            (rest, last, count) = (behind, Some(next), count + 1);
        }
        assert_eq!(count, PREFIXES);
    });
    let machine = machine(scratch.path(), text.len());
    let file = scratch.path().join("table");
    let stored = times(|| {
        let mut file = File::create(&file).expect("a file");
        text.chunks(8192).for_each(|part| file.write_all(part).expect("room for a file"));
        file.sync_all().expect("a disk");
    });
    let kept = times(|| keep(&scratch.path().join("copy"), &set));
    let given_back = {
        let sets: Vec<Vec<[u8; PFR_ADDR]>> =
            (0..RUNS).map(|_| vec![[1; PFR_ADDR]; PREFIXES]).collect();
        median(sets.into_iter().map(|set| within(|| drop(black_box(set)))).collect())
    };
    let (prefixes, octets) = (PREFIXES as f64, |count: usize| count as f64);
    let step = |name, least: f64, octets: String, cost| Step { name, least, octets, cost };
    let mib = |count: f64| format!("{:.1} MiB", count / f64::from(1 << 20));
    let packed = 5.0 * octets(set.v4().len()) + 17.0 * octets(set.v6().len());
    // all of one age
    let ages = prefixes / 8.0;
    // items and ranges; a prefix has as many octets in memory as in packed form
    let item = 8.0 * octets(set.v4().len()) + 32.0 * octets(set.v6().len());
    let steps = vec![
        step(
            "messages read from a server, one after the other",
            machine.socket * octets(wire),
            mib(octets(wire)),
            received,
        ),
        step(
            "messages to items",
            machine.copied * octets(wire) + machine.fresh * item,
            mib(octets(wire) + item),
            decoded,
        ),
        step("items to a list: sort, join", machine.copied * 2.0 * item, mib(2.0 * item), made),
        step(
            "list to a table: sweep, cover",
            machine.copied * item + machine.fresh * packed,
            mib(item + packed),
            composed,
        ),
        step("guards of the engine", machine.copied * packed / 2.0, mib(packed), checked),
        step(
            "engine to helper, guards of the helper",
            machine.socket * packed + machine.fresh * PFR_ADDR as f64 * prefixes,
            mib(packed + PFR_ADDR as f64 * prefixes),
            handed,
        ),
        step(
            "text of the table file",
            machine.fresh * octets(text.len()),
            mib(octets(text.len())),
            written,
        ),
        step(
            "text to the disk, fsync(2)",
            machine.written * octets(text.len()) + machine.synced,
            mib(octets(text.len())),
            stored,
        ),
        step(
            "memory of the table given back",
            given_back.cpu.as_secs_f64(),
            mib(PFR_ADDR as f64 * prefixes),
            given_back,
        ),
        step(
            "copy of the list, and ages, kept by the engine",
            machine.fresh * ages + machine.written * (packed + ages),
            mib(packed + ages),
            kept,
        ),
    ];
    let later = vec![
        step("later: what has changed", machine.copied * packed, mib(2.0 * packed), compared),
        step(
            "later: text read and compared",
            machine.read * octets(text.len()),
            mib(octets(text.len())),
            reading,
        ),
    ];
    Limit { machine, steps, later }
}

impl Step {
    fn row(&self) -> [String; 6] {
        let [wall, cpu] = [self.cost.wall, self.cost.cpu].map(|cost| cost.as_secs_f64());
        let known = |text: String| if cpu > 0.0 { text } else { "-".into() };
        [
            self.name.to_owned(),
            self.octets.clone(),
            format!("{:.1} ms", self.least * 1e3),
            format!("{:.1} ms", wall * 1e3),
            known(format!("{:.1} ms", cpu * 1e3)),
            known(format!("{:.0} ns", cpu * 1e9 / PREFIXES as f64)),
        ]
    }
}

impl Limit {
    fn rows(&self) -> impl Iterator<Item = [String; 6]> + '_ {
        let (steps, later) = (self.steps.iter().map(Step::row), self.later.iter().map(Step::row));
        steps.chain([self.sum()]).chain(later)
    }

    /// All of the first update that is not waiting for a server.
    fn sum(&self) -> [String; 6] {
        let ours = || self.steps.iter().filter(|step| !step.cost.cpu.is_zero());
        let sum = |of: fn(&Step) -> f64| ours().map(of).sum::<f64>();
        let least = sum(|step| step.least);
        let [wall, cpu] = [sum(|s| s.cost.wall.as_secs_f64()), sum(|s| s.cost.cpu.as_secs_f64())];
        let each = |seconds: f64| seconds * 1e9 / PREFIXES as f64;
        [
            "all but the first".into(),
            format!("({:.0} ns)", each(least)),
            format!("{:.1} ms", least * 1e3),
            format!("{:.1} ms", wall * 1e3),
            format!("{:.1} ms", cpu * 1e3),
            format!("{:.0} ns", each(cpu)),
        ]
    }

    fn words(&self) -> String {
        let Machine { copied, fresh, socket, read, written, synced } = self.machine;
        let rate = |each: f64| format!("{:.1}", 1e-9 / each);
        format!(
            "An octet on this machine, in GB a second of one processor: copied {}, written to fresh \
             memory {}, through a pair of sockets {}, read from a cached file {}, written to one {}. \
             fsync(2) of a table file takes {:.0} ms.",
            rate(copied),
            rate(fresh),
            rate(socket),
            rate(read),
            rate(written),
            synced * 1e3
        )
    }

    /// Prints the table.
    pub fn print(&self) {
        println!("The limit: {PREFIXES} prefixes of {NAMES} names, step by step");
        println!(
            "  {:50} {:>10} {:>9} {:>9} {:>9} {:>7}",
            "", "octets", "least", "wall", "CPU", "each"
        );
        for [name, octets, least, wall, cpu, each] in self.rows() {
            println!("  {name:50} {octets:>10} {least:>9} {wall:>9} {cpu:>9} {each:>7}");
        }
        println!("  {}\n", self.words());
    }

    /// Writes the table as Markdown.
    pub fn markdown(&self, out: &mut String) {
        let _ = writeln!(out, "\n## The limit: {PREFIXES} prefixes, step by step\n");
        let _ = writeln!(out, "| step | octets | least | wall | CPU | a prefix |");
        let _ = writeln!(out, "|---|---:|---:|---:|---:|---:|");
        self.rows().for_each(|row| {
            let _ = writeln!(out, "| {} |", row.join(" | "));
        });
        let _ = writeln!(out, "\n{}", self.words());
    }
}
