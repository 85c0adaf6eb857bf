use std::net::IpAddr;

use super::*;

/// First and last address as numbers, with the family before them.
fn range(item: &Item) -> (u8, u128, u128) {
    let (family, first) = match item.addr {
        IpAddr::V4(addr) => (4, u128::from(u32::from(addr))),
        IpAddr::V6(addr) => (6, u128::from(addr)),
    };
    let hosts = item.max_len() - item.len;
    let mask = if hosts == 128 { u128::MAX } else { (1 << hosts) - 1 };
    assert_eq!(first & mask, 0, "{item} has host bits");
    (family, first, first | mask)
}

/// A table is sorted, disjoint, and no two neighbours make up a larger prefix.
fn check_table(table: &[Item]) {
    for pair in table.windows(2) {
        let (a, b) = (range(&pair[0]), range(&pair[1]));
        assert!(a.0 < b.0 || (a.0 == b.0 && a.2 < b.1), "{} then {}", pair[0], pair[1]);
        let parent = u128::from(pair[0].max_len()) - u128::from(pair[0].len) + 1;
        let siblings = pair[0].len == pair[1].len && a.0 == b.0 && a.1 >> parent == b.1 >> parent;
        assert!(!siblings, "{} and {} make one prefix", pair[0], pair[1]);
    }
    assert!(table.iter().all(|item| !item.negated));
}

#[test]
fn basic_list_has_the_documented_size() {
    let sample = basic_list(26_424);
    assert_eq!(sample.table.len(), 26_424);
    check_table(&sample.table);
    assert!(sample.table.contains(&INDICATOR.parse().unwrap()));
    let v6 = sample.table.iter().filter(|item| item.addr.is_ipv6()).count();
    assert!((26_424 / 40..26_424 / 30).contains(&v6), "{v6} of IPv6");
    assert!(sample.items.iter().any(|item| item.negated));
    assert!(sample.items.len() > sample.table.len());
    assert_eq!(sample, basic_list(26_424));
}

#[test]
fn small_basic_lists_keep_every_peculiarity() {
    let sample = basic_list(64);
    assert_eq!(sample.table.len(), 64);
    check_table(&sample.table);
    for (list, _) in PECULIAR {
        assert!(items(list).iter().all(|item| sample.items.contains(item)), "{list}");
    }
}

/// What the peculiar items give, worked out address by address where they are narrow enough.
#[test]
fn peculiar_items_give_what_is_said() {
    for (list, table) in PECULIAR {
        let (list, table) = (items(list), items(table));
        let reserved = table.is_empty() && !list.iter().any(|item| item.negated);
        if reserved || list.iter().any(|item| item.addr.is_ipv6() || item.len < 16) {
            continue;
        }
        let covers = |item: &Item, addr: u128| {
            let (_, first, last) = range(item);
            first <= addr && addr <= last
        };
        let first = list.iter().map(|item| range(item).1).min().unwrap();
        let last = list.iter().map(|item| range(item).2).max().unwrap();
        for addr in first..=last {
            let deciding =
                list.iter().filter(|item| covers(item, addr)).max_by_key(|i| (i.len, i.negated));
            let named = deciding.is_some_and(|item| !item.negated);
            assert_eq!(table.iter().any(|item| covers(item, addr)), named, "{addr:#x}");
        }
    }
}

#[test]
fn what_is_scattered_comes_once() {
    let mut seen: Vec<u32> = (0..1 << 20).map(|number| scattered(number, 20)).collect();
    assert!(!seen[..100].is_sorted());
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..1 << 20));
}

#[test]
fn big_list_is_disjoint() {
    let sample = big_list(845_023);
    assert_eq!((sample.items.len(), sample.table.len()), (845_023, 845_023));
    check_table(&sample.table);
}

#[test]
fn more_than_a_million_prefixes_are_disjoint() {
    let sample = big_list(1_100_000);
    assert_eq!(sample.table.len(), 1_100_000);
    check_table(&sample.table);
}

#[test]
fn allow_list_is_a_table_apart() {
    let allow = allow_list();
    assert_eq!(allow.len(), 3);
    check_table(&allow);
    let block = basic_list(26_424).table;
    for allowed in allow {
        let (family, addr, _) = range(&allowed);
        let hit = |item: &Item| {
            let (of, first, last) = range(item);
            of == family && first <= addr && addr <= last
        };
        assert!(!block.iter().any(hit), "{allowed} is blocked");
    }
}
