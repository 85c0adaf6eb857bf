//! The first update of a new installation.
//!
//! 1. Serve a block list of 26,424 table entries, with holes, repetitions and addresses that must
//!    never be blocked, and an allow list of three.
//! 2. Start the daemon on simulated pf tables and wait until it has published.
//! 3. Check that the table files and the kernel's tables hold exactly the expected prefixes.
//! 4. Update again: nothing changes, and nothing is written.
//! 5. Test servers and lists: nothing that is as it should be is told as "0 records".
//! 6. Stop by SIGTERM: the daemon ends within 5 seconds with status 0, the engine is gone, and the
//!    tables stay.

use std::time::Duration;

use tests::harness::{Config, Daemon, Scratch};
use tests::item::table_text;
use tests::lists::{allow_list, basic_list};
use tests::process::{PATIENCE, is_alive};
use tests::sim::{Layout, PolicyService, SUFFIX, Zone};

const BLOCK: &str = "ThreatSTOP-Block";
const ALLOW: &str = "ThreatSTOP-Allow";

#[test]
fn first_update() {
    let block = basic_list(26_424);
    let mut zone = Zone::new(SUFFIX);
    zone.set_list("basic.threatstop.local", &block.items, Layout::Index);
    zone.set_list("dns.threatstop.local", &allow_list(), Layout::Single);
    let service = PolicyService::start(zone);
    let scratch = Scratch::new();

    // Only with -v does the summary of an update that nobody asked for go to the log.
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::spawn(&scratch, &config, |command| {
        command.arg("-v");
    });
    daemon.wait_for("Finished ThreatSTOP update at", PATIENCE);
    daemon.wait_for("Adding 26424 blocked addresses", Duration::ZERO);
    daemon.wait_for("Adding 3 allowed addresses", Duration::ZERO);
    daemon.wait_for("Changed: +26424 -0 blocked, +3 -0 allowed", Duration::ZERO);

    let expected = (Some(table_text(&block.table)), Some(table_text(&allow_list())));
    assert!((daemon.table_file(BLOCK), daemon.table_file(ALLOW)) == expected, "other table files");
    assert!((daemon.kernel_table(BLOCK), daemon.kernel_table(ALLOW)) == expected, "other tables");

    let file = scratch.tables().join(format!("{BLOCK}.pftable"));
    let written = || file.metadata().unwrap().modified().unwrap();
    let before = written();
    let again = daemon.ctl(&["update"]);
    assert!(again.status.success(), "{again:?}");
    assert!(again.stdout.lines().any(|line| line == "No changes"), "{}", again.stdout);
    assert_eq!(written(), before);

    let test = daemon.ctl(&["test"]).stdout;
    for line in ["List basic.threatstop.local on ", "List dns.threatstop.local on "] {
        assert!(test.contains(line), "{test}");
    }
    assert!(!test.contains(" 0 "), "{test}");

    let engine = daemon.engine();
    assert!(engine.is_some() || !cfg!(target_os = "linux"), "no engine:\n{}", daemon.output());
    assert!(daemon.stop().success());
    assert!(engine.is_none_or(|pid| !is_alive(pid)), "the engine outlives the helper");
    assert!(std::fs::read_to_string(file).ok() == expected.0, "the table file does not stay");
}

/// The harness leaves nothing behind, also when a case fails in the middle.
#[test]
fn nothing_outlives_a_dropped_daemon() {
    let scratch = Scratch::new();
    let service = PolicyService::start(Zone::new(SUFFIX));
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    let processes: Vec<_> =
        daemon.descendants().into_iter().map(|(pid, _)| pid).chain([daemon.pid()]).collect();
    drop(daemon);
    let gone = || processes.iter().all(|pid| !is_alive(*pid));
    crate::common::wait_until("all are gone", gone);
}
