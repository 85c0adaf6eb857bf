//! How cost grows with the number of prefixes, of lists and of records. Not for CI: it takes
//! minutes and gigabytes.

use std::fs;

use tests::harness::{Scratch, programs};
use tests::lists::big_list;
use tests::sim::{PolicyService, Zone};

use crate::decode::write_log;
use crate::measure::shell_with_peak;
use crate::update::update;

/// Prints the tables.
pub fn show() {
    println!("Growth: one update, by prefixes (4,000 a name)");
    println!(
        "  {:>10} {:>9} {:>12} {:>8} {:>8}",
        "prefixes", "wall", "us a prefix", "engine", "helper"
    );
    let service = PolicyService::start(Zone::new("threatstop.local"));
    for prefixes in [10_000_usize, 100_000, 1_000_000, 4_000_000] {
        let list = big_list(prefixes);
        let update = update(&service, &list, 1, prefixes.div_ceil(4000));
        row(prefixes, update.cost.wall.as_secs_f64(), &update.memory[..2]);
    }
    println!("\nGrowth: one update of 845,000 prefixes, by lists (256 names in all)");
    println!("  {:>10} {:>9} {:>12} {:>8} {:>8}", "lists", "wall", "us a list", "engine", "helper");
    for lists in [1, 4, 16, 64] {
        let update = update(&service, &big_list(845_000), lists, 256 / lists);
        row(lists, update.cost.wall.as_secs_f64(), &update.memory[..2]);
    }
    println!("\nGrowth: one update of 100,000 prefixes, by names");
    println!("  {:>10} {:>9} {:>12} {:>8} {:>8}", "names", "wall", "us a name", "engine", "helper");
    for names in [16, 64, 256, 1000] {
        let update = update(&service, &big_list(100_000), 1, names);
        row(names, update.cost.wall.as_secs_f64(), &update.memory[..2]);
    }
    println!("\nGrowth: threatstopctl decode, by records");
    println!("  {:>10} {:>9} {:>12} {:>8}", "records", "wall", "us a record", "peak");
    let scratch = Scratch::new();
    let log = scratch.path().join("pflog");
    for records in [10_000, 100_000, 1_000_000, 10_000_000] {
        write_log(&log, records);
        let (ctl, file) = (programs().threatstopctl.display(), log.display());
        let cost = shell_with_peak(&format!("TZ=UTC0 {ctl} decode {file} >/dev/null"));
        row(records, cost.wall.as_secs_f64(), &[cost.peak.unwrap_or(0.0)]);
        fs::remove_file(&log).expect("remove the log");
    }
}

fn row(count: usize, seconds: f64, memory: &[f64]) {
    let each = seconds * 1e6 / count as f64;
    let memory: String = memory.iter().map(|mib| format!(" {mib:>7.1}M")).collect();
    println!("  {count:>10} {seconds:>7.3} s {each:>12.3}{memory}");
}
