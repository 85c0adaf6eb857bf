//! The table on the terminal, BENCHMARKS.md, and the chart.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::growth::Growth;
use crate::limit::Limit;
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
    fn seconds(&self, cost: &Cost) -> f64 {
        if self.by_cpu { cost.cpu } else { cost.wall }.as_secs_f64()
    }

    fn ours(&self) -> Option<f64> {
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

    fn markdown(&self, out: &mut String) {
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

/// Writes BENCHMARKS.md and its chart into the workspace.
pub fn write(comparisons: &[Comparison], limit: &Limit, growth: &[Growth]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut text = String::from("# Benchmarks\n\nWritten by `cargo bench-peers`. ");
    let _ = writeln!(text, "{}\n\n![ratios](tests/bench/ratios.svg)", machine());
    comparisons.iter().for_each(|comparison| comparison.markdown(&mut text));
    limit.markdown(&mut text);
    growth.iter().for_each(|growth| growth.markdown(&mut text));
    fs::write(root.join("BENCHMARKS.md"), text).expect("write BENCHMARKS.md");
    fs::write(root.join("tests/bench/ratios.svg"), chart(comparisons)).expect("write the chart");
    println!("written: BENCHMARKS.md, tests/bench/ratios.svg");
}

/// A bar for each peer: how many times as long it takes as we do, on a logarithmic scale.
fn chart(comparisons: &[Comparison]) -> String {
    const LEFT: f64 = 330.0;
    const SCALE: f64 = 180.0;
    const ROW: f64 = 22.0;
    let mut bars = Vec::new();
    for comparison in comparisons.iter().filter(|comparison| !comparison.alone) {
        let Some(ours) = comparison.ours() else { continue };
        for side in &comparison.sides[1..] {
            if let Ok(cost) = &side.cost {
                bars.push((side.name.as_str(), comparison.seconds(cost) / ours));
            }
        }
    }
    let height = ROW * (bars.len() as f64 + 2.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"800\" height=\"{height}\" \
         fill=\"white\"/>\n<text x=\"{LEFT}\" y=\"16\">times as long as threatstopd \
         (logarithmic)</text>\n"
    );
    for (index, (name, ratio)) in bars.iter().enumerate() {
        let y = ROW * (index as f64 + 1.3);
        let width = (ratio.max(1.0).log10() * SCALE).max(2.0);
        let text = name.replace('&', "&amp;").replace('<', "&lt;");
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{text}</text>\
             <rect x=\"{LEFT}\" y=\"{y}\" width=\"{width:.1}\" height=\"15\" fill=\"#c7962c\"/>\
             <text x=\"{:.1}\" y=\"{}\">{ratio:.1}</text>",
            LEFT - 8.0,
            y + 12.0,
            LEFT + width + 6.0,
            y + 12.0
        );
    }
    svg.push_str("</svg>\n");
    svg
}

#[cfg(test)]
mod tests;
