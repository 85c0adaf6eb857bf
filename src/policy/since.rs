//! Since when an address is blocked.

use core::iter::repeat_n;
use core::net::IpAddr;

use prefix::{Address, Net, PrefixSet};

use crate::times::Times;

/// Since when each entry of a set is covered, in the order of the set.
///
/// Epoch seconds, kept in 32 bits: later than the year 2106 is the year 2106.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Since {
    v4: Times,
    v6: Times,
}

impl Since {
    /// The times of a set without a past: all of it is covered since `now`.
    pub fn new(set: &PrefixSet, now: u64) -> Self {
        let now = clamp(now);
        let times = |entries| repeat_n(now, entries).collect();
        Self { v4: times(set.v4().len()), v6: times(set.v6().len()) }
    }

    /// The times of the set that follows `old` at `now`.
    ///
    /// An entry that the old set covered as a whole is as old as the youngest old entry in it, so
    /// that the time holds for each of its addresses; any other begins now.
    pub fn follow(&self, old: &PrefixSet, new: &PrefixSet, now: u64) -> Self {
        let now = clamp(now);
        Self {
            v4: follow(old.v4(), &self.v4, new.v4(), now),
            v6: follow(old.v6(), &self.v6, new.v6(), now),
        }
    }

    /// Times that were kept elsewhere, in the order of the set; `None` when there is not one for each entry.
    pub fn from_parts(set: &PrefixSet, v4: Times, v6: Times) -> Option<Self> {
        let is_whole = v4.len() == set.v4().len() && v6.len() == set.v6().len();
        is_whole.then_some(Self { v4, v6 })
    }

    /// The times of the IPv4 entries.
    pub fn v4(&self) -> &Times {
        &self.v4
    }

    /// The times of the IPv6 entries.
    pub fn v6(&self) -> &Times {
        &self.v6
    }

    /// Since when the entry of `set` that covers the address is covered.
    pub fn find(&self, set: &PrefixSet, addr: IpAddr) -> Option<u64> {
        let time = match addr {
            IpAddr::V4(a) => find(set.v4(), &self.v4, a.to_bits()),
            IpAddr::V6(a) => find(set.v6(), &self.v6, a.to_bits()),
        };
        time.map(u64::from)
    }
}

fn clamp(time: u64) -> u32 {
    u32::try_from(time).unwrap_or(u32::MAX)
}

fn find<A: Address>(nets: &[Net<A>], times: &Times, addr: A) -> Option<u32> {
    let index = nets.partition_point(|net| net.last() < addr);
    nets.get(index).filter(|net| net.contains(addr)).and_then(|_| times.get(index))
}

fn follow<A: Address>(old: &[Net<A>], times: &Times, new: &[Net<A>], now: u32) -> Times {
    let mut past = old.iter().zip(times.iter()).peekable();
    let time = |net: &Net<A>| {
        while past.next_if(|(old, _)| old.last() < net.addr()).is_some() {}
        let mut youngest = 0;
        let mut from = net.addr();
        for (old, time) in past.clone() {
            if old.addr() > from {
                return now;
            }
            youngest = youngest.max(time);
            match old.last().next() {
                Some(next) if old.last() < net.last() => from = next,
                _ => return youngest,
            }
        }
        now
    };
    new.iter().map(time).collect()
}

#[cfg(test)]
mod tests;
