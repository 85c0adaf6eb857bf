use super::*;

const CALM: Fault = Fault { young: true, by_signal: false, served: false };
const KILLED: Fault = Fault { by_signal: true, ..CALM };

fn seconds(pace: &mut Pace, fault: Fault) -> Option<u64> {
    pace.after(fault).map(|wait| wait.as_secs())
}

#[test]
fn who_ends_early_waits_longer_and_longer() {
    let mut pace = Pace::default();
    let waits: Vec<_> = (0..8).map(|_| seconds(&mut pace, CALM)).collect();
    assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60].map(Some));
    assert_eq!(seconds(&mut pace, Fault { young: false, ..CALM }), Some(0));
    assert_eq!(seconds(&mut pace, CALM), Some(1));
    pace.forget();
    assert_eq!(seconds(&mut pace, CALM), Some(1));
}

#[test]
fn five_early_deaths_in_a_row_are_the_end() {
    let mut pace = Pace::default();
    (0..4).for_each(|_| assert!(pace.after(KILLED).is_some()));
    assert_eq!(pace.after(KILLED), None);
    for between in [
        CALM,
        Fault { young: false, ..KILLED },
        // it came as far as to finish a run
        Fault { served: true, ..KILLED },
    ] {
        let mut pace = Pace::default();
        (0..4).for_each(|_| assert!(pace.after(KILLED).is_some()));
        assert!(pace.after(between).is_some(), "{between:?}");
        (0..4).for_each(|_| assert!(pace.after(KILLED).is_some(), "{between:?}"));
        assert_eq!(pace.after(KILLED), None, "{between:?}");
    }
}

#[test]
fn what_is_asked_for_comes_at_once_and_not_all_the_time() {
    let mut pace = Pace::default();
    let start = Instant::now();
    let mut at = |seconds| {
        let (wait, too_often) = pace.after_request(start + Duration::from_secs(seconds));
        (wait.as_secs(), too_often)
    };
    assert_eq!([0, 1, 2].map(&mut at), [(0, false); 3]);
    assert_eq!([3, 33, 63].map(&mut at), [(30, false); 3]);
    // those of the beginning are over
    assert_eq!(at(200), (0, false));
    assert_eq!([400, 600, 800].map(&mut at), [(0, false); 3]);
    assert_eq!([900, 1000, 1100].map(&mut at), [(60, true); 3]);
    assert_eq!(at(900 + 3600), (0, false));
}
