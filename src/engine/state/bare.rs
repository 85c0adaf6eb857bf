//! A state without a helper, for tests.

use std::path::Path;

use super::*;

/// A configuration, and what there is of it when nothing is in force and nothing remembered. Events are
/// kept in a directory, and the state in the directory `state` below it.
pub fn bare(text: &str, directory: &Path) -> (&'static Config, &'static State, &'static Events) {
    let text = format!("device_id = \"tdid_abcd1234\"\n{text}");
    let config: &Config = Box::leak(Box::new(Config::parse(&text, Path::new("test")).unwrap()));
    let events: &Events = Box::leak(Box::new(Events::load(directory)));
    let tables: &Tables = Box::leak(Box::new(Tables::new(config)));
    let days = Box::leak(Box::new(Days::load(directory.to_owned(), tables, events)));
    let state = State {
        tables,
        days,
        events,
        directory: directory.join("state"),
        policy: RefCell::default(),
        numbered: RefCell::default(),
        memory: RefCell::default(),
    };
    std::fs::create_dir_all(&state.directory).unwrap();
    (config, Box::leak(Box::new(state)), events)
}

/// What was told of a subject, in the words of events.
pub fn told(events: &Events, subject: &str) -> Vec<String> {
    let of = events.of(|event| event.subject.as_deref() == Some(subject));
    of.into_iter().map(|event| event.event).collect()
}

/// Fails when the times of a set stay those of the one before, which is another that happens to have the same
/// times: a part of an entry is as old as the entry.
#[test]
fn times_are_kept_of_the_set_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let (_, state, _) = bare("", dir.path());
    let set = |len| PrefixSet::new(vec![prefix::Prefix4::new(0, len).unwrap()], vec![]).unwrap();
    for len in [24, 25] {
        state.take(TableId::BLOCK, set(len));
        let kept = ages::load(&state.directory, "block", &set(len)).unwrap();
        assert_eq!(kept.as_ref(), state.policy().since.get(&TableId::BLOCK).map(|since| &**since));
    }
}

/// Fails when a disk that is full fills the log with each thing that is to be remembered, or when nobody
/// hears that there is room again.
#[test]
fn what_cannot_be_remembered_is_told_once() {
    let dir = tempfile::tempdir().unwrap();
    let (_, state, events) = bare("", dir.path());
    std::fs::remove_dir(&state.directory).unwrap();
    (0..3).for_each(|run| state.remember(|memory| memory.run = run));
    assert_eq!(told(events, MEMORY), ["failed"]);
    std::fs::create_dir(&state.directory).unwrap();
    (0..3).for_each(|run| state.remember(|memory| memory.run = run));
    assert_eq!(told(events, MEMORY), ["failed", "recovered"]);
}
