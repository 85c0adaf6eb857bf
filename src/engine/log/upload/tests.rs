use super::*;
use crate::events::subject::{SPOOL, UPLOAD};
use crate::log::spool::tests::out_of_reach;
use crate::log::tests::{open, read};

/// Random numbers that give the shortest wait, the middle and the longest.
const RANDOM: [u32; 3] = [0, u32::MAX / 2, u32::MAX];

#[test]
fn waits_double_up_to_an_hour() {
    let failure = Failure { why: String::new(), slow: false, wait: None };
    let minutes = |random| {
        (1..9).map(|n| after(n, &failure, random).as_secs_f64() / 60.0).collect::<Vec<_>>()
    };
    for (part, random) in [0.9, 1.0, 1.1].into_iter().zip(RANDOM) {
        let expected = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0].map(|n| n * part);
        for (wait, expected) in minutes(random).into_iter().zip(expected) {
            assert!((wait - expected).abs() < 0.01, "{wait} for {expected}");
        }
    }
    let slow = Failure { slow: true, ..failure.clone() };
    assert!(after(1, &slow, 0) >= LONGEST.mul_f64(0.9));
    assert!(after(u32::MAX, &failure, u32::MAX) <= LONGEST.mul_f64(1.1));
}

#[test]
fn nobody_comes_before_the_time_that_the_server_asked_for() {
    for asked in [7, 30 * 60, 59 * 60, 90 * 60].map(Duration::from_secs) {
        let failure = |slow| Failure { why: String::new(), slow, wait: Some(asked) };
        for random in RANDOM {
            for wait in [after(1, &failure(false), random), after(9, &failure(true), random)] {
                assert!(wait >= asked, "{wait:?} for {asked:?}");
            }
        }
        assert!(after(1, &failure(false), 0) <= asked.max(FIRST));
    }
}

/// Fails when each slice that is confirmed between two that are refused says that the upload is well again,
/// or one that had nothing to send.
#[test]
fn an_upload_is_well_when_all_of_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.events.say(&Event::UploadFailing { text: "refused".into(), grave: false });
    assert!(log.note(true, "confirmed".into()));
    log.all_is_well(false);
    assert!(log.events.is_open(UPLOAD));
    log.all_is_well(true);
    assert!(!log.events.is_open(UPLOAD));
}

/// Fails when an upload that was confirmed says that the spool is written again, which it could not write.
#[tokio::test]
async fn a_spool_is_well_when_all_of_an_upload_could_be_written() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.spool_failed("no room");
    log.all_is_well(true);
    assert!(log.events.is_open(SPOOL));
    // there is no follower to wait for
    log.ended.set(1);
    log.send().await.unwrap();
    log.all_is_well(true);
    assert!(!log.events.is_open(SPOOL));
}

/// Fails when nobody hears any more of a slice that cannot be read because the server is away, before it was
/// tried; or hears of one that could be read, or is gone.
#[tokio::test]
async fn a_slice_that_was_not_tried_is_told_of_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let mut ids = Vec::new();
    for text in ["one\n", "two\n"] {
        read(&log, text, 100);
        log.cut().unwrap();
        ids.push(log.progress.borrow().spool.newest().unwrap().head.id.clone());
    }
    let unread = || log.progress.borrow().unread().cloned();
    let all = ids.iter().map(|id| (id.clone(), format!("{id}: Permission denied")));
    log.progress.borrow_mut().unread = all.collect();
    // without certificates there is no server, and no follower to wait for
    log.ended.set(1);
    assert!(tokio::task::LocalSet::new().run_until(log.send()).await.is_err());
    assert_eq!(unread(), Some(format!("{}: Permission denied", ids[1])));
    log.progress.borrow_mut().spool.remove(&ids[1]).unwrap();
    assert_eq!(unread(), None);
}

/// Fails when a slice that cannot be opened for a while is dropped, or counted as dropped.
#[test]
fn a_slice_that_cannot_be_read_for_now_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    read(&log, "one\n", 100);
    log.cut().unwrap();
    let stored = log.next(&BTreeSet::new()).unwrap();
    let back = out_of_reach(dir.path(), &stored.head.id);
    let why = log.read(&stored).unwrap_err();
    assert!(why.contains("symbolic link"), "{why}");
    let dropped = || log.progress.borrow().journal.dropped;
    assert_eq!((log.next(&BTreeSet::new()).as_ref(), dropped()), (Some(&stored), 0));
    back();
    assert_eq!(log.read(&stored).unwrap().unwrap().text, b"one\n");
    // gone is not the same
    log.progress.borrow_mut().spool.remove(&stored.head.id).unwrap();
    assert_eq!((log.read(&stored), dropped()), (Ok(None), 1));
}

/// Fails when an upload is never well, and waits for longer each time, as long as one slice cannot be read; or
/// when who asks for one is not told.
#[tokio::test]
async fn a_slice_that_cannot_be_read_is_no_fault_of_the_server() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    read(&log, "one\n", 100);
    log.cut().unwrap();
    let id = log.progress.borrow().spool.newest().unwrap().head.id.clone();
    let _ = out_of_reach(dir.path(), &id);
    // there is no follower to wait for
    log.ended.set(1);
    assert_eq!(log.send().await.unwrap().left, 1);
    log.ended.set(2);
    let why = log.send_now().await.unwrap_err();
    assert!(why.contains("symbolic link"), "{why}");
    assert!(log.asked_failed.take().is_none() && log.events.is_open(SPOOL));
    let warnings = log.figures().warnings;
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(warning.text, format!("spool: {why}"));
}
