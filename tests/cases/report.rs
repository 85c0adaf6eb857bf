//! What the report tells of the last days: in columns for a mail, and as JSON.

use std::fs;
use std::net::Ipv4Addr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tests::harness::{Daemon, Scratch};
use tests::item::items;
use tests::sim::pflog::{Packet, file_header};
use tests::sim::{Layout, LogService, PolicyService, SUFFIX, Zone};

use crate::common::{BASIC, DNS, refused, update, wait_until};
use crate::logging::{BAD, config, start, upload, wait_for};

/// Traffic of a real host that was logged by a real pflogd(8).
const CAPTURED: &[u8] = include_bytes!("../../src/pflog/tests/data/captured.pcap");

fn now() -> u32 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

/// The same as if it were of now.
fn captured_now() -> Vec<u8> {
    let (mut log, mut at) = (CAPTURED.to_vec(), 24);
    let seconds = now().to_le_bytes();
    while let Some(header) = log.get_mut(at..at + 16) {
        header[..4].copy_from_slice(&seconds);
        at += 16 + u32::from_le_bytes(header[8..12].try_into().unwrap()) as usize;
    }
    assert_eq!(at, log.len());
    log
}

fn zone(block: &str) -> Zone {
    let mut zone = Zone::new(SUFFIX);
    zone.set_list(BASIC, &items(block), Layout::Single);
    zone.set_list(DNS, &items("192.0.2.53"), Layout::Single);
    zone
}

fn report(daemon: &Daemon) -> Value {
    let report = daemon.ctl(&["-j", "report"]);
    assert_eq!((report.status.code(), report.stderr.as_str()), (Some(0), ""));
    serde_json::from_str(&report.stdout).unwrap()
}

/// The text, none of whose lines is longer than a terminal is wide.
fn text(daemon: &Daemon, arguments: &[&str]) -> String {
    let report = daemon.ctl(&[&["report"], arguments].concat());
    assert_eq!((report.status.code(), report.stderr.as_str()), (Some(0), ""));
    let text = report.stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    text
}

/// The sum of a number of all days on which it is known.
fn sum(report: &Value, of: &str) -> u64 {
    report["days"].as_array().unwrap().iter().filter_map(|day| day[of].as_u64()).sum()
}

/// What has to be the same after a start: all but the state of now, and the runs, of which a start makes
/// another one. Of the days that are the sums, for a midnight may come between.
fn past(mut report: Value) -> Value {
    let sums = ["in", "out", "suspects"].map(|of| sum(&report, of).into());
    for key in ["at", "date", "since", "verdict", "warnings", "runs", "days"] {
        report.as_object_mut().unwrap().remove(key).unwrap();
    }
    report["sums"] = Value::Array(sums.into());
    report
}

/// 1. Start, log what a real pflogd(8) has logged as if it were of now, and upload it.
/// 2. Change the block list: two prefixes come and one goes. Have the service fail, and come back.
/// 3. The report has all of it: what was blocked, by which list and host, what became of the table, what
///    failed and recovered and when; and that nothing is known of the days before. It begins with the
///    first line of status, also as JSON.
/// 4. Stop and start: what is past is the same.
/// 5. Roll back: what that changes is told, too, though no source was asked.
/// 6. Ask for a day, for as many as are kept, and for more.
#[test]
fn the_last_days_are_told_over_a_restart() {
    let (scratch, log) = (Scratch::new(), LogService::start());
    let policy = PolicyService::start(zone("198.51.100.0/24 64.87.3.133"));
    let config = config(&scratch, &policy, &log);
    let daemon = start(&scratch, &config);
    fs::write(scratch.path().join("pflog"), captured_now()).unwrap();
    wait_for(&daemon, 9);
    upload(&daemon);
    let changed = "198.51.100.0/24 5.6.7.8 5.6.7.10";
    policy.edit(|before| *before = zone(changed));
    update(&daemon);
    let addr = policy.addr();
    policy.stop();
    refused(&daemon, &["update"]);
    let _policy = PolicyService::start_at(addr, zone(changed));
    update(&daemon);

    let told = report(&daemon);
    assert_eq!((&told["period"], &told["monitoring"]), (&7.into(), &false.into()));
    let days = told["days"].as_array().unwrap();
    assert_eq!(days.len(), 7);
    assert!(days[0]["in"].is_null() && days[0]["runs"].is_null(), "{told}");
    let both = [told["in"].as_u64().unwrap(), told["out"].as_u64().unwrap()];
    assert_eq!(both.iter().sum::<u64>(), 9, "{told}");
    assert_eq!([sum(&told, "in"), sum(&told, "out")], both, "{told}");
    let block = &told["tables"][0];
    assert_eq!((&block["table"], &block["before"]), (&"block".into(), &Value::Null), "{told}");
    assert_eq!((&block["added"], &block["deleted"]), (&4.into(), &1.into()), "{told}");
    assert_eq!((&block["size"]["entries"], &block["size"]["v4"]), (&3.into(), &258.into()));
    let mut lists = told["lists"].as_array().unwrap().iter();
    let list = lists.find(|list| list["list"] == BASIC).unwrap();
    assert_eq!(list["renewed"], 2, "{told}");
    assert_eq!(list["in"].as_u64().unwrap() + list["out"].as_u64().unwrap(), 9, "{told}");
    assert_eq!(
        (&told["hosts"][0]["address"], &told["hosts"][0]["out"]),
        (&"10.1.1.2".into(), &3.into())
    );
    assert!(told["uploads"]["confirmed"].as_u64().unwrap() >= 1, "{told}");
    assert!(
        told["runs"]["good"].as_u64().unwrap() >= 2
            && told["runs"]["failed"].as_u64().unwrap() >= 1,
        "{told}"
    );
    // others may be among them, such as a packet log that was not there at once
    let failures = told["failures"].as_array().unwrap();
    let at = |event: &str, words: &str| {
        let is =
            |one: &Value| one["event"] == event && one["text"].as_str().unwrap().contains(words);
        failures.iter().position(is).unwrap_or_else(|| panic!("{words}: {told}"))
    };
    let recovered = at("recovered", "policy: brings its lists again");
    assert!(at("failed", "update failed, the previous policy stays: ") < recovered, "{told}");
    let text_of = text(&daemon, &[]);
    let date = failures[recovered]["date"].as_str().unwrap();
    let line = format!("{date} recovered: policy: brings its lists again");
    assert!(text_of.contains(&line), "{text_of}");
    assert!(text_of.contains("\n10.1.1.2 ") && text_of.contains("\nRuns: "), "{text_of}");
    wait_until("it begins with the first line of status", || {
        let status = daemon.ctl(&["status"]).stdout;
        let first = status.lines().next().unwrap();
        let told = report(&daemon);
        text(&daemon, &[]).starts_with(&format!("{first}\n")) && told["verdict"] == first
    });

    assert!(daemon.stop().success());
    let daemon = start(&scratch, &config);
    wait_for(&daemon, 9);
    let again = report(&daemon);
    assert_eq!(past(again), past(told));
    let back = daemon.ctl(&["rollback"]);
    assert!(back.status.success(), "{back:?}");
    let block = &report(&daemon)["tables"][0];
    assert_eq!((&block["added"], &block["deleted"]), (&5.into(), &3.into()), "{block}");

    let all = text(&daemon, &["-d", "35"]);
    assert!(all.contains("\n35 days, ") && all.contains("\n10.1.1.2 "), "{all}");
    assert!(text(&daemon, &["-d1"]).contains("\n1 day, "));
    let many = daemon.ctl(&["report", "-d", "36"]);
    let why = "threatstopctl: report: -d 36: not a number of days from 1 to 35\n";
    assert_eq!((many.status.code(), many.stderr.as_str()), (Some(1), why));
    assert!(daemon.stop().success());
}

/// Log as a monitor a packet that a match rule has seen, and that another rule has let it pass.
/// Check that show hits and the report count it once, and say in words that it was not blocked.
#[test]
fn a_monitor_says_that_nothing_was_blocked() {
    let (scratch, log) = (Scratch::new(), LogService::start());
    let policy = PolicyService::start(zone("198.51.100.0/24"));
    let config = config(&scratch, &policy, &log).set("tables.monitor", true);
    let daemon = start(&scratch, &config);
    let (destination, source) = (Ipv4Addr::new(192, 0, 2, 1), BAD);
    let (seconds, micros, out, port, anchor) = (now(), 1, false, 443, "");
    let packet = Packet { seconds, micros, out, source, destination, port, anchor };
    let [passed, matched] = [pflog::Action::PASS, pflog::Action::MATCH].map(|action| {
        let mut record = packet.record();
        record[16 + 2] = action.0;
        record
    });
    fs::write(scratch.path().join("pflog"), [file_header(), matched, passed].concat()).unwrap();
    let hits = wait_for(&daemon, 1);
    assert_eq!(hits["monitoring"], true);
    let shown = daemon.ctl(&["show", "hits"]).stdout;
    assert!(shown.starts_with("monitoring: these packets would have been blocked; "), "{shown}");
    let told = report(&daemon);
    assert_eq!((&told["monitoring"], &told["in"]), (&true.into(), &1.into()), "{told}");
    assert!(told["verdict"].as_str().unwrap().starts_with("warning: monitoring: "), "{told}");
    let text = text(&daemon, &[]).split_whitespace().collect::<Vec<_>>().join(" ");
    let words = "1 packets in and 0 out would have been blocked; with tables.monitor nothing is.";
    assert!(text.contains(words), "{text}");
    assert!(daemon.stop().success());
}
