//! The packet log on its way to the service: every record once, whatever happens to the log, to
//! the daemon and to the disk.

use std::thread::sleep;
use std::time::Duration;

use crate::logging::*;
use nix::sys::signal::{Signal, kill};
use serde_json::Value;
use tests::harness::{Daemon, Scratch};
use tests::process::{Looks, PATIENCE};
use tests::sim::pflog::PacketLog;
use tests::sim::{Behaviour, LogService};

/// How many lines have arrived.
fn lines(service: &LogService) -> usize {
    service.uploads().iter().map(|upload| upload.text().lines().count()).sum()
}

/// Uploads until so many lines have arrived.
#[track_caller]
fn upload_until(daemon: &Daemon, service: &LogService, count: usize) {
    let looks = Looks::within(PATIENCE);
    while lines(service) < count {
        daemon.ctl(&["upload"]);
        assert!(looks.go_on(), "{} lines: {}", lines(service), daemon.output());
    }
}

/// 1. Start with a log that has records, those of our table and others.
/// 2. Add more; rotate; let pflogd write to the renamed file a little later, then to the
///    new one; compress the old one.
/// 3. Upload in between and at the end: each record of ours came once, and none of the others.
/// 4. Stop, rotate twice, add to each file, start: what was written meanwhile comes too.
/// 5. The hits are counted, also over the restart.
#[test]
fn follows_a_log_through_rotations_and_a_restart() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    let config = config(&scratch, &policy, &service);
    let daemon = start(&scratch, &config);
    log.append(10, BAD);
    log.append(10, OTHER);
    upload(&daemon);
    assert_delivered(&log, &service.uploads());

    log.append(5, BAD);
    log.rotate();
    // by far sooner than the follower leaves a file that was renamed
    sleep(Duration::from_secs(1));
    log.append(5, BAD);
    log.compress();
    log.reopen();
    log.append(5, BAD);
    upload_until(&daemon, &service, 25);
    assert_delivered(&log, &service.uploads());
    assert!(daemon.stop().success());

    log.append(3, BAD);
    log.rotate();
    log.reopen();
    log.compress();
    log.append(3, BAD);
    log.rotate();
    log.reopen();
    log.append(3, BAD);
    let daemon = start(&scratch, &config);
    upload_until(&daemon, &service, 34);
    assert_delivered(&log, &service.uploads());

    let hits = daemon.ctl(&["-j", "show", "hits"]);
    let hits: Value = serde_json::from_str(&hits.stdout).unwrap();
    assert_eq!(hits["in"], 34);
    assert_eq!(hits["addresses"][0]["address"], BAD.to_string());
    assert_eq!(hits["addresses"][0]["lists"][0], "basic.threatstop.local");
    assert_eq!(hits["lists"][0]["list"], "basic.threatstop.local");
    assert_eq!(
        (&hits["ports"][0]["protocol"], &hits["ports"][0]["port"]),
        (&"tcp".into(), &22.into())
    );
    assert_eq!(
        status(&daemon)["pf"]["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|w| w.as_str().unwrap().contains("packet log"))
            .count(),
        0
    );
}

/// 1. Rotate to FILE.0 and to a name that is none of FILE.n; each time add to the renamed file first,
///    then to the new one, as pflogd(8) does, and upload once, at once.
/// 2. Check that this one upload has all of it, each record once, and that no gap is counted: none
///    was missed, whatever the file is called.
#[test]
fn an_upload_right_after_a_rotation_has_all_of_it() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    let daemon = start(&scratch, &config(&scratch, &policy, &service));
    log.append(10, BAD);
    upload(&daemon);
    for suffix in ["", ".20261128", ".old", ""] {
        match suffix {
            "" => log.rotate(),
            _ => log.rotate_to(suffix),
        }
        log.append(3, BAD);
        log.reopen();
        log.append(4, BAD);
        upload(&daemon);
        assert_delivered(&log, &service.uploads());
    }
    assert_eq!(status(&daemon)["upload"]["gaps"], 0, "{}", daemon.output());
}

/// A log that is copied and truncated, then truncated without a copy: the first loses nothing,
/// the second is told.
#[test]
fn follows_a_log_that_is_truncated() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    let daemon = start(&scratch, &config(&scratch, &policy, &service));
    log.append(10, BAD);
    upload(&daemon);
    log.append(7, BAD);
    log.copy_and_truncate();
    upload(&daemon);
    assert_delivered(&log, &service.uploads());
    log.append(4, BAD);
    let looks = Looks::within(PATIENCE);
    while daemon.ctl(&["upload"]).stdout == "Nothing to upload\n" {
        assert!(looks.go_on(), "{}", daemon.output());
    }
    assert_delivered(&log, &service.uploads());

    let mark = daemon.mark();
    log.truncate();
    log.append(2, BAD);
    daemon.wait_for_after(mark, "the packet log was truncated", PATIENCE);
    upload(&daemon);
    assert_delivered(&log, &service.uploads());
}

/// 1. Put a copy in the place of the log, once with more records and once without, and add to it: all of
///    them come.
/// 2. Put a copy with more records there, and rotate and compress it at once; and another one while the
///    daemon is stopped: they come too, each record once, and no gap or damage is counted.
/// 3. Put a copy of the first two records there: that is told and none comes again. Rotate: what is new comes,
///    and the warning ends.
#[test]
fn follows_a_log_that_a_copy_takes_the_place_of() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    let config = config(&scratch, &policy, &service);
    let daemon = start(&scratch, &config);
    log.append(10, BAD);
    upload(&daemon);
    for more in [5, 0] {
        log.copy();
        log.append(more, BAD);
        log.replace_by_copy();
        // which is as long as what was read
        sleep(Duration::from_secs(2));
        log.append(7, BAD);
        upload_until(&daemon, &service, log.written().len());
        assert_delivered(&log, &service.uploads());
    }
    log.copy();
    log.append(3, BAD);
    log.replace_by_copy();
    log.rotate();
    log.compress();
    log.reopen();
    log.append(2, BAD);
    upload_until(&daemon, &service, log.written().len());
    assert_delivered(&log, &service.uploads());
    assert!(daemon.stop().success());
    log.copy();
    log.append(4, BAD);
    log.replace_by_copy();
    let daemon = start(&scratch, &config);
    upload_until(&daemon, &service, log.written().len());
    assert_delivered(&log, &service.uploads());
    let counted = status(&daemon)["upload"].clone();
    assert_eq!((&counted["gaps"], &counted["damaged"]), (&0.into(), &0.into()));

    let short =
        "pflog: shorter than what was read of it; read on from there, or after the next rotation";
    let warned = || status(&daemon)["pf"]["warnings"].to_string().contains(short);
    log.copy();
    let two = tests::sim::pflog::file_header().len() + 2 * log.written()[0].record().len();
    log.cut(two as u64);
    log.replace_by_copy();
    let looks = Looks::within(PATIENCE);
    while !warned() {
        assert!(looks.go_on(), "{}", daemon.output());
    }
    assert_eq!(daemon.ctl(&["upload"]).stdout, "Nothing to upload\n");
    log.rotate();
    log.reopen();
    log.append(3, BAD);
    while warned() {
        assert!(looks.go_on(), "{}", daemon.output());
    }
    upload_until(&daemon, &service, log.written().len());
    assert_delivered(&log, &service.uploads());
    assert_eq!(status(&daemon)["upload"]["gaps"], 1);
}

/// 1. Damage the log in its middle: what stands before is sent; the damage is told once, with file
///    and offset, counted, and shown in status.
/// 2. Kill the engine: it is not counted again.
/// 3. Rotate: the follower goes on, the warning ends, the counter stays.
/// 4. Rotate a file whose last record is cut: counted too.
#[test]
fn a_damaged_log_is_told_and_left_at_the_next_rotation() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    let daemon = start(&scratch, &config(&scratch, &policy, &service));
    log.append(10, BAD);
    let offset = std::fs::metadata(scratch.path().join("pflog")).unwrap().len();
    log.append_octets(&[0xff; 500]);
    let told = format!("pflog: bogus savefile header: the record at octet {offset} claims");
    daemon.wait_for(&told, PATIENCE);
    upload(&daemon);
    assert_delivered(&log, &service.uploads());
    let damage = |daemon: &Daemon| {
        let status = status(daemon);
        let warned = status["pf"]["warnings"].to_string().contains(&told);
        (warned, status["upload"]["damaged"].as_u64().unwrap(), status["upload"]["gaps"].clone())
    };
    assert_eq!(damage(&daemon), (true, 1, 0.into()));
    let shown = daemon.ctl(&["status"]).stdout;
    assert!(shown.contains("  dropped  damaged files\n"), "{shown}");
    let mark = daemon.mark();
    kill(daemon.engine().unwrap(), Signal::SIGKILL).unwrap();
    daemon.wait_until_ready();
    let wait = |what: &str, so: &dyn Fn() -> bool| {
        let looks = Looks::within(PATIENCE);
        while !so() {
            assert!(looks.go_on(), "{what}: {}", daemon.output());
        }
    };
    wait("the warning is back", &|| damage(&daemon).0);
    assert_eq!(damage(&daemon), (true, 1, 0.into()));
    sleep(Duration::from_secs(2));
    let since: String = daemon.output().lines().skip(mark).collect();
    assert!(!since.contains(&told), "told again: {since}");

    log.rotate();
    log.reopen();
    log.append(5, BAD);
    wait("the next file is read", &|| !damage(&daemon).0);
    upload(&daemon);
    assert_delivered(&log, &service.uploads());
    let record = log.written()[0].record();
    log.append_octets(&record[..record.len() - 7]);
    log.rotate();
    log.reopen();
    log.append(5, BAD);
    wait("the cut record is counted", &|| damage(&daemon).1 == 2);
    upload(&daemon);
    assert_delivered(&log, &service.uploads());
    assert!(daemon.output().contains("pflog.0: truncated dump file"), "{}", daemon.output());
    let metrics = daemon.ctl(&["metrics"]).stdout;
    assert!(metrics.contains("\nthreatstop_log_damaged_files 2\n"), "{metrics}");
}

/// 1. Stop; let the log rotate until all generations are there, some compressed and some not, and
///    start: all of it comes, the oldest first.
/// 2. Stop once more, and rotate so often that the file that was read is gone: what is there comes,
///    and the gap is told and counted.
#[test]
fn all_generations_are_read_after_a_long_stop() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    let config = config(&scratch, &policy, &service);
    let daemon = start(&scratch, &config);
    log.append(3, BAD);
    upload(&daemon);
    assert!(daemon.stop().success());
    let rotate = |log: &mut PacketLog, times: u32| {
        for round in 0..times {
            log.append(2, BAD);
            log.rotate();
            log.reopen();
            if round % 3 != 0 {
                log.compress();
            }
        }
        log.append(1, BAD);
    };
    rotate(&mut log, 10);
    let daemon = start(&scratch, &config);
    upload_until(&daemon, &service, 24);
    assert_delivered(&log, &service.uploads());
    let sent: Vec<String> = slices(&service.uploads()).into_values().flatten().collect();
    assert!(sent.is_sorted(), "the oldest first: {sent:?}");
    assert_eq!(status(&daemon)["upload"]["gaps"], 0);
    assert!(daemon.stop().success());

    rotate(&mut log, 12);
    let daemon = start(&scratch, &config);
    // ten generations of two records, and the newest one
    upload_until(&daemon, &service, 24 + 21);
    daemon.wait_for("or rotated away before it was read", PATIENCE);
    assert_eq!(lines(&service), 24 + 21);
    assert_eq!(status(&daemon)["upload"]["gaps"], 1);
    let newest = log.written().last().unwrap().line();
    assert!(service.uploads().iter().any(|upload| upload.text().contains(&newest)));
}

/// 1. Start with a link in the place of the log: it is not followed, and that is told.
/// 2. Put the log itself there, still empty: the warning ends.
/// 3. Add records: they come.
#[test]
fn a_link_in_the_place_of_the_log_is_not_followed() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let (path, elsewhere) = (scratch.path().join("pflog"), scratch.path().join("elsewhere"));
    let mut log = PacketLog::create(&elsewhere);
    log.append(3, BAD);
    std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
    let daemon = start(&scratch, &config(&scratch, &policy, &service));
    let link = format!("packet log: {}: Too many symbolic links encountered", path.display());
    let warned = || status(&daemon)["pf"]["warnings"].to_string().contains(&link);
    let looks = Looks::within(PATIENCE);
    while !warned() {
        assert!(looks.go_on(), "{}", daemon.output());
    }
    assert_eq!(daemon.ctl(&["upload"]).stdout, "Nothing to upload\n");
    std::fs::remove_file(&path).unwrap();
    let mut log = PacketLog::create(&path);
    while warned() {
        assert!(looks.go_on(), "{}", daemon.output());
    }
    log.append(4, BAD);
    upload(&daemon);
    assert_delivered(&log, &service.uploads());
}

/// Kill the engine with SIGKILL again and again while the log grows and slices are sent: each
/// record is in one slice, and what came twice has the same id.
#[test]
fn nothing_is_lost_when_the_engine_is_killed() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    let daemon = start(&scratch, &config(&scratch, &policy, &service));
    for round in 0..4_u64 {
        log.append(2000, BAD);
        // The engine reads, cuts, sends and removes meanwhile; the moment of its end differs.
        let socket = scratch.socket();
        let sender = std::thread::spawn(move || tests::harness::ctl(&socket, &["upload"]));
        sleep(Duration::from_millis(5 + 45 * round));
        let engine = daemon.engine().expect("an engine");
        kill(engine, Signal::SIGKILL).unwrap();
        let _ = sender.join();
        daemon.wait_until_ready();
    }
    log.append(10, BAD);
    upload(&daemon);
    assert_delivered(&log, &service.uploads());
    assert_eq!(status(&daemon)["spool"]["slices"], 0);
}

/// A service that is down for long: the spool keeps what it may, drops the oldest, says so, and
/// sends the rest later.
#[test]
fn a_full_spool_drops_the_oldest() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    let config = config(&scratch, &policy, &service).set("log.spool_size", "1M");
    let daemon = start(&scratch, &config);
    service.set(Behaviour::Say(503, "", "busy"));
    log.append(20_000, BAD);
    daemon.wait_for("the spool is full: dropped slice", PATIENCE);
    let failed = daemon.ctl(&["upload"]);
    assert_eq!(failed.stderr, "threatstopctl: upload: HTTP status 503: busy\n");
    let spool = status(&daemon)["spool"].clone();
    let dropped = spool["dropped"].as_u64().unwrap();
    assert!(dropped > 0 && spool["octets"].as_u64().unwrap() <= 1 << 20, "{spool}");
    assert!(spool["slices"].as_u64().unwrap() >= 3, "{spool}");

    service.set(Behaviour::Confirm);
    upload(&daemon);
    let confirmed = service.uploads().split_off(1);
    let delivered: Vec<String> = slices(&confirmed).into_values().flatten().collect();
    let all: Vec<String> = log.written().iter().map(|packet| packet.line()).collect();
    assert!(all.ends_with(&delivered), "not the latest, or not in order");
    assert!(delivered.len() > 4000 && delivered.len() < all.len(), "{}", delivered.len());
    let spool = status(&daemon)["spool"].clone();
    assert_eq!((&spool["slices"], spool["dropped"].as_u64()), (&0.into(), Some(dropped)));
}

/// With `scope = "all"` everything is sent, but only what is ours is a hit; with an anchor its
/// rules are ours.
#[test]
fn the_scope_may_be_all() {
    let (scratch, policy, service) = (Scratch::new(), policy(), LogService::start());
    let mut log = PacketLog::create(scratch.path().join("pflog"));
    let config = config(&scratch, &policy, &service).set("log.scope", "all");
    let daemon = start(&scratch, &config);
    log.append(3, BAD);
    log.append(4, OTHER);
    upload(&daemon);
    let lines: Vec<String> = slices(&service.uploads()).into_values().flatten().collect();
    let all: Vec<String> = log.written().iter().map(|packet| packet.line()).collect();
    assert_eq!(lines, all);
    let hits = daemon.ctl(&["-j", "show", "hits"]);
    assert!(hits.stdout.contains(r#""in":3,"#), "{}", hits.stdout);
}
