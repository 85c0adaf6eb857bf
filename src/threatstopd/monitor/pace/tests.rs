use super::*;

fn seconds(pace: &mut Pace, age: Duration) -> Option<u64> {
    pace.after(age, false).map(|wait| wait.as_secs())
}

#[test]
fn who_ends_early_waits_longer_and_longer() {
    let mut pace = Pace::default();
    let waits: Vec<_> = (0..8).map(|_| seconds(&mut pace, Duration::ZERO)).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60].map(Some));
    assert_eq!(seconds(&mut pace, YOUNG), Some(0));
    assert_eq!(seconds(&mut pace, YOUNG - Duration::from_millis(1)), Some(1));
    pace.forget();
    assert_eq!(seconds(&mut pace, Duration::ZERO), Some(1));
}

#[test]
fn five_early_deaths_in_a_row_are_the_end() {
    let mut pace = Pace::default();
    let killed = |pace: &mut Pace| pace.after(Duration::ZERO, true);
    (0..4).for_each(|_| assert!(killed(&mut pace).is_some()));
    assert_eq!(killed(&mut pace), None);
    for (age, by_signal) in [(Duration::ZERO, false), (YOUNG, true)] {
        let mut pace = Pace::default();
        (0..4).for_each(|_| assert!(killed(&mut pace).is_some()));
        assert!(pace.after(age, by_signal).is_some(), "{age:?}");
        (0..4).for_each(|_| assert!(killed(&mut pace).is_some(), "{age:?}"));
        assert_eq!(killed(&mut pace), None, "{age:?}");
    }
}

#[test]
fn what_is_asked_for_comes_at_once_and_not_all_the_time() {
    let mut pace = Pace::default();
    let start = Instant::now();
    let mut at = |seconds| pace.after_request(start + Duration::from_secs(seconds)).as_secs();
    assert_eq!([0, 1, 2].map(&mut at), [0; 3]);
    assert_eq!([3, 33, 63].map(&mut at), [30; 3]);
    // those of the beginning are over
    assert_eq!(at(200), 0);
    assert_eq!([400, 600, 800].map(&mut at), [0; 3]);
    assert_eq!([900, 1000, 1100].map(&mut at), [60; 3]);
    assert_eq!(at(900 + 3600), 0);
}
