//! Slow and obvious answers to compare the fast ones with, on a universe of 65,536 addresses.

use prefix::{Bounds, Floor, Items, Net, Prefix, PrefixSet, Shield};
use proptest::prelude::*;

use crate::{Guard, List, Protected, Ranges, Together};

/// Addresses of a universe.
pub(crate) const SIZE: usize = 1 << 16;

/// A prefix within a universe: address, length from 0 to 16.
pub(crate) type Small = (u16, u8);

/// A part of the address space with 65,536 addresses.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Universe {
    V4(u32),
    V6(u128),
}

/// Both families, both ends of the address space and somewhere between.
pub(crate) fn universe() -> impl Strategy<Value = Universe> {
    prop_oneof![
        Just(Universe::V4(0)),
        Just(Universe::V4(0x0a0b_0000)),
        Just(Universe::V4(0xffff_0000)),
        Just(Universe::V6(0)),
        Just(Universe::V6(0x2001_0db8 << 96)),
        Just(Universe::V6(u128::MAX << 16)),
    ]
}

/// Prefixes of all lengths, mostly long ones, many of them nested or neighbours.
pub(crate) fn small() -> impl Strategy<Value = Small> {
    let addr = prop_oneof![any::<u16>(), 0x4000u16..0x4040, 0xffc0u16..=0xffff, 0u16..0x40];
    (addr, prop_oneof![0u8..=16, 10u8..=16, 13u8..=16])
}

/// The items of up to four lists: prefixes, of which some are negated.
pub(crate) fn lists() -> impl Strategy<Value = Vec<Vec<(Small, bool)>>> {
    let item = (small(), prop_oneof![4 => Just(false), 1 => Just(true)]);
    proptest::collection::vec(proptest::collection::vec(item, 0..20), 0..5)
}

impl Universe {
    pub(crate) fn net(self, (addr, len): Small) -> Prefix {
        match self {
            Self::V4(base) => Net::masked(base | u32::from(addr), 16 + len).unwrap().into(),
            Self::V6(base) => Net::masked(base | u128::from(addr), 112 + len).unwrap().into(),
        }
    }

    pub(crate) fn list(self, items: &[(Small, bool)]) -> List {
        let mut all = Items::default();
        items.iter().for_each(|(small, negated)| all.push(self.net(*small), *negated));
        List::new("list", all, NO_FLOOR)
    }

    /// The addresses of a prefix, counted within the universe.
    pub(crate) fn span(self, net: Prefix) -> core::ops::Range<usize> {
        let small = match net {
            Prefix::V4(net) => (net.addr() as u16, net.len() - 16),
            Prefix::V6(net) => (net.addr() as u16, net.len() - 112),
        };
        assert_eq!(self.net(small), net, "not of this universe");
        span(small)
    }

    /// Marks the addresses of ranges, which must ascend.
    pub(crate) fn bits(self, ranges: &Ranges) -> Vec<bool> {
        let v4 = ranges.v4().iter().map(|range| (range.first() as u16, range.last() as u16));
        let v6 = ranges.v6().iter().map(|range| (range.first() as u16, range.last() as u16));
        let (mut bits, mut after) = (vec![false; SIZE], 0);
        for (first, last) in v4.chain(v6) {
            assert!(after <= usize::from(first), "not ascending");
            after = usize::from(last) + 1;
            bits[usize::from(first)..after].fill(true);
        }
        bits
    }

    /// Marks the addresses of a set; two entries on one address are an error.
    pub(crate) fn marks(self, set: &PrefixSet) -> Vec<bool> {
        let mut bits = vec![false; SIZE];
        for net in set.iter() {
            for bit in &mut bits[self.span(net)] {
                assert!(!*bit, "{net}: covered twice");
                *bit = true;
            }
        }
        bits
    }
}

fn span((addr, len): Small) -> core::ops::Range<usize> {
    let size = SIZE >> len;
    let first = usize::from(addr) & !(size - 1);
    first..first + size
}

/// What a list names: painted over from the least to the most specific item.
pub(crate) fn paint(items: &[(Small, bool)]) -> Vec<bool> {
    let mut items = items.to_vec();
    items.sort_by_key(|((_, len), negated)| (*len, *negated));
    let mut bits = vec![false; SIZE];
    for (small, negated) in items {
        bits[span(small)].fill(!negated);
    }
    bits
}

/// The least number of prefixes of length `floor` and more that cover the marks.
pub(crate) fn least(bits: &[bool], floor: u8) -> usize {
    let len = (SIZE / bits.len()).trailing_zeros() as u8;
    if bits.iter().all(|bit| !bit) {
        0
    } else if len >= floor && bits.iter().all(|bit| *bit) {
        1
    } else {
        let (low, high) = bits.split_at(bits.len() / 2);
        least(low, floor) + least(high, floor)
    }
}

/// Any prefix is narrow enough.
pub(crate) const NO_FLOOR: Floor = Floor { v4: 0, v6: 0 };

/// The guard of the default configuration.
pub(crate) fn guard() -> Guard {
    Guard { bounds: bounds(), shield: Shield::default(), max_shrink: 50, max_growth: 400 }
}

/// The part of it that holds for every set.
pub(crate) fn bounds() -> Bounds {
    Bounds {
        floor: Floor { v4: 8, v6: 19 },
        max_entries: 1_000_000,
        max_coverage: 20,
        max_coverage_v6: 8192,
        allow_max_coverage: 16_777_216,
        expect: Vec::new(),
    }
}

/// A list of prefixes separated by blanks, `!` before the negated ones.
pub(crate) fn list(name: &str, text: &str) -> List {
    let mut items = Items::default();
    for word in text.split_whitespace() {
        let net = word.strip_prefix('!');
        items.push(net.unwrap_or(word).parse().unwrap(), net.is_some());
    }
    List::new(name, items, bounds().floor)
}

/// The lists as they are handed in.
pub(crate) fn each(lists: &[List]) -> Vec<&List> {
    lists.iter().collect()
}

/// The lists of a table.
pub(crate) fn together(lists: &[List]) -> Together<'_> {
    Together::of(&each(lists))
}

/// A set of prefixes separated by blanks, IPv4 first and each family ascending.
pub(crate) fn set(text: &str) -> PrefixSet {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for word in text.split_whitespace() {
        match word.parse().unwrap() {
            Prefix::V4(net) => v4.push(net),
            Prefix::V6(net) => v6.push(net),
        }
    }
    PrefixSet::new(v4, v6).unwrap()
}

/// `count` single addresses of IPv4, no two of them neighbours.
pub(crate) fn hosts(count: u32) -> PrefixSet {
    let host = |index| Net::host(0x0100_0000 + 2 * index);
    PrefixSet::new((0..count).map(host).collect(), Vec::new()).unwrap()
}

/// The text of a set, prefixes separated by blanks.
pub(crate) fn text(set: &PrefixSet) -> String {
    set.iter().map(|net| net.to_string()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn protected(text: &str) -> Vec<Protected> {
    text.split_whitespace()
        .map(|net| Protected { net: net.parse().unwrap(), reason: format!("reason of {net}") })
        .collect()
}
