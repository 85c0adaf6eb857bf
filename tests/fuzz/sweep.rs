//! From lists to tables, against sets of single addresses.

use std::net::IpAddr;

use ipnet::IpNet;
use policy::{
    Change, Composed, Evidence, Guard, List, Protected, Since, Together, compose_allow,
    compose_block, diff, exempt, why,
};
use prefix::{Bounds, Floor, Items, Prefix, PrefixSet, Shield};

use crate::input::Input;

/// Addresses of a universe: a network with so many bits below it.
const BITS: u8 = 9;
const SIZE: usize = 1 << BITS;
/// More items than this only take time.
const MOST: usize = 200;

/// Where the universe lies: both families, both ends, somewhere between, and IPv4 in IPv6.
const PLACES: [&str; 7] = [
    "0.0.0.0",
    "10.11.0.0",
    "255.255.254.0",
    "::",
    "2001:db8::fe00",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fe00",
    "::ffff:10.11.0.0",
];

/// Who has an item.
const ALLOW: usize = 3;
const PROTECT: usize = 4;
const OWNERS: usize = 5;

/// An item within the universe.
#[derive(Clone, Copy, Debug)]
struct Small {
    first: usize,
    /// Bits within the universe: 0 is all of it.
    len: u8,
    negated: bool,
}

impl Small {
    fn has(self, index: usize) -> bool {
        index >> (BITS - self.len) == self.first >> (BITS - self.len)
    }

    fn net(self, base: IpAddr) -> IpNet {
        let net = match base {
            IpAddr::V4(base) => {
                let addr = base.to_bits() + self.first as u32;
                IpNet::new(IpAddr::V4(addr.into()), 32 - BITS + self.len)
            }
            IpAddr::V6(base) => {
                let addr = base.to_bits() + self.first as u128;
                IpNet::new(IpAddr::V6(addr.into()), 128 - BITS + self.len)
            }
        };
        net.unwrap().trunc()
    }

    fn prefix(self, base: IpAddr) -> Prefix {
        let net = self.net(base);
        Prefix::new(net.addr(), net.prefix_len()).unwrap()
    }
}

/// Three block lists, an allow list and protected networks, three octets an item, in one of the
/// places, with one of the floors.
pub fn compose(data: &[u8]) -> bool {
    let mut input = Input(data);
    let base: IpAddr = PLACES[usize::from(input.octet()) % PLACES.len()].parse().unwrap();
    let floor = input.octet() % (BITS + 1);
    let mut items: [Vec<Small>; OWNERS] = Default::default();
    while !input.is_empty() && items.iter().map(Vec::len).sum::<usize>() < MOST {
        let (kind, addr) = (input.octet(), input.word());
        let len = (addr >> BITS) as u8 % (BITS + 1);
        let small = Small {
            first: (usize::from(addr) % SIZE) >> (BITS - len) << (BITS - len),
            len,
            negated: kind & 0x80 != 0,
        };
        items[usize::from(kind & 0x7f) % OWNERS].push(small);
    }
    // those wider than the floor are refused as a whole, which tests of their own show
    items[..ALLOW].iter_mut().for_each(|list| list.retain(|item| item.len >= floor));
    sweep(base, floor, &items);
    true
}

fn sweep(base: IpAddr, floor: u8, items: &[Vec<Small>; OWNERS]) {
    let none = Floor { v4: 0, v6: 0 };
    let unbounded = guard(none);
    let guard = guard(Floor { v4: 32 - BITS + floor, v6: 128 - BITS + floor });
    let list = |items: &Vec<Small>| {
        let mut all = Items::default();
        items.iter().for_each(|item| all.push(item.prefix(base), item.negated));
        List::new("list", all, none)
    };
    let blocks: Vec<List> = items[..ALLOW].iter().map(list).collect();
    let allows = list(&items[ALLOW]);
    let canonical = base.to_canonical();
    let protect = |item: &Small| Protected { net: item.prefix(canonical), reason: String::new() };
    let protected: Vec<Protected> = items[PROTECT].iter().map(protect).collect();

    let blocks: Vec<&List> = blocks.iter().collect();
    let allow = compose_allow(&Together::of(&[&allows]), &[], &unbounded).unwrap().set;
    let exempt = exempt(&[&allows]);
    let Composed { set, removed } =
        compose_block(&Together::of(&blocks), &exempt, &protected, &guard).unwrap();

    // each address by itself: the most specific item decides, and of two alike the negated one
    let names = |list: &Vec<Small>, index: usize| {
        let covering = list.iter().filter(|item| item.has(index));
        covering.max_by_key(|item| (item.len, item.negated)).is_some_and(|item| !item.negated)
    };
    let since = Since::new(&set, 7);
    let evidence = Evidence {
        block: &set,
        since: &since,
        block_lists: &blocks,
        allow_lists: &[&allows],
        protected: &protected,
    };
    let (mut by_allow, mut by_shield) = (0, 0);
    for index in 0..SIZE {
        let addr = Small { first: index, len: BITS, negated: false }.prefix(canonical).addr();
        let named: Vec<bool> = items[..ALLOW].iter().map(|list| names(list, index)).collect();
        let listed = named.contains(&true);
        let allowed = names(&items[ALLOW], index);
        let shielded = items[PROTECT].iter().any(|item| item.has(index));
        assert_eq!(allow.find(addr).is_some(), allowed, "{addr} allowed");
        assert_eq!(exempt.contains(addr), allowed, "{addr} exempt");
        assert_eq!(set.find(addr).is_some(), listed && !allowed && !shielded, "{addr} blocked");
        by_allow += u128::from(listed && allowed);
        by_shield += u128::from(listed && !allowed && shielded);
        if index % 64 == 5 {
            let why = why(&evidence, addr);
            assert_eq!(why.blocked(), set.find(addr).is_some());
            assert_eq!(why.since, why.blocked().then_some(7));
            assert_eq!(why.listed_by.len(), named.iter().filter(|named| **named).count());
            assert_eq!(
                (why.allowed_by.len(), why.protected_by.is_some()),
                (allowed.into(), shielded)
            );
        }
    }
    assert_eq!((removed.allowed.addresses, removed.protected.addresses), (by_allow, by_shield));
    // what the shield takes out is told, each entry once
    let told: usize = removed.left_out.iter().map(|left_out| left_out.entries).sum();
    assert!(told >= usize::from(removed.protected.entries > 0));
    assert!(removed.left_out.len() <= protected.len());
    least(&set, canonical, floor);
    least(&allow, canonical, 0);
    let plain = items.iter().flatten().all(|item| !item.negated);
    if plain && floor == 0 && items[PROTECT].is_empty() && items[ALLOW].is_empty() {
        as_ipnet(&set, items[..ALLOW].iter().flatten().map(|item| item.net(canonical)));
    }
    change(&allow, &set);
    change(&set, &allow);
}

fn guard(floor: Floor) -> Guard {
    let bounds = Bounds {
        floor,
        max_entries: 1_000_000,
        max_coverage: 100,
        max_coverage_v6: u32::MAX,
        allow_max_coverage: u64::MAX,
        expect: Vec::new(),
    };
    Guard { bounds, shield: Shield::default(), max_shrink: 50, max_growth: 400 }
}

/// No prefix has its other half beside it, unless both together were wider than the floor: a
/// disjoint set of which that is true is the least one.
fn least(set: &PrefixSet, base: IpAddr, floor: u8) {
    let outside = if base.is_ipv4() { 32 } else { 128 } - BITS;
    let nets: Vec<IpNet> =
        set.iter().map(|net| IpNet::new(net.addr(), net.len()).unwrap()).collect();
    for pair in nets.windows(2) {
        let wider = pair[0].supernet().filter(|net| net.prefix_len() >= outside + floor);
        let halves = wider.is_some() && wider == pair[1].supernet();
        assert!(!halves, "{} and {} are one", pair[0], pair[1]);
        assert!(!pair[0].contains(&pair[1]));
    }
    for net in nets {
        assert!(net.prefix_len() >= outside + floor, "{net} is wider than the floor");
    }
}

/// The crate ipnet makes the same of prefixes none of which is negated.
fn as_ipnet(set: &PrefixSet, nets: impl Iterator<Item = IpNet>) {
    let mut theirs = IpNet::aggregate(&nets.collect());
    theirs.sort_unstable();
    let ours: Vec<IpNet> =
        set.iter().map(|net| IpNet::new(net.addr(), net.len()).unwrap()).collect();
    assert_eq!(ours, theirs);
}

/// The difference of two sets, put to the one, gives the other.
fn change(old: &PrefixSet, new: &PrefixSet) {
    let mut nets: Vec<Prefix> = old.iter().collect();
    for change in diff(old, new) {
        match change {
            Change::Added(net) => nets.push(net),
            Change::Removed(net) => {
                let before = nets.len();
                nets.retain(|kept| *kept != net);
                assert_eq!(nets.len() + 1, before, "{net} was not there");
            }
        }
    }
    nets.sort_unstable();
    assert_eq!(nets, new.iter().collect::<Vec<_>>());
}
