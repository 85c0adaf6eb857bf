use proptest::prelude::*;

use super::*;

#[test]
fn ranges_at_the_ends_of_the_address_space() {
    assert_eq!(cover(Range::new(0u32, u32::MAX).unwrap()), [Net::new(0, 0).unwrap()]);
    assert_eq!(cover(Range::new(u32::MAX, u32::MAX).unwrap()), [Net::host(u32::MAX)]);
    assert_eq!(cover(Range::new(0u128, u128::MAX).unwrap()).len(), 1);
    assert_eq!(cover(Range::new(1u32, u32::MAX - 1).unwrap()).len(), 62);
    assert_eq!(cover(Range::new(1u128, u128::MAX - 1).unwrap()).len(), 254);
}

#[test]
fn the_length_of_a_cover_at_the_ends_of_the_address_space() {
    assert_eq!(cover_len(Range::new(0u32, u32::MAX).unwrap()), 1);
    assert_eq!(cover_len(Range::new(u32::MAX, u32::MAX).unwrap()), 1);
    assert_eq!(cover_len(Range::new(0u128, u128::MAX).unwrap()), 1);
    assert_eq!(cover_len(Range::new(1u32, u32::MAX - 1).unwrap()), 62);
    assert_eq!(cover_len(Range::new(1u128, u128::MAX - 1).unwrap()), 254);
}

proptest! {
    #[test]
    fn a_cover_is_exact_ascending_and_minimal(a: u32, b: u32) {
        let range = Range::new(a.min(b), a.max(b)).unwrap();
        let nets = cover(range);
        prop_assert_eq!(usize::from(cover_len(range)), nets.len());
        prop_assert_eq!(nets[0].addr(), range.first());
        prop_assert_eq!(nets[nets.len() - 1].last(), range.last());
        for pair in nets.windows(2) {
            prop_assert_eq!(pair[0].last() + 1, pair[1].addr());
            // two siblings of equal length would have been one prefix
            let siblings = pair[0].len() == pair[1].len()
                && pair[0].addr() >> (32 - pair[0].len()) & 1 == 0;
            prop_assert!(!siblings);
        }
    }

    #[test]
    fn the_length_of_a_cover(a: u128, size: u128, shift in 0u32..128, near in 0u128..4) {
        // of all sizes, and close to whole networks
        let first = a >> shift << shift;
        let last = first.saturating_add(size >> (127 - shift)).saturating_sub(near).max(first);
        let range = Range::new(first, last).unwrap();
        prop_assert_eq!(usize::from(cover_len(range)), cover(range).len());
        let range = Range::new((first >> 96) as u32, (last >> 96) as u32).unwrap();
        prop_assert_eq!(usize::from(cover_len(range)), cover(range).len());
    }
}
