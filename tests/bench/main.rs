//! `cargo bench-peers [update|feeds|compose|decode|follow|relay|limit|growth ...]`: how long things take,
//! beside the tools that people use for them today.
//!
//! Each comparison runs all sides in one run, in turn, several times, and prints the median of
//! each, the ratio and the peak memory. It installs nothing: a peer that is missing is named and
//! left out. Without an argument all run, and BENCHMARKS.md and its chart are written anew; that
//! takes a quarter of an hour, and two gigabytes of memory.
//!
//! ```text
//! benchmarks -> report               BENCHMARKS.md and its chart
//! growth -> update, decode           how cost grows with prefixes, lists and records
//! limit -> measure, server           where the time of an update goes, and what memory alone would take
//! update -> measure, report, server  a whole update, beside the old scripts
//! feeds -> measure, report           lists from web servers, beside iprange(1)
//! compose -> measure, report         a million prefixes to their minimal cover, beside ipnet and iprange(1)
//! decode -> measure, report          packet logs to text, beside tcpdump(8)
//! follow -> measure, report          a packet log that is followed, whoever sends the packets
//! relay -> measure, report           what a fleet costs its name server, and each of its firewalls
//! report -> measure                  a comparison as a table
//! server -> measure                  who serves the lists
//! measure                            time and memory of a side
//! ```
//!
//! * In: the comparisons that are wanted, by their words.
//! * Out: medians, ratios and memory on the terminal; without an argument BENCHMARKS.md and its
//!   chart.
//! * Never: install anything, or compare numbers of two runs.

// A benchmark that cannot go on has nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod benchmarks;
mod compose;
mod decode;
mod feeds;
mod follow;
mod growth;
mod limit;
mod measure;
mod relay;
mod report;
mod server;
mod update;

use std::process::ExitCode;

use report::Comparison;

/// What is no comparison with peers.
const LIMIT: &str = "limit";
const GROWTH: &str = "growth";
const ALONE: [&str; 2] = [LIMIT, GROWTH];

/// Runs a comparison.
type Compare = fn() -> Vec<Comparison>;

fn main() -> ExitCode {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    if let [what, side] = wanted.as_slice()
        && what == compose::ALONE
    {
        compose::alone(side);
        return ExitCode::SUCCESS;
    }
    let all: [(&str, Compare); 6] = [
        ("update", update::compare),
        ("feeds", feeds::compare),
        ("compose", compose::compare),
        ("decode", decode::compare),
        ("follow", follow::compare),
        ("relay", relay::compare),
    ];
    if let Some(unknown) = wanted
        .iter()
        .find(|word| !ALONE.contains(&word.as_str()) && all.iter().all(|(name, _)| name != word))
    {
        eprintln!(
            "bench-peers: {unknown}: not one of update, feeds, compose, decode, follow, relay, limit, \
             growth"
        );
        return ExitCode::FAILURE;
    }
    println!("{}\n", report::machine());
    let is_wanted = |what: &str| wanted.is_empty() || wanted.iter().any(|word| word == what);
    let mut found = Vec::new();
    for (name, compare) in all {
        if is_wanted(name) {
            for comparison in compare() {
                comparison.print();
                found.push(comparison);
            }
        }
    }
    let limit = is_wanted(LIMIT).then(limit::measure);
    limit.iter().for_each(limit::Limit::print);
    let growth = is_wanted(GROWTH).then(growth::measure).unwrap_or_default();
    growth.iter().for_each(growth::Growth::print);
    if let Some(limit) = limit.filter(|_| wanted.is_empty()) {
        benchmarks::write(&found, &limit, &growth);
    }
    ExitCode::SUCCESS
}
