use std::collections::BTreeMap;

use super::*;

/// Numbers that look like chance and are the same each time.
fn chance(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

/// Against exact counts: nobody has more than he is shown with and the error together, nobody is shown
/// with more than he has, whoever has more than his share of the packets is there, and nothing gets
/// lost of the sum.
#[test]
fn the_error_is_what_it_is_said_to_be() {
    const MOST: usize = 20;
    let mut state = 88_172_645_463_325_252;
    for keys in [10, 20, 21, 40, 1000] {
        let (mut busiest, mut exact) = (Busiest::<u64>::default(), BTreeMap::new());
        for at in 1..=20_000_u32 {
            // some keys come far more often than others
            let (a, b) = (chance(&mut state) % keys, chance(&mut state) % keys);
            let key = a.min(b);
            busiest.add(&key, MOST, Direction::In, at, ());
            *exact.entry(key).or_insert(0) += 1;
            if at % 5000 == 0 {
                // as over a restart
                let text = serde_json::to_vec(&busiest).unwrap();
                busiest = serde_json::from_slice(&text).unwrap();
            }
            if at % 999 != 0 {
                continue;
            }
            let (shown, others) = busiest.split(usize::MAX);
            let shown: BTreeMap<u64, u64> =
                shown.into_iter().map(|(key, count, ())| (key, count.total())).collect();
            assert!(shown.len() <= MOST);
            let error = busiest.error();
            assert!(error <= u64::from(at) / MOST as u64, "{error} of {at}");
            for (key, count) in &exact {
                let known = shown.get(key).copied().unwrap_or_default();
                assert!(known <= *count && *count <= known + error, "{key}: {known} for {count}");
                assert!(*count <= u64::from(at) / MOST as u64 || shown.contains_key(key));
            }
            assert_eq!(shown.values().sum::<u64>() + others.total(), u64::from(at));
            assert!(keys > MOST as u64 || error == 0);
        }
    }
}

/// Fails when each new key looks through all others, as often as it likes.
#[test]
fn a_flood_is_counted_in_a_moment() {
    const MOST: usize = 1000;
    let mut busiest = Busiest::<u64>::default();
    let mut looks = 0;
    for key in 0..100_000 {
        let before = busiest.least.0;
        busiest.add(&key, MOST, Direction::In, 1, ());
        looks += usize::from(busiest.least.0 != before);
    }
    assert!(looks <= 100_000 / MOST, "looked {looks} times through all");
}
