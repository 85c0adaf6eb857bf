use super::*;
use crate::tests::guard;

fn rows(runs: &[u64]) -> Vec<bool> {
    let mut held = HeldRuns::default();
    runs.iter().map(|run| held.agree(*run, &guard())).collect()
}

#[test]
fn three_that_agree() {
    assert_eq!(rows(&[1000, 1000, 1000]), [false, false, true]);
    assert_eq!(rows(&[500, 1000, 750]), [false, false, true]);
}

#[test]
fn all_three_must_agree_whichever_came_first() {
    // 1000 to 1500 and 1500 to 2250 are within the limits, back from 2250 to 1000 is not
    assert_eq!(rows(&[1000, 1500, 2250]), [false, false, false]);
    // growth by 300 percent is permitted, the way back is not
    assert_eq!(rows(&[1000, 4000, 4000]), [false, false, false]);
    // the row begins anew after the one that did not agree
    assert_eq!(rows(&[1000, 1500, 2250, 2250]), [false, false, false, true]);
    assert_eq!(
        rows(&[1000, 1000, 9000, 1000, 1000, 1000]),
        [false, false, false, false, false, true]
    );
    // few entries more or less always agree
    assert_eq!(rows(&[0, 100, 12]), [false, false, true]);
}

#[test]
fn the_earlier_two_are_compared_again() {
    // state from a time with wider limits
    let mut held = HeldRuns { before: Some(1000), last: Some(4000) };
    assert!(!held.agree(2000, &guard()));
    assert_eq!(held, HeldRuns { before: Some(4000), last: Some(2000) });
}

#[test]
fn the_end_of_a_row() {
    let mut held = HeldRuns { before: Some(1), last: Some(2) };
    held.end();
    assert_eq!(held, HeldRuns::default());
}
