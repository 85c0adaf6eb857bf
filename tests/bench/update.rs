//! A whole update against what the old scripts did: dig for each name, sed, a file.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use tests::harness::{Config, Daemon, Scratch};
use tests::lists::big_list;
use tests::process::run;
use tests::sim::{Layout, PolicyService, Shape, Zone};

use crate::measure::{RUNS, median, peak, resident, time};

const LIST: &str = "basic.threatstop.local";
const NAMES: usize = 212;
const PREFIXES: usize = 845_023;
const LIMIT: Duration = Duration::from_secs(600);

/// Runs the comparison and prints it.
pub fn compare() {
    let list = big_list(PREFIXES);
    let service = PolicyService::start(Zone::new("threatstop.local"));
    let mut ours = Vec::new();
    let mut dig = Vec::new();
    let (mut engine_peak, mut helper_peak, mut helper_idle) = (0.0_f64, 0.0_f64, 0.0_f64);
    for round in 0..RUNS {
        // each round begins from nothing: the run at the start finds no list yet
        let scratch = Scratch::new();
        let config = Config::new(&scratch, &[service.addr()])
            .set("policy.allow", Vec::<String>::new())
            .set("tables.simulated_limit", 3_000_000);
        service.edit(|zone| *zone = Zone::new("threatstop.local"));
        let daemon = Daemon::start(&scratch, &config);
        daemon.wait_for("waiting for provisioning", LIMIT);
        helper_idle = helper_idle.max(resident(daemon.pid()).unwrap_or(0.0));
        service.set_list(LIST, &list.items, Shape::from(Layout::Index).names(NAMES));
        ours.push(time(|| {
            let output = daemon.ctl(&["update"]);
            assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
        }));
        let table = daemon.table_file("ThreatSTOP-Block").expect("a table file");
        assert_eq!(table.lines().count(), PREFIXES);
        engine_peak = engine_peak.max(peak(daemon.engine().expect("an engine")).unwrap_or(0.0));
        helper_peak = helper_peak.max(peak(daemon.pid()).unwrap_or(0.0));
        assert!(daemon.stop().success());
        if which("dig") && which("sed") {
            let out = scratch.path().join("dig.txt");
            let script = script(service.addr().port(), &out);
            let path = scratch.path().join("old.sh");
            fs::write(&path, script).expect("write the script");
            dig.push(time(|| {
                let output = run(Command::new("/bin/sh").arg(&path), LIMIT);
                assert!(output.status.success(), "{}", output.stderr);
            }));
            let lines = fs::read_to_string(&out).expect("the list").lines().count();
            assert_eq!(lines, PREFIXES, "dig and sed found another list");
        }
        eprintln!("round {} of {RUNS}", round + 1);
    }
    let update = median(&mut ours);
    println!("Update: {PREFIXES} prefixes from {NAMES} names, lists to written files and tables");
    println!("  threatstopctl update           {:>8.3} s", update.as_secs_f64());
    if dig.is_empty() {
        println!("  dig +tcp per name, sed         left out: dig or sed is not installed");
    } else {
        let dig = median(&mut dig);
        let ratio = dig.as_secs_f64() / update.as_secs_f64();
        println!(
            "  dig +tcp per name, sed         {:>8.3} s  {ratio:>6.1} times",
            dig.as_secs_f64()
        );
    }
    println!("  engine, peak resident          {engine_peak:>8.1} MiB");
    println!("  helper, peak resident          {helper_peak:>8.1} MiB");
    println!("  helper, idle                   {helper_idle:>8.1} MiB");
}

/// What the old scripts did: a process for each name, its text through sed into a file.
fn script(port: u16, out: &std::path::Path) -> String {
    let mut script = String::new();
    let out = out.display();
    writeln!(script, ": >{out}").expect("a string");
    for name in 1..=NAMES {
        writeln!(
            script,
            "dig +tcp +short @127.0.0.1 -p {port} {name}.{LIST} APL | tr ' ' '\\n' | \
             sed -n -e 's/^[12]://p' >>{out}"
        )
        .expect("a string");
    }
    script
}

fn which(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}
