//! What `watch` tells: each change of state, once, by its number, and as the log has it.

use std::fs;
use std::net::Ipv4Addr;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tests::harness::{Daemon, Scratch, programs};
use tests::process::{PATIENCE, Process};
use tests::sim::LogService;
use tests::sim::pflog::{Packet, PacketLog, file_header};

use crate::common::*;
use crate::logging;
use crate::three::{SCAN, SPACES, Three, hosts};

/// `threatstopctl watch` with these arguments.
fn watch(scratch: &Scratch, arguments: &[&str]) -> Process {
    let mut command = Command::new(&programs().threatstopctl);
    command.arg("-s").arg(scratch.socket()).args(arguments);
    Process::spawn(&mut command)
}

/// What commands have that are advised to who has asked this daemon.
fn option(scratch: &Scratch) -> String {
    format!("-s {} ", scratch.socket().display())
}

/// All that is kept, from the first one on.
fn events(daemon: &Daemon, scratch: &Scratch, last: &str) -> Vec<Value> {
    let watch = watch(scratch, &["-j", "watch", "-e", "1"]);
    watch.wait_for(last, PATIENCE);
    let lines = watch.lines();
    let read = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap_or_else(|why| panic!("{why}: {line}"))
    };
    let events: Vec<Value> = lines.iter().map(|line| read(&line.text)).collect();
    for (at, event) in events.iter().enumerate() {
        assert_eq!(event["number"], at as u64 + 1, "{event}");
        // the log names commands for who has one daemon
        let text = event["text"].as_str().unwrap().replace(&option(scratch), "");
        // what is logged is read by another thread, a little later
        daemon.wait_for(&text, PATIENCE);
    }
    events
}

/// 1. Watch, and change a list: that it was published is told as the log has it, as text and as JSON.
/// 2. Have a list held back, and accepted: both are told, with the list.
/// 3. Have the service fail and come back: both are told, with the source.
/// 4. Reload: who watches ends with status 1. Another one gets all of it again from the first number
///    on, and what is published then has the next number.
/// 5. A number that is none is refused.
#[test]
fn each_change_of_state_is_told_once() {
    let mut three = Three::new([300, 2000, 30], |config| config);
    let text = watch(&three.scratch, &["watch", "-e", "1"]);
    let json = watch(&three.scratch, &["-j", "watch", "-e", "1"]);
    json.wait_for("\"event\":\"published\"", PATIENCE);
    three.serve(BASIC, &hosts(SPACES[0], 310));
    update(&three.daemon);
    text.wait_for(" published: update published in ", PATIENCE);
    json.wait_for("(+10 -0)", PATIENCE);

    three.serve(SCAN, &hosts(SPACES[1], 10));
    refused(&three.daemon, &["update"]);
    text.wait_for(" held: Keeping the previous list scanners.threatstop.local: ", PATIENCE);
    json.wait_for("\"subject\":\"list scanners.threatstop.local\"", PATIENCE);
    three.serve(SCAN, &hosts(SPACES[1], 2000));
    update(&three.daemon);
    text.wait_for(" recovered: list scanners.threatstop.local: ", PATIENCE);

    let addr = three.service.addr();
    three.service.stop();
    refused(&three.daemon, &["update"]);
    json.wait_for("\"event\":\"failed\"", PATIENCE);
    three.service = tests::sim::PolicyService::start_at(addr, zone(&hosts(SPACES[0], 310)));
    three.serve(SCAN, &hosts(SPACES[1], 2000));
    update(&three.daemon);
    text.wait_for(" recovered: policy: brings its lists again", PATIENCE);

    let reloaded = three.daemon.ctl(&["reload"]);
    assert!(reloaded.status.success(), "{}", reloaded.stderr);
    for watcher in [&text, &json] {
        assert_eq!(watcher.wait_exit(PATIENCE).code(), Some(1), "{}", watcher.output());
    }
    let before = events(&three.daemon, &three.scratch, "policy: brings its lists again");
    let words: Vec<&str> = before.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert!(words.starts_with(&["published"]), "{words:?}");
    assert!(words.ends_with(&["failed", "recovered"]), "{words:?}");
    assert_eq!(words.iter().filter(|word| **word == "held").count(), 1, "{words:?}");
    // an update joins the run that an engine begins with, which may have read the list of before
    update(&three.daemon);
    three.serve(BASIC, &hosts(SPACES[0], 320));
    update(&three.daemon);
    let after = events(&three.daemon, &three.scratch, ": 2350 blocked (+10 -0)");
    assert!(after.len() > before.len() && after[..before.len()] == before, "{after:?}");

    let wrong = three.daemon.ctl(&["watch", "-e", "x"]);
    let expected = "threatstopctl: watch: -e x: not a number of an event\n";
    assert_eq!((wrong.status.code(), wrong.stderr.as_str()), (Some(1), expected));
}

/// 1. Start without a packet log: that it cannot be read is told, and when there is one that it is read
///    again.
/// 2. Truncate it before it is read: that is a gap.
/// 3. Change the table by hand and update: that it was mended is told, with the table.
/// 4. Stop, damage what is remembered, and start: that is told, too, with the file, the place in it, and what
///    comes of it.
///
/// Check that each of these is told once, and that its sentence is in the log.
#[test]
fn what_is_lost_and_what_is_mended_is_told() {
    let (scratch, policy, service) = (Scratch::new(), logging::policy(), LogService::start());
    let config = logging::config(&scratch, &policy, &service);
    let daemon = logging::start(&scratch, &config);
    let watcher = watch(&scratch, &["-j", "watch", "-e", "1"]);
    watcher.wait_for("\"event\":\"failed\"", PATIENCE);
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    log.append(10, logging::BAD);
    watcher.wait_for("\"event\":\"recovered\"", PATIENCE);
    logging::upload(&daemon);
    log.truncate();
    log.append(2, logging::BAD);
    watcher.wait_for("\"event\":\"log gap\"", PATIENCE);
    plant(&scratch.tables().join(format!("{BLOCK}.simulated")), "9.9.9.9\n");
    update(&daemon);
    watcher.wait_for("\"event\":\"mended\"", PATIENCE);
    let before = events(&daemon, &scratch, "\"event\":\"mended\"");
    let of = |word: &str| -> Vec<&Value> {
        before.iter().filter(|event| event["event"] == word).collect()
    };
    for (word, subject, text) in [
        ("failed", "packet log", "packet log: "),
        ("recovered", "packet log", "packet log: read again"),
        ("log gap", "", "the packet log was truncated, or rotated away before it was read: "),
        ("mended", "block", "pf table <ThreatSTOP-Block> had been changed by somebody: "),
    ] {
        let found = of(word);
        assert_eq!(found.len(), 1, "{word}: {before:?}");
        assert_eq!(found[0]["subject"].as_str().unwrap_or_default(), subject);
        assert!(found[0]["text"].as_str().unwrap().starts_with(text), "{}", found[0]);
    }
    assert!(daemon.stop().success());
    let damage = [
        (
            "ages",
            "7",
            "damaged; all entries are as old as this start; the file is ages.unread.1 now",
        ),
        (
            "day.0",
            "7",
            "damaged, or of another version, at line 1, column 1; what was counted of that day is \
             lost; the file is day.0.unread.1 now",
        ),
        (
            "log.state",
            "{\"next\":\n-1}",
            "damaged, or of another version, at line 2, column 2; hits are counted anew, and of the \
             packet log some may be uploaded twice; the file is log.state.unread.1 now",
        ),
        (
            "state.json",
            "{",
            "damaged: it ends in the middle, at line 1, column 1; the engine's memory begins anew, \
             and the tables stay; if you had rolled back, that is over: updates publish again; the file is \
             state.json.unread.1 now",
        ),
    ];
    for (file, text, _) in damage {
        fs::write(scratch.spool().join(file), text).unwrap();
    }
    let daemon = logging::start(&scratch, &config);
    let watcher = watch(&scratch, &["-j", "watch", "-e", "1"]);
    let place = |file| scratch.spool().join(file).display().to_string();
    for (file, _, words) in damage {
        let text = format!("{}: {words}", place(file));
        let event: Value = serde_json::from_str(&watcher.wait_for(&text, PATIENCE).text).unwrap();
        assert_eq!((&event["event"], &event["text"]), (&"damaged".into(), &text.as_str().into()));
        daemon.wait_for(&text, PATIENCE);
    }
    // of this one nobody is told but the log: it is what the others are kept in
    assert!(daemon.stop().success());
    fs::write(scratch.spool().join("events.json"), "{\"next\":x}").unwrap();
    let daemon = logging::start(&scratch, &config);
    let words = "damaged at line 1, column 9; the events before are lost, and numbers begin with 1: so \
                 does watch -e";
    daemon.wait_for(&format!("{}: {words}", place("events.json")), PATIENCE);
}

/// Kills the engine: the next one knows that the file of the configuration does not load. Then mends and loads
/// that: what was wrong was told once, and that it is over, too.
fn known_after_a_crash_until_mended(stage: &Stage, config: &str) {
    let mark = stage.daemon.mark();
    kill(stage.daemon.engine().unwrap(), Signal::SIGKILL).unwrap();
    stage.daemon.wait_for_after(mark, "engine restarted", PATIENCE);
    stage.daemon.wait_until_ready();
    let noted = || status(&stage.daemon).to_string().contains("does not load");
    wait_until("the new engine knows of it", noted);

    fs::write(stage.scratch.config(), config).unwrap();
    assert!(stage.daemon.ctl(&["reload"]).status.success());
    stage.daemon.wait_until_ready();
    let over = "the configuration of the file is in use again";
    let all = events(&stage.daemon, &stage.scratch, over);
    let of = all.iter().filter(|event| event["subject"] == "configuration");
    let words: Vec<&str> = of.map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(words, ["failed", "recovered"], "{all:?}");
}

/// 1. Break the configuration and have it loaded twice by SIGHUP, and once by `reload`: that it is refused
///    is told once, as the log has it, also when the engine has to be started again.
/// 2. Mend it and load it: that it is in use again is told, once.
#[test]
fn a_configuration_that_is_refused_is_told_of_once() {
    let stage = Stage::new(|config| config);
    let config = fs::read_to_string(stage.scratch.config()).unwrap();
    fs::write(stage.scratch.config(), format!("nonsense = 1\n{config}")).unwrap();
    for _ in 0..2 {
        let mark = stage.daemon.mark();
        stage.daemon.signal(Signal::SIGHUP);
        stage.daemon.wait_for_after(mark, "configuration reload failed: ", PATIENCE);
    }
    let watcher = watch(&stage.scratch, &["-j", "watch", "-e", "1"]);
    watcher.wait_for("\"subject\":\"configuration\"", PATIENCE);
    let why = refused(&stage.daemon, &["reload"]);
    assert!(why.contains("unknown key"), "{why}");
    known_after_a_crash_until_mended(&stage, &config);
    assert!(stage.daemon.stop().success());
}

/// 1. Break the configuration and have `reload` refuse it, of which the monitor does not hear; then kill the
///    engine: the next one knows of it still.
/// 2. Mend it and load it: that it is in use again is told, once, and not before.
#[test]
fn a_configuration_that_reload_has_refused_is_not_in_use_after_a_crash() {
    let stage = Stage::new(|config| config);
    let config = fs::read_to_string(stage.scratch.config()).unwrap();
    fs::write(stage.scratch.config(), format!("nonsense = 1\n{config}")).unwrap();
    refused(&stage.daemon, &["reload"]);
    known_after_a_crash_until_mended(&stage, &config);
    assert!(!status(&stage.daemon).to_string().contains("does not load"));
    assert!(stage.daemon.stop().success());
}

/// 1. Make the table of pf const, and update twice with a list that has changed: that the table can neither
///    be looked at nor be published is told once each, though both updates fail.
/// 2. Let pf take it again and update: of both the end is told, once.
#[test]
fn a_table_that_cannot_be_published_is_told_of_once() {
    let stage = Stage::new(|config| config.set("tables.check_interval", "1d"));
    pf_is(&stage.scratch, &format!("const {BLOCK}\n"));
    stage.serve(&list(310).0);
    for _ in 0..2 {
        let why = refused(&stage.daemon, &["update"]);
        assert!(why.contains("a const table; remove that word in pf.conf"), "{why}");
    }
    pf_is(&stage.scratch, "");
    update(&stage.daemon);
    update(&stage.daemon);
    let all = events(&stage.daemon, &stage.scratch, "block table: can be published again");
    for subject in ["repair of the block table", "update of the block table"] {
        let of = all.iter().filter(|event| event["subject"] == subject);
        let words: Vec<&str> = of.map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(words, ["failed", "recovered"], "{subject}: {all:?}");
    }
    assert!(stage.daemon.stop().success());
}

/// Log packets of a host to a blocked address and watch: the host is told of once, with the
/// address and its list.
#[test]
fn a_suspect_host_is_told_of_once() {
    let (scratch, policy, service) = (Scratch::new(), logging::policy(), LogService::start());
    let daemon = logging::start(&scratch, &logging::config(&scratch, &policy, &service));
    let host = Ipv4Addr::new(10, 0, 0, 23);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let (seconds, micros, port, anchor) = (now.try_into().unwrap(), 1, 443, "");
    let (out, source, destination) = (true, host, logging::BAD);
    let packet = Packet { seconds, micros, out, source, destination, port, anchor };
    let log = [file_header(), packet.record(), packet.record()].concat();
    std::fs::write(scratch.path().join("pflog"), log).unwrap();
    let watcher = watch(&scratch, &["-j", "watch", "-e", "1"]);
    let line = watcher.wait_for("\"event\":\"new suspect host\"", PATIENCE);
    let event: Value = serde_json::from_str(&line.text).unwrap();
    assert_eq!(event["subject"], "10.0.0.23");
    let text = |option: &str| {
        format!(
            "host 10.0.0.23 sends to a blocked address: 198.51.100.7, listed by \
             basic.threatstop.local (threatstopctl {option}show hits)"
        )
    };
    assert_eq!(event["text"], text(&option(&scratch)));
    daemon.wait_for(&text(""), PATIENCE);
    logging::upload(&daemon);
    let told = daemon.output().matches("sends to a blocked address").count();
    assert_eq!(told, 1, "{}", daemon.output());
}
