//! `cargo demo`: the real programs against a simulated ThreatSTOP service, in a scratch directory.
//!
//! Nothing outside that directory is touched and nothing but 127.0.0.1 is talked to. The pf tables
//! are simulated ones, which obey the kernel's rules. Run as root, the engine becomes nobody.

// A demo that cannot go on has nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod stage;

use std::process::ExitCode;
use std::time::Duration;

use stage::Stage;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::{Item, items};
use tests::lists::{allow_list, basic_list};
use tests::sim::{Layout, PolicyService, Zone};

const BLOCK: &str = "basic.threatstop.local";
const ALLOW: &str = "dns.threatstop.local";
/// As many as the service's own documentation shows.
const ENTRIES: usize = 26_424;

fn main() -> ExitCode {
    let stage = Stage::new();
    stage.build();

    stage.scene("The daemon starts: its device is not yet known to the service");
    let list = basic_list(ENTRIES);
    let service = PolicyService::start(Zone::new("threatstop.local"));
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config);
    stage.say(format_args!("$ threatstopd -d -f {}", scratch.config().display()));
    let line = daemon.wait_for("waiting for provisioning", Duration::from_secs(20));
    stage.say(line.text);

    stage.scene("The service has the lists now: the first update");
    service.edit(|zone| {
        zone.set_list(BLOCK, &list.items, Layout::Index);
        zone.set_list(ALLOW, &allow_list(), Layout::Single);
    });
    stage.say(format_args!(
        "{} items over several names on {}, over TCP;",
        list.items.len(),
        service.addr()
    ));
    stage.say("IPv6 and negated ones among them, and some that must never be blocked.");
    stage.ctl(&daemon, &["update"], 0);
    stage.files(&scratch);
    stage.ctl(&daemon, &["status"], 0);

    stage.scene("Why is an address blocked, or not?");
    stage.ctl(&daemon, &["why", "64.87.3.133"], 0);
    stage.ctl(&daemon, &["why", "10.1.2.3"], 1);
    stage.ctl(&daemon, &["why", "192.124.129.42"], 1);

    stage.scene("The policy changes a little: a second update publishes the difference");
    service.set_list(BLOCK, &changed(&list.items), Layout::Continuation);
    stage.ctl(&daemon, &["update", "-n"], 0);
    stage.ctl(&daemon, &["update"], 0);
    stage.ctl(&daemon, &["show", "diff"], 0);

    stage.scene("A server in trouble offers 12 entries: the update is refused, the tables stay");
    let few: Vec<Item> =
        list.items.iter().copied().filter(|item| item.len == 32).take(12).collect();
    service.set_list(BLOCK, &few, Layout::Single);
    stage.ctl(&daemon, &["update"], 1);
    stage.ctl(&daemon, &["status"], 0);

    stage.scene("The administrator rolls back, and then forward again");
    service.set_list(BLOCK, &list.items, Layout::Index);
    stage.ctl(&daemon, &["rollback"], 0);
    stage.ctl(&daemon, &["update"], 0);

    stage.scene("The test of servers, lists and tables");
    stage.ctl(&daemon, &["test"], 0);

    stage.scene("The end: the tables stay as they are");
    let stopped = daemon.stop();
    stage.say(format_args!("threatstopd: {stopped}"));
    stage.files(&scratch);
    stage.end()
}

/// The list an hour later: two prefixes more, two less.
fn changed(list: &[Item]) -> Vec<Item> {
    let gone: Vec<Item> =
        list.iter().copied().filter(|item| item.len == 24 && !item.negated).take(2).collect();
    let mut next: Vec<Item> = list.iter().copied().filter(|item| !gone.contains(item)).collect();
    next.extend(items("203.0.113.7/32 2001:db8:77::/48"));
    next
}
