//! What the demo shows, and whether all went as it should.

use std::cell::Cell;
use std::fmt::Display;
use std::fs;
use std::io::{IsTerminal as _, Write as _};
use std::net::Ipv4Addr;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tests::harness::{Daemon, Programs, Scratch, programs_aloud};

/// The address that the service lists so that a policy can be tested.
pub const INDICATOR: Ipv4Addr = Ipv4Addr::new(64, 87, 3, 133);
/// Lines of an output that are shown: all of what a person would look at, and not all of a table.
const SHOWN: usize = 40;
/// What takes longer gets a progress line.
const PATIENCE: Duration = Duration::from_secs(1);

/// The stage: counts what did not go as it should.
pub struct Stage {
    /// When all was built.
    started: Instant,
    failed: Cell<u32>,
}

impl Stage {
    /// Builds the programs, with cargo's words on what it compiles.
    pub fn build() -> Self {
        scene("Building the programs");
        let began = Instant::now();
        let Programs { threatstopd, engine, states, threatstopctl } = programs_aloud();
        let stage = Self { started: Instant::now(), failed: Cell::new(0) };
        for program in [threatstopd, engine, states, threatstopctl] {
            stage.say(program.display());
        }
        stage.say(format_args!("built in {:.0} s", began.elapsed().as_secs_f64()));
        stage
    }

    /// A headline.
    pub fn scene(&self, title: &str) {
        scene(title);
    }

    /// A line.
    pub fn say(&self, line: impl Display) {
        println!("   {line}");
    }

    /// Runs the control tool and shows what it prints; `wanted` is its exit status.
    pub fn ctl(&self, daemon: &Daemon, arguments: &[&str], wanted: i32) {
        println!("\n   $ threatstopctl {}", arguments.join(" "));
        let output = with_progress("waiting", || daemon.ctl(arguments));
        let text = format!("{}{}", output.stdout, output.stderr);
        let lines: Vec<&str> = text.lines().collect();
        for line in lines.iter().take(SHOWN) {
            println!("   {line}");
        }
        if lines.len() > SHOWN {
            let more = lines.len() - SHOWN;
            println!("   ... {more} {} more", if more == 1 { "line" } else { "lines" });
        }
        if output.status.code() != Some(wanted) {
            self.failed.set(self.failed.get() + 1);
            println!("   FAILED: {}, expected exit status {wanted}", output.status);
            println!("{}", daemon.output());
        }
    }

    /// Says something that is to be so.
    pub fn must(&self, is_so: bool, what: &str) {
        if is_so {
            return self.say(what);
        }
        self.failed.set(self.failed.get() + 1);
        self.say(format_args!("FAILED: not so: {what}"));
    }

    /// Shows the table files and the simulated tables.
    pub fn files(&self, scratch: &Scratch) {
        println!();
        let mut names: Vec<_> = fs::read_dir(scratch.tables())
            .expect("the table directory")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.extension().is_some_and(|kind| kind != "lock"))
            .collect();
        names.sort();
        for path in names {
            let lines = fs::read_to_string(&path).map_or(0, |text| text.lines().count());
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let noun = if lines == 1 { "prefix" } else { "prefixes" };
            println!("   {name:32} {lines:>6} {noun}");
        }
    }

    /// The last line.
    pub fn end(&self) -> ExitCode {
        let seconds = self.started.elapsed().as_secs_f64();
        match self.failed.get() {
            0 => {
                println!(
                    "\n== All went as it should, in {seconds:.1} seconds without the building"
                );
                ExitCode::SUCCESS
            }
            failed => {
                println!("\n== {failed} steps did not go as they should");
                ExitCode::FAILURE
            }
        }
    }
}

fn scene(title: &str) {
    println!("\n== {title}");
}

/// Runs something; when it takes longer than a second on a terminal, a line counts the seconds.
fn with_progress<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let started = Instant::now();
            let mut shown = false;
            while !done.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(50));
                if started.elapsed() > PATIENCE && std::io::stderr().is_terminal() {
                    shown = true;
                    let _ = write!(
                        std::io::stderr(),
                        "\r   {what}: {} s ",
                        started.elapsed().as_secs()
                    );
                }
            }
            if shown {
                let _ = write!(std::io::stderr(), "\r{:30}\r", "");
            }
        });
        let result = work();
        done.store(true, Ordering::Relaxed);
        result
    })
}
