//! What the engine takes to follow, judge, count and print what pflogd(8) has logged, and in how much
//! memory, whoever sends the packets.

use std::fs;
use std::net::Ipv4Addr;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::items;
use tests::sim::pflog::{Packet, file_header};
use tests::sim::{Layout, PolicyService, Zone};

use crate::measure::{Cost, RUNS, cpu_of, median, memory};
use crate::report::{Comparison, Side};

const LIST: &str = "basic.threatstop.local";
/// The network that it has.
const BAD: &str = "11.0.0.0/8";
const LIMIT: Duration = Duration::from_secs(600);

/// A kind of log: its name, how many packets it has, and each of these by its number.
type Kind = (&'static str, usize, fn(u32) -> Packet);

/// Runs the comparison.
pub fn compare() -> Vec<Comparison> {
    let mut zone = Zone::new("threatstop.local");
    zone.set_list(LIST, &items(BAD), Layout::Single);
    let service = PolicyService::start(zone);
    let kinds: [Kind; 2] = [
        ("500000 records, 512 hosts, some ports, one in five no hit", 500_000, usual),
        ("1000000 records, no address and no host twice", 1_000_000, flood),
    ];
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..RUNS {
        for ((_, records, packet), costs) in kinds.iter().zip(&mut costs) {
            costs.push(follow(&service, *records, *packet));
        }
    }
    let sides = kinds
        .iter()
        .zip(costs)
        .map(|((name, ..), costs)| Side { name: (*name).into(), cost: Ok(median(costs)) });
    let each = |side: &Side, records: usize| {
        let cpu = side.cost.as_ref().map_or(0.0, |cost| cost.cpu.as_secs_f64());
        format!(
            "{}: {:.2} us of a processor for each record.",
            side.name,
            cpu * 1e6 / records as f64
        )
    };
    let sides: Vec<Side> = sides.collect();
    let notes = sides.iter().zip(&kinds).map(|(side, (_, records, _))| each(side, *records));
    let notes = notes.collect();
    let title = "Follow: the packet log, from the file to counters and text".into();
    vec![Comparison { title, by_cpu: true, alone: true, sides, notes }]
}

/// Has an engine read a log of so many packets.
fn follow(service: &PolicyService, records: usize, packet: fn(u32) -> Packet) -> Cost {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()])
        .set("log.enabled", true)
        .set("log.url", "https://127.0.0.1:9/")
        .set("policy.allow", Vec::<String>::new());
    let daemon = Daemon::start(&scratch, &config);
    assert!(daemon.ctl(&["update"]).status.success(), "{}", daemon.output());
    let packets: Vec<Packet> = (0..records as u32).map(packet).collect();
    let ours = packets.iter().filter(|packet| packet.source.octets()[0] != 9).count() as u64;
    let mut log = file_header();
    packets.iter().for_each(|packet| log.extend(packet.record()));
    let path = scratch.path().join("pflog");
    fs::write(path.with_extension("new"), &log).expect("write the log");
    let engine = daemon.engine().expect("an engine");
    let (before, since) = (cpu_of(engine), Instant::now());
    fs::rename(path.with_extension("new"), &path).expect("put the log there");
    loop {
        let shown = daemon.ctl(&["-j", "show", "hits"]).stdout;
        let hits: Value = serde_json::from_str(&shown).expect("hits");
        let counted = |key: &str| hits[key].as_u64().unwrap_or_default();
        if counted("in") + counted("out") == ours {
            break;
        }
        assert!(since.elapsed() < LIMIT, "{shown}");
        sleep(Duration::from_millis(100));
    }
    let cost = Cost {
        cpu: cpu_of(engine).saturating_sub(before),
        wall: since.elapsed(),
        peak: memory(engine, "VmHWM"),
    };
    assert!(daemon.stop().success());
    cost
}

fn at(from: [u8; 4], number: u32) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(Ipv4Addr::from(from)) + number)
}

fn logged(number: u32, out: bool, source: Ipv4Addr, destination: Ipv4Addr, port: u16) -> Packet {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let seconds = u32::try_from(now).unwrap_or_default();
    Packet { seconds, micros: number % 1_000_000, out, source, destination, port, anchor: "" }
}

/// What a firewall logs: others knock, some hosts talk to them, and some of it is none of ours.
fn usual(number: u32) -> Packet {
    // numbers that are spread, and the same each time
    let dice = number.wrapping_mul(0x9e37_79b9) >> 8;
    let (far, near) = (at([11, 0, 0, 0], dice % (1 << 18)), at([10, 0, 0, 0], dice % 512));
    let port = [22, 23, 80, 443, 445, 3389][dice as usize % 6];
    match number % 10 {
        0..6 => logged(number, false, far, near, port),
        6..8 => logged(number, true, near, far, 443),
        _ => logged(number, false, at([9, 0, 0, 0], dice % (1 << 18)), near, dice as u16),
    }
}

/// What somebody logs who sends from addresses that he makes up, to all of ours.
fn flood(number: u32) -> Packet {
    logged(number, false, at([11, 0, 0, 1], number * 7), at([10, 0, 0, 0], number), number as u16)
}
