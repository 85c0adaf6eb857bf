//! The doctor, and whether what it prescribes helps.
//!
//! 1. Start the daemon on simulated tables, update, and run doctor: all is in order.
//! 2. Break one thing after the other: modes, a file, the kernel's table. Each time doctor fails
//!    and prints a command; run it, and all is in order again.
//! 3. Stop the daemon: doctor says so, and prescribes what helps without it.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::common::*;
use nix::unistd::{User, geteuid};
use tests::harness::{Config, Daemon, Scratch, copy_program, ctl, programs};
use tests::process::{Output, run};

fn doctor(scratch: &Scratch) -> Output {
    ctl(&scratch.socket(), &["doctor", "-f", scratch.config().to_str().unwrap()])
}

fn failures(output: &Output) -> Vec<&str> {
    output.stdout.lines().filter_map(|line| line.strip_prefix("FAIL ")).collect()
}

/// Runs doctor, which must find this and no more; then runs what it prescribes.
#[track_caller]
fn mend(scratch: &Scratch, begins: &str) {
    let output = doctor(scratch);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(1), ""));
    let found = failures(&output);
    assert!(found.len() == 1 && found[0].starts_with(begins), "{begins}\n{}", output.stdout);
    // the very command, with the options of the one who asked
    let command = found[0].rsplit(": ").next().unwrap();
    let ctl = programs().threatstopctl.display().to_string();
    let command = command.replacen("threatstopctl ", &format!("{ctl} "), 1);
    let mended = run(Command::new("sh").args(["-c", &command]), PATIENCE);
    assert!(mended.status.success(), "{command}: {}{}", mended.stdout, mended.stderr);
}

#[track_caller]
fn in_order(scratch: &Scratch) {
    let output = doctor(scratch);
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
}

#[test]
fn what_it_prescribes_helps() {
    let (service, _) = honest(300);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);

    let output = doctor(&scratch);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""), "{}", output.stdout);
    for line in [
        "note tables are simulated: pf, its rules and pflogd were not looked at",
        "note log.enabled is false: no hit is reported",
        "ok   simulated_limit 200000 is enough for 2 x 303",
        &format!("ok   pf table <{BLOCK}> is equal to its file (300)"),
    ] {
        assert!(output.stdout.lines().any(|found| found == line), "{line}\n{}", output.stdout);
    }
    // the daemon is looked at first, and the last line counts
    let answers = concat!("ok   threatstopd ", env!("CARGO_PKG_VERSION"), " answers, up ");
    assert!(output.stdout.starts_with(answers), "{}", output.stdout);
    let checks = output.stdout.lines().filter(|line| line.starts_with("ok   ")).count();
    assert!(output.stdout.ends_with(&format!("\n0 of {checks} failed\n")), "{}", output.stdout);

    let path = |name: &str, kind: &str| scratch.tables().join(format!("{name}.{kind}"));
    let shown = |name: &str| path(name, "pftable").display().to_string();
    let config = scratch.config();
    set_mode(&config, 0o640);
    mend(&scratch, &format!("{}: mode 0640: ", config.display()));
    in_order(&scratch);
    set_mode(&scratch.tables(), 0o777);
    mend(&scratch, &format!("{}: mode 0777: ", scratch.tables().display()));
    in_order(&scratch);
    set_mode(&scratch.spool(), 0o755);
    mend(&scratch, &format!("{}: mode 0755: ", scratch.spool().display()));
    in_order(&scratch);
    set_mode(&path(BLOCK, "pftable"), 0o604);
    mend(&scratch, &format!("{}: mode 0604: ", shown(BLOCK)));
    in_order(&scratch);
    fs::remove_file(path(BLOCK, "pftable")).unwrap();
    mend(&scratch, &format!("{}: missing, ", shown(BLOCK)));
    in_order(&scratch);
    plant(&path(BLOCK, "simulated"), "192.0.2.1\n");
    mend(&scratch, &format!("pf table <{BLOCK}> lacks 300 prefixes of its file, and has 1 that"));
    in_order(&scratch);
    plant(&path(ALLOW, "pftable"), "example.org\n");
    mend(&scratch, &format!("{}: line 1: not a numeric IP address: ", shown(ALLOW)));
    in_order(&scratch);

    assert!(daemon.stop().success());
    let output = doctor(&scratch);
    let found = failures(&output);
    assert_eq!(output.status.code(), Some(1));
    let socket = scratch.socket().display().to_string();
    let start = format!(": threatstopd -s {socket} -f {}", config.display());
    assert!(found.len() == 1 && found[0].starts_with("threatstopd does not answer: "), "{found:?}");
    assert!(found[0].ends_with(&start), "{found:?}");
    assert!(output.stdout.contains("\n1 of "), "{}", output.stdout);
    // a pf.conf that names a missing file is not loaded at the next boot
    fs::remove_file(path(BLOCK, "pftable")).unwrap();
    let output = doctor(&scratch);
    let missing = failures(&output)[1];
    assert!(missing.starts_with(&format!("{}: missing, ", shown(BLOCK))), "{missing}");
    let setup = format!(": threatstopctl setup -f {}", config.display());
    assert!(missing.ends_with(&setup), "{missing}");
}

#[test]
fn the_document() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[]).set("policy.servers", vec!["192.0.2.53"]);
    config.write(&scratch);
    let file = scratch.config();
    let output = ctl(&scratch.socket(), &["-j", "doctor", "-f", file.to_str().unwrap()]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(1), ""));
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let checks = document["checks"].as_array().unwrap();
    let failed: Vec<&str> = checks
        .iter()
        .filter(|check| check["ok"] == false)
        .map(|check| check["what"].as_str().unwrap())
        .collect();
    // no table files, no simulated tables for the block list, and no daemon
    assert_eq!(failed, ["daemon", "file", "file", "table"]);
    assert_eq!(document["failed"], failed.len());
    assert!(checks.iter().all(|check| !check["text"].as_str().unwrap().is_empty()));
}

/// The kernel's tables are for root to look at.
#[test]
fn somebody_else_than_root_is_refused() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[]).set("policy.servers", vec!["192.0.2.53"]);
    config.set("tables.backend", "pf").write(&scratch);
    let mut command = Command::new(&programs().threatstopctl);
    if geteuid().is_root() {
        // where everybody can reach it
        let copy = scratch.path().join("threatstopctl");
        copy_program(&programs().threatstopctl, &copy);
        command = Command::new(copy);
        let nobody = User::from_name("nobody").unwrap().expect("a user nobody");
        command.uid(nobody.uid.as_raw());
    }
    let output = run(command.arg("doctor").arg("-f").arg(scratch.config()), PATIENCE);
    assert_eq!(output.stderr, "threatstopctl: doctor: need root privileges\n");
    assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""));
}
