use std::fs;

use super::*;

fn bounds() -> Bounds {
    Bounds {
        floor: Floor { v4: 8, v6: 19 },
        max_entries: 1000,
        max_coverage: 20,
        max_coverage_v6: 8192,
        allow_max_coverage: 1 << 24,
        expect: vec!["64.87.3.133".parse().unwrap()],
    }
}

fn entry(action: Action, prefix: &str, seconds: Option<u64>) -> Entry {
    Entry::read((action, 0), prefix, seconds, "", 1000).unwrap()
}

fn keep(own: &Own, action: Action, prefix: &str) -> Result<(), String> {
    own.keep(entry(action, prefix, None), &bounds())
}

fn load(directory: &Path, now: u64) -> Own {
    Own::load(directory, now, Box::leak(Box::new(Events::load(directory))))
}

fn names(own: &Own) -> Vec<(String, Action)> {
    own.shown().into_iter().map(|entry| (entry.prefix, entry.action)).collect()
}

#[test]
fn what_breaks_a_guard_is_not_kept() {
    let directory = tempfile::tempdir().unwrap();
    let own = load(directory.path(), 1000);
    for (action, prefix, why) in [
        (Action::Block, "4.0.0.0/7", "4.0.0.0/7 is wider than /8"),
        (Action::Allow, "2000::/18", "2000::/18 is wider than /19"),
        (Action::Block, "::ffff:0.0.0.0/96", "0.0.0.0/0 is wider than /8"),
        (Action::Allow, "64.87.3.0/24", "64.87.3.133 must be blocked (see expect in [guard])"),
    ] {
        let refused = keep(&own, action, prefix).unwrap_err();
        assert!(refused.starts_with(why), "{prefix}: {refused}");
    }
    keep(&own, Action::Allow, "5.0.0.0/8").unwrap();
    let why = keep(&own, Action::Allow, "6.0.0.0").unwrap_err();
    assert!(
        why.starts_with("all of allow together: ") && why.contains("allow_max_coverage"),
        "{why}"
    );
    // within what is allowed already it is no more
    keep(&own, Action::Allow, "5.1.0.0/16").unwrap();
    for net in 20..20 + 51 {
        keep(&own, Action::Block, &format!("{net}.0.0.0/8")).unwrap();
    }
    let why = keep(&own, Action::Block, "99.0.0.0/8").unwrap_err();
    assert!(why.starts_with("all of block together: ") && why.contains("max_coverage"), "{why}");
    assert_eq!(own.len(), 53);
    assert_eq!(load(directory.path(), 1000).shown(), own.shown());
}

#[test]
fn the_same_again_replaces_and_only_this_very_one_is_forgotten() {
    let directory = tempfile::tempdir().unwrap();
    let own = load(directory.path(), 1000);
    keep(&own, Action::Block, "192.0.2.0/24").unwrap();
    own.keep(entry(Action::Block, "192.0.2.0/24", Some(60)), &bounds()).unwrap();
    assert_eq!(own.shown()[0].until, Some(1060));
    keep(&own, Action::Block, "192.0.2.7").unwrap();
    keep(&own, Action::Allow, "192.0.2.7").unwrap();
    assert_eq!(own.len(), 3);
    assert_eq!(own.naming("192.0.2.7".parse().unwrap()).len(), 3);
    assert_eq!(own.naming("::ffff:192.0.2.8".parse().unwrap()).len(), 1);
    let forget = |prefix: &str| own.forget(Some(read_prefix(prefix).unwrap()), 1000);
    assert!(forget("192.0.2.0/25").is_err());
    // what was said of it, and not what lies around it
    assert_eq!(forget("192.0.2.7").unwrap().len(), 2);
    assert_eq!(names(&own), [("192.0.2.0/24".to_owned(), Action::Block)]);
    assert_eq!(own.forget(None, 1000).unwrap().len(), 1);
    assert!(own.forget(None, 1000).is_err());
    assert!(own.lists().is_empty());
}

#[test]
fn the_lists_are_what_was_said() {
    let directory = tempfile::tempdir().unwrap();
    let own = load(directory.path(), 1000);
    keep(&own, Action::Block, "192.0.2.0/25").unwrap();
    keep(&own, Action::Block, "192.0.2.128/25").unwrap();
    keep(&own, Action::Allow, "192.0.2.7").unwrap();
    let own = load(directory.path(), 1000);
    let lists = own.lists();
    let found: Vec<_> =
        lists.iter().map(|copy| (copy.kind, copy.list.name(), copy.list.len())).collect();
    assert_eq!(found, [(Kind::Block, "own", 2), (Kind::Allow, "own", 1)]);
}

/// Fails when an end is looked at by anything but the clock of now, or is lost by a restart.
#[test]
fn what_has_ended_goes_and_the_clock_may_be_set() {
    let directory = tempfile::tempdir().unwrap();
    let own = load(directory.path(), 1000);
    own.keep(entry(Action::Block, "192.0.2.1", Some(60)), &bounds()).unwrap();
    own.keep(entry(Action::Block, "192.0.2.2", Some(600)), &bounds()).unwrap();
    keep(&own, Action::Block, "192.0.2.3").unwrap();
    assert!(!own.end(1059));
    assert!(own.end(1060));
    assert_eq!(own.len(), 2);
    // set back by much: 600 seconds from there
    assert!(!own.end(100));
    assert_eq!(own.shown()[0].until, Some(700));
    let own = load(directory.path(), 100);
    assert_eq!(own.shown()[0].until, Some(700));
    // what ends while nobody runs does so at the start
    let own = load(directory.path(), 700);
    assert_eq!(names(&own), [("192.0.2.3".to_owned(), Action::Block)]);
    assert_eq!(load(directory.path(), 0).len(), 1);
}

/// A host boots with a clock that is wrong, until somebody sets it: nothing has ended by that for good, what
/// has ended by it is not in force, and what has ended a day ago is nowhere.
#[test]
fn a_clock_that_is_wrong_for_a_while_ends_nothing() {
    const DAY: u64 = 24 * 60 * 60;
    let directory = tempfile::tempdir().unwrap();
    let now = 1000 * DAY;
    let own = load(directory.path(), now);
    let is = |prefix, seconds| Entry::read((Action::Block, 0), prefix, seconds, "", now).unwrap();
    own.keep(is("192.0.2.1", Some(DAY)), &bounds()).unwrap();
    own.keep(is("192.0.2.2", None), &bounds()).unwrap();
    let said = own.shown();
    let until = |own: &Own| own.shown()[0].until.unwrap();
    for wrong in [now - 10 * DAY, now - 400 * DAY] {
        assert_eq!(until(&load(directory.path(), wrong)), wrong + DAY);
        // its duration begins once, whoever looks
        assert_eq!(until(&load(directory.path(), wrong + 20)), wrong + DAY);
        assert_eq!(load(directory.path(), now + 20).shown(), said);
        assert!(!own.end(wrong) && until(&own) == wrong + DAY);
        assert!(!own.end(now + 20) && own.shown() == said);
    }
    let ahead = now + 4000 * DAY;
    let list = |own: &Own| own.lists()[0].list.len();
    assert!(own.end(ahead) && !own.end(ahead + 20));
    assert_eq!((own.len(), own.shown().len(), list(&own)), (1, 1, 1));
    assert!(own.naming("192.0.2.1".parse().unwrap()).is_empty());
    assert!(own.forget(Some(read_prefix("192.0.2.1").unwrap()), ahead).is_err());
    let own = load(directory.path(), ahead + 20);
    assert_eq!((own.len(), list(&own)), (1, 1));
    assert!(own.end(now + 40) && own.shown() == said && list(&own) == 2);
    assert!(own.end(now + 3 * DAY) && !own.end(now + 4 * DAY));
    assert!(!own.end(now), "that was long ago");
    assert_eq!(own.entries.borrow().len(), 1);
}

/// Fails when memory and disk can differ after a disk that failed.
#[test]
fn what_cannot_be_kept_is_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let own = load(directory.path(), 1000);
    keep(&own, Action::Block, "192.0.2.1").unwrap();
    // a directory in the place of the file that is written first
    let temporary = directory.path().join(".own.tmp");
    fs::create_dir(&temporary).unwrap();
    let why = keep(&own, Action::Block, "192.0.2.2").unwrap_err();
    assert!(why.starts_with("not kept: "), "{why}");
    assert!(own.forget(None, 1000).is_err());
    assert_eq!(own.len(), 1);
    fs::remove_dir(temporary).unwrap();
    assert_eq!(load(directory.path(), 1000).shown(), own.shown());
}

/// Fails when what was said is gone because it could not be read for a while, or is not in force afterwards,
/// whoever comes first and whatever becomes of that.
#[test]
fn what_cannot_be_read_is_not_replaced() {
    for said in [None, Some("4.0.0.0/7"), Some("192.0.2.2")] {
        let directory = tempfile::tempdir().unwrap();
        keep(&load(directory.path(), 1000), Action::Block, "192.0.2.1").unwrap();
        let [file, away] = ["own", "away"].map(|name| directory.path().join(name));
        fs::rename(&file, &away).unwrap();
        // a link to itself
        std::os::unix::fs::symlink("own", &file).unwrap();
        let own = load(directory.path(), 1000);
        let why = keep(&own, Action::Block, "192.0.2.2").unwrap_err();
        let path = file.display();
        assert!(why.starts_with(&format!("not kept: {path}: ")), "{why}");
        assert_eq!(own.forget(None, 1000).unwrap_err(), why);
        assert!(!own.end(1010));
        assert!(own.warning().unwrap().text.ends_with("is not in force"));
        fs::rename(&away, &file).unwrap();
        let is_kept = said.is_some_and(|prefix| keep(&own, Action::Block, prefix).is_ok());
        assert_eq!(is_kept, said == Some("192.0.2.2"));
        assert!(own.end(1010), "{said:?}");
        assert!(!own.end(1020) && own.warning().is_none());
        assert_eq!(own.len(), 1 + usize::from(is_kept));
        assert_eq!(own.shown()[0].prefix, "192.0.2.1");
        assert_eq!(load(directory.path(), 1000).shown(), own.shown());
        assert_eq!(crate::state::bare::told(own.events, OWN), ["failed", "recovered"]);
    }
}

#[test]
fn there_are_so_many_and_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let mut all = Entries::new();
    for number in 0..u32::try_from(MAX_OWN).unwrap() {
        let addr = IpAddr::V4((0x0500_0000 + 2 * number).into());
        let entry = entry(Action::Block, &addr.to_string(), None);
        all.insert((entry.prefix, entry.action), entry);
    }
    file::save(directory.path(), &all).unwrap();
    let own = load(directory.path(), 1000);
    let mut bounds = bounds();
    bounds.max_coverage = 100;
    let why = own.keep(entry(Action::Block, "192.0.2.1", None), &bounds).unwrap_err();
    assert_eq!(why, "there are 65536 already: threatstopctl forget some first");
    // the same once more is none more
    own.keep(entry(Action::Block, "5.0.0.0", Some(60)), &bounds).unwrap();
    assert_eq!(own.len(), MAX_OWN);
    // what may have ended takes nobody's place
    assert!(own.end(9000));
    own.keep(entry(Action::Block, "192.0.2.1", None), &bounds).unwrap();
}

/// Fails when a disk that is full fills the log with each end, or when nobody hears of the next such disk.
#[test]
fn ends_that_cannot_be_kept_are_told_once_a_day() {
    let directory = tempfile::tempdir().unwrap();
    let (path, aside) = (directory.path().join("state"), directory.path().join("aside"));
    fs::create_dir(&path).unwrap();
    let own = load(&path, 1000);
    let ends = |at: u64, prefix: &str| {
        let mut entry = entry(Action::Block, prefix, Some(60));
        (entry.since, entry.until) = (at, Some(at + 60));
        own.keep(entry, &bounds()).unwrap();
        move |own: &Own| own.end(at + 60)
    };
    let (first, second) = (ends(1000, "5.0.0.1"), ends(2000, "5.0.0.2"));
    fs::rename(&path, &aside).unwrap();
    assert!(first(&own) && own.told.knows(ENDED));
    assert!(!own.told.is_news(ENDED, &file::save(&path, &Entries::new()).unwrap_err(), 1061));
    fs::rename(&aside, &path).unwrap();
    assert!(second(&own) && !own.told.knows(ENDED));
}
