use proptest::prelude::*;

use super::*;

const MIDDLE: u32 = u32::MAX / 2;

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
fn the_ends_of_the_spread() {
    let hour = Duration::from_secs(3600);
    assert_eq!(scheduled(hour, 0), Duration::from_secs(3240));
    assert_eq!(scheduled(hour, u32::MAX), Duration::from_secs(3960));
    assert_eq!(Backoff { failures: 1 }.failed(0), Duration::from_secs(90));
    assert_eq!(Backoff { failures: 1 }.failed(u32::MAX), Duration::from_secs(150));
    assert_eq!(Backoff { failures: 9 }.failed(0), Duration::from_secs(675));
    assert_eq!(Backoff { failures: 9 }.failed(u32::MAX), MAX);
    assert_eq!(Backoff { failures: u32::MAX }.failed(u32::MAX), MAX);
}

proptest! {
    #[test]
    fn waits_stay_within_bounds(failures: u32, random: u32, seconds in 1u64..604_800) {
        let wait = Backoff { failures }.failed(random);
        prop_assert!((MIN..=MAX).contains(&wait));
        let interval = Duration::from_secs(seconds);
        let next = scheduled(interval, random);
        prop_assert!(next >= interval.mul_f64(0.899) && next <= interval.mul_f64(1.101));
    }
}
