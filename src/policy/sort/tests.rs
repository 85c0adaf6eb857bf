use proptest::prelude::*;

use super::*;

fn range<A: Address>(ends: (A, A)) -> Range<A> {
    Range::new(ends.0.min(ends.1), ends.0.max(ends.1)).unwrap()
}

fn firsts<A: Address>(ranges: &[Range<A>]) -> Vec<A> {
    ranges.iter().map(|range| range.first()).collect()
}

proptest! {
    // the sizes lie on both sides of RADIX_MIN
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn as_the_standard_library_sorts(
        raw in proptest::collection::vec(any::<(u32, u32)>(), 0..3 * RADIX_MIN),
        mask in prop_oneof![Just(u32::MAX), Just(0xff00_00ff), Just(0x0000_ffff), Just(0)],
    ) {
        let mut ranges: Vec<Range<u32>> =
            raw.into_iter().map(|(a, b)| range((a & mask, b & mask))).collect();
        let mut expected = ranges.clone();
        expected.sort_by_key(|range| range.first());
        sort(&mut ranges, &mut Vec::new());
        prop_assert_eq!(firsts(&ranges), firsts(&expected));
        ranges.sort_unstable();
        expected.sort_unstable();
        prop_assert_eq!(ranges, expected);
    }

    #[test]
    fn ipv6_as_well(raw in proptest::collection::vec(any::<(u128, u128)>(), 0..2 * RADIX_MIN)) {
        let mut ranges: Vec<Range<u128>> = raw.into_iter().map(range).collect();
        let mut expected = ranges.clone();
        expected.sort_by_key(|range| range.first());
        sort(&mut ranges, &mut Vec::new());
        prop_assert_eq!(firsts(&ranges), firsts(&expected));
    }
}

#[test]
fn at_the_sizes_where_the_way_changes() {
    for len in [RADIX_MIN, CACHED].into_iter().flat_map(|len| [len - 1, len, len + 1]) {
        let descending = (0..len as u32).rev().map(|addr| addr.reverse_bits());
        let mut ranges: Vec<Range<u32>> = descending.map(|addr| range((addr, addr))).collect();
        sort(&mut ranges, &mut Vec::new());
        assert_eq!(ranges.len(), len);
        assert!(ranges.is_sorted());
    }
}

/// Fails when ranges are lost, or the stack with them, that lie together and far from one other.
#[test]
fn however_they_lie() {
    let len = 3 * CACHED as u128;
    let far = |addr: u128| if addr == 7 { u128::MAX } else { addr % 5 };
    let each_bit = |addr: u128| 1 << (addr % 128);
    let low = |addr: u128| addr.reverse_bits() >> 100;
    for of in [&far as &dyn Fn(u128) -> u128, &each_bit, &low] {
        let mut ranges: Vec<Range<u128>> = (0..len).rev().map(|n| range((of(n), of(n)))).collect();
        let mut expected = ranges.clone();
        expected.sort();
        sort(&mut ranges, &mut Vec::new());
        assert!(ranges == expected);
    }
}
