use super::*;
use crate::tests::guard;

fn entries(entries: u64) -> Measure {
    Measure { entries, ..Measure::default() }
}

fn agreed(runs: &[Measure]) -> Vec<bool> {
    let mut held = HeldRuns::default();
    runs.iter().map(|run| held.agree(*run, |a, b| guard().alike(a, b))).collect()
}

fn rows(runs: &[u64]) -> Vec<bool> {
    agreed(&runs.iter().map(|run| entries(*run)).collect::<Vec<_>>())
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
    assert_eq!(rows(&[1, 100, 12]), [false, false, true]);
}

#[test]
fn they_agree_in_addresses_too() {
    let covers = |v4, v6| Measure { entries: 300, v4, v6 };
    let wide = covers(5_000_000, 1000);
    assert_eq!(agreed(&[wide, wide, wide]), [false, false, true]);
    // as many entries, and ten times as much of the Internet
    for other in [covers(50_000_000, 1000), covers(5_000_000, 10_000)] {
        assert_eq!(agreed(&[wide, wide, other]), [false, false, false]);
        assert_eq!(agreed(&[wide, other, wide, other]), [false; 4]);
    }
}

#[test]
fn the_earlier_two_are_compared_again() {
    // state from a time with wider limits
    let mut held = HeldRuns { before: Some(entries(1000)), last: Some(entries(4000)) };
    assert!(!held.agree(entries(2000), |a, b| guard().alike(a, b)));
    assert_eq!(held, HeldRuns { before: Some(entries(4000)), last: Some(entries(2000)) });
}

#[test]
fn the_end_of_a_row() {
    let mut held = HeldRuns { before: Some(entries(1)), last: Some(entries(2)) };
    held.end();
    assert_eq!(held, HeldRuns::default());
}
