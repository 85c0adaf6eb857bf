//! `cargo demo`: the real programs against a simulated ThreatSTOP service, in a scratch directory.
//!
//! The pf tables are simulated ones, which obey the kernel's rules. Run as root, the engine becomes
//! nobody.
//!
//! What is left is a page beside the programs, the report of its last scene; and, where a file is named for
//! it, a picture of that by chromium: `cargo demo FILE.png`.
//!
//! ```text
//! month -> stage    a month of packets, and the report on it
//! stage             what the spectator sees: scenes, commands and what they print
//! ```
//!
//! * In: the real programs.
//! * Out: the scenes of a day, as text on the terminal; the page, and its picture.
//! * Never: touch anything outside its directory but these two, or talk to anybody but 127.0.0.1.

// A demo that cannot go on has nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod month;
mod stage;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use stage::{INDICATOR, Stage};
use tests::harness::{Config, Daemon, Scratch};
use tests::item::{Item, items};
use tests::lists::{allow_list, basic_list};
use tests::sim::pflog::PacketLog;
use tests::sim::{Behaviour, Layout, ListServer, LogService, Page, PolicyService, Zone};

const BLOCK: &str = "basic.threatstop.local";
const ALLOW: &str = "dns.threatstop.local";
/// As many as the service's own documentation shows.
const ENTRIES: usize = 26_424;
/// Packets of that address.
const PACKETS: u32 = 12;
/// Traffic that a real pflogd(8) captured.
const CAPTURE: &[u8] = include_bytes!("../../src/pflog/tests/data/captured.pcap");

fn main() -> ExitCode {
    let picture = std::env::args_os().nth(1).map(PathBuf::from);
    let stage = Stage::build();
    without_the_service(&stage);

    stage
        .scene("With a subscription the daemon starts: its device is not yet known to the service");
    let list = basic_list(ENTRIES);
    let service = PolicyService::start(Zone::new("threatstop.local"));
    let scratch = Scratch::new();
    let log_service = LogService::start();
    let mut log = PacketLog::create_of_now(scratch.path().join("pflog"));
    fs::write(scratch.path().join("pflog"), CAPTURE).expect("write the packet log");
    let ca_file = scratch.path().join("ca.pem");
    fs::write(&ca_file, log_service.ca()).expect("write the certificate");
    let config = Config::new(&scratch, &[service.addr()])
        .set("log.enabled", true)
        .set("log.url", log_service.url())
        .set("https.ca_file", ca_file.to_str().expect("a path in UTF-8"));
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
    service.set_list(BLOCK, &changed(&list.items), Layout::Index);
    stage.ctl(&daemon, &["rollback"], 0);
    stage.ctl(&daemon, &["update"], 0);

    stage.scene("pf logs packets of blocked addresses; the log is rotated meanwhile");
    stage.say(format_args!(
        "Packets that a real pflogd captured, none of them ours, and {PACKETS} from {INDICATOR}."
    ));
    log.append(PACKETS - 4, INDICATOR);
    stage.ctl(&daemon, &["upload", "-n"], 0);
    log.rotate();
    log.append(4, INDICATOR);
    log.compress();
    log.reopen();

    stage.scene("The log service is out of order: nothing is lost. Then it is back");
    log_service.set(Behaviour::Say(503, "Retry-After: 1\r\n", "not now"));
    stage.ctl(&daemon, &["upload"], 1);
    log_service.set(Behaviour::Confirm);
    thread::sleep(Duration::from_secs(2));
    stage.ctl(&daemon, &["upload"], 0);
    let uploads = log_service.uploads();
    stage.say("What the service has of it:");
    for line in uploads
        .iter()
        .flat_map(|upload| upload.text().lines().map(str::to_owned).collect::<Vec<_>>())
        .take(3)
    {
        stage.say(line);
    }
    stage.ctl(&daemon, &["show", "hits"], 0);
    stage.ctl(&daemon, &["report", "-d", "1"], 0);
    stage.ctl(&daemon, &["status"], 0);

    stage.scene("The test of servers, lists and tables");
    stage.ctl(&daemon, &["test"], 0);

    stage.scene("The end: the tables stay as they are");
    let stopped = daemon.stop();
    stage.say(format_args!("threatstopd: {stopped}"));
    stage.files(&scratch);

    month::month(&stage, picture.as_deref());
    stage.end()
}

/// The first of two ways to begin: a list from a web server, and no subscription.
fn without_the_service(stage: &Stage) {
    stage.scene("Without a subscription: a list from a web server, over HTTPS");
    let server = ListServer::start();
    server.serve("/drop.txt", "; a list\n14.23.94.0/23 ; one\n64.87.3.0/24 ; two\n");
    let scratch = Scratch::new();
    let ca_file = scratch.path().join("ca.pem");
    fs::write(&ca_file, server.ca()).expect("write the certificate");
    let config = Config::new(&scratch, &[])
        .unset("device_id")
        .unset("policy.servers")
        .set("policy.block", Vec::<String>::new())
        .set("policy.allow", Vec::<String>::new())
        .set("https.ca_file", ca_file.to_str().expect("a path in UTF-8"))
        .add("feed", &[("name", "drop".into()), ("url", server.url("/drop.txt").into())]);
    let daemon = Daemon::start(&scratch, &config);
    stage.ctl(&daemon, &["update"], 0);
    stage.ctl(&daemon, &["status"], 0);
    stage.ctl(&daemon, &["why", "64.87.3.133"], 0);
    stage.scene("The web server shows a page in place of the list: the copy stays");
    let page = "<!DOCTYPE html><title>Maintenance</title>".to_owned();
    server.set("/drop.txt", Page::Say(200, String::new(), page));
    stage.ctl(&daemon, &["update"], 1);
    stage.say(format_args!("threatstopd: {}", daemon.stop()));
}

/// The list an hour later: two prefixes more, two less.
fn changed(list: &[Item]) -> Vec<Item> {
    let gone: Vec<Item> =
        list.iter().copied().filter(|item| item.len == 24 && !item.negated).take(2).collect();
    let mut next: Vec<Item> = list.iter().copied().filter(|item| !gone.contains(item)).collect();
    next.extend(items("203.0.113.7/32 2001:db8:77::/48"));
    next
}
