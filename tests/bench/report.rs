//! A comparison, as a table for the terminal and for BENCHMARKS.md.

use std::fmt::Write as _;
use std::fs;

use crate::measure::{Cost, RUNS};

/// One side of a comparison.
pub struct Side {
    /// What it is.
    pub name: String,
    /// What it took, or why it is left out.
    pub cost: Result<Cost, String>,
}

/// Ours, and the peers.
pub struct Comparison {
    /// What is done.
    pub title: String,
    /// Whether the processors' time is compared instead of the clock's.
    pub by_cpu: bool,
    /// Ours first.
    pub sides: Vec<Side>,
    /// Whether all sides are ours, which are no bars of the chart.
    pub alone: bool,
    /// Further figures.
    pub notes: Vec<String>,
}

impl Comparison {
    /// The time of a side that is compared, in seconds.
    pub fn seconds(&self, cost: &Cost) -> f64 {
        if self.by_cpu { cost.cpu } else { cost.wall }.as_secs_f64()
    }

    /// That of ours; `None` when it is left out.
    pub fn ours(&self) -> Option<f64> {
        let first = self.sides.first()?.cost.as_ref().ok()?;
        Some(self.seconds(first))
    }

    fn rows(&self) -> Vec<[String; 5]> {
        let ours = self.ours();
        let row = |side: &Side| match &side.cost {
            Err(why) => {
                [side.name.clone(), why.clone(), String::new(), String::new(), String::new()]
            }
            Ok(cost) => [
                side.name.clone(),
                format!("{:.3} s", cost.wall.as_secs_f64()),
                format!("{:.3} s", cost.cpu.as_secs_f64()),
                ours.map_or(String::new(), |ours| format!("{:.1}", self.seconds(cost) / ours)),
                cost.peak.map_or(String::new(), |peak| format!("{peak:.0} MiB")),
            ],
        };
        self.sides.iter().map(row).collect()
    }

    /// Prints the table.
    pub fn print(&self) {
        println!("{}", self.title);
        let ratio = if self.by_cpu { "CPU ratio" } else { "ratio" };
        println!("  {:44} {:>10} {:>10} {ratio:>9} {:>9}", "", "wall", "CPU", "peak");
        for [name, wall, cpu, ratio, peak] in self.rows() {
            println!("  {name:44} {wall:>10} {cpu:>10} {ratio:>9} {peak:>9}");
        }
        for note in &self.notes {
            println!("  {note}");
        }
        println!();
    }

    /// Appends it as a section of BENCHMARKS.md.
    pub fn markdown(&self, out: &mut String) {
        let by = if self.by_cpu { "ratio of CPU" } else { "ratio" };
        let _ = writeln!(out, "\n## {}\n", self.title);
        let _ = writeln!(out, "| | wall | CPU | {by} | peak memory |\n|---|---:|---:|---:|---:|");
        for row in self.rows() {
            // a name may be a pipe of the shell
            let cells = row.map(|cell| cell.replace('|', "\\|"));
            let _ = writeln!(out, "| {} |", cells.join(" | "));
        }
        for note in &self.notes {
            let _ = writeln!(out, "\n{note}");
        }
    }
}

/// The machine and the rules.
pub fn machine() -> String {
    let cpus = std::thread::available_parallelism().map_or(1, Into::into);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or("unknown processor", |(_, model)| model);
    format!(
        "Median of {RUNS} runs, all sides of a table in turn in one run, on {cpus} processors \
         ({model}), {}.",
        std::env::consts::OS
    )
}

#[cfg(test)]
mod tests;
