use std::rc::Rc;

use control::Change;
use policy::{KeptList, List, Reason};
use prefix::{Floor, Items, Kind, Refusal};

use super::super::judge::Stays;
use super::*;
use crate::lists::Copy;
use crate::state::HeldBack;
use crate::state::bare::{bare, told};

const FEEDS: &str = "[[feed]]\nname = \"one\"\nurl = \"https://feeds.example.net/1\"\n\
                     [[feed]]\nname = \"other\"\nurl = \"https://feeds.example.net/2\"\n";

fn source(name: &str) -> Source {
    Source::Feed(name.parse().unwrap())
}

/// What a run has judged in which the list of a source is new.
fn judged(name: &str) -> Judged {
    let list = List::new(name, Items::default(), Floor { v4: 8, v6: 19 });
    let (source, kind) = (source(name), Kind::Block);
    let copy = Rc::new(Copy { source, kind, list, changed: 0, origin: None });
    let new = vec![New { copy, accepted: Accepted::Usual }];
    Judged { come: [source].into(), new, ..Judged::default() }
}

/// Fails when a run that has tried nothing of a table, or not what others bring that does not fit, says that it
/// can be published again, so that the next one says anew that it cannot; or when nobody says so at last.
#[test]
fn a_run_that_tries_nothing_ends_no_failure() {
    let dir = tempfile::tempdir().unwrap();
    let (config, state, events) = bare(FEEDS, dir.path());
    let (log, runs, subject) = (Told::default(), Runs::default(), of_update("block"));
    let voice = Voice::new(config, state, (&log, events), None);
    let done = Published { done: [TableId::BLOCK].into(), ..Published::default() };
    let taken = Published { taken: [TableId::BLOCK].into(), ..done.clone() };
    let failed = |entries: u32| {
        let failures = [(TableId::BLOCK, format!("block table: {entries} do not fit"))];
        Published { failures: failures.into(), ..Published::default() }
    };
    let comes = |name: &str| Judged { come: [source(name)].into(), ..Judged::default() };
    for entries in [300, 310] {
        voice.published(&runs, &judged("one"), &failed(entries));
        voice.published(&runs, &comes("other"), &done);
    }
    assert_eq!(told(events, &subject), ["failed"]);
    voice.published(&runs, &judged("other"), &taken);
    assert_eq!(told(events, &subject), ["failed"]);
    voice.published(&runs, &judged("one"), &taken);
    assert_eq!(told(events, &subject), ["failed", "recovered"]);
    // it brings again what is in force
    voice.published(&runs, &judged("one"), &failed(300));
    voice.published(&runs, &comes("other"), &done);
    voice.published(&runs, &comes("one"), &done);
    assert_eq!(told(events, &subject), ["failed", "recovered", "failed", "recovered"]);
    // of an engine before this one nobody knows which it was
    voice.published(&runs, &judged("one"), &failed(300));
    let runs = Runs::default();
    voice.published(&runs, &comes("other"), &done);
    assert!(events.is_open(&subject));
    voice.published(&runs, &judged("other"), &taken);
    assert!(!events.is_open(&subject));
    voice.published(&Runs::default(), &judged("one"), &failed(300));
    let runs = Runs::default();
    voice.published(&runs, &comes("other"), &done);
    let policy = Judged { come: [Source::Policy].into(), ..Judged::default() };
    voice.published(&runs, &policy, &done);
    voice.published(&runs, &comes("one"), &done);
    assert!(!events.is_open(&subject));
}

/// Fails when the summary says that the set of a run is added where the table has another one still.
#[test]
fn what_has_not_gone_into_a_table_is_not_added() {
    let dir = tempfile::tempdir().unwrap();
    let (config, state, events) = bare("", dir.path());
    let log = Told::default();
    let run = Run::new(Request::manual(config), 0);
    let voice = Voice::new(config, state, (&log, events), Some(&run));
    let failures = [(TableId::BLOCK, "block table: no room".to_owned())].into();
    let changes = [(TableId::BLOCK, Change { entries: 5, added: 1, removed: 0 })].into();
    let done = [TableId::BLOCK, TableId::ALLOW].into();
    let published = Published { failures, changes, done, ..Published::default() };
    voice.totals(&published, &BTreeSet::new(), false);
    let all = Sources::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let lines = [0, 1].map(|at| runtime.block_on(run.line(at, &all)).unwrap());
    assert_eq!(lines, ["Keeping 5 blocked addresses", "Adding 0 allowed addresses"]);
}

/// Fails when each run tells of the same list anew because its numbers are others.
#[test]
fn a_list_that_is_held_back_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let (config, state, events) = bare(FEEDS, dir.path());
    let log = Told::default();
    let voice = Voice::new(config, state, (&log, events), None);
    for entries in [300, 310, 320] {
        let refused = Refusal::Entries { entries, max: 100 };
        let (list, reason) = ("one".to_owned(), Reason::Refused(refused));
        let (source, kept) = (source("one"), KeptList { list, reason });
        let kept = super::super::judge::judged::KeptList {
            source,
            kept,
            kind: Kind::Block,
            stays: Stays::Copy,
        };
        let judged = Judged { kept: vec![kept], ..Judged::default() };
        voice.judged(&judged, &Request::scheduled([source].into()));
    }
    assert_eq!(told(events, &of_list("one")), ["held"]);
}

/// Fails when something that stays blocked is told again because the number of entries is another one, or
/// when a list that the guards permit again is held back for ever.
#[test]
fn what_stays_blocked_and_what_is_held_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let (config, state, events) = bare("", dir.path());
    let log = Told::default();
    let voice = Voice::new(config, state, (&log, events), None);
    for entries in [300, 310, 320] {
        voice.stays(Some(&Warning::new(format!("x stays blocked: {entries} entries"), "update")));
    }
    voice.stays(None);
    assert_eq!(told(events, STAYS), ["failed", "recovered"]);
    let name = of_list("a");
    events.say(&Event::Held { name: name.clone(), text: "why".into(), long: false });
    state.remember(|memory| memory.list_mut("a").kept = true);
    voice.in_force(&Judged::default(), &[], &Policy::default());
    assert_eq!(told(events, &name), ["held", "recovered"]);
    // what is undone is not held back any more
    events.say(&Event::Held { name: name.clone(), text: "why".into(), long: false });
    voice.rolled_back(&Runs::default(), [&"a".to_owned()], &Sources::new(), |_| false);
    assert!(!events.is_open(&name));
}

/// Fails when a rollback says that what others have brought does not wait any more.
#[test]
fn a_rollback_ends_what_it_has_undone() {
    let dir = tempfile::tempdir().unwrap();
    let (config, state, events) = bare(FEEDS, dir.path());
    let (log, runs, subject, table) =
        (Told::default(), Runs::default(), of_update("block"), of_table("block"));
    let voice = Voice::new(config, state, (&log, events), None);
    let failures = [(TableId::BLOCK, "block table: no room".to_owned())].into();
    voice.published(&runs, &judged("one"), &Published { failures, ..Published::default() });
    let hold = |of: &[&str]| {
        let of = of.iter().map(|name| (*name).to_owned()).collect();
        let text = "why".to_owned();
        let held = HeldBack { since: 0, text, can_force: true, of, of_copy: false };
        state.remember(|memory| {
            memory.table_mut("block").held = Some(held).filter(|held| !held.of.is_empty());
        });
    };
    hold(&["one"]);
    events.say(&Event::Held { name: table.clone(), text: "why".into(), long: false });
    let undo = |name: &str| voice.rolled_back(&runs, [], &[source(name)].into(), |_| true);
    undo("other");
    assert!(events.is_open(&subject) && events.is_open(&table));
    hold(&[]);
    undo("one");
    assert!(!events.is_open(&subject) && !events.is_open(&table));
}
