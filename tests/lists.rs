//! Lists made up for the tests, together with the table that must come of them.
//!
//! They are the same in each run. The addresses stand in ordinary allocated space, away from every
//! reserved range and the vendor's own networks, so that the default guards let them through; a
//! machine whose interfaces or nameservers have addresses in there would protect them.

use std::collections::BTreeSet;

use crate::item::{Item, items};
use crate::prng::Prng;

/// The address that the vendor's documentation tests with; in every basic list.
pub const INDICATOR: &str = "64.87.3.133";

/// First octets of the IPv4 items: unicast space without special ranges.
const FIRST_OCTETS: [u32; 32] = [
    2, 5, 14, 23, 27, 31, 36, 37, 39, 41, 42, 43, 45, 46, 49, 58, 59, 60, 61, 62, 77, 78, 79, 80,
    81, 82, 83, 84, 85, 86, 87, 88,
];
/// Host bits of the slots that the IPv4 space is cut into. Each holds one item at most, and that is
/// smaller, so nothing aggregates.
const SLOT_BITS: u32 = 9;
/// The same where there are more than a million prefixes.
const NARROW_SLOT_BITS: u32 = 7;

/// A list and what composing it alone, with the default guards, must give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The items as the service has them: in no order, with repetitions and holes.
    pub items: Vec<Item>,
    /// The table: disjoint, minimal, in the order of a table file.
    pub table: Vec<Item>,
}

/// What a list may say besides plain prefixes, and the part of the table that comes of it.
const PECULIAR: [(&str, &str); 14] = [
    // The vendor's test address.
    (INDICATOR, INDICATOR),
    // Holes: the most specific item decides.
    ("91.0.0.0/31 !91.0.0.1", "91.0.0.0"),
    ("91.1.0.0/22 !91.1.2.0/23 91.1.3.0/24", "91.1.0.0/23 91.1.3.0/24"),
    (
        "91.2.0.0/24 !91.2.0.128",
        "91.2.0.0/25 91.2.0.129 91.2.0.130/31 91.2.0.132/30 91.2.0.136/29 91.2.0.144/28 \
         91.2.0.160/27 91.2.0.192/26",
    ),
    ("2a0c::/32 !2a0c::/33", "2a0c:0:8000::/33"),
    // A hole in nothing, and one as large as what it cuts.
    ("!91.4.0.0/16", ""),
    ("91.7.0.0/24 !91.7.0.0/24", ""),
    // Neighbours, nested items, repetitions.
    ("91.3.0.0/25 91.3.0.128/25", "91.3.0.0/24"),
    ("91.5.0.0/16 91.5.5.0/24 91.5.5.5 2a0d::/32 2a0d:0:1::/48", "91.5.0.0/16 2a0d::/32"),
    ("91.6.6.6 91.6.6.6 91.6.6.6", "91.6.6.6"),
    // IPv4 in the clothes of IPv6.
    ("::ffff:91.8.8.8", "91.8.8.8"),
    // Private use, and the vendor's own servers.
    ("10.1.0.0/16 172.16.0.0/12 192.168.0.0/16 100.64.0.0/10 fd00:1::/32", ""),
    ("192.124.129.0/24 204.68.99.208/28", ""),
    // This host, this link, everybody.
    (
        "127.0.0.0/8 127.0.0.1 0.0.0.0/8 169.254.1.1 224.0.0.1 255.255.255.255 ::1 fe80::1 ff02::1",
        "",
    ),
];

/// A block list whose table has exactly so many entries, among them IPv6 (one in 32), with holes,
/// repetitions, nested items and addresses that must never be blocked. At least 64 entries.
pub fn basic_list(entries: usize) -> Sample {
    let mut sample = Sample { items: Vec::new(), table: Vec::new() };
    for (list, table) in PECULIAR {
        sample.items.extend(items(list));
        sample.table.extend(items(table));
    }
    assert!(entries >= 64, "{entries} entries leave no room for the peculiar ones");
    let plain = plain(entries - sample.table.len(), 1);
    sample.items.extend(&plain);
    sample.table.extend(&plain);
    Prng::new(2).shuffle(&mut sample.items);
    sample.table.sort_unstable();
    sample
}

/// A block list of so many disjoint prefixes that do not aggregate; at most four million.
pub fn big_list(prefixes: usize) -> Sample {
    let items = plain(prefixes, 3);
    let mut table = items.clone();
    table.sort_unstable();
    Sample { items, table }
}

/// An allow list of three addresses, in the order of a table file. None is in a block list here.
pub fn allow_list() -> Vec<Item> {
    items("64.87.26.147 192.124.129.42 204.68.99.215")
}

/// The hosts of IPv4 among the items, for the layout that can say nothing else.
pub fn hosts(items: &[Item]) -> Vec<Item> {
    items
        .iter()
        .filter(|item| item.addr.is_ipv4() && item.len == 32 && !item.negated)
        .copied()
        .collect()
}

/// A number of so many bits for each such number, each once and in no order to be seen: a list of a few
/// prefixes does not take what a shuffled table of all slots would.
fn scattered(number: u32, bits: u32) -> u32 {
    // each step can be undone
    let step = |number: u32, factor: u32| {
        let number = number.wrapping_mul(factor) & ((1 << bits) - 1);
        number ^ number >> (bits / 2)
    };
    step(step(number, 0x9e37_79b1), 0x85eb_ca6b)
}

/// So many disjoint prefixes without neighbours, one in 32 of them IPv6, in no order. Those of two seeds have
/// no slot in common below 2^18 prefixes.
fn plain(count: usize, seed: u64) -> Vec<Item> {
    let mut prng = Prng::new(seed);
    let v6 = count / 32;
    let room = |bits: u32| (FIRST_OCTETS.len() as u32) << (24 - bits);
    let bits = if count - v6 <= room(SLOT_BITS) as usize { SLOT_BITS } else { NARROW_SLOT_BITS };
    assert!(count - v6 <= room(bits) as usize, "{count} prefixes are more than there is room for");
    let mut out: Vec<Item> = (0..(count - v6) as u32)
        .map(|number| {
            let slot = scattered(number ^ (seed as u32) << 18, room(bits).trailing_zeros());
            let octet = FIRST_OCTETS[(slot >> (24 - bits)) as usize];
            let net = octet << 24 | slot << bits & 0x00ff_ffff;
            let random = prng.next_u64();
            let host = (random >> 32) as u32 & ((1 << bits) - 1);
            // Three hosts for each network, half a slot, as block lists are.
            if random.is_multiple_of(4) {
                Item::v4(net | host & 1 << (bits - 1), (33 - bits) as u8)
            } else {
                Item::v4(net | host, 32)
            }
        })
        .collect();
    // The same with the /47 of 2a0b::/16.
    let mut taken = BTreeSet::new();
    while taken.len() < v6 {
        let random = u128::from(prng.next_u64());
        let slot = random & 0x7fff_ffff;
        if taken.insert(slot) {
            let net = 0x2a0b << 112 | slot << 81 | (random >> 63) << 80;
            out.push(match (random >> 32) % 4 {
                0 => Item::v6(net, 48),
                1 => Item::v6(net | (random >> 40 & 0xff) << 64, 64),
                _ => Item::v6(net | (random >> 36 & 0xffff), 128),
            });
        }
    }
    prng.shuffle(&mut out);
    out
}

#[cfg(test)]
mod tests;
