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
