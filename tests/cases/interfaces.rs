//! Interfaces that get another network while the service runs, as DHCP and PPPoE bring them.

use std::process::Command;

use crate::common::*;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::items;
use tests::process::run;
use tests::servers::{require_program, say_skipped};
use tests::sim::PolicyService;

/// Set where the case runs with interfaces of its own.
const ALONE: &str = "THREATSTOPD_TEST_ALONE";

/// Whether this process has interfaces of its own. If not, runs this case in one that has, and says
/// so when it cannot.
fn alone(case: &str) -> bool {
    if std::env::var_os(ALONE).is_some() {
        assert!(ip("link set lo up"));
        return true;
    }
    if !is_root("interfaces of the test's own") {
        return false;
    }
    let (Some(unshare), Some(ip)) = (require_program("unshare"), require_program("ip")) else {
        return false;
    };
    let tried = run(Command::new(&unshare).arg("-n").arg(ip).arg("link"), PATIENCE);
    if !tried.status.success() {
        say_skipped(&format!("needs a namespace: {}", tried.stderr.trim_end()));
        return false;
    }
    let program = std::env::current_exe().unwrap();
    let mut again = Command::new(unshare);
    again.arg("-n").arg(program).args(["--exact", case, "--nocapture"]).env(ALONE, "1");
    let done = run(&mut again, PATIENCE);
    assert!(done.status.success(), "{}{}", done.stdout, done.stderr);
    false
}

fn ip(arguments: &str) -> bool {
    let program = require_program("ip").unwrap();
    run(Command::new(program).args(arguments.split(' ')), PATIENCE).status.success()
}

/// Publish a list with hosts of two networks, then give an interface the one of them. Run an update.
/// Check that it publishes nothing and says why, that helper and engine begin anew and let the
/// network through, that a dry run does nothing of the kind, and that the next update goes on. Take
/// the network away: check that the list blocks it again.
#[test]
fn what_an_interface_gets_is_protected_before_anything_is_published() {
    if !alone("interfaces::what_an_interface_gets_is_protected_before_anything_is_published") {
        return;
    }
    let service = PolicyService::start(zone(&items("5.5.5.5 198.51.100.7 203.0.113.7")));
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    let all = "5.5.5.5\n198.51.100.7\n203.0.113.7\n";
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(all));

    assert!(ip("address add 198.51.100.1/24 dev lo"));
    service.edit(|z| *z = zone(&items("5.5.5.5 6.6.6.6 198.51.100.7 203.0.113.7")));
    let engine = daemon.engine();
    // what would be published is composed without the network already
    let tried = daemon.ctl(&["update", "-n"]);
    assert!(tried.stdout.contains("-198.51.100.7\n"), "{}{}", tried.stdout, tried.stderr);
    assert_eq!(daemon.engine(), engine);
    let why = refused(&daemon, &["update"]);
    let words = "the interfaces have changed (lo has 198.51.100.0/24 now)";
    assert!(why.contains(words), "{why}");
    let with = "5.5.5.5\n6.6.6.6\n203.0.113.7\n";
    wait_until("the network is let through and the list published", || {
        daemon.table_file(BLOCK).as_deref() == Some(with)
    });
    daemon.wait_until_ready();
    assert_ne!(daemon.engine(), engine);
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(with));
    let why = daemon.ctl(&["why", "198.51.100.7"]).stdout;
    assert!(why.contains("protected by 198.51.100.0/24 (network of interface lo)"), "{why}");

    assert!(ip("address del 198.51.100.1/24 dev lo"));
    let why = refused(&daemon, &["update"]);
    assert!(why.contains("the interfaces have changed (198.51.100.0/24 is gone)"), "{why}");
    wait_until("the list blocks it again", || {
        daemon.table_file(BLOCK).is_some_and(|text| text.contains("\n198.51.100.7\n"))
    });
    assert!(daemon.stop().success());
}
