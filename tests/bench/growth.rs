//! How cost grows with the number of prefixes, of lists and of records. Not for CI: it takes
//! minutes and gigabytes.

use std::fmt::Write as _;
use std::fs;

use tests::harness::{Scratch, programs};
use tests::lists::{Sample, big_list};

use crate::decode::write_log;
use crate::measure::shell_with_peak;
use crate::server::Server;
use crate::update::update;

/// How cost grows along one measure.
pub struct Growth {
    title: &'static str,
    /// What is counted, and of what the time of one is given.
    columns: [&'static str; 2],
    /// The peak memory of which processes.
    processes: &'static [&'static str],
    rows: Vec<Row>,
}

struct Row {
    count: usize,
    seconds: f64,
    /// The time is shared by so many.
    among: usize,
    /// In MiB.
    memory: Vec<f64>,
}

impl Growth {
    fn row(&mut self, count: usize, among: usize, seconds: f64, memory: &[f64]) {
        self.rows.push(Row { count, seconds, among, memory: memory.to_vec() });
    }

    fn head(&self) -> Vec<String> {
        let [count, each] = self.columns;
        let mut head = vec![count.into(), "wall".into(), format!("us a {each}")];
        head.extend(self.processes.iter().map(|name| format!("peak, {name}")));
        head
    }

    fn cells(row: &Row) -> Vec<String> {
        let each = row.seconds * 1e6 / row.among as f64;
        let mut cells =
            vec![row.count.to_string(), format!("{:.3} s", row.seconds), format!("{each:.3}")];
        cells.extend(row.memory.iter().map(|mib| format!("{mib:.1} MiB")));
        cells
    }

    fn lines(&self) -> impl Iterator<Item = Vec<String>> {
        std::iter::once(self.head()).chain(self.rows.iter().map(Self::cells))
    }

    /// Prints the table.
    pub fn print(&self) {
        println!("{}", self.title);
        for cells in self.lines() {
            let line: String = cells.iter().map(|cell| format!(" {cell:>14}")).collect();
            println!(" {line}");
        }
        println!();
    }

    /// Writes the table as Markdown.
    pub fn markdown(&self, out: &mut String) {
        let _ = writeln!(out, "\n## {}\n", self.title);
        for (index, cells) in self.lines().enumerate() {
            let _ = writeln!(out, "| {} |", cells.join(" | "));
            if index == 0 {
                let _ = writeln!(out, "|{}", "---:|".repeat(cells.len()));
            }
        }
    }
}

/// Measures; each row once.
pub fn measure() -> Vec<Growth> {
    let mut server = Server::start();
    let growth = |title, columns| {
        let processes = &["engine", "helper"];
        Growth { title, columns, processes, rows: Vec::new() }
    };
    let mut run = |list: &Sample, lists, names| {
        let update = update(&mut server, list, (lists, names), true);
        (update.cost.wall.as_secs_f64(), [update.memory[0], update.memory[1]])
    };

    let mut prefixes = growth("Growth: one update, 4,000 prefixes a name", ["prefixes", "prefix"]);
    for count in [10_000_usize, 100_000, 1_000_000, 4_000_000] {
        let (seconds, memory) = run(&big_list(count), 1, count.div_ceil(4000));
        prefixes.row(count, count, seconds, &memory);
    }
    let mut lists = growth("Growth: 845,000 prefixes in lists, 256 names", ["lists", "prefix"]);
    let list = big_list(845_000);
    for count in [1, 4, 16, 64] {
        let (seconds, memory) = run(&list, count, 256 / count);
        lists.row(count, 845_000, seconds, &memory);
    }
    let mut names = growth("Growth: 100,000 prefixes in names, one list", ["names", "prefix"]);
    let list = big_list(100_000);
    for count in [16, 64, 256, 1000] {
        let (seconds, memory) = run(&list, 1, count);
        names.row(count, 100_000, seconds, &memory);
    }
    vec![prefixes, lists, names, records()]
}

fn records() -> Growth {
    let (title, columns) = ("Growth: threatstopctl decode", ["records", "record"]);
    let mut growth = Growth { title, columns, processes: &["threatstopctl"], rows: Vec::new() };
    let scratch = Scratch::new();
    let log = scratch.path().join("pflog");
    for count in [10_000, 100_000, 1_000_000, 10_000_000] {
        write_log(&log, count);
        let (ctl, file) = (programs().threatstopctl.display(), log.display());
        let cost = shell_with_peak(&format!("TZ=UTC0 {ctl} decode {file} >/dev/null"));
        growth.row(count, count, cost.wall.as_secs_f64(), &[cost.peak.unwrap_or(0.0)]);
        fs::remove_file(&log).expect("remove the log");
    }
    growth
}
