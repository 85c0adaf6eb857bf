use super::*;

#[test]
fn a_run_counts_half_an_interval_after_the_last() {
    let hour = Duration::from_secs(3600);
    let counts = |at, now| Row::default().after(HeldRuns::default(), at).may_count(now, hour);
    assert!(counts(None, 10_000));
    assert!(!counts(Some(10_000), 10_000));
    assert!(!counts(Some(10_000), 11_799));
    assert!(counts(Some(10_000), 11_800));
    // the clock was set back
    assert!(counts(Some(10_000), 9_999));
}

#[test]
fn changes_are_told_apart_by_number_and_have_their_true_time() {
    let mut memory = Memory::default();
    memory.note_change(TableId::Block, memory.next_order(), 1000, None);
    memory.note_change(TableId::Allow, memory.next_order(), 1000, Some(&PrefixSet::default()));
    assert_eq!((memory.order, memory.was_first), ([1, 2], [true, false]));
    // the clock was set back
    memory.note_change(TableId::Block, memory.next_order(), 500, Some(&PrefixSet::default()));
    assert_eq!((memory.order, memory.changed), ([3, 2], [Some(500), Some(1000)]));
}
