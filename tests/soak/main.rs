//! `cargo soak [SECONDS]`: the daemon under churn and mishaps, for a minute or for as long as wanted.
//!
//! * In: how many seconds.
//! * Out: progress, and at the end what has grown.
//! * Never: touch anything outside a scratch directory, or talk to anybody but 127.0.0.1.

use std::io::{IsTerminal as _, Write as _, stderr};
use std::process::ExitCode;
use std::time::Duration;

use tests::harness::programs;
use tests::soak::{self, Vitals};

/// How long without being told.
const USUAL: Duration = Duration::from_secs(60);
/// Seconds between two progress lines where they cannot overwrite one another.
const APART: u64 = 60;

fn main() -> ExitCode {
    let seconds = std::env::args().nth(1).map(|text| text.parse().map(Duration::from_secs));
    let time = match seconds.unwrap_or(Ok(USUAL)) {
        Ok(time) if time >= soak::SHORTEST && std::env::args().len() <= 2 => time,
        _ => {
            eprintln!("usage: cargo soak [seconds], at least {}", soak::SHORTEST.as_secs());
            return ExitCode::FAILURE;
        }
    };
    println!("building threatstopd, threatstopd-engine and threatstopctl");
    programs();
    println!("soaking for {} s", time.as_secs());
    let terminal = stderr().is_terminal();
    let mut told = 0;
    let report = soak::run(time, |progress| {
        if terminal {
            let _ = write!(stderr(), "\r{progress} ");
        } else if progress.elapsed.as_secs() >= told + APART {
            told = progress.elapsed.as_secs();
            println!("{progress}");
        }
    });
    if terminal {
        let _ = writeln!(stderr());
    }
    print!("{report}");
    if report.vitals.iter().all(Vitals::is_flat) {
        println!("all as it should be");
        ExitCode::SUCCESS
    } else {
        println!("FAILED: it grows");
        ExitCode::FAILURE
    }
}
