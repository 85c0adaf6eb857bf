use prefix::Net;
use proptest::prelude::*;

use super::*;

fn range(text: &str) -> Range<u32> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    Range::new(first.parse().unwrap(), last.parse().unwrap()).unwrap()
}

fn counts(ranges: &str, nets: &str) -> Vec<usize> {
    let all = |text: &str| text.split_whitespace().map(range).collect::<Vec<_>>();
    count(&all(ranges), &all(nets))
}

#[test]
fn each_entry_counts_once() {
    assert_eq!(counts("1 2 5-6 20", "0-7"), [3]);
    // the narrowest network that holds it
    assert_eq!(counts("1 2 5-6 20", "4-7 0-7 0-63"), [1, 2, 1]);
    // one that is wider than the networks counts for the first one that it touches
    assert_eq!(counts("0-31", "0-7 8-15 16-23"), [1, 0, 0]);
    assert_eq!(counts("6-9 12-17 30", "0-7 8-15 16-23"), [1, 1, 0]);
    // of equal networks the first one
    assert_eq!(counts("1", "0-7 0-7"), [1, 0]);
    assert_eq!(counts("", "0-7"), [0]);
    assert_eq!(counts("9", "0-7"), [0]);
}

/// Range by range, network by network.
fn slowly(ranges: &[Range<u32>], nets: &[Range<u32>]) -> Vec<usize> {
    let mut counts = vec![0; nets.len()];
    let size = |net: &Range<u32>| net.last() - net.first();
    for range in ranges {
        let holds = |net: &Range<u32>| net.contains(range.first()) && net.contains(range.last());
        let touches = |net: &Range<u32>| net.first() <= range.last() && range.first() <= net.last();
        let all = || nets.iter().enumerate();
        let narrowest = all().filter(|(_, net)| holds(net)).min_by_key(|(_, net)| size(net));
        let outermost = |net: &Range<u32>| {
            !nets.iter().any(|other| {
                size(other) > size(net) && other.contains(net.first()) && other.contains(net.last())
            })
        };
        let first = || {
            all().filter(|(_, net)| touches(net) && outermost(net)).min_by_key(|(_, n)| n.first())
        };
        if let Some((index, _)) = narrowest.or_else(first) {
            counts[index] += 1;
        }
    }
    counts
}

proptest! {
    #[test]
    fn as_counted_range_by_range(
        mut cuts in proptest::collection::vec(0u32..256, 0..40),
        nets in proptest::collection::vec((0u32..256, 22u8..=32), 0..12),
    ) {
        cuts.sort_unstable();
        cuts.dedup();
        let ranges: Vec<Range<u32>> = cuts
            .chunks_exact(2)
            .map(|ends| Range::new(ends[0], ends[1]).unwrap())
            .collect();
        let nets: Vec<Range<u32>> =
            nets.into_iter().map(|(addr, len)| Net::masked(addr, len).unwrap().into()).collect();
        let counts = count(&ranges, &nets);
        prop_assert_eq!(&counts, &slowly(&ranges, &nets));
        let touched = ranges.iter().filter(|range| {
            nets.iter().any(|net| net.first() <= range.last() && range.first() <= net.last())
        });
        prop_assert_eq!(counts.iter().sum::<usize>(), touched.count());
    }
}
