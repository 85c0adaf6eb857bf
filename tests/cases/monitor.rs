//! What a running monitor lives through besides the ends of its children: an upgrade, and a system that has
//! nothing left for it.

use std::fs;
use std::process::Command;

use crate::common::*;
use nix::sys::signal::{Signal, kill};
use tests::harness::{Config, Daemon, Scratch, copy_program, programs, write_script};
use tests::process::{Looks, run};
use tests::servers::require_program;

/// Start the daemon from a folder of its own. Put programs of another version there, as pkg_add -u does,
/// and kill the helper.
/// Check that each of the two says what to do, that the tables stay, and that the service goes on with the
/// same process id once programs of its own version are there.
#[test]
fn another_version_over_a_running_one_says_what_to_do() {
    let (service, scratch) = (honest(500).0, Scratch::new());
    let own = [&programs().threatstopd, &programs().engine].map(|from| {
        let to = scratch.path().join(from.file_name().unwrap());
        copy_program(from, &to);
        to
    });
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::spawn(&scratch, &config, |command| {
        let args: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        *command = Command::new(&own[0]);
        command.args(args);
    });
    daemon.wait_until_ready();
    assert!(daemon.ctl(&["update"]).status.success());
    let (service_pid, table) = (daemon.pid(), daemon.table_file(BLOCK).unwrap());

    // what the arguments are to another version; the number stands behind "helper" or first
    let away = own.each_ref().map(|program| program.with_extension("away"));
    for ((program, away), first) in own
        .iter()
        .zip(&away)
        .zip(["word=$1; shift 2; set -- $word 999 \"$@\"", "shift; set -- 999 \"$@\""])
    {
        fs::rename(program, away).unwrap();
        write_script(program, &format!("{first}\nexec {} \"$@\"", away.display()));
    }
    let mark = daemon.mark();
    kill(daemon.helper().unwrap(), Signal::SIGKILL).unwrap();
    let words = "another version was installed over the one that runs: rcctl restart threatstopd";
    daemon.wait_for_after(mark, &format!("helper: {words}"), PATIENCE);
    daemon.wait_for_after(mark, &format!("fatal in engine: {words}"), PATIENCE);
    assert_eq!(daemon.table_file(BLOCK), Some(table.clone()));
    assert_eq!(daemon.kernel_table(BLOCK), Some(table));

    for (program, away) in own.iter().zip(&away) {
        fs::rename(away, program).unwrap();
    }
    daemon.wait_for_after(mark, " restarted, helper ", PATIENCE);
    assert_eq!(daemon.pid(), service_pid);
    assert!(daemon.stop().success());
}

/// Start the daemon. Leave the monitor few descriptors or fewer, change the configuration, send SIGHUP, and
/// give it others again when one of both could not be started.
/// Check that the log says what was missing, that the new configuration is in use then, for that nothing
/// could be started was not its fault, and that the one that could be started before is gone.
#[test]
fn a_shortage_says_nothing_of_the_configuration() {
    let Some(prlimit) = require_program("prlimit") else { return };
    let (service, scratch) = (honest(500).0, Scratch::new());
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    assert!(daemon.ctl(&["update"]).status.success());
    let limit = |files: u32| {
        let mut command = Command::new(&prlimit);
        command.arg("--pid").arg(daemon.pid().to_string()).arg(format!("--nofile={files}:"));
        let output = run(&mut command, PATIENCE);
        assert!(output.status.success(), "{}", output.stderr);
    };
    let mut short = 0;
    // with more a child is begun, which has the same limit and no room for its own
    for files in 12..16 {
        let config = Config::new(&scratch, &[service.addr()]).set("guard.max_entries", files);
        config.write(&scratch);
        let mark = daemon.mark();
        let said = |text: &str| daemon.output().lines().skip(mark).any(|line| line.contains(text));
        limit(files);
        daemon.signal(Signal::SIGHUP);
        let few = ": Too many open files; starting again in ";
        let looks = Looks::within(PATIENCE);
        while !said(few) && !said("reloaded, helper ") {
            assert!(looks.go_on(), "neither started nor not: {}", daemon.output());
        }
        short += u32::from(said(few));
        limit(256);
        daemon.wait_for_after(mark, "reloaded, helper ", PATIENCE);
        daemon.wait_until_ready();
        let output = daemon.ctl(&["update"]);
        let why = format!("more than {files} (see max_entries");
        assert!(output.stdout.contains(&why), "{}", output.stdout);
        if let Ok(children) =
            fs::read_to_string(format!("/proc/{0}/task/{0}/children", daemon.pid()))
        {
            assert_eq!(children.split_whitespace().count(), 2, "{}", daemon.output());
        }
    }
    assert!(short > 1, "{}", daemon.output());
    assert!(!daemon.output().contains("previous configuration"), "{}", daemon.output());
    assert!(daemon.stop().success());
}

/// Start the daemon. Send SIGHUP for a configuration with which nothing can be started, and again for the
/// same and for another. Send it for one that bears a start and another policy, and then for the first
/// again; kill the engine.
/// Check that each time the service goes on with the configuration that has borne a start last, that
/// status says why, and that it ends when a good one comes.
#[test]
fn the_way_back_is_there_each_time() {
    let (service, scratch) = (honest(500).0, Scratch::new());
    let good = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &good);
    update(&daemon);
    let bad = |folder: &str| good.clone().set("log.spool", format!("/nonexistent/{folder}"));
    let taken_back = |config: &Config, folder: &str| {
        config.write(&scratch);
        let mark = daemon.mark();
        daemon.signal(Signal::SIGHUP);
        let line = daemon.wait_for_after(mark, "make it: install -d -m 700 ", PATIENCE);
        assert!(line.text.contains(&format!(": /nonexistent/{folder}: ")), "{}", line.text);
        daemon.wait_for_after(mark, "previous configuration in use, helper ", PATIENCE);
        daemon.wait_until_ready();
        wait_until("status says why", || {
            let said = daemon.ctl(&["status"]).stdout;
            said.contains("the last reload was taken back") && said.contains(folder)
        });
    };
    for folder in ["one", "one", "two"] {
        taken_back(&bad(folder), folder);
        update(&daemon);
    }
    good.clone().set("guard.max_entries", 400).write(&scratch);
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_after(mark, "reloaded, helper ", PATIENCE);
    daemon.wait_until_ready();
    wait_until("nothing is wrong with the file", || {
        !daemon.ctl(&["status"]).stdout.contains("taken back")
    });
    let is_of_now = || daemon.ctl(&["update"]).stdout.contains("more than 400 (see max_entries");
    assert!(is_of_now(), "{}", daemon.output());
    for folder in ["one", "two"] {
        taken_back(&bad(folder), folder);
        assert!(is_of_now(), "{}", daemon.output());
    }
    let mark = daemon.mark();
    kill(daemon.engine().unwrap(), Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "engine restarted, helper ", PATIENCE);
    daemon.wait_until_ready();
    assert!(is_of_now(), "{}", daemon.output());
    assert!(daemon.stop().success());
}
