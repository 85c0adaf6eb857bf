//! Policy servers that get everything wrong: the old set stays, whole, and somebody is told.

use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use crate::common::*;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::{Item, items, table_text};
use tests::sim::{
    ConnectionFault, Data, Fault, HostileService, Layout, MessageFault, Plan, PolicyService, Shape,
    rcode, traps,
};

/// The time for one answer here: a server that never answers is left after twice that, once with
/// many questions in flight and once with one.
const TIMEOUT: &str = "2s";

/// A daemon with a list of 300 in force, whose server now has one of 400 that nobody must see.
struct Stage {
    service: HostileService,
    scratch: Scratch,
    daemon: Daemon,
    old: String,
}

impl Stage {
    fn new() -> Self {
        let (old, text) = list(300);
        let service = HostileService::start(zone(&old), Plan::honest());
        let scratch = Scratch::new();
        let config = Config::new(&scratch, &[service.addr()]).set("policy.timeout", TIMEOUT);
        let daemon = Daemon::start(&scratch, &config);
        update(&daemon);
        assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
        service.edit(|z| *z = zone(&list(400).0));
        Self { service, scratch, daemon, old: text }
    }

    fn inode(&self) -> u64 {
        let path = self.scratch.tables().join(format!("{BLOCK}.pftable"));
        path.metadata().unwrap().ino()
    }

    /// Runs an update, which must fail with the server and these words, and change nothing.
    #[track_caller]
    fn stays(&self, what: &str, words: &str) -> Duration {
        let (inode, started) = (self.inode(), Instant::now());
        let why = refused(&self.daemon, &["update"]);
        let took = started.elapsed();
        assert!(why.contains(&format!("server {}: ", self.service.addr())), "{what}: {why}");
        assert!(why.contains(words), "{what}: {why}");
        assert_eq!(table(&self.daemon, BLOCK).as_deref(), Some(self.old.as_str()), "{what}");
        assert_eq!(self.inode(), inode, "{what}: the file was written");
        took
    }

    /// Once the server is healed, its list comes.
    #[track_caller]
    fn heals(self) {
        self.service.set_plan(Plan::honest());
        self.service.edit(|z| *z = zone(&list(400).0));
        let output = self.daemon.ctl(&["update", "-f"]);
        assert!(output.status.success(), "{}", output.stderr);
        assert_eq!(table(&self.daemon, BLOCK), Some(list(400).1));
        assert!(self.daemon.stop().success());
    }
}

/// Publish a list. Let the server spoil every answer in one way after the other, and update each
/// time.
/// Check that the update fails, names the server, what is wrong, and the list where it is known,
/// that file and kernel are as before, and that a healed server is believed again.
#[test]
fn a_spoilt_answer_changes_nothing() {
    let stage = Stage::new();
    for (fault, words) in [
        (MessageFault::WrongId, "answer to a question that was not asked"),
        (MessageFault::WrongQuestion, "answer to another question"),
        (MessageFault::WrongType, "answer to another question"),
        (MessageFault::WrongClass, "answer to another question"),
        (MessageFault::WrongOwner, "local: APL: malformed answer: it has records of another name"),
        (MessageFault::NotAResponse, "malformed answer: it is a query"),
        (MessageFault::Opcode(4), "malformed answer: wrong opcode"),
        (MessageFault::Rcode(rcode::FORMERR), "the server says FORMERR"),
        (MessageFault::Rcode(rcode::SERVFAIL), "list dns.threatstop.local: PTR: the server says"),
        (MessageFault::Rcode(rcode::NXDOMAIN), "list dns.threatstop.local: not found (NXDOMAIN)"),
        (MessageFault::Rcode(rcode::NOTIMP), "the server says NOTIMP"),
        (MessageFault::Rcode(rcode::REFUSED), "the server says REFUSED (device not yet"),
        (MessageFault::HeaderOnly(rcode::FORMERR), "the server says FORMERR"),
        (MessageFault::Truncated, "list dns.threatstop.local: PTR: list too large for one answer"),
        (MessageFault::Short(0), "no answer in time (policy.timeout)"),
        (MessageFault::Short(11), "malformed answer: it ends too early"),
        (MessageFault::Short(40), "malformed answer: it ends too early"),
        (MessageFault::Trailing(1), "malformed answer: octets after the last record"),
        (MessageFault::Count(0), "local: APL: malformed answer"),
        (MessageFault::Count(u16::MAX), "malformed answer: it ends too early"),
        (MessageFault::PointerLoop, "malformed answer: bad name"),
        (MessageFault::TinyRecords, "malformed answer: it has records of another name"),
    ] {
        stage.service.set_plan(Plan::message(fault));
        stage.stays(&format!("{fault:?}"), words);
    }
    stage.heals();
}

/// The same with connections that are reset, closed, silent, endless, or as slow as an octet each
/// half second.
/// Check that besides every update ends, by far sooner than such a server would let it.
#[test]
fn a_spoilt_connection_changes_nothing_and_does_not_last() {
    let stage = Stage::new();
    for (fault, words) in [
        (ConnectionFault::NeverAccept, "no answer in time"),
        (ConnectionFault::Silent, "no answer in time"),
        (ConnectionFault::CloseAfter(0), "connection closed before the last answer"),
        (ConnectionFault::ResetAfter(0), "connection lost"),
        (ConnectionFault::HalfAfter(0), "connection lost"),
        (ConnectionFault::Drip(Duration::from_millis(500)), "no answer in time"),
        (ConnectionFault::Endless, "answer to a question that was not asked"),
        (ConnectionFault::LengthZero, "no answer in time"),
        (ConnectionFault::LengthLie, "no answer in time"),
    ] {
        stage.service.set_plan(Plan::connection(fault));
        let took = stage.stays(&format!("{fault:?}"), words);
        assert!(took < Duration::from_secs(60), "{fault:?}: {took:?}");
    }
    stage.heals();
}

/// Publish a list. Let the list have APL data that no client may take: cut items, addresses longer
/// than their family's, prefix lengths beyond it. A sound item stands before each.
/// Check that nothing of it is published and that the list is named.
#[test]
fn broken_apl_data_changes_nothing() {
    let stage = Stage::new();
    for (what, rdata) in traps::broken_apl() {
        stage.service.edit(|z| {
            *z = zone(&[]);
            z.remove(BASIC).remove(&format!("1.{BASIC}")).add(BASIC, Data::Apl(rdata));
        });
        stage.stays(what, "list basic.threatstop.local: APL: malformed");
    }
    stage.heals();
}

/// Publish a list. Let one of the ten names of the list fail, be cut off, or be gone, and each time
/// the others be sound.
/// Check that it is all or nothing: no part of the new list is in the table.
#[test]
fn half_of_the_names_are_nothing() {
    let stage = Stage::new();
    let (new, _) = list(400);
    for fault in [
        Fault::Rcode(rcode::SERVFAIL),
        Fault::Rcode(rcode::REFUSED),
        Fault::Rcode(rcode::NXDOMAIN),
        Fault::Truncated,
    ] {
        for name in [1, 6, 10] {
            stage.service.edit(|z| {
                z.set_list(BASIC, &new, Shape::from(Layout::Index).names(10));
                z.set_fault(&format!("{name}.{BASIC}"), fault);
            });
            let words = format!("list {BASIC}");
            stage.stays(&format!("{fault:?} at {name}"), &words);
        }
    }
    // a name that the index has and nobody knows
    stage.service.edit(|z| {
        z.set_list(BASIC, &new, Shape::from(Layout::Index).names(10));
        z.remove(&format!("7.{BASIC}"));
    });
    stage.stays("a name is missing", "list basic.threatstop.local");
    stage.heals();
}

/// Publish a list. Let the server answer nothing for its list but "there are no such records", then
/// point it to itself, then to 1,400 names.
/// Check that the first is no empty list, and that the others end.
#[test]
fn a_list_of_nothing_is_no_list() {
    let stage = Stage::new();
    stage.service.edit(|z| {
        *z = zone(&[]);
        z.remove(BASIC).remove(&format!("1.{BASIC}")).add(BASIC, Data::Cname("gone".into()));
    });
    stage.stays("an alias to nothing", "list basic.threatstop.local");
    stage.service.edit(|z| {
        *z = zone(&[]);
        z.remove(BASIC).remove(&format!("1.{BASIC}"));
        traps::ptr_many(z, BASIC, 1400);
    });
    stage.stays("1,400 names", "list basic.threatstop.local");
    stage.heals();
}

/// Publish a list. Let the new one have one address 100,000 times, and three others.
/// Check that the table has each once.
#[test]
fn repetitions_are_only_slow() {
    let stage = Stage::new();
    let mut many: Vec<Item> = vec![items("5.5.5.5")[0]; 100_000];
    many.extend(items("6.6.6.6 7.7.7.7 8.8.8.9"));
    stage.service.edit(|z| *z = zone(&many));
    let output = stage.daemon.ctl(&["update", "-f"]);
    assert!(output.status.success(), "{}", output.stderr);
    let expected = table_text(&items("5.5.5.5 6.6.6.6 7.7.7.7 8.8.8.9"));
    assert_eq!(table(&stage.daemon, BLOCK), Some(expected));
    stage.heals();
}

/// Configure a hostile server before an honest one, which has another list. Update under one fault
/// after the other.
/// Check that the run says which server failed and how, that it takes all lists from the second,
/// and nothing from the first.
#[test]
fn the_next_server_is_used() {
    let first = HostileService::start(zone(&list(700).0), Plan::honest());
    let (second, _) = honest(300);
    let scratch = Scratch::new();
    let servers = [first.addr(), second.addr()];
    let config = Config::new(&scratch, &servers).set("policy.timeout", TIMEOUT);
    first.set_plan(Plan::connection(ConnectionFault::CloseAfter(0)));
    let daemon = Daemon::start(&scratch, &config);
    let mut prefixes = 300;
    for plan in [
        Plan::message(MessageFault::WrongId),
        Plan::message(MessageFault::Rcode(rcode::SERVFAIL)),
        Plan::message(MessageFault::Truncated),
        Plan::message(MessageFault::PointerLoop),
        Plan::connection(ConnectionFault::Silent),
        Plan::connection(ConnectionFault::ResetAfter(0)),
        Plan::connection(ConnectionFault::LengthLie),
        // all is well until the last list
        Plan::honest().at(&format!("1.{BASIC}"), MessageFault::Rcode(rcode::REFUSED)),
    ] {
        first.set_plan(plan.clone());
        prefixes += 10;
        second.edit(|z| *z = zone(&list(prefixes).0));
        let output = update(&daemon);
        let failed = format!("Failed: server {}: ", first.addr());
        assert!(output.stdout.contains(&failed), "{plan:?}: {}", output.stdout);
        let used = format!("Using DNS Server {}\n", second.addr());
        assert!(output.stdout.contains(&used), "{plan:?}: {}", output.stdout);
        assert_eq!(table(&daemon, BLOCK), Some(list(prefixes).1), "{plan:?}");
    }
    // and the first again when it is healed, with its own list
    first.set_plan(Plan::honest());
    let output = update(&daemon);
    assert!(output.stdout.contains(&format!("Using DNS Server {}\n", first.addr())));
    assert_eq!(table(&daemon, BLOCK), Some(list(700).1));
    // nobody listens there
    let gone = first.addr();
    first.stop();
    second.edit(|z| *z = zone(&list(690).0));
    assert!(update(&daemon).stdout.contains(&format!("Failed: server {gone}: connect: ")));
    assert_eq!(table(&daemon, BLOCK), Some(list(690).1));
    let status = daemon.ctl(&["status"]).stdout;
    assert!(status.contains(&gone.to_string()), "{status}");
    assert!(daemon.stop().success());
}

/// Configure three servers, all hostile. Update.
/// Check that every attempt is in the error.
#[test]
fn when_all_servers_fail_all_are_named() {
    let (old, text) = list(300);
    let faults = [MessageFault::WrongId, MessageFault::Truncated, MessageFault::PointerLoop];
    let services = faults.map(|_| HostileService::start(zone(&old), Plan::honest()));
    let scratch = Scratch::new();
    let servers = services.each_ref().map(HostileService::addr);
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &servers));
    update(&daemon);
    for (service, fault) in services.iter().zip(faults) {
        service.set_plan(Plan::message(fault));
    }
    let why = refused(&daemon, &["update"]);
    for addr in servers {
        assert!(why.contains(&format!("server {addr}: ")), "{why}");
    }
    assert_eq!(table(&daemon, BLOCK), Some(text));
    assert!(daemon.stop().success());
}

/// Start a new installation with a server that closes every connection, then with one that nobody
/// listens at.
/// Check that the daemon stays, that no table file comes to be, and that the way out is said.
#[test]
fn a_first_start_without_a_server_writes_nothing() {
    let (old, _) = list(300);
    let plan = Plan::connection(ConnectionFault::CloseAfter(0));
    let service = HostileService::start(zone(&old), plan);
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    let why = refused(&daemon, &["update"]);
    assert!(why.contains("connection closed before the last answer"), "{why}");
    assert_eq!((table(&daemon, BLOCK), table(&daemon, ALLOW)), (None, None));
    let addr = service.addr();
    service.stop();
    let why = refused(&daemon, &["update"]);
    assert!(why.contains(&format!("server {addr}: connect: ")), "{why}");
    let way_out = format!("(TCP port {} must be open to the server: ", addr.port());
    assert!(why.contains(&way_out), "{why}");
    let status = daemon.ctl(&["status"]).stdout;
    assert!(status.starts_with("warning: no policy yet, nothing is blocked: server "), "{status}");
    assert!(status.contains("\nupdate  failing  "), "{status}");
    let names = scratch.tables().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.filter(|name| !name.to_string_lossy().ends_with("lock")).collect();
    assert!(names.is_empty(), "{names:?}");
    assert!(daemon.stop().success());
}

/// Let the server be silent, with a minute for an answer. Update; while that hangs, ask for the
/// status, and then stop.
/// Check that the status comes at once and that the daemon ends within five seconds.
#[test]
fn a_run_that_hangs_holds_up_nobody() {
    let (old, text) = list(300);
    let service = HostileService::start(zone(&old), Plan::honest());
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    service.set_plan(Plan::connection(ConnectionFault::Silent));
    let connections = service.queries().connections();
    let socket = scratch.socket();
    let update = std::thread::spawn(move || tests::harness::ctl(&socket, &["update"]));
    wait_until("the run begins", || service.queries().connections() > connections);
    let started = Instant::now();
    let status = daemon.ctl(&["status"]);
    assert!(status.stdout.contains("\nupdate  running  "), "{}", status.stdout);
    assert!(daemon.ctl(&["why", "5.5.5.5"]).stdout.contains("is not blocked"));
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert_eq!(table(&daemon, BLOCK), Some(text));
    assert!(daemon.stop().success());
    let cut_off = update.join().unwrap();
    assert_eq!(cut_off.status.code(), Some(1), "{}", cut_off.stdout);
    assert!(cut_off.stderr.starts_with("threatstopctl: update: "), "{}", cut_off.stderr);
}

/// Start with a service that works, stop it for good, start the daemon anew.
/// Check that the policy of before is in force without any server.
#[test]
fn a_restart_without_a_server_keeps_the_policy() {
    let (service, text): (PolicyService, _) = honest(300);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    assert!(daemon.stop().success());
    drop(service);
    let daemon = Daemon::start(&scratch, &config);
    let first = text.lines().next().unwrap().split('/').next().unwrap();
    assert!(daemon.ctl(&["why", first]).status.success());
    assert_eq!(table(&daemon, BLOCK), Some(text));
    assert!(daemon.stop().success());
}
