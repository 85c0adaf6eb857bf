//! What a crash leaves, at each step between the text in memory and the cursor on disk.

use std::fs;
use std::path::Path;

use super::figures::FAILING;
use super::spool::Slice;
use super::*;

/// A log whose spool and events are in a directory.
pub fn open(directory: &Path) -> Log {
    let text = format!(
        "device_id = \"tdid_abcd1234\"\n[log]\nspool = \"{}\"\nspool_size = \"1M\"\n",
        directory.display()
    );
    let config = Config::parse(&text, Path::new("test")).unwrap();
    let config: &Config = Box::leak(Box::new(config));
    let tables = Box::leak(Box::new(crate::tables::Tables::new(config)));
    let events = Box::leak(Box::new(Events::load(directory)));
    let days = Box::leak(Box::new(Days::load(directory.to_owned(), tables, events)));
    Log::open(config, &Err("no file".into()), days, events).unwrap()
}

/// Some text, as the follower leaves it when it has read up to an offset.
pub fn read(log: &Log, text: &str, offset: u64) {
    let mut progress = log.progress.borrow_mut();
    progress.position.enter([7; 24].into(), offset);
    progress.pending.text.extend_from_slice(text.as_bytes());
    progress.pending.records += 1;
    let (first, _) = progress.pending.times.unwrap_or((1000, 1000));
    progress.pending.times = Some((first, 1000 + offset as u32));
}

/// The id that the pending text will have as a slice.
fn pending_id(log: &Log) -> String {
    let progress = log.progress.borrow();
    let (pending, position) = (&progress.pending, progress.position.clone());
    let (times, text) = (pending.times.unwrap(), pending.text.clone());
    Slice::new(progress.journal.next, times, pending.records, text, position).head.id
}

/// Where the follower goes on, the texts in the spool, and the next sequence number.
fn state(log: &Log) -> (Option<u64>, Vec<String>, u64) {
    let progress = log.progress.borrow();
    let text = |stored| String::from_utf8(progress.spool.read(stored).unwrap().text).unwrap();
    let offset = progress.position.cursor.map(|cursor| cursor.offset);
    (offset, progress.spool.slices().map(text).collect(), progress.journal.next)
}

#[test]
fn text_in_memory_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    read(&log, "one\n", 100);
    log.cut().unwrap();
    read(&log, "two\n", 200);
    assert_eq!(state(&open(dir.path())), (Some(100), vec!["one\n".into()], 1));
}

/// A log with two slices, and its journal as it was with the first of them alone.
fn two_slices(directory: &Path) -> (Log, Vec<u8>) {
    let log = open(directory);
    read(&log, "one\n", 100);
    log.cut().unwrap();
    let before = fs::read(directory.join(journal::FILE)).unwrap();
    read(&log, "two\n", 200);
    log.cut().unwrap();
    (log, before)
}

#[test]
fn a_crash_between_slice_and_journal_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join(journal::FILE);
    let (log, before) = two_slices(dir.path());
    let both = (Some(200), vec!["one\n".into(), "two\n".into()], 2);
    assert_eq!(state(&log), both);
    // the second slice is there, the journal is the one before it
    fs::write(&journal, before).unwrap();
    assert_eq!(state(&open(dir.path())), both);
    // no journal at all, or one that is damaged
    fs::remove_file(&journal).unwrap();
    assert_eq!(state(&open(dir.path())), both);
    fs::write(&journal, "{").unwrap();
    assert_eq!(state(&open(dir.path())), both);
}

/// Fails when what fell out of a full spool is told of and counted only if what it made room for could be
/// written, or what was too old only if all of that could be removed.
#[test]
fn what_falls_out_counts_whatever_fails_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let kept = |of: &Log| of.progress.borrow().spool.slices().len();
    for offset in 1..=4 {
        read(&log, &"x".repeat(250_000), offset);
        log.cut().unwrap();
    }
    assert_eq!(kept(&log), 4);
    read(&log, &"y".repeat(250_000), 5);
    let id = pending_id(&log);
    let obstacle = dir.path().join(format!(".slice.{id}.tmp"));
    fs::create_dir(&obstacle).unwrap();
    assert!(log.cut().unwrap_err().contains(&id));
    let dropped = |of: &Log| (of.figures().spool.dropped, of.figures().spool.slices);
    assert_eq!(dropped(&log), (1, 3));
    assert!(log.progress.borrow().crowded_out.any());
    fs::remove_dir(&obstacle).unwrap();
    // the second of those left cannot be removed
    let second = log.progress.borrow().spool.slices().nth(1).unwrap().head.id.clone();
    let file = dir.path().join(format!("slice.{second}"));
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    let mut progress = log.progress.borrow_mut();
    let age = Duration::from_secs(35 * 24 * 60 * 60);
    let now = 1_800_000_000;
    let mut expire = |now| progress.expire(dir.path(), log.events, now, age);
    assert_eq!(expire(now), Ok(()), "a clock that has not gone on for a day");
    assert!(expire(now + 24 * 60 * 60).unwrap_err().contains(&second));
    drop(progress);
    assert_eq!(dropped(&log), (2, 2));
    fs::remove_dir(&file).unwrap();
    assert_eq!(open(dir.path()).figures().spool.dropped, 2);
}

/// Fails when the position behind the newest slice is taken from one that cannot be read, or its number is
/// given to another one.
#[test]
fn a_newest_slice_that_cannot_be_opened_moves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let journal = dir.path().join(journal::FILE);
    let (log, before) = two_slices(dir.path());
    let newest = log.progress.borrow().spool.newest().unwrap().head.id.clone();
    fs::write(&journal, before).unwrap();
    let back = spool::tests::out_of_reach(dir.path(), &newest);
    let log = open(dir.path());
    back();
    assert_eq!(state(&log), (Some(100), vec!["one\n".into(), "two\n".into()], 2));
}

#[test]
fn what_cannot_be_written_stays_pending() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    read(&log, "one\n", 100);
    let id = pending_id(&log);
    // in the way of the temporary file, as a full disk would be
    let obstacle = dir.path().join(format!(".slice.{id}.tmp"));
    fs::create_dir(&obstacle).unwrap();
    assert!(log.cut().unwrap_err().contains(&id));
    assert_eq!(log.progress.borrow().pending.text, b"one\n");
    let warnings = log.figures().warnings;
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(warning.text.starts_with("spool: ") && warning.text.contains(&id), "{warning}");
    assert_eq!(warning.way_out, "what was read is kept once that is mended");
    read(&log, "two\n", 200);
    fs::remove_dir(&obstacle).unwrap();
    log.cut().unwrap();
    assert_eq!(log.figures().warnings, []);
    assert_eq!(state(&open(dir.path())), (Some(200), vec!["one\ntwo\n".into()], 1));
}

/// Fails when a disk that is full gets a slice each time that there is more to read, for hours; or when a slice
/// that could be written by an upload meanwhile does not let the follower go on at once.
#[test]
fn what_cannot_be_written_is_not_tried_at_each_look() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let room = || log.progress.borrow_mut().make_room(dir.path(), log.events);
    read(&log, &"x".repeat(262_144), 1);
    let id = pending_id(&log);
    let obstacle = dir.path().join(format!(".slice.{id}.tmp"));
    fs::create_dir(&obstacle).unwrap();
    (0..9).for_each(|_| assert!(log.cut().unwrap_err().contains(&id)));
    fs::remove_dir(&obstacle).unwrap();
    for _ in 0..3 {
        assert!(room().unwrap_err().contains(&id));
        assert_eq!(log.figures().spool.slices, 0);
    }
    log.cut().unwrap();
    read(&log, &"y".repeat(262_144), 2);
    assert_eq!((room(), log.figures().spool.slices), (Ok(()), 2));
}

#[test]
fn a_journal_that_cannot_be_written_loses_and_repeats_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    read(&log, "one\n", 100);
    let obstacle = dir.path().join(format!(".{}.tmp", journal::FILE));
    fs::create_dir(&obstacle).unwrap();
    assert!(log.cut().unwrap_err().contains(journal::FILE));
    assert_eq!(log.progress.borrow().pending.text, b"one\n");
    assert_eq!(state(&open(dir.path())), (None, Vec::new(), 0));
    fs::remove_dir(&obstacle).unwrap();
    log.cut().unwrap();
    assert_eq!(state(&open(dir.path())), (Some(100), vec!["one\n".into()], 1));
}

#[test]
fn a_position_without_text_is_kept_too() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    log.progress.borrow_mut().position.enter([7; 24].into(), 4711);
    log.cut().unwrap();
    assert_eq!(state(&open(dir.path())), (Some(4711), Vec::new(), 0));
}

/// Fails when uploads that fail for a day are not told of, or those of an hour are.
#[test]
fn uploads_that_fail_for_a_day_are_told_of() {
    const NOW: u64 = 1_800_000_000;
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    let warned = |failing: Option<u64>, ok: bool| {
        let mut progress = log.progress.borrow_mut();
        let text = "connect: Connection refused".into();
        progress.journal.last = Some(control::Attempt { at: NOW, ok, text });
        progress.journal.failing = failing;
        progress.warnings(NOW)
    };
    assert_eq!(warned(Some(NOW - 3600), false), []);
    assert_eq!(warned(None, true), []);
    // a clock that was set back
    assert_eq!(warned(Some(NOW + 3600), false), []);
    let told = warned(Some(NOW - 2 * FAILING), false);
    let [told] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!(told.text, "no log was uploaded for 2 days: connect: Connection refused");
}

/// Fails when nobody is told that the spool has no room left, or it is told of one that has room again but
/// for a slice that does not leave.
#[test]
fn a_full_spool_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    assert_eq!(log.figures().warnings, []);
    for time in 0.. {
        let limit = log.figures().spool.limit;
        if log.figures().spool.octets >= limit / 10 * 9 {
            break;
        }
        read(&log, &"x".repeat(30_000), time);
        log.cut().unwrap();
    }
    let warnings = log.figures().warnings;
    assert!(warnings.len() == 1 && warnings[0].text.starts_with("the spool is full"));
    while !log.progress.borrow().crowded_out.any() {
        read(&log, &"x".repeat(250_000), 1000);
        log.cut().unwrap();
    }
    assert!(log.figures().warnings[0].text.starts_with("the spool is full"));
    let mut progress = log.progress.borrow_mut();
    while progress.spool.slices().len() > 1 {
        let id = progress.spool.newest().unwrap().head.id.clone();
        progress.spool.remove(&id).unwrap();
    }
    assert_eq!(progress.warnings(1000), []);
}

/// Fails when a slice that the server refuses, beside others that it takes, is tried again for ever and
/// nobody is told; or is told of when it is gone.
#[test]
fn a_slice_that_is_refused_is_told_of() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    read(&log, "one\n", 100);
    log.cut().unwrap();
    let mut progress = log.progress.borrow_mut();
    let id = progress.spool.slices().next().unwrap().head.id.clone();
    for refused in ["no such slice", &id] {
        progress.refused.insert(refused.to_owned(), "HTTP status 400: no".to_owned());
    }
    let warnings = progress.warnings(1000);
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert_eq!(warning.text, format!("the log server refuses slice {id}: HTTP status 400: no"));
    progress.spool.remove(&id).unwrap();
    assert_eq!(progress.warnings(1000), []);
}

/// Fails when what is wrong with the packet log for days is told on the first one alone.
#[test]
fn what_is_wrong_with_the_packet_log_is_told_once_a_day() {
    let dir = tempfile::tempdir().unwrap();
    let before = clock::now() - 2 * 24 * 3600;
    let open_since = format!(
        r#"{{"next":1,"open":{{"packet log":{{"sentences":["packet log: no room"],"since":{before}}}}}}}"#
    );
    fs::write(dir.path().join("events.json"), open_since).unwrap();
    let log = open(dir.path());
    let mut progress = log.progress.borrow_mut();
    progress.trouble = "no room".into();
    (0..3).for_each(|_| progress.say(log.events, "no room".into()));
    assert_eq!(crate::state::bare::told(log.events, "packet log"), ["failed"]);
}

/// Fails when a disk that is full fills the log with each damage that is to be remembered.
#[test]
fn what_cannot_be_counted_of_the_packet_log_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let log = open(dir.path());
    fs::remove_dir_all(dir.path()).unwrap();
    (0..3).for_each(|_| log.progress.borrow_mut().count_damage(&log, "damaged"));
    assert_eq!(crate::state::bare::told(log.events, "spool"), ["failed"]);
}
