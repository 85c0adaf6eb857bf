//! Lists from web servers, beside iprange(1) of FireHOL, which merges files that somebody else has
//! fetched.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use feed::{Format, Reader};
use policy::List;
use prefix::Floor;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::{Item, table_text};
use tests::lists::big_list;
use tests::sim::ListServer;

use crate::measure::{Cost, RUNS, cpu_of, installed, median, memory, shell_with_peak, within};
use crate::report::{Comparison, Side};

const FEEDS: usize = 64;
const LINES: usize = 1_000_000;
/// Octets that the client hands to the reader at once.
const PART: usize = 64 * 1024;
const LIMIT: Duration = Duration::from_secs(600);

/// Runs the comparisons.
pub fn compare() -> Vec<Comparison> {
    // iprange knows no IPv6 and would look its addresses up as names; one in 32 is of it
    let items = big_list(LINES / 30 * 32).items.into_iter().filter(|item| item.addr.is_ipv4());
    let items: Vec<Item> = items.take(LINES).collect();
    assert_eq!(items.len(), LINES);
    let texts: Vec<String> = items.chunks(LINES.div_ceil(FEEDS)).map(table_text).collect();
    let scratch = Scratch::new();
    let files: Vec<PathBuf> =
        (0..texts.len()).map(|at| scratch.path().join(format!("list{at}"))).collect();
    for (file, text) in files.iter().zip(&texts) {
        fs::write(file, text).expect("write a list");
    }
    vec![refresh(&texts, &files, LINES), read(&texts.concat(), &scratch)]
}

/// All feeds at once, from a web server on loopback to the tables; and once more, unchanged.
fn refresh(texts: &[String], files: &[PathBuf], entries: usize) -> Comparison {
    let names: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
    let merge = format!("iprange --optimize {} >/dev/null", names.join(" "));
    let [mut all, mut same, mut merged] = [const { Vec::new() }; 3];
    let mut peak = 0.0_f64;
    for _ in 0..RUNS {
        let (first, again, engine) = daemon(texts, entries);
        all.push(first);
        same.push(again);
        peak = peak.max(engine);
        if installed("iprange") {
            merged.push(shell_with_peak(&merge));
        }
    }
    let all = Cost { peak: Some(peak), ..median(all) };
    let part = |cost: fn(&Cost) -> Duration, same: &Cost| {
        100.0 * cost(same).as_secs_f64() / cost(&all).as_secs_f64()
    };
    let same = median(same);
    let note = format!(
        "All {FEEDS} unchanged (304): {:.0} % of that by the clock, {:.0} % of its processor time. iprange \
         reads files of this disk; a refresh fetches them over TLS, keeps copies, composes, judges and \
         writes the table.",
        part(|cost| cost.wall, &same),
        part(|cost| cost.cpu, &same),
    );
    let merged = if merged.is_empty() { Err("not installed".into()) } else { Ok(median(merged)) };
    Comparison {
        title: format!("Feeds: {FEEDS} lists of together {LINES} lines"),
        by_cpu: false,
        alone: false,
        sides: vec![
            Side { name: "threatstopctl update, peak of the engine".into(), cost: Ok(all) },
            Side { name: "the same, unchanged".into(), cost: Ok(same) },
            Side { name: "iprange --optimize of the files".into(), cost: merged },
        ],
        notes: vec![note],
    }
}

/// What a refresh of all feeds takes, and one that finds them unchanged, with the peak memory of the
/// engine in MiB.
fn daemon(texts: &[String], entries: usize) -> (Cost, Cost, f64) {
    let (server, scratch) = (ListServer::start(), Scratch::new());
    let ca = scratch.path().join("ca.pem");
    fs::write(&ca, server.ca()).expect("write a certificate");
    let mut config = Config::new(&scratch, &[])
        .unset("device_id")
        .unset("policy.servers")
        .set("policy.block", Vec::<String>::new())
        .set("policy.allow", Vec::<String>::new())
        .set("https.ca_file", ca.to_str().expect("a path in UTF-8"))
        .set("guard.max_entries", 10_000_000)
        .set("guard.max_coverage", 100)
        // a real pf(4) has no part of simulated tables
        .set("tables.reload", false);
    for at in 0..texts.len() {
        let (name, url) = (format!("list{at}"), server.url(&format!("/{at}")));
        config = config.add(
            "feed",
            &[("name", name.into()), ("url", url.into()), ("max_coverage", 16_777_216.into())],
        );
    }
    // the run at the start finds none of them
    let daemon = Daemon::start(&scratch, &config);
    daemon.wait_for("404", LIMIT);
    let state = || -> serde_json::Value {
        let status = daemon.ctl(&["-j", "status"]).stdout;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
        status["update"]["state"].clone()
    };
    // an update would join it
    while state() != "idle" {
        std::thread::sleep(Duration::from_millis(100));
    }
    let (helper, engine) =
        (daemon.helper().expect("a helper"), daemon.engine().expect("an engine"));
    for (at, text) in texts.iter().enumerate() {
        server.serve(&format!("/{at}"), text);
    }
    let timed = || {
        let used = || cpu_of(helper) + cpu_of(engine);
        let before = used();
        let cost = within(|| daemon.ctl_timed(&["update"]));
        Cost { cpu: used() - before, ..cost }
    };
    let first = timed();
    let table = daemon.table_file("ThreatSTOP-Block").expect("a table file");
    assert_eq!(table.lines().count(), entries);
    let again = timed();
    let peak = memory(engine, "VmHWM").unwrap_or(0.0);
    assert!(daemon.stop().success());
    (first, again, peak)
}

/// One file of all lines, from octets to the addresses that it names.
fn read(text: &str, scratch: &Scratch) -> Comparison {
    let file = scratch.path().join("all");
    fs::write(&file, text).expect("write all lists");
    let count = format!("iprange --count-unique {} >/dev/null", file.display());
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        ours.push(within(|| {
            let text = fs::read(&file).expect("read all lists");
            let mut reader = Reader::new(&Format::Lines, LINES);
            text.chunks(PART).for_each(|part| reader.push(part).expect("lines"));
            let items = reader.finish().expect("lines").items;
            let list = List::new("all", items, Floor { v4: 1, v6: 1 });
            assert!(!list.is_empty());
        }));
        if installed("iprange") {
            theirs.push(shell_with_peak(&count));
        }
    }
    let theirs = if theirs.is_empty() { Err("not installed".into()) } else { Ok(median(theirs)) };
    Comparison {
        title: format!("Feeds: one file of {LINES} lines, read, sorted and joined"),
        by_cpu: true,
        alone: false,
        sides: vec![
            Side { name: "feed, policy: lines to a list".into(), cost: Ok(median(ours)) },
            Side { name: "iprange --count-unique".into(), cost: theirs },
        ],
        notes: Vec::new(),
    }
}
