use proptest::prelude::*;

use super::*;

#[test]
fn durations_are_as_precise_as_needed() {
    let cases = [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (725, "12m"),
        (3599, "59m"),
        (3600, "1h"),
        (3659, "1h"),
        (11_520, "3h 12m"),
        (86_399, "23h 59m"),
        (86_400, "1d"),
        (176_400, "2d 1h"),
        (u64::MAX, "213503982334601d 7h"),
    ];
    for (seconds, text) in cases {
        assert_eq!(duration(seconds), text);
    }
}

#[test]
fn times_are_told_from_now() {
    assert_eq!(ago(940, 1000), "1m ago");
    assert_eq!([1000, 1001].map(|at| ago(at, 1000)), ["0s ago", "0s ago"]);
    assert_eq!(ago(0, u64::MAX), "213503982334601d 7h ago");
    assert_eq!([999, 1000, 1061].map(|at| due(at, 1000)), ["now", "now", "in 1m"]);
}

/// Fails when something of the past is told as something to come.
#[test]
fn a_clock_that_was_set_back_makes_no_future() {
    assert_eq!(ago(1000 + 2 * DAY, 1000), "2d ahead of the clock");
}

#[test]
fn sizes_have_two_digits_or_more() {
    let cases = [
        (0, "0"),
        (1023, "1023"),
        (1024, "1K"),
        (1536, "1.5K"),
        (10_239, "9.9K"),
        (10_240, "10K"),
        (64 << 20, "64M"),
        (u64::MAX, "15E"),
    ];
    for (size, text) in cases {
        assert_eq!(octets(size), text);
    }
}

proptest! {
    /// A duration read back is less than one of its smaller units below the original.
    #[test]
    fn durations_are_cut_and_not_rounded(seconds in 0..10_000_000u64) {
        let mut read = 0;
        let mut last = 1;
        for word in duration(seconds).split(' ') {
            let (number, unit) = word.split_at(word.len() - 1);
            last = match unit { "s" => 1, "m" => 60, "h" => 3600, _ => 86400 };
            read += number.parse::<u64>().unwrap() * last;
        }
        prop_assert!(read <= seconds && seconds - read < last);
    }
}

#[test]
fn one_thing_is_one() {
    let prefixes = |number| count(number, "prefix", "prefixes");
    assert_eq!([0, 1, 2].map(prefixes), ["0 prefixes", "1 prefix", "2 prefixes"]);
}
