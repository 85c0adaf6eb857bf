//! States of pf that pass what is blocked.
//!
//! 1. Have a simulated pf with tables and states: from and to what is blocked, translated, IPv6,
//!    without a number, and others.
//! 2. Run flush -n: it prints what would end, and ends nothing; with -j as an object.
//! 3. Run flush: those are gone, all others live; again, there is nothing to end.
//! 4. Run it where it may not, and with what is wrong: exit 1, in words, and all states live.
//! 5. Start the daemon with tables.kill_states and block an address: its states end, others live. What
//!    ends them has two ways to others and no more.
//! 6. Kill what ends states: that is told, updates go on, and a reload starts it again.
//! 7. Reload without it and with it. Start where its program is not there, or is somebody else's.

use std::fs;
use std::process::Command;

use crate::common::*;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tests::harness::{Config, Daemon, Scratch, copy_program, programs};
use tests::process::{Output, Process, run};

const STATES: &str = "\
1 7 em0 6 in 0 203.0.113.9 40000 192.0.2.1 22
2 7 all 6 out 0 203.0.113.9 443 192.0.2.1 50000 203.0.113.9 443 10.0.0.5 40001
3 7 em0 17 in 0 2001:db8:9::1 53 2001:db8::1 53
4 7 em0 6 in 0 198.51.100.7 40000 192.0.2.1 22
0 7 em0 1 in 0 203.0.113.200 8 192.0.2.1 8
5 7 em0 6 in 0 203.0.113.10 40000 192.0.2.1 22
6 7 em1 6 out 0 198.18.0.1 443 192.0.2.1 50001
7 7 em1 6 in 0 198.18.0.1 443 192.0.2.1 50002
";
/// Of these, what neither comes from a blocked address nor goes to one.
const REST: &str = "\
4 7 em0 6 in 0 198.51.100.7 40000 192.0.2.1 22
5 7 em0 6 in 0 203.0.113.10 40000 192.0.2.1 22
7 7 em1 6 in 0 198.18.0.1 443 192.0.2.1 50002
";

/// A pf with tables, states, and a configuration for both.
fn pf() -> (Scratch, Config) {
    let scratch = Scratch::new();
    let table = [
        ("name", "Outbound".into()),
        ("lists", vec!["basic.threatstop.local"].into()),
        ("direction", "out".into()),
    ];
    let config = Config::new(&scratch, &["127.0.0.1:53".parse().unwrap()])
        .set("policy.block", vec!["basic.threatstop.local", "other.threatstop.local"])
        .add("table", &table);
    config.write(&scratch);
    let write = |name: &str, text: &str| fs::write(scratch.tables().join(name), text).unwrap();
    write(&format!("{BLOCK}.simulated"), "203.0.113.9\n203.0.113.128/25\n2001:db8:9::/48\n");
    // what is allowed is in no block table
    write(&format!("{ALLOW}.simulated"), "198.51.100.7\n");
    write("Outbound.simulated", "198.18.0.1\n");
    write("states.simulated", STATES);
    (scratch, config)
}

fn flush(scratch: &Scratch, before: &[&str], flags: &[&str]) -> Output {
    let mut command = Command::new(&programs().threatstopctl);
    command.args(before).arg("flush").args(flags).arg("-f").arg(scratch.config());
    run(&mut command, PATIENCE)
}

fn states(scratch: &Scratch) -> String {
    fs::read_to_string(scratch.tables().join("states.simulated")).unwrap()
}

#[test]
fn what_is_blocked_is_printed_and_then_ended() {
    let (scratch, _) = pf();
    let tried = flush(&scratch, &[], &["-n"]);
    assert_eq!(tried.status.code(), Some(0), "{}", tried.stderr);
    assert_eq!(
        tried.stdout,
        format!(
            "em0 tcp 203.0.113.9:40000 -> 192.0.2.1:22, from <{BLOCK}>\n\
             all tcp 10.0.0.5:40001 -> 203.0.113.9:443, to <{BLOCK}>\n\
             em0 udp [2001:db8:9::1]:53 -> [2001:db8::1]:53, from <{BLOCK}>\n\
             em0 icmp 203.0.113.200:8 -> 192.0.2.1:8, from <{BLOCK}>\n\
             em1 tcp 192.0.2.1:50001 -> 198.18.0.1:443, to <Outbound>\n\
             5 of 8 states would end\n"
        )
    );
    assert_eq!(states(&scratch), STATES);

    let done = flush(&scratch, &[], &[]);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(0), "Ended 5 of 8 states\n"));
    assert_eq!(states(&scratch), REST);
    let again = flush(&scratch, &[], &[]);
    assert_eq!((again.status.code(), again.stdout.as_str()), (Some(0), "Ended 0 of 3 states\n"));
}

#[test]
fn json_is_one_object() {
    let (scratch, _) = pf();
    let tried = flush(&scratch, &["-j"], &["-n"]);
    let object: serde_json::Value = serde_json::from_str(&tried.stdout).unwrap();
    assert_eq!((&object["states"], &object["found"]), (&8.into(), &5.into()));
    assert_eq!((&object["ended"], &object["left"]), (&0.into(), &0.into()));
    assert_eq!(object["list"].as_array().unwrap().len(), 5);
    let last = serde_json::json!({
        "interface": "em1",
        "protocol": "tcp",
        "from": { "address": "192.0.2.1", "port": 50001 },
        "to": { "address": "198.18.0.1", "port": 443 },
        "table": "Outbound",
    });
    assert_eq!(object["list"][4], last);
    let done = flush(&scratch, &["-j"], &[]);
    let expected = "{\"ended\":5,\"found\":5,\"left\":0,\"states\":8}\n";
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(0), expected));
}

#[test]
fn a_state_that_cannot_be_ended_alone_is_left_and_told() {
    let (scratch, _) = pf();
    let text = fs::read_to_string(scratch.config()).unwrap();
    fs::write(scratch.config(), text.replace("\"out\"", "\"in\"")).unwrap();
    // a connection comes in, and goes out by an address that is blocked: one key, and one to live
    let both = "0 7 all 6 out 0 192.0.2.1 443 198.18.0.1 50001 192.0.2.1 443 10.0.0.5 40001\n\
                6 7 all 6 in 0 10.0.0.5 40001 192.0.2.1 443\n";
    fs::write(scratch.tables().join("states.simulated"), both).unwrap();
    let done = flush(&scratch, &[], &[]);
    assert_eq!((done.status.code(), done.stdout.as_str()), (Some(1), "Ended 0 of 2 states\n"));
    let told = "threatstopctl: flush: 1 left, which pf cannot find by a number: pfctl -k";
    assert!(done.stderr.starts_with(told), "{}", done.stderr);
    assert_eq!(states(&scratch), both);
}

#[test]
fn where_it_may_not_it_says_so_and_ends_nothing() {
    let (scratch, config) = pf();
    let conf = scratch.tables().join("simulated.conf");
    fs::write(&conf, "securelevel 2\n").unwrap();
    let refused = flush(&scratch, &[], &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        refused
            .stderr
            .starts_with("threatstopctl: flush: pf lets nobody end states at securelevel 2"),
        "{}",
        refused.stderr
    );
    assert!(flush(&scratch, &[], &["-n"]).status.success());
    fs::remove_file(&conf).unwrap();

    let config = config.set("tables.monitor", true);
    config.write(&scratch);
    let refused = flush(&scratch, &[], &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("tables.monitor is true"), "{}", refused.stderr);
    assert!(flush(&scratch, &[], &["-n"]).status.success());
    assert_eq!(states(&scratch), STATES);

    config.set("tables.monitor", false).write(&scratch);
    fs::write(scratch.tables().join("states.simulated"), "nonsense\n").unwrap();
    let refused = flush(&scratch, &[], &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stderr.contains("states.simulated:1: not a state"), "{}", refused.stderr);
}

/// The process that ends states; `None` while there is none.
fn ending(daemon: &Daemon) -> Option<Pid> {
    // the kernel has 15 characters of its name
    let mut all = daemon.descendants().into_iter();
    all.find(|(_, name)| name == "threatstopd-sta").map(|(pid, _)| pid)
}

/// A state that somebody of this address has begun.
fn state(id: u32, addr: &str) -> String {
    format!("{id} 7 em0 6 in 0 {addr} 40000 192.0.2.1 22\n")
}

fn write_states(scratch: &Scratch, text: &str) {
    let beside = scratch.tables().join("states.new");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, scratch.tables().join("states.simulated")).unwrap();
}

fn block(daemon: &Daemon, addr: &str) {
    let output = daemon.ctl(&["block", addr]);
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
}

fn set_kill_states(scratch: &Scratch, daemon: &Daemon, to: bool) {
    let text = fs::read_to_string(scratch.config()).unwrap();
    let line = |to: bool| format!("kill_states = {to}\n");
    fs::write(scratch.config(), text.replace(&line(!to), &line(to))).unwrap();
    let output = daemon.ctl(&["reload"]);
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
}

#[test]
fn what_becomes_blocked_ends_and_the_rest_lives() {
    let stage = Stage::new(|config| config.set("tables.kill_states", true));
    let (scratch, daemon) = (&stage.scratch, &stage.daemon);
    let rest = state(2, "45.77.0.2");
    write_states(scratch, &(state(1, "45.77.0.1") + &rest));
    block(daemon, "45.77.0.1");
    wait_until("its state ends", || states(scratch) == rest);
    daemon.wait_for("ended 1 of 2 states: an end is blocked", PATIENCE);
    // of what the monitor gave it, the way from the helper and that on which it lives
    let pid = ending(daemon).unwrap();
    let behind_stderr = |fd: &u32| *fd > 2;
    let names = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().flatten();
    let numbers = names.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let ends = numbers.filter(behind_stderr).filter_map(|fd| {
        let leads_to = fs::read_link(format!("/proc/{pid}/fd/{fd}")).ok()?;
        Some(leads_to.to_str()?.split_once(':')?.0.to_owned())
    });
    let mut ends: Vec<_> = ends.collect();
    ends.sort_unstable();
    assert_eq!(ends, ["pipe", "socket"]);

    // another one, which an update brings; and it is gone
    let (items, _) = list(300);
    let more = [items, vec![tests::item::Item::v4([45, 77, 0, 2], 32)]].concat();
    stage.serve(&more);
    update(daemon);
    wait_until("its state ends", || states(scratch).is_empty());
    assert!(stage.daemon.stop().success());
}

#[test]
fn without_what_ends_states_updates_go_on() {
    let stage = Stage::new(|config| config.set("tables.kill_states", true));
    let (scratch, daemon) = (&stage.scratch, &stage.daemon);
    let (Some(pid), Some(engine)) = (ending(daemon), daemon.engine()) else {
        panic!("no process ends states: {}", daemon.output());
    };
    let mark = daemon.mark();
    kill(pid, Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "states terminated; signal 9", PATIENCE);
    daemon.wait_for_after(mark, "states gone, 1 so far: ", PATIENCE);
    write_states(scratch, &state(1, "45.77.0.1"));
    block(daemon, "45.77.0.1");
    assert_eq!(daemon.engine(), Some(engine), "the others go on: {}", daemon.output());
    assert_eq!(ending(daemon), None);
    assert_eq!(states(scratch), state(1, "45.77.0.1"), "nobody ends it");

    set_kill_states(scratch, daemon, false);
    assert_eq!(ending(daemon), None);
    set_kill_states(scratch, daemon, true);
    wait_until("it is started again", || ending(daemon).is_some());
    block(daemon, "45.77.0.2");
    wait_until("states end again", || states(scratch).is_empty());

    // it goes with the helper, which is not told as a loss
    let (mark, before) = (daemon.mark(), ending(daemon));
    set_kill_states(scratch, daemon, false);
    wait_until("it leaves", || ending(daemon).is_none());
    assert!(before.is_some());
    let said = daemon.lines().into_iter().skip(mark).any(|line| line.text.contains("states gone"));
    assert!(!said, "{}", daemon.output());
    assert!(stage.daemon.stop().success());
}

/// Starts helper and engine of a directory, which must exit 1; gives the log.
fn refuses(scratch: &Scratch) -> String {
    let program = scratch.path().join("bin/threatstopd");
    let mut command = Command::new(program);
    command.arg("-d").arg("-f").arg(scratch.config()).arg("-s").arg(scratch.socket());
    let process = Process::spawn(&mut command);
    assert_eq!(process.wait_exit(PATIENCE).code(), Some(1), "{}", process.output());
    process.output()
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    config.set("tables.kill_states", true).write(&scratch);
    let bin = scratch.path().join("bin");
    fs::create_dir(&bin).unwrap();
    for program in [&programs().threatstopd, &programs().engine] {
        copy_program(program, &bin.join(program.file_name().unwrap()));
    }
    let said = refuses(&scratch);
    let why =
        "threatstopd-states: not there, and tables.kill_states is true; reinstall the package";
    assert!(said.contains(why), "{said}");

    if is_root("to be careful with what others could write to") {
        let program = bin.join("threatstopd-states");
        copy_program(&programs().states, &program);
        set_mode(&program, 0o775);
        let said = refuses(&scratch);
        assert!(said.contains("must be writable by root only: chown root; chmod go-w"), "{said}");
    }
}
