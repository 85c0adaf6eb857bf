//! What an administrator sees of hits: which of his hosts, with which addresses.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::logging::*;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tests::harness::{Daemon, Scratch};
use tests::item::items;
use tests::process::{Looks, PATIENCE};
use tests::sim::pflog::{Packet, PacketLog, file_header};
use tests::sim::{Layout, LogService};

/// Traffic of a real host that was logged by a real pflogd(8), with nat-to and rdr-to.
const CAPTURED: &[u8] = include_bytes!("../../src/pflog/tests/data/captured.pcap");

/// A host inside.
const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 23);
/// The address outside of the firewall before it.
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

fn now() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// A packet of now.
fn packet(out: bool, source: Ipv4Addr, destination: Ipv4Addr) -> Packet {
    let (seconds, micros, port, anchor) = (now(), 1, 443, "");
    Packet { seconds, micros, out, source, destination, port, anchor }
}

/// The record of a packet that pf has translated so.
fn translated(packet: Packet, source: Ipv4Addr, destination: Ipv4Addr) -> Vec<u8> {
    let mut record = packet.record();
    // behind the header of pcap: rewritten, its family, both addresses
    let header = &mut record[16..];
    header[61..63].copy_from_slice(&[1, 2]);
    header[64..68].copy_from_slice(&source.octets());
    header[80..84].copy_from_slice(&destination.octets());
    record
}

/// 1. Start with what a real pflogd(8) has logged behind nat: the host is named by its own address
///    and not by that of the firewall, with the last address that it talked to and its list.
/// 2. Kill the service and start it: the host is still there.
#[test]
fn a_real_capture_names_the_host_behind_nat() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let config = config(&scratch, &policy, &service);
    let daemon = start(&scratch, &config);
    fs::write(scratch.path().join("pflog"), CAPTURED).unwrap();
    let seen = wait_for(&daemon, 9);
    let host = &seen["hosts"][0];
    assert_eq!(host["address"], "10.1.1.2", "{seen}");
    // on its way in, by the match rule that translates it, and by the rule that blocks it
    assert_eq!((&host["out"], &host["in"]), (&3.into(), &0.into()));
    assert_eq!(host["far"], BAD.to_string());
    assert_eq!(host["lists"][0], "basic.threatstop.local");
    // by af-to, and from the firewall itself
    let others = ["2001:db8:a::2".to_owned(), OUTSIDE.to_string()];
    for (at, (other, r#in)) in others.into_iter().zip([0, 4]).enumerate() {
        let host = &seen["hosts"][at + 1];
        assert_eq!((&host["out"], &host["in"]), (&1.into(), &r#in.into()), "{seen}");
        assert_eq!(host["address"], other, "{seen}");
    }
    assert_eq!(seen["hosts"].as_array().unwrap().len(), 3);
    upload(&daemon);
    assert!(daemon.stop().success());
    let daemon = start(&scratch, &config);
    assert_eq!(hits(&daemon)["hosts"], seen["hosts"]);
}

/// 1. Log packets of a host behind nat-to to a listed address, and of such an address to a host behind
///    rdr-to: both are named by their own addresses, the one that has sent first, and it alone is
///    suspect, in status and metrics.
/// 2. Log a scan of 3,000 of our addresses: the one that has sent is still the first, the rest is
///    bounded, and what the others may have had is said.
#[test]
fn who_sends_is_suspect_whatever_comes_in() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let daemon = start(&scratch, &config(&scratch, &policy, &service));
    let server = Ipv4Addr::new(10, 0, 0, 80);
    let mut log = file_header();
    log.extend(translated(packet(true, INSIDE, BAD), OUTSIDE, BAD));
    for _ in 0..3 {
        log.extend(translated(packet(false, BAD, OUTSIDE), BAD, server));
    }
    let path = scratch.path().join("pflog");
    fs::write(&path, &log).unwrap();
    let seen = wait_for(&daemon, 4);
    let host = |at: usize| {
        let host = &seen["hosts"][at];
        (host["address"].as_str().unwrap(), host["out"].clone(), host["in"].clone())
    };
    assert_eq!(host(0), ("10.0.0.23", 1.into(), 0.into()));
    assert_eq!(host(1), ("10.0.0.80", 0.into(), 3.into()));
    assert_eq!(seen["missed"]["hosts"], 0);
    let text = daemon.ctl(&["show", "hits"]).stdout;
    assert!(text.contains("\n10.0.0.23    1   0  "), "{text}");
    assert!(!text.contains("not counted"), "{text}");
    let text = daemon.ctl(&["status"]).stdout;
    let line = "\nsuspect hosts: 1 in the last day, such as 10.0.0.23\n";
    assert!(text.contains(line), "{text}");
    let metrics = daemon.ctl(&["metrics"]).stdout;
    assert!(metrics.contains("\nthreatstop_suspect_hosts 1\n"), "{metrics}");
    assert!(!metrics.contains("10.0.0.23"), "{metrics}");

    let mut scan = Vec::new();
    for host in 0..3000_u32 {
        let target = Ipv4Addr::from(u32::from(Ipv4Addr::new(10, 7, 0, 0)) + host);
        scan.extend(packet(false, BAD, target).record());
    }
    let mut log = OpenOptions::new().append(true).open(&path).unwrap();
    log.write_all(&scan).unwrap();
    let seen = wait_for(&daemon, 3004);
    assert_eq!(seen["hosts"][0]["address"], "10.0.0.23");
    assert_eq!(seen["hosts"].as_array().unwrap().len(), 1000);
    assert!(seen["missed"]["hosts"].as_u64().unwrap() <= 3004 / 1000 + 1, "{}", seen["missed"]);
    let text = daemon.ctl(&["show", "hits"]).stdout;
    assert!(text.contains("\nnot counted:     at most "), "{text}");
}

/// Resident memory of a process, in MiB.
fn resident(pid: Pid) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// 1. Block a network, log a packet of a host to it, and then packets of some thousand of its addresses,
///    each to another address of ours, until all that is counted has its room.
/// 2. Log packets of a hundred thousand more, of which none comes twice. All of them are counted, the
///    engine takes no more memory for it, and the host is still the first. A counter for each address
///    and each host would take some 25 MiB.
#[test]
fn a_flood_of_addresses_takes_no_room() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    policy.edit(|zone| {
        let list = items("198.51.100.0/24 64.87.3.133 11.0.0.0/8");
        zone.set_list("basic.threatstop.local", &list, Layout::Single);
    });
    let daemon = start(&scratch, &config(&scratch, &policy, &service));
    let flood = |range: std::ops::Range<u32>| -> Vec<u8> {
        let from = u32::from(Ipv4Addr::new(11, 0, 0, 1));
        let to = u32::from(Ipv4Addr::new(10, 16, 0, 0));
        let of = |n| packet(false, Ipv4Addr::from(from + 37 * n), Ipv4Addr::from(to + n));
        range.flat_map(|n| of(n).record()).collect()
    };
    let path = scratch.path().join("pflog");
    let first = [file_header(), packet(true, INSIDE, BAD).record(), flood(0..6000)].concat();
    fs::write(&path, first).unwrap();
    wait_for(&daemon, 6001);
    let engine = daemon.engine().expect("an engine");
    let before = resident(engine);
    let mut log = OpenOptions::new().append(true).open(&path).unwrap();
    log.write_all(&flood(6000..106_000)).unwrap();
    let (looks, mut most) = (Looks::within(5 * PATIENCE), before);
    let seen = loop {
        most = most.max(resident(engine));
        let seen = hits(&daemon);
        if seen["in"] == 106_000 {
            break seen;
        }
        assert!(looks.go_on(), "{seen}");
    };
    assert!(most - before < 18.0, "from {before:.1} to {most:.1} MiB");
    assert_eq!(daemon.engine(), Some(engine), "it is another one");
    assert_eq!(
        (&seen["hosts"][0]["address"], &seen["hosts"][0]["out"]),
        (&"10.0.0.23".into(), &1.into())
    );
    for counted in ["hosts", "addresses"] {
        assert_eq!(seen[counted].as_array().unwrap().len(), 1000, "{counted}");
    }
    assert!(seen["missed"]["addresses"].as_u64().unwrap() > 0, "{}", seen["missed"]);
}

/// Hits of the block list in 7 and in 35 days, by `show lists`. Midnight may come between any two steps,
/// so that those of today are no more than that.
fn hits_of_list(daemon: &Daemon) -> [u64; 2] {
    let shown = daemon.ctl(&["-j", "show", "lists"]);
    let shown: Value = serde_json::from_str(&shown.stdout).unwrap();
    let list = shown["lists"].as_array().unwrap().iter();
    let mut list = list.filter(|list| list["list"] == "basic.threatstop.local");
    let hits = &list.next().unwrap()["hits"];
    let [today, week, all] = ["1", "7", "35"].map(|days| hits[days].as_u64().unwrap());
    assert!(today <= week, "{hits}");
    [week, all]
}

/// 1. Log hits of now: `show lists` has them of 7 and of 35 days, with the default names as they are.
/// 2. Upload, log more, kill the engine and have another one started: each hit is counted once.
/// 3. Stop, log more, start: they are counted, too.
/// 4. Remove what is kept of the days and start: counting begins anew.
#[test]
fn the_hits_of_days_are_counted_once() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let config = config(&scratch, &policy, &service);
    let daemon = start(&scratch, &config);
    let mut log = PacketLog::create_of_now(scratch.path().join("pflog"));
    log.append(5, BAD);
    wait_for(&daemon, 5);
    assert_eq!(hits_of_list(&daemon), [5, 5]);
    let text = daemon.ctl(&["show", "lists"]).stdout;
    assert!(text.contains("  1/7/35d  ") && text.contains("/5/5  "), "{text}");
    assert!(text.contains("\nbasic.threatstop.local  policy  block  "), "{text}");
    upload(&daemon);
    log.append(3, BAD);
    wait_for(&daemon, 8);
    kill(daemon.engine().unwrap(), Signal::SIGKILL).unwrap();
    daemon.wait_until_ready();
    wait_for(&daemon, 8);
    assert_eq!(hits_of_list(&daemon), [8, 8]);
    assert!(daemon.stop().success());

    log.append(2, BAD);
    let daemon = start(&scratch, &config);
    wait_for(&daemon, 10);
    assert_eq!(hits_of_list(&daemon), [10, 10]);
    upload(&daemon);
    assert!(daemon.stop().success());
    let kept = fs::read_dir(scratch.spool()).unwrap().map(|file| file.unwrap().path());
    let is_day =
        |path: &std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with("day.");
    let days: Vec<_> = kept.filter(is_day).collect();
    assert!(!days.is_empty());
    days.iter().for_each(|day| fs::remove_file(day).unwrap());
    let daemon = start(&scratch, &config);
    log.append(1, BAD);
    wait_for(&daemon, 11);
    assert_eq!(hits_of_list(&daemon), [1, 1]);
}
