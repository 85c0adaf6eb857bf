//! The policy from real DNS servers: NSD, and PowerDNS with its bind backend.

use std::net::SocketAddr;

use tests::harness::{Config, Daemon, Scratch};
use tests::item::table_text;
use tests::lists::{Sample, allow_list, basic_list, big_list};
use tests::servers::{Nsd, PowerDns};
use tests::sim::{Layout, SUFFIX, Shape, Zone};

const BLOCK: &str = "ThreatSTOP-Block";
const ALLOW: &str = "ThreatSTOP-Allow";
const BASIC: &str = "basic.threatstop.local";
/// A second block list.
const SCAN: &str = "scanners.threatstop.local";
const DNS: &str = "dns.threatstop.local";
/// NSD reads no more into one record.
const PER_RECORD: usize = 64;

/// A zone whose block list is spread over several names of less than 64 KiB each.
fn zone(list: &Sample, layout: Layout) -> Zone {
    let mut zone = Zone::new(SUFFIX);
    zone.set_list(BASIC, &list.items, Shape::from(layout).per_record(PER_RECORD));
    zone.set_list(DNS, &allow_list(), Layout::Single);
    zone
}

/// A zone whose block list does not fit into one answer and stands at one name all the same.
fn oversized() -> Zone {
    let mut zone = Zone::new(SUFFIX);
    let shape = Shape::from(Layout::Single).per_record(PER_RECORD);
    zone.set_list(BASIC, &big_list(20_000).items, shape);
    zone.set_list(DNS, &allow_list(), Layout::Single);
    zone
}

/// Updates from a server and compares files and tables with the list.
fn check(server: SocketAddr, list: &Sample) {
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[server]));
    let output = daemon.ctl(&["update"]);
    assert!(output.status.success(), "{}{}{}", output.stdout, output.stderr, daemon.output());
    let (block, allow) = (Some(table_text(&list.table)), Some(table_text(&allow_list())));
    assert!(daemon.table_file(BLOCK) == block, "another table file");
    assert!(daemon.kernel_table(BLOCK) == block, "another table");
    assert!(daemon.table_file(ALLOW) == allow, "another allow file");
    let output = daemon.ctl(&["test"]);
    assert!(output.status.success(), "{}", output.stdout);
    assert!(output.stdout.contains(&format!("DNS Server {server} is ready.")), "{}", output.stdout);
    assert!(daemon.stop().success());
}

/// Updates from a server whose list is whole, then from one whose list does not fit.
/// The old set must stay, and the message must name server and list.
fn check_oversized(whole: SocketAddr, broken: SocketAddr, list: &Sample) {
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[whole]));
    assert!(daemon.ctl(&["update"]).status.success(), "{}", daemon.output());
    assert!(daemon.stop().success());
    let config = Config::new(&scratch, &[broken]).set("policy.timeout", "10s");
    let daemon = Daemon::start(&scratch, &config);
    let output = daemon.ctl(&["update"]);
    assert_eq!(output.status.code(), Some(1), "{}", output.stdout);
    assert!(output.stderr.contains("too large for one answer"), "{}", output.stderr);
    assert!(output.stderr.contains(&broken.to_string()), "{}", output.stderr);
    assert!(daemon.table_file(BLOCK) == Some(table_text(&list.table)), "another table file");
    assert!(daemon.kernel_table(BLOCK) == Some(table_text(&list.table)), "another table");
    assert!(daemon.stop().success());
}

/// Start NSD with a block list over several names, named by PTR at the list's name.
/// Update, and compare files and tables with the list. Run the test of the control tool.
#[test]
fn a_list_from_nsd() {
    let list = basic_list(26_424);
    let Some(server) = Nsd::start(&zone(&list, Layout::Index)) else { return };
    check(server.addr(), &list);
}

/// The same with PowerDNS, and with PTR as continuation of the first part.
#[test]
fn a_list_from_powerdns() {
    let list = basic_list(26_424);
    let Some(server) = PowerDns::start(&zone(&list, Layout::Continuation)) else { return };
    check(server.addr(), &list);
}

/// Update from NSD. Then let NSD have a list that does not fit into one answer: it sends TC and
/// an empty answer over TCP. The update must fail, and nothing may change.
#[test]
fn an_answer_that_nsd_truncates_is_an_error() {
    let list = basic_list(1000);
    let Some(whole) = Nsd::start(&zone(&list, Layout::Index)) else { return };
    let Some(broken) = Nsd::start(&oversized()) else { return };
    check_oversized(whole.addr(), broken.addr(), &list);
}

/// The same with PowerDNS. That of Debian 12 closes the connection where earlier ones sent TC and
/// an empty answer; either is an error.
#[test]
fn an_answer_that_powerdns_does_not_send_is_an_error() {
    let list = basic_list(1000);
    let Some(whole) = PowerDns::start(&zone(&list, Layout::Index)) else { return };
    let Some(broken) = PowerDns::start(&oversized()) else { return };
    check_oversized(whole.addr(), broken.addr(), &list);
}

/// Update from a server that is not there and NSD after it. The list is NSD's.
/// A zone with two block lists of so many entries.
fn two_lists(basic: usize, scanners: usize) -> Zone {
    let mut zone = zone(&basic_list(basic), Layout::Index);
    let shape = Shape::from(Layout::Index).per_record(PER_RECORD);
    zone.set_list(SCAN, &big_list(scanners).items, shape);
    zone
}

/// Updates from a server with two lists and from a file. Then makes a mistake in the file and goes to
/// a server on which one list has shrunk to `left` entries and the other has grown. Checks that the one list and
/// the file stay, each with its reason, and that the other list is published.
fn check_sources(whole: SocketAddr, shrunk: SocketAddr, left: usize) {
    let scratch = Scratch::new();
    let file = scratch.path().join("mine");
    std::fs::write(&file, "198.51.100.0/24\n").unwrap();
    let config = |server| {
        Config::new(&scratch, &[server])
            .set("policy.block", vec![BASIC, SCAN])
            .set("policy.local_block", file.to_str().unwrap())
    };
    let daemon = Daemon::start(&scratch, &config(whole));
    let output = daemon.ctl(&["update"]);
    assert!(output.status.success(), "{}{}{}", output.stdout, output.stderr, daemon.output());
    let has = |entries| {
        let named = [basic_list(entries), big_list(4000)].map(|list| list.table);
        let mine = tests::item::items("198.51.100.0/24");
        let lists = named.into_iter().flatten().chain(mine);
        let mut lines: Vec<String> = lists.map(|item| item.to_string()).collect();
        lines.sort_unstable();
        let text = daemon.table_file(BLOCK).unwrap();
        let mut found: Vec<&str> = text.lines().collect();
        found.sort_unstable();
        assert!(found == lines, "{} entries and not {}", found.len(), lines.len());
    };
    has(1000);

    std::fs::write(&file, "198.51.100.0/24\n198.51.100.300\n").unwrap();
    config(shrunk).write(&scratch);
    assert!(daemon.ctl(&["reload"]).status.success());
    daemon.wait_until_ready();
    let output = daemon.ctl(&["update"]);
    assert_eq!(output.status.code(), Some(1), "{}", output.stdout);
    let held = format!("Keeping the previous list {SCAN}: 4000 -> {left} entries, more than 50 %");
    assert!(output.stdout.contains(&held), "{}", output.stdout);
    let mistake = format!("Failed: local_block: {}:2: ", file.display());
    assert!(output.stdout.contains(&mistake), "{}", output.stdout);
    has(1100);
    assert!(daemon.stop().success());
}

/// Update from NSD with a table of its own for one of two lists. Then go to an NSD on which that list is
/// another and the other is not.
/// Check that each table has its list, and that the one alone changes.
#[test]
fn tables_of_their_own_from_nsd() {
    let Some(one) = Nsd::start(&two_lists(1000, 4000)) else { return };
    let Some(other) = Nsd::start(&two_lists(1000, 4100)) else { return };
    let scratch = Scratch::new();
    let named = [("name", "Inbound".into()), ("lists", vec![SCAN.to_owned()].into())];
    let config = |server| {
        let config = Config::new(&scratch, &[server]).set("policy.block", vec![BASIC, SCAN]);
        config.add("table", &[&named[..], &[("direction", "in".into())]].concat())
    };
    let daemon = Daemon::start(&scratch, &config(one.addr()));
    let has = |scanners: usize| {
        let output = daemon.ctl(&["update"]);
        assert!(output.status.success(), "{}{}{}", output.stdout, output.stderr, daemon.output());
        for (name, list) in [(BLOCK, basic_list(1000)), ("Inbound", big_list(scanners))] {
            let text = Some(table_text(&list.table));
            assert!(daemon.table_file(name) == text, "another file of {name}");
            assert!(daemon.kernel_table(name) == text, "another table {name}");
        }
    };
    has(4000);
    config(other.addr()).write(&scratch);
    assert!(daemon.ctl(&["reload"]).status.success());
    daemon.wait_until_ready();
    has(4100);
    let why = daemon.ctl(&["why", &big_list(4100).table[0].addr.to_string()]).stdout;
    assert!(why.contains("Inbound") && why.contains(SCAN), "{why}");
    assert!(daemon.stop().success());
}

/// Two lists, of which one becomes empty, beside a file with a mistake: from NSD.
#[test]
fn a_list_that_became_empty_on_nsd_holds_up_no_other() {
    let Some(whole) = Nsd::start(&two_lists(1000, 4000)) else { return };
    let Some(emptied) = Nsd::start(&two_lists(1100, 0)) else { return };
    check_sources(whole.addr(), emptied.addr(), 0);
}

/// The same with PowerDNS, which answers SERVFAIL in place of an APL without items: some are left.
#[test]
fn a_list_that_shrank_on_powerdns_holds_up_no_other() {
    let Some(whole) = PowerDns::start(&two_lists(1000, 4000)) else { return };
    let Some(shrunk) = PowerDns::start(&two_lists(1100, 40)) else { return };
    check_sources(whole.addr(), shrunk.addr(), 40);
}
