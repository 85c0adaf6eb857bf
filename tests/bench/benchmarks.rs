//! BENCHMARKS.md and its chart, of a run of everything.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::growth::Growth;
use crate::limit::Limit;
use crate::report::{Comparison, machine};

/// The last section of BENCHMARKS.md, whose figures come from elsewhere: until there are some.
const REAL_KERNEL: &str = "\
## A real kernel: DIOCRSETADDRS, pfctl -T replace, an update

Everything above has a simulated kernel. On OpenBSD with pf, `make -C regress/pf speed` prints the table
that belongs here, with its machine; `cargo bench-peers` leaves it as it is. There is none yet.
";

/// Writes BENCHMARKS.md and its chart into the workspace.
pub fn write(comparisons: &[Comparison], limit: &Limit, growth: &[Growth]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace");
    let mut text = String::from("# Benchmarks\n\nWritten by `cargo bench-peers`. ");
    let _ = writeln!(text, "{}\n\n![ratios](tests/bench/ratios.svg)", machine());
    comparisons.iter().for_each(|comparison| comparison.markdown(&mut text));
    limit.markdown(&mut text);
    growth.iter().for_each(|growth| growth.markdown(&mut text));
    let path = root.join("BENCHMARKS.md");
    let before = fs::read_to_string(&path).unwrap_or_default();
    let _ = write!(text, "\n{}", real_kernel(&before));
    fs::write(path, text).expect("write BENCHMARKS.md");
    fs::write(root.join("tests/bench/ratios.svg"), chart(comparisons)).expect("write the chart");
    println!("written: BENCHMARKS.md, tests/bench/ratios.svg");
}

/// The section of a real kernel, from its headline to the end of what was there before: it was pasted, and
/// is nothing that could be measured here.
fn real_kernel(before: &str) -> &str {
    let headline = "## A real kernel";
    match before.find(&format!("\n{headline}")) {
        Some(at) => &before[at + 1..],
        None => REAL_KERNEL,
    }
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
