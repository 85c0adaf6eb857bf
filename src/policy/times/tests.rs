use proptest::prelude::*;

use super::*;

/// The times of parts, an entry after the other; `None` when they are none.
fn naive(entries: usize, begins: &[u8], times: &[u32]) -> Option<Vec<u32>> {
    let bits: Vec<bool> =
        begins.iter().flat_map(|octet| (0..8).map(move |bit| octet & 1 << bit != 0)).collect();
    let (mut found, mut times) = (Vec::new(), times.iter());
    for (index, bit) in bits.iter().enumerate() {
        match (index < entries, bit, found.last().copied()) {
            (true, true, last) => {
                found.push(times.next().copied().filter(|time| Some(*time) != last)?);
            }
            (true, false, Some(last)) => found.push(last),
            (true, false, None) | (false, true, _) => return None,
            (false, false, _) => {}
        }
    }
    let is_whole = entries.div_ceil(8) == begins.len() && times.next().is_none();
    is_whole.then_some(found)
}

/// Fails when entries of the same age take more than their bits, or entries of which each has another age than
/// the one before take more than their bits beside the times.
#[test]
fn never_much_more_than_the_times_alone() {
    let octets = |times: Times| times.begins.capacity() + 4 * times.times.capacity();
    assert_eq!(octets(core::iter::repeat_n(7, 80_001).collect()), 10_001 + 4);
    assert_eq!(octets((0..80_001).map(|index| index & 1).collect()), 10_001 + 4 * 80_001);
}

#[test]
fn so_many_entries_as_are_said_are_not_made() {
    assert_eq!(Times::from_parts(usize::MAX, vec![1], vec![7]), None);
    assert_eq!(Times::from_parts(0, vec![], vec![]), Some(Times::default()));
}

proptest! {
    #[test]
    fn as_one_time_after_the_other(times in proptest::collection::vec(0u32..3, 0..300)) {
        let all: Times = times.iter().copied().collect();
        prop_assert_eq!(all.len(), times.len());
        prop_assert_eq!(all.is_empty(), times.is_empty());
        prop_assert_eq!(&all.iter().collect::<Vec<u32>>(), &times);
        for index in 0..times.len() + 20 {
            prop_assert_eq!(all.get(index), times.get(index).copied());
        }
        prop_assert_eq!(naive(all.len(), all.begins(), all.times()), Some(times));
    }

    #[test]
    fn parts_are_taken_that_are_those_of_times(
        times in proptest::collection::vec(0u32..3, 0..20),
        entries in prop_oneof![4 => Just(0), 1 => -9isize..9],
        flipped in prop_oneof![2 => Just(None), 1 => (0usize..24).prop_map(Some)],
        put in prop_oneof![2 => Just(None), 1 => (0usize..20, 0u32..3).prop_map(Some)],
    ) {
        let all: Times = times.into_iter().collect();
        let entries = all.len().saturating_add_signed(entries);
        let (mut begins, mut times) = (all.begins().to_vec(), all.times().to_vec());
        if let Some(octet) = flipped.and_then(|bit| begins.get_mut(bit / 8)) {
            *octet ^= 1 << (flipped.unwrap() % 8);
        }
        match put {
            Some((at, time)) if at < times.len() => times[at] = time,
            Some((at, time)) if at % 2 == 0 => times.push(time),
            Some(_) => drop(times.pop()),
            None => {}
        }
        let expected = naive(entries, &begins, &times);
        let found = Times::from_parts(entries, begins.clone(), times.clone());
        prop_assert_eq!(found.as_ref().map(|found| found.iter().collect()), expected);
        if let Some(found) = found {
            prop_assert_eq!((found.begins(), found.times()), (&begins[..], &times[..]));
        }
    }
}
