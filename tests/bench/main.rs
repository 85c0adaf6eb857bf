//! `cargo bench-peers`: how long things take, beside the tools that people use for them today.
//!
//! Each comparison runs both sides in one run, in turn, several times, and prints the median of
//! each and the ratio. It installs nothing: a peer that is missing is named and left out.

// A benchmark that cannot go on has nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod measure;
mod update;

fn main() {
    println!("Median of {} runs on {} processors; ratios within one run.\n", measure::RUNS, cpus());
    update::compare();
}

fn cpus() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}
