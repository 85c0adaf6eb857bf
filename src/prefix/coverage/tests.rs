use proptest::prelude::*;

use super::*;
use crate::net::{Net, Prefix};

fn coverage(texts: &[&str]) -> Coverage {
    let mut sum = Coverage::default();
    for text in texts {
        match text.parse().unwrap() {
            Prefix::V4(net) => sum.add_v4(net),
            Prefix::V6(net) => sum.add_v6(net),
        }
    }
    sum
}

#[test]
fn percent_of_ipv4_at_the_border() {
    let half = coverage(&["128.0.0.0/1"]);
    assert_eq!(half.v4(), 1 << 31);
    assert_eq!(half.over_percent(50), None);
    assert_eq!(half.over_percent(49), Some(Excess::V4(1 << 31)));
    let more = coverage(&["1.2.3.4", "128.0.0.0/1"]);
    assert_eq!(more.over_percent(50), Some(Excess::V4((1 << 31) + 1)));
    let all = coverage(&["0.0.0.0/0"]);
    assert_eq!(all.over_percent(99), Some(Excess::V4(1 << 32)));
    assert_eq!(all.over_percent(100), None);
}

#[test]
fn percent_of_ipv6_counts_the_global_space_only() {
    let half = coverage(&["3000::/4"]);
    assert_eq!(half.over_percent(50), None);
    assert_eq!(half.over_percent(49), Some(Excess::V6(1 << 60)));
    assert!(coverage(&["2000::1", "3000::/4"]).over_percent(50).is_some());
    let outside = coverage(&["::/3", "4000::/2", "8000::/1"]);
    assert_eq!(outside.over_percent(1), None);
    // prefixes that contain the global space
    for text in ["::/0", "::/1", "::/2"] {
        assert_eq!(coverage(&[text]).over_percent(99), Some(Excess::V6(1 << 61)), "{text}");
        assert_eq!(coverage(&[text]).over_percent(100), None, "{text}");
    }
    // a hundredth of 2000::/3 is no whole number of addresses: one below and one above
    let hundredth = GLOBAL_SIZE / 100;
    let below = Coverage { global: hundredth, ..Coverage::default() };
    let above = Coverage { global: hundredth + 1, ..Coverage::default() };
    assert_eq!(below.over_percent(1), None);
    assert!(above.over_percent(1).is_some());
}

#[test]
fn addresses_at_the_border() {
    let eight = coverage(&["10.0.0.0/8"]);
    assert_eq!(eight.over_addresses(1 << 24), None);
    assert_eq!(eight.over_addresses((1 << 24) - 1), Some(Excess::V4(1 << 24)));
    let forty = coverage(&["2001:db8::/40"]);
    assert_eq!(forty.over_addresses(1 << 24), None);
    assert_eq!(forty.over_addresses((1 << 24) - 1), Some(Excess::V6(1 << 24)));
    let more = coverage(&["2001:db8::/40", "::1"]);
    assert_eq!(more.over_addresses(1 << 24), Some(Excess::V6((1 << 24) + 1)));
    assert!(coverage(&["::/0"]).over_addresses(u64::MAX).is_some());
}

#[test]
fn sums_saturate() {
    let many = coverage(&["::/0", "::/0", "::/1"]);
    assert_eq!(many.v6(), u128::MAX);
    let mut v4 = Coverage { v4: u64::MAX - 1, ..Coverage::default() };
    v4.add_v4(Net::new(0, 0).unwrap());
    assert_eq!(v4.v4(), u64::MAX);
    assert!(v4.over_percent(100).is_some());
}

proptest! {
    #[test]
    fn percent_agrees_with_arithmetic_in_wide_numbers(v4: u64, percent in 0u8..=100) {
        let sum = Coverage { v4, ..Coverage::default() };
        let over = u128::from(v4) * 100 > u128::from(percent) << 32;
        prop_assert_eq!(sum.over_percent(percent).is_some(), over);
    }

    #[test]
    fn the_order_of_prefixes_does_not_matter(
        mut raw in proptest::collection::vec((any::<u128>(), 0u8..=128), 0..20)
    ) {
        let add = |raw: &[(u128, u8)]| {
            let mut sum = Coverage::default();
            for &(addr, len) in raw {
                sum.add_v6(Net::masked(addr, len).unwrap());
            }
            sum
        };
        let forward = add(&raw);
        raw.reverse();
        prop_assert_eq!(forward, add(&raw));
    }
}
