use super::*;
use crate::tests::set;

const HOUR: u64 = 60 * 60;

fn entries(entries: u64) -> Measure {
    Measure { entries, ..Measure::default() }
}

#[test]
fn what_is_brought_is_what_was_not_there() {
    let brought = |old: &str, new: &str| {
        let [old, new] = [old, new].map(|text| Ranges::from(&set(text)));
        let Measure { v4, v6, .. } = Measure::brought(&old, &new);
        (v4, v6)
    };
    assert_eq!(brought("", "5.0.0.0/8 2001:db8::/32"), (1 << 24, 1));
    assert_eq!(brought("5.0.0.0/8 2001:db8::/32", "5.0.0.0/8 2001:db8::/32"), (0, 0));
    assert_eq!(brought("5.0.0.0/8", "5.128.0.0/9"), (0, 0));
    assert_eq!(brought("5.0.0.1 5.128.0.0/9", "5.0.0.0/8"), ((1 << 23) - 1, 0));
    // as much elsewhere
    assert_eq!(brought("5.0.0.0/8 2001:db8::/32", "6.0.0.0/8 2001:db9::/32"), (1 << 24, 1));
    assert_eq!(brought("2001:db8::/33", "2001:db8::/32"), (0, 1));
}

#[test]
fn the_set_of_a_day_before() {
    let mut history = History::default();
    assert_eq!(history.day_before(0), None);
    let start = 1_795_348_800;
    history.note(start, Some(entries(5)), entries(1), false);
    history.note(start + HOUR, None, entries(2), false);
    history.note(start + 2 * HOUR, None, entries(3), false);
    // the oldest that is known, which is the one before the first change
    assert_eq!(history.day_before(start + 3 * HOUR), Some(entries(5)));
    assert_eq!(history.day_before(start + 24 * HOUR), Some(entries(1)));
    assert_eq!(history.day_before(start + 25 * HOUR - 1), Some(entries(1)));
    assert_eq!(history.day_before(start + 25 * HOUR), Some(entries(2)));
    assert_eq!(history.day_before(start + 99 * HOUR), Some(entries(3)));
    // what nobody asks for any more is let go of
    history.note(start + 25 * HOUR, None, entries(4), false);
    assert_eq!(history.0.len(), 3);
    assert_eq!(history.day_before(start + 26 * HOUR), Some(entries(3)));
    // who has accepted one step has accepted the others before it
    history.note(start + 27 * HOUR, Some(entries(4)), entries(9), true);
    assert_eq!(history.day_before(start + 28 * HOUR), Some(entries(9)));
}

#[test]
fn a_history_is_short_and_survives_a_clock_that_is_set() {
    let mut history = History::default();
    for n in 0..1000 {
        history.note(7, None, entries(n), false);
    }
    assert_eq!(history.0.len(), MOST);
    assert_eq!(history.day_before(8), Some(entries(0)));
    history.note(u64::MAX, None, entries(2000), false);
    history.note(9, None, entries(2001), false);
    assert!(history.0.is_sorted_by_key(|(at, _)| *at), "{history:?}");
    assert_eq!(history.day_before(9 + DAY), Some(entries(2001)));
    assert_eq!(history.day_before(u64::MAX), Some(entries(2001)));
}
