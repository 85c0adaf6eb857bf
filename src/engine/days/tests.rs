use std::path::Path;

use config::Config;
use control::TableSize;
use imsg::TableId;
use pflog::{Direction, Fingerprint};
use prefix::Prefix;

use super::*;
use crate::hits::cursor::Print;

const DAY: u32 = 24 * 60 * 60;
/// Noon of a day, wherever the tests run.
fn noon() -> u32 {
    let noon = 20_000 * DAY + DAY / 2;
    noon.saturating_add_signed(-imsg::process::local_offset(noon.into()))
}

fn load(directory: &Path) -> Days {
    let text = "device_id = \"tdid_abcd1234\"\n";
    let config = Config::parse(text, Path::new("test")).unwrap();
    let days = Days::load(
        directory.to_owned(),
        Box::leak(Box::new(Tables::new(&config))),
        Box::leak(Box::new(Events::load(directory))),
    );
    days.look(noon().into());
    days
}

fn hit(at: u32) -> Hit<'static> {
    Hit {
        address: Some([198, 51, 100, 7].into()),
        host: Some([10, 0, 0, 23].into()),
        way: Direction::Out,
        tables: &[TableId::BLOCK],
        lists: &["basic"],
        direction: Direction::Out,
        protocol: Some(6),
        port: Some(443),
        at,
    }
}

/// The record at an offset.
fn record(seconds: u32, offset: u64) -> Record<'static> {
    Record { offset, end: offset + 100, seconds, micros: 0, len: 0, data: &[] }
}

fn place(file: u8, offset: u64) -> Option<Cursor> {
    Some(Cursor { file: Print(Fingerprint::from([file; 24])), offset })
}

fn count(days: &Days, at: u32, offset: u64) {
    days.count(&hit(at), &record(at, offset));
}

fn set(text: &str) -> PrefixSet {
    let nets: Vec<Prefix> = text.split(' ').map(|net| net.parse().unwrap()).collect();
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for net in nets {
        match net {
            Prefix::V4(net) => v4.push(net),
            Prefix::V6(net) => v6.push(net),
        }
    }
    PrefixSet::new(v4, v6).unwrap()
}

fn of(days: &Days, last: i64) -> u64 {
    days.inner.borrow().last(last).map(|day| day.hits.total()).sum()
}

#[test]
fn hits_are_of_their_days() {
    let dir = tempfile::tempdir().unwrap();
    let days = load(dir.path());
    for (age, times) in [(0, 1), (1, 2), (6, 4), (7, 8), (34, 16), (35, 32), (36, 64)] {
        (0..times).for_each(|_| count(&days, noon() - age * DAY, 0));
    }
    let sums = [1, 7, 35].map(|last| of(&days, last));
    assert_eq!(sums, [1, 7, 31]);
    let inner = days.inner.borrow();
    let today = inner.last(1).next().unwrap();
    assert_eq!(today.lists.count("basic").unwrap().total(), 1);
    assert_eq!(today.tables.count("block").unwrap().out, 1);
    assert_eq!(today.ports.count(&(6, 443)).unwrap().out, 1);
    assert_eq!(today.suspects.sorted()[0].0, std::net::IpAddr::from([10, 0, 0, 23]));
}

/// What a host has sent makes it suspect, and only then counts what came to it; who is only sent to by
/// strangers takes no place. The far end is that of the last packet.
#[test]
fn a_suspect_has_sent_first() {
    let dir = tempfile::tempdir().unwrap();
    let days = load(dir.path());
    let (host, far) = ([10, 0, 0, 23].into(), |n| Some([198, 51, 100, n].into()));
    let is = |direction, way, n| Hit { direction, way, address: far(n), ..hit(noon()) };
    for hit in [
        is(Direction::In, Direction::In, 1),
        // seen on the inner interface, on its way in
        is(Direction::In, Direction::Out, 2),
        is(Direction::Out, Direction::Out, 3),
        is(Direction::In, Direction::In, 4),
        Hit { host: Some([10, 0, 0, 80].into()), ..is(Direction::In, Direction::In, 5) },
    ] {
        days.count(&hit, &record(noon(), 0));
    }
    let inner = days.inner.borrow();
    let suspects = inner.last(1).next().unwrap().suspects.sorted();
    let count = crate::hits::busiest::Count { r#in: 1, out: 2, last: noon() };
    assert_eq!(suspects, [(host, count, far(4))]);
}

/// A table has its size before the first change of the day and after the last, and all that came and
/// went; one that does not change has its size. A day of a version that did not measure is read, with
/// what it knows.
#[test]
fn tables_have_their_sizes_and_changes() {
    let [one, two, three] = ["8.0.0.0/24", "8.0.0.0/24 9.0.0.1 2a00::/32", "9.0.0.1"].map(set);
    let mut day = Day::default();
    day.change("block", None, &one);
    day.change("block", Some(&one), &two);
    day.change("block", Some(&two), &three);
    day.see("block", &three);
    day.see("allow", &one);
    let text = day.text().unwrap();
    assert_eq!(serde_json::from_slice::<Day>(&text).unwrap(), day);
    let size = |entries, v4, v6| TableSize { entries, v4: Some(v4), v6: Some(v6) };
    let known = [&day.changes["block"], &day.changes["allow"]];
    assert_eq!(known.map(|known| known.before()), [None, Some(size(1, 256, 0))]);
    assert_eq!(known.map(|known| known.size), [size(1, 1, 0), size(1, 256, 0)]);
    assert_eq!(known.map(|known| (known.added, known.removed)), [(3, 2), (0, 0)]);

    let former = r#"{"number":1,"changes":{"block":{"entries":7,"added":3,"removed":1}}}"#;
    let day: Day = serde_json::from_str(former).unwrap();
    let of = |entries| TableSize { entries, v4: None, v6: None };
    assert_eq!(day.changes["block"].size, of(7));
    assert_eq!(day.changes["block"].before(), Some(of(5)));
}

/// A day on which something ran is one of nothing, and another one is one of which nothing is known.
#[test]
fn a_day_without_hits_is_not_one_without_data() {
    let dir = tempfile::tempdir().unwrap();
    let days = load(dir.path());
    let today =
        |days: &Days| days.shown(1, |seen| seen[0].day.is_some().then_some(seen[0].counted));
    assert_eq!(today(&days), None);
    days.begin(noon().into());
    assert_eq!(today(&days), Some(false), "the log is not followed");
    days.stand(place(1, 100));
    assert_eq!(today(&days), Some(true));
    days.save();
    assert_eq!(today(&load(dir.path())), Some(true), "it was");
    days.shown(35, |seen| {
        assert!(seen.len() == 35 && seen[34].number == 20_000);
        assert!(seen[..34].iter().all(|seen| seen.day.is_none() && !seen.counted));
    });
}

/// A crash after the days were kept and before the cursor was: what is read again is not counted again,
/// in the same file, in those before it, and where the file is gone. What is new is.
#[test]
fn what_is_read_again_is_not_counted_again() {
    let dir = tempfile::tempdir().unwrap();
    let days = load(dir.path());
    days.stand(place(1, 0));
    count(&days, noon(), 100);
    days.stand(place(2, 0));
    count(&days, noon() + 1, 100);
    count(&days, noon() + 1, 200);
    days.stand(place(2, 300));
    days.save();
    count(&days, noon() + 2, 300);
    assert_eq!(of(&days, 1), 4);

    let days = load(dir.path());
    assert_eq!(of(&days, 1), 3, "what was not kept is read again");
    days.stand(place(1, 0));
    count(&days, noon(), 100);
    days.stand(place(2, 0));
    count(&days, noon() + 1, 100);
    // a run ends meanwhile, of which there is something to keep
    days.stand(place(2, 150));
    days.inner.borrow_mut().dirty.insert(slot(clock::day(noon().into())));
    days.save();
    count(&days, noon() + 1, 200);
    assert_eq!(of(&days, 1), 3);
    count(&days, noon() + 2, 300);
    count(&days, noon() + 2, 400);
    assert_eq!(of(&days, 1), 5);

    let days = load(dir.path());
    days.stand(place(9, 0));
    count(&days, noon() + 1, 100);
    assert_eq!(of(&days, 1), 3);
    count(&days, noon() + 2, 200);
    assert_eq!(of(&days, 1), 4);
}

/// A restart while the clock is days behind, and one with the clock right: what was counted before is counted
/// in no other day, nor again in its own what was counted in between; what is new is, on its day.
#[test]
fn a_clock_that_is_behind_counts_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let start = |now: u32| {
        let days = load(dir.path());
        days.look(now.into());
        days.stand(place(1, 0));
        days
    };
    let read = |days: &Days, records: &[(u32, u64)], end| {
        records.iter().for_each(|(at, offset)| count(days, *at, *offset));
        days.stand(place(1, end));
        days.save();
    };
    let behind = noon() - 10 * DAY;
    let mut records = vec![(noon() - DAY, 100), (noon(), 200)];
    let days = start(noon());
    read(&days, &records, 300);
    assert_eq!([1, 2].map(|last| of(&days, last)), [1, 2]);

    // the last record before the stop, and one of the clock that is behind
    records.extend([(noon() + 1, 300), (behind, 400)]);
    let days = start(behind);
    read(&days, &records, 500);
    assert_eq!(of(&days, 1), 2);

    records.push((noon() + 9, 500));
    let days = start(noon());
    read(&days, &records, 600);
    assert_eq!([1, 2, 11].map(|last| of(&days, last)), [2, 3, 5]);
    let days = start(noon());
    read(&days, &records, 600);
    assert_eq!(of(&days, 35), 5);
}

/// A clock that was years ahead for a while, with records of that time: nothing of the days before is
/// lost but one, nothing stays of those that never were, and records of a time to come are of today.
#[test]
fn a_clock_that_leaps_takes_no_days_away() {
    let dir = tempfile::tempdir().unwrap();
    let days = load(dir.path());
    (0..35).for_each(|age| count(&days, noon() - age * DAY, 0));
    assert_eq!(of(&days, 35), 35);
    count(&days, noon() + 3 * DAY, 0);
    assert_eq!(of(&days, 1), 2, "of a time to come");
    let ahead = noon() + 5000 * DAY;
    days.look(ahead.into());
    count(&days, ahead, 0);
    assert_eq!(of(&days, 35), 1);
    days.look(noon().into());
    assert!(of(&days, 35) >= 35);
    // and when the day of its place comes, it begins with nothing
    let place = slot(clock::day(ahead.into()));
    let next = (1..=36).find(|later| slot(20_000 + later) == place).unwrap();
    days.look(u64::from(noon()) + 86_400 * next as u64);
    count(&days, noon() + DAY * next as u32, 0);
    assert_eq!(of(&days, 1), 1);
    // a clock before all of them
    days.look(0);
    count(&days, 0, 0);
    assert_eq!(of(&days, 35), 1);
}

/// A month of strangers who choose everything they can, and of lists with the longest names: a
/// mebibyte on disk, of which the busiest are read back.
#[test]
fn a_month_has_a_mebibyte() {
    let dir = tempfile::tempdir().unwrap();
    let days = load(dir.path());
    let names: Vec<String> = (0..200).map(|n| format!("{n:03}{}", "x".repeat(250))).collect();
    for age in 0..36_u32 {
        for round in 0..2000_u32 {
            let list = names[round as usize % 200].as_str();
            let host = std::net::Ipv6Addr::from(u128::from(round).wrapping_mul(7 << 90)).into();
            let port = Some(round as u16);
            let (lists, protocol) = (&["busy", list][..], Some(round as u8));
            let at = noon() - age * DAY;
            let hit = Hit { host: Some(host), port, lists, protocol, ..hit(at) };
            days.count(&hit, &record(at, 0));
        }
        names.iter().for_each(|name| days.note_list(name));
    }
    days.save();
    let sizes = std::fs::read_dir(dir.path()).unwrap();
    let sizes: Vec<u64> = sizes.map(|file| file.unwrap().metadata().unwrap().len()).collect();
    assert!(sizes.len() >= 36 && sizes.iter().sum::<u64>() <= 1 << 20, "{sizes:?}");
    let days = load(dir.path());
    assert_eq!(days.inner.borrow().last(1).next().unwrap().lists.count("busy").unwrap().out, 2000);
}

/// What cannot be kept stays to be kept, and a file that is damaged costs that day alone.
#[test]
fn what_cannot_be_kept_waits_and_what_is_damaged_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let days = load(dir.path());
    days.stand(place(1, 100));
    count(&days, noon(), 100);
    count(&days, noon() - DAY, 100);
    let name = dir.path().join(file(slot(20_000)));
    std::fs::create_dir(&name).unwrap();
    days.save();
    assert_eq!(
        days.inner.borrow().dirty.len(),
        2,
        "the day before says how far this one is counted"
    );
    // another engine has nothing to keep yet, and knows no better
    let other = load(dir.path());
    other.save();
    assert!(other.events.is_open(subject::DAYS));
    // it has put aside what it could not read
    assert!(!name.exists());
    days.save();
    assert!(days.inner.borrow().dirty.is_empty());
    assert_eq!(of(&load(dir.path()), 2), 2);
    std::fs::write(&name, "{").unwrap();
    assert_eq!(of(&load(dir.path()), 2), 1);
}
