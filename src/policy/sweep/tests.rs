use super::*;

fn range(first: u32, last: u32) -> Range<u32> {
    Range::new(first, last).unwrap()
}

fn cover(ranges: &[Range<u32>], floor: u8, max: usize) -> (Vec<Net<u32>>, usize) {
    let mut cover = Cover::new(floor, max, 0);
    ranges.iter().for_each(|range| cover.push(*range));
    cover.finish()
}

#[test]
fn holes_cut_and_count() {
    let ranges = [range(0, 9), range(20, 29), range(30, 39), range(u32::MAX - 1, u32::MAX)];
    let holes = [range(0, 0), range(3, 4), range(9, 20), range(39, 50), range(u32::MAX, u32::MAX)];
    let mut holes = Holes::new(holes.into_iter());
    let mut left = Vec::new();
    ranges.iter().for_each(|range| holes.cut(*range, |range| left.push(range)));
    let last = range(u32::MAX - 1, u32::MAX - 1);
    assert_eq!(left, [range(1, 2), range(5, 8), range(21, 29), range(30, 38), last]);
    assert_eq!(holes.removed, Count { entries: 4, addresses: 7 });
}

#[test]
fn a_hole_may_swallow_several_ranges() {
    let mut holes = Holes::new([range(0, u32::MAX)].into_iter());
    for part in [range(0, 4), range(6, 7), range(100, u32::MAX)] {
        holes.cut(part, |range| panic!("{range:?} is left"));
    }
    assert_eq!(holes.removed, Count { entries: 3, addresses: 7 + (1 << 32) - 100 });
}

#[test]
fn counts_saturate() {
    let mut count = Count::default();
    count.add_addresses(Range::new(0, u128::MAX).unwrap());
    assert_eq!(count.addresses, u128::MAX);
    count.add(count);
    assert_eq!(count.addresses, u128::MAX);
}

#[test]
fn ranges_that_touch_span_what_none_of_them_does() {
    let ranges = [range(0, 9), range(10, 19), range(21, 29), range(u32::MAX, u32::MAX)];
    for (first, last, expected) in [
        (0, 9, true),
        (3, 15, true),
        (0, 19, true),
        (0, 20, false),
        (20, 20, false),
        (19, 21, false),
        (21, 29, true),
        (21, 30, false),
        (30, 40, false),
        (u32::MAX, u32::MAX, true),
        (0, u32::MAX, false),
    ] {
        assert_eq!(spans(&ranges, range(first, last)), expected, "{first}-{last}");
    }
    assert!(spans(&[range(0, u32::MAX)], range(0, u32::MAX)));
    assert!(!spans(&[], range(0, 0)));
}

#[test]
fn overlap_of_a_list_and_a_network() {
    let list = [range(0, 9), range(20, 29), range(30, 39)];
    assert_eq!(overlap(&list, range(10, 19)), Count::default());
    assert_eq!(overlap(&list, range(9, 20)), Count { entries: 2, addresses: 2 });
    assert_eq!(overlap(&list, range(25, u32::MAX)), Count { entries: 2, addresses: 15 });
    assert_eq!(overlap(&list, range(40, 41)), Count::default());
    assert_eq!(overlap::<u32>(&[], range(0, 41)), Count::default());
}

#[test]
fn the_union_joins_what_overlaps_and_keeps_what_touches() {
    let (a, b) = ([range(0, 9), range(20, 29)], [range(5, 12), range(13, 14), range(20, 20)]);
    let both = union(&[&a, &b]);
    assert_eq!(*both, [range(0, 12), range(13, 14), range(20, 29)]);
    assert_eq!(*union(&[&a[..]]), a);
    assert!(union::<u32>(&[]).is_empty());
}

#[test]
fn neighbours_become_one_prefix_but_none_wider_than_the_floor() {
    let parts: Vec<Range<u32>> = (0..256).map(|a| range(a << 24, a << 24 | 0xff_ffff)).collect();
    let count = |floor| cover(&parts, floor, usize::MAX).1;
    assert_eq!(count(0), 1);
    assert_eq!(count(1), 2);
    assert_eq!(count(8), 256);
    let text: Vec<String> =
        cover(&[range(0x00ff_ffff, 0x0200_0000)], 8, 9).0.iter().map(Net::to_string).collect();
    assert_eq!(text, ["0.255.255.255", "1.0.0.0/8", "2.0.0.0"]);
}

#[test]
fn beyond_the_maximum_prefixes_are_only_counted() {
    let hosts: Vec<Range<u32>> = (0..1000).map(|a| range(2 * a, 2 * a)).collect();
    assert_eq!(cover(&hosts, 8, 1000).0.len(), 1000);
    let (nets, entries) = cover(&hosts, 8, 999);
    assert_eq!(entries, 1000);
    assert!(nets.capacity() <= 999, "{}", nets.capacity());
    // a range of 4 thousand million prefixes is left where it exceeds the maximum
    let (nets, entries) = cover(&[range(0, u32::MAX)], 32, 10);
    assert!(nets.is_empty() && entries == 11, "{entries}");
}

/// The union in the plainest way.
fn plainly(parts: &[Vec<Range<u32>>]) -> Vec<Range<u32>> {
    let mut all = parts.concat();
    all.sort();
    let mut joined: Vec<Range<u32>> = Vec::new();
    for next in all {
        match joined.pop() {
            Some(last) if next.first() <= last.last() => {
                joined.push(range(last.first(), last.last().max(next.last())));
            }
            last => joined.extend(last.into_iter().chain([next])),
        }
    }
    joined
}

/// Fails when a range gets lost between two borders, or is not joined with one before a border.
#[test]
fn a_union_of_more_than_is_sorted_at_once() {
    let many = CHUNK as u32;
    let part = |step: u32, size: u32, count: u32, from: u32| -> Vec<Range<u32>> {
        (0..count).map(|n| from + n * step).map(|first| range(first, first + size)).collect()
    };
    for parts in [
        vec![part(16, 0, 2 * many, 0), part(16, 3, 2 * many, 5), part(160, 100, many, 1)],
        // all of one part before the other, one within the other, one at the very end
        vec![part(4, 1, 3 * many, 1 << 24), part(4, 1, 3 * many, 0)],
        vec![part(8, 1, 3 * many, 0), part(1, 0, many, 40)],
        vec![part(8, 1, 3 * many, 0), vec![range(7, u32::MAX)]],
        vec![part(8, 1, many, u32::MAX - 8 * many), part(8, 7, 2 * many, u32::MAX - 16 * many)],
        vec![Vec::new(), part(8, 1, many, 0), Vec::new()],
        vec![Vec::new(), Vec::new()],
        Vec::new(),
    ] {
        let slices: Vec<_> = parts.iter().map(Vec::as_slice).collect();
        assert!(*union(&slices) == plainly(&parts));
    }
}
