//! Mistakes in the configuration: all of them are told at once, wherever it is read.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::common::*;
use nix::sys::signal::Signal;
use tests::harness::{Config, Daemon, Scratch, programs};
use tests::process::{Output, run};

/// Three mistakes, one of them no TOML, and what is said of them.
const WRONG: &str = "device_id = \"tdid_abcd1234\"\n\n[policy]\ninterval = 1h\ntimeot = \"5s\"\n\
                     [guard]\nexpect = [\"10.1.2.3\"]\n";
const SAID: [&str; 3] = [
    "4: policy.interval: a duration needs quotes: \"1h\"",
    "5: unknown key \"timeot\"; did you mean \"timeout\"?",
    "7: guard.expect: 10.1.2.3 is never blocked: it is in 10.0.0.0/8 (private, RFC 1918)",
];

/// The lines that are said of a file.
fn said(scratch: &Scratch) -> Vec<String> {
    SAID.map(|line| format!("{}:{line}", scratch.config().display())).into()
}

fn write(scratch: &Scratch, text: &str) {
    fs::write(scratch.config(), text).unwrap();
    fs::set_permissions(scratch.config(), Permissions::from_mode(0o600)).unwrap();
}

fn check(scratch: &Scratch, flags: &str) -> Output {
    let mut command = Command::new(&programs().threatstopd);
    run(command.arg(flags).arg("-f").arg(scratch.config()), PATIENCE)
}

/// Write a file with three mistakes. Give it to -n and to -nv.
/// Check that all three are on stderr with their lines and nothing else, that stdout is empty, and
/// that the exit status is 1.
/// Mend it, but name a local file that is not there. Give it to -n and -nv.
/// Check that "configuration OK" is on stderr behind a note of the file with its line, that stdout has
/// the effective configuration with -v alone, and that the exit status is 0.
#[test]
fn n_tells_all_mistakes() {
    let scratch = Scratch::new();
    write(&scratch, WRONG);
    for flags in ["-n", "-nv"] {
        let output = check(&scratch, flags);
        assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
        assert_eq!(output.stderr.lines().collect::<Vec<_>>(), said(&scratch));
        assert_eq!(output.stdout, "");
    }
    let absent = scratch.path().join("absent");
    let text = format!("device_id = \"tdid_abcd1234\"\n\npolicy.local_allow = {absent:?}\n");
    write(&scratch, &text);
    for flags in ["-n", "-nv"] {
        let output = check(&scratch, flags);
        assert!(output.status.success(), "{}", output.stderr);
        let lines: Vec<&str> = output.stderr.lines().collect();
        let (last, notes) = lines.split_last().unwrap();
        assert_eq!(*last, "configuration OK");
        let of_file = format!(
            "{}:3: note: policy.local_allow: {}: No such file or directory; ",
            scratch.config().display(),
            absent.display()
        );
        assert_eq!(notes.iter().filter(|note| note.starts_with(&of_file)).count(), 1, "{notes:?}");
        assert!(notes.iter().all(|note| note.contains(": note: ")), "{notes:?}");
        assert_eq!(output.stdout.starts_with("device_id = "), flags == "-nv", "{}", output.stdout);
    }
}

/// Start with the same file.
/// Check that all three mistakes are told before the start ends with 1.
#[test]
fn a_start_tells_all_mistakes() {
    let scratch = Scratch::new();
    write(&scratch, WRONG);
    let output = check(&scratch, "-d");
    assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
    for line in said(&scratch) {
        assert_eq!(output.stderr.matches(&line).count(), 1, "{line}: {}", output.stderr);
    }
}

/// Start, update, put the file with the mistakes in place, reload by SIGHUP and by threatstopctl.
/// Check that all three are logged, by threatstopctl with their lines alone, that it says the first and
/// how many there are, and that the daemon goes on as before.
#[test]
fn a_reload_tells_all_mistakes() {
    let (service, text) = honest(50);
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    write(&scratch, WRONG);
    let lines = said(&scratch);
    let wait = |mark| {
        for line in &lines {
            daemon.wait_for_after(mark, line, PATIENCE);
        }
    };
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    wait(mark);
    let mark = daemon.mark();
    let output = daemon.ctl(&["reload"]);
    assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
    assert!(output.stderr.contains(&lines[0]), "{}", output.stderr);
    assert!(output.stderr.contains("(the first of 3 mistakes: "), "{}", output.stderr);
    daemon.wait_for_after(mark, "threatstopd.toml:4,5,7: threatstopd -n -f ", PATIENCE);
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
    assert!(daemon.stop().success());
}

/// Start the daemon. Run `threatstopctl reload` with a good and with a bad file.
/// Check that after the first the daemon answers at once; that the second says what the mistake is and
/// exits 1, that log and status say where, that helper and engine are the same as before, and that
/// nothing of it is left after a good one.
#[test]
fn reload_by_the_control_tool_says_what_is_wrong() {
    let (service, scratch) = (honest(50).0, Scratch::new());
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    let mark = daemon.mark();
    let output = daemon.ctl(&["reload"]);
    assert!(output.status.success(), "{}", output.stderr);
    let output = daemon.ctl(&["status"]);
    assert!(output.status.success(), "{}", output.stderr);
    daemon.wait_for_after(mark, "reloaded, helper ", PATIENCE);
    fs::write(scratch.config(), "device_id = \"tdid_abcd1234\"\n[policy]\ninterval = \"never\"\n")
        .unwrap();
    let before = (daemon.helper(), daemon.engine());
    let mark = daemon.mark();
    let output = daemon.ctl(&["reload"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.starts_with("threatstopctl: reload: "), "{}", output.stderr);
    assert!(output.stderr.contains("threatstopd.toml:3: policy.interval: "), "{}", output.stderr);
    let place = format!("configuration reload failed: {}:3", scratch.config().display());
    daemon.wait_for_after(mark, &place, PATIENCE);
    let warnings = daemon.ctl(&["status"]).stdout;
    let told = |line: &str| line.contains("does not load") && line.contains("threatstopd.toml:3");
    assert!(warnings.lines().any(told), "{warnings}");
    assert_eq!((daemon.helper(), daemon.engine()), before, "they were started anew");
    Config::new(&scratch, &[service.addr()]).write(&scratch);
    assert!(daemon.ctl(&["reload"]).status.success());
    assert!(!daemon.ctl(&["status"]).stdout.contains("does not load"));
    assert!(daemon.stop().success());
}

/// Start as a daemon, with a spool in a directory that there is not, and then without the spool.
/// Check that the terminal learns of it, with the way out, that it exits 1, and that nothing was made.
#[test]
fn a_directory_that_is_missing_is_told_on_the_terminal() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let spool = scratch.spool().display().to_string();
    let make = "make it: install -d -m 700 ";
    let nowhere = "/nonexistent/dir/x";
    for (config, path) in [(config.clone().set("log.spool", nowhere), nowhere), (config, &*spool)] {
        if path == spool {
            fs::remove_dir_all(path).unwrap();
        }
        config.write(&scratch);
        let mut start = Command::new(&programs().threatstopd);
        start.arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
        let output = run(&mut start, PATIENCE);
        assert_eq!(output.status.code(), Some(1));
        let why = format!("threatstopd: {path}: No such file or directory; {make}");
        assert!(output.stderr.contains(&why), "{}", output.stderr);
    }
    assert!(!scratch.spool().exists());
}
