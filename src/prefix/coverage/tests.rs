use proptest::prelude::*;

use super::*;
use crate::net::Net;

fn coverage(texts: &[&str]) -> Coverage {
    let mut sum = Coverage::default();
    texts.iter().for_each(|text| sum.add(text.parse().unwrap()));
    sum
}

#[test]
fn percent_of_ipv4_at_the_border() {
    let over = |sum: Coverage, percent| sum.block_excess(percent, u32::MAX);
    let half = coverage(&["128.0.0.0/1"]);
    assert_eq!(half.v4(), 1 << 31);
    assert_eq!(over(half, 50), None);
    assert_eq!(over(half, 49), Some(Excess::Percent { addresses: 1 << 31, max: 49 }));
    let more = coverage(&["1.2.3.4", "128.0.0.0/1"]);
    assert_eq!(over(more, 50), Some(Excess::Percent { addresses: (1 << 31) + 1, max: 50 }));
    let all = coverage(&["0.0.0.0/0"]);
    assert_eq!(over(all, 99), Some(Excess::Percent { addresses: 1 << 32, max: 99 }));
    assert_eq!(over(all, 100), None);
}

#[test]
fn networks_of_ipv6_at_the_border() {
    let over = |sum: Coverage, max| sum.block_excess(100, max);
    let eight = coverage(&["2a00::/29"]);
    assert_eq!(over(eight, 8), None);
    assert_eq!(over(eight, 7), Some(Excess::Networks { networks: 8, max: 7 }));
    let more = coverage(&["2a00::/29", "2b00::1"]);
    assert_eq!(over(more, 8), Some(Excess::Networks { networks: 9, max: 8 }));
    // it is the addresses that count, not the /32 that have one of them
    let many: Vec<String> = (0..100).map(|n| format!("2a{n:02}::/48")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(coverage(&many).networks(), 1);
    assert_eq!(over(coverage(&many), 1), None);
    // what lies outside of 2000::/3 has nobody on the Internet
    assert_eq!(over(coverage(&["fc00::/7", "::/3", "4000::/2"]), 1), None);
    for text in ["::/0", "::/1", "::/2", "2000::/3"] {
        assert_eq!(coverage(&[text]).networks(), 1 << 29, "{text}");
    }
    assert_eq!(over(coverage(&["2000::/3"]), 1 << 29), None);
}

#[test]
fn addresses_at_the_border() {
    let eight = coverage(&["10.0.0.0/8"]);
    assert_eq!(eight.allow_excess(1 << 24), None);
    let max = (1 << 24) - 1;
    assert_eq!(eight.allow_excess(max), Some(Excess::Allowed4 { addresses: 1 << 24, max }));
    let forty = coverage(&["2001:db8::/40"]);
    assert_eq!(forty.allow_excess(1 << 24), None);
    assert_eq!(forty.allow_excess(max), Some(Excess::Allowed6 { networks: 1 << 24, max }));
    let more = coverage(&["2001:db8::/40", "::1"]);
    assert!(more.allow_excess(1 << 24).is_some());
    assert!(coverage(&["::/0"]).allow_excess(u64::MAX).is_some());
}

#[test]
fn sums_saturate() {
    let many = coverage(&["::/0", "::/0", "::/1"]);
    assert_eq!((many.v6, many.global), (u128::MAX, 3 << 125));
    let mut v4 = Coverage { v4: u64::MAX - 1, ..Coverage::default() };
    v4.add(Prefix::V4(Net::new(0, 0).unwrap()));
    assert_eq!(v4.v4(), u64::MAX);
    assert!(v4.block_excess(100, 0).is_some());
}

proptest! {
    #[test]
    fn percent_agrees_with_arithmetic_in_wide_numbers(v4: u64, percent in 0u8..=100) {
        let sum = Coverage { v4, ..Coverage::default() };
        let over = u128::from(v4) * 100 > u128::from(percent) << 32;
        prop_assert_eq!(sum.block_excess(percent, 0).is_some(), over);
    }

    #[test]
    fn the_order_of_prefixes_does_not_matter(
        mut raw in proptest::collection::vec((any::<u128>(), 0u8..=128), 0..20)
    ) {
        let add = |raw: &[(u128, u8)]| {
            let mut sum = Coverage::default();
            for &(addr, len) in raw {
                sum.add(Prefix::V6(Net::masked(addr, len).unwrap()));
            }
            sum
        };
        let forward = add(&raw);
        raw.reverse();
        prop_assert_eq!(forward, add(&raw));
    }
}
