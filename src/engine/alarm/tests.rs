use control::LastUpdate;

use super::*;
use crate::state::HeldBack;

const HOUR: u64 = 3600;
const NOW: u64 = 1_800_000_000;

fn texts(memory: &Memory) -> Vec<String> {
    found(memory, 3 * HOUR, NOW, 4 * HOUR).into_iter().map(|(_, alarm)| alarm.text).collect()
}

fn last(why: Option<&str>) -> Option<LastUpdate> {
    let why = why.map(str::to_owned);
    Some(LastUpdate {
        started: NOW,
        seconds: 1.0,
        result: "x".into(),
        why,
        server: None,
        ttl: None,
    })
}

#[test]
fn a_policy_grows_old_after_three_intervals() {
    let memory = |ago| Memory { last_good: Some(NOW - ago), ..Memory::default() };
    assert_eq!(texts(&memory(3 * HOUR)), [""; 0]);
    let old = "the policy is 3 hours old: no update has ended since";
    assert_eq!(texts(&memory(3 * HOUR + 1)), [old]);
    let failed = Memory { last: last(Some("no server answers")), ..memory(50 * HOUR) };
    assert_eq!(texts(&failed), ["the policy is 2 days old: no server answers"]);
    let back = Memory { rolled_back: Some(NOW), last: last(None), ..memory(5 * HOUR) };
    assert_eq!(texts(&back), ["the policy is 5 hours old: rolled back"]);
    let (_, alarm) = &found(&back, 3 * HOUR, NOW, 4 * HOUR)[0];
    assert_eq!(
        alarm.to_string(),
        "the policy is 5 hours old: rolled back (nothing is published until threatstopctl update)"
    );
}

#[test]
fn a_device_without_any_policy_is_told_of() {
    let memory = |ago| Memory { first_start: NOW - ago, ..Memory::default() };
    assert_eq!(texts(&memory(HOUR)), [""; 0]);
    let none = "no policy for 4 hours: no update has ended since";
    assert_eq!(texts(&memory(4 * HOUR)), [none]);
}

#[test]
fn what_is_held_back_too_long_is_told_of() {
    let held = |ago| {
        let text = "Keeping the previous block list: x".into();
        Some(HeldBack {
            since: NOW - ago,
            text,
            can_force: true,
            of: Default::default(),
            of_copy: false,
        })
    };
    let memory = |ago| {
        let mut memory = Memory { last_good: Some(NOW), ..Memory::default() };
        memory.table_mut("block").held = held(ago);
        memory.table_mut("allow").held = held(HOUR);
        memory
    };
    assert_eq!(texts(&memory(3 * HOUR)), [""; 0]);
    let long = "held back for 4 hours: Keeping the previous block list: x";
    assert_eq!(texts(&memory(4 * HOUR)), [long]);
    // without -f a run for trial keeps what is held, too, and shows nothing of it
    let (_, alarm) = &found(&memory(4 * HOUR), 3 * HOUR, NOW, 0)[0];
    assert_eq!(alarm.way_out, "threatstopctl update -fn shows what would change with it");
    // the same number of alarms, but another one
    let kinds = |memory: &Memory| -> Vec<Kind> {
        found(memory, 3 * HOUR, NOW, 0).into_iter().map(|(kind, _)| kind).collect()
    };
    let old = Memory { last_good: Some(NOW - 9 * HOUR), ..Memory::default() };
    assert_ne!(kinds(&memory(4 * HOUR)), kinds(&old));
}

/// Fails when an alarm is repeated because another one began, or when its end is not said, or twice.
#[test]
fn each_alarm_begins_once_and_ends_once() {
    let dir = tempfile::tempdir().unwrap();
    let events = Events::load(dir.path());
    let ages = std::cell::Cell::new(0);
    let alarm = |kind: &Kind| {
        // how old, and how many, is another number each time
        ages.set(ages.get() + 1);
        (kind.clone(), Warning::new(format!("{} hours", ages.get()), "y"))
    };
    let (old, held) = (Kind::Old, Kind::Held("list a".into()));
    for kinds in [
        vec![],
        vec![&old],
        vec![&old, &held],
        vec![&old, &held, &Kind::More],
        vec![&old, &held, &Kind::More],
        vec![&held],
        vec![&held],
        vec![&old],
    ] {
        tell(&events, &kinds.into_iter().map(alarm).collect::<Vec<_>>());
    }
    let told = events.of(|_| true);
    let told: Vec<_> =
        told.iter().map(|one| (one.event.as_str(), one.subject.as_deref())).collect();
    assert_eq!(
        told,
        [
            ("failed", Some(AGE)),
            ("held", Some("list a")),
            ("held", Some(OTHERS)),
            ("recovered", Some(AGE)),
            ("recovered", Some(OTHERS)),
            ("failed", Some(AGE)),
        ]
    );
}

/// Fails when a service that serves all its lists empty fills log and status.
#[test]
fn of_many_that_are_held_back_four_are_named() {
    let held = HeldBack {
        since: NOW - 4 * HOUR,
        text: "x".into(),
        can_force: true,
        of: Default::default(),
        of_copy: false,
    };
    let mut memory = Memory { last_good: Some(NOW), ..Memory::default() };
    for n in 0..64 {
        memory.list_mut(&format!("list{n}")).held = Some(held.clone());
    }
    let texts = texts(&memory);
    assert_eq!(texts.len(), 5);
    assert_eq!(texts[4], "held back for long besides: 60 of the lists and tables");
}

#[test]
fn a_clock_that_was_set_back_silences_nothing() {
    let memory = Memory { last_good: Some(NOW + 1_000_000), ..Memory::default() };
    assert_eq!(texts(&memory), ["the policy is 4 hours old: no update has ended since"]);
    assert!(found(&memory, 3 * HOUR, NOW, HOUR).is_empty());
}
