use proptest::prelude::*;

use super::*;

const MIDDLE: u32 = u32::MAX / 2;
const MINUTE: Duration = Duration::from_secs(60);

fn minutes(wait: Duration) -> f64 {
    (wait.as_secs_f64() / 6.0).round() / 10.0
}

#[test]
fn waits_double_up_to_a_quarter_of_an_hour() {
    let mut backoff = Backoff::default();
    let waits: Vec<f64> = (0..7).map(|_| minutes(backoff.failed(MIDDLE))).collect();
    assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0]);
    backoff.succeeded();
    assert_eq!(minutes(backoff.failed(MIDDLE)), 1.0);
}

#[test]
fn waits_double_from_a_first_to_a_longest() {
    let mut backoff = Backoff::new(15 * MINUTE, 50 * MINUTE);
    let waits: Vec<f64> = (0..4).map(|_| minutes(backoff.failed(MIDDLE))).collect();
    assert_eq!(waits, [15.0, 30.0, 50.0, 50.0]);
    // whatever the longest is, the first is kept
    assert_eq!(Backoff::new(15 * MINUTE, MINUTE).failed(u32::MAX), 15 * MINUTE);
}

#[test]
fn the_ends_of_the_spread() {
    let hour = Duration::from_secs(3600);
    assert_eq!(scheduled(hour, 0), Duration::from_secs(3240));
    assert_eq!(scheduled(hour, u32::MAX), Duration::from_secs(3960));
    let after = |failures| Backoff { failures, ..Backoff::default() };
    assert_eq!(after(1).failed(0), Duration::from_secs(90));
    assert_eq!(after(1).failed(u32::MAX), Duration::from_secs(150));
    assert_eq!(after(9).failed(0), Duration::from_secs(675));
    assert_eq!(after(9).failed(u32::MAX), 15 * MINUTE);
    assert_eq!(after(u32::MAX).failed(u32::MAX), 15 * MINUTE);
}

proptest! {
    #[test]
    fn waits_stay_within_bounds(failures: u32, random: u32, first in 1u64..10_000, longest in 1u64..604_800) {
        let (first, longest) = (Duration::from_secs(first), Duration::from_secs(longest));
        let wait = Backoff { failures, ..Backoff::new(first, longest) }.failed(random);
        prop_assert!((first..=longest.max(first)).contains(&wait));
        let next = scheduled(longest, random);
        prop_assert!(next >= longest.mul_f64(0.899) && next <= longest.mul_f64(1.101));
    }
}
