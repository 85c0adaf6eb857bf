use super::*;

#[test]
fn a_run_counts_half_an_interval_after_the_last() {
    let hour = Duration::from_secs(3600);
    let counts = |held_at, now| Memory { held_at, ..Memory::default() }.may_count(now, hour);
    assert!(counts(None, 10_000));
    assert!(!counts(Some(10_000), 10_000));
    assert!(!counts(Some(10_000), 11_799));
    assert!(counts(Some(10_000), 11_800));
    // the clock was set back
    assert!(counts(Some(10_000), 9_999));
}

#[test]
fn a_change_is_later_than_the_one_before() {
    let mut memory = Memory::default();
    assert_eq!(memory.time_of_change(1000), 1000);
    memory.note_change(TableId::Block, 1000, None);
    assert_eq!(memory.time_of_change(1000), 1001);
    memory.note_change(TableId::Allow, 1001, Some(&PrefixSet::default()));
    // the clock was set back
    assert_eq!(memory.time_of_change(500), 1002);
    assert_eq!(memory.time_of_change(2000), 2000);
    assert_eq!(memory.was_first, [true, false]);
}
