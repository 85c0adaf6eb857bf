//! What the cases about the packet log share: a policy that blocks a network, a log server, and the
//! question whether everything has arrived.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::items;
use tests::process::{Looks, PATIENCE};
use tests::sim::logservice::Upload;
use tests::sim::pflog::PacketLog;
use tests::sim::{Layout, LogService, PolicyService, SUFFIX, Zone};

/// In the block list.
pub const BAD: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 7);
/// In no list.
pub const OTHER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

/// A policy service with the network of `BAD` in its block list.
pub fn policy() -> PolicyService {
    let mut zone = Zone::new(SUFFIX);
    let list = items("198.51.100.0/24 64.87.3.133");
    zone.set_list("basic.threatstop.local", &list, Layout::Single);
    zone.set_list("dns.threatstop.local", &items("192.0.2.53"), Layout::Single);
    PolicyService::start(zone)
}

/// A configuration that follows the packet log and uploads it.
pub fn config(scratch: &Scratch, policy: &PolicyService, service: &LogService) -> Config {
    let ca = scratch.path().join("ca.pem");
    std::fs::write(&ca, service.ca()).unwrap();
    Config::new(scratch, &[policy.addr()])
        .set("log.enabled", true)
        .set("log.url", service.url())
        .set("https.ca_file", ca.to_str().unwrap())
        .set("log.timestamp", "epoch")
}

/// Starts the daemon and waits for its first policy.
pub fn start(scratch: &Scratch, config: &Config) -> Daemon {
    let daemon = Daemon::spawn(scratch, config, |command| {
        command.arg("-v");
    });
    daemon.wait_until_ready();
    // what is ours is known from the first policy on
    let updated = daemon.ctl(&["update"]);
    assert!(updated.status.success(), "{updated:?}");
    daemon
}

/// `upload` that has to be confirmed.
pub fn upload(daemon: &Daemon) {
    let uploaded = daemon.ctl(&["upload"]);
    assert_eq!(
        (uploaded.stdout.as_str(), uploaded.status.success()),
        ("Log file uploaded successfully for tdid_abcd1234\n", true),
        "{}{}",
        uploaded.stderr,
        daemon.output()
    );
}

/// Lines by slice; the same slice may have come twice, and is then the same.
pub fn slices(uploads: &[Upload]) -> BTreeMap<String, Vec<String>> {
    let mut slices = BTreeMap::new();
    for upload in uploads {
        let lines: Vec<String> = upload.text().lines().map(str::to_owned).collect();
        if let Some(before) = slices.insert(upload.id().to_owned(), lines.clone()) {
            assert_eq!(before, lines, "one id, two texts");
        }
    }
    slices
}

/// Each record of the log that is ours is in exactly one slice, as tcpdump prints it.
#[track_caller]
pub fn assert_delivered(log: &PacketLog, uploads: &[Upload]) {
    let mut seen = BTreeSet::new();
    for (id, lines) in slices(uploads) {
        for line in lines {
            assert!(seen.insert(line.clone()), "{line} is in slice {id} and in another");
        }
    }
    let ours = log.written().iter().filter(|packet| packet.source == BAD);
    let expected: BTreeSet<String> = ours.map(|packet| packet.line()).collect();
    let missing: Vec<_> = expected.difference(&seen).take(3).collect();
    let foreign: Vec<_> = seen.difference(&expected).take(3).collect();
    assert!(missing.is_empty() && foreign.is_empty(), "missing {missing:?}, foreign {foreign:?}");
}

/// The JSON of `status`.
pub fn status(daemon: &Daemon) -> Value {
    let status = daemon.ctl(&["-j", "status"]);
    serde_json::from_str(&status.stdout).unwrap_or_else(|why| panic!("{why}: {status:?}"))
}

/// The JSON of `show hits`.
pub fn hits(daemon: &Daemon) -> Value {
    let shown = daemon.ctl(&["-j", "show", "hits"]);
    serde_json::from_str(&shown.stdout).unwrap_or_else(|why| panic!("{why}: {shown:?}"))
}

/// Waits until so many packets are counted.
#[track_caller]
pub fn wait_for(daemon: &Daemon, packets: u64) -> Value {
    let looks = Looks::within(PATIENCE);
    loop {
        let hits = hits(daemon);
        let counted = hits["in"].as_u64().unwrap() + hits["out"].as_u64().unwrap();
        if counted == packets {
            return hits;
        }
        assert!(counted < packets && looks.go_on(), "{packets}: {hits}");
    }
}
