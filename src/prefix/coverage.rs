//! How many addresses a table covers.
//!
//! 256 disjoint /8 pass every look at a single prefix and still block everything, so the number of
//! addresses is bounded as well. Engine and helper add up with the same code.

use crate::net::{Address, Prefix, Prefix4, Prefix6};

/// 2000::/3, the global unicast space (IANA IPv6 address space registry; RFC 4291, section 2.4).
const GLOBAL: (u128, u8) = (0x2000 << 112, 3);
const GLOBAL_SIZE: u128 = 1 << (128 - GLOBAL.1);

/// Addresses covered by the prefixes of one table, added up prefix by prefix.
///
/// The prefixes must be disjoint, or what they share is counted twice. All sums saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    v4: u64,
    v6: u128,
    global: u128,
}

/// A table covers more than it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// Of IPv4; the number of addresses covered.
    V4(u64),
    /// Of IPv6; the addresses covered in numbers of a /64, rounded up.
    V6(u64),
}

impl Coverage {
    /// Adds a prefix.
    pub fn add(&mut self, prefix: Prefix) {
        match prefix {
            Prefix::V4(net) => self.add_v4(net),
            Prefix::V6(net) => self.add_v6(net),
        }
    }

    /// Adds an IPv4 prefix.
    pub fn add_v4(&mut self, net: Prefix4) {
        self.v4 = self.v4.saturating_add(1 << (u32::BITS - u32::from(net.len())));
    }

    /// Adds an IPv6 prefix.
    pub fn add_v6(&mut self, net: Prefix6) {
        let size = 1u128.checked_shl(u128::BITS - u32::from(net.len())).unwrap_or(u128::MAX);
        self.v6 = self.v6.saturating_add(size);
        let (addr, len) = GLOBAL;
        if net.len() >= len {
            if net.addr() & !u128::host_mask(len) == addr {
                self.global = self.global.saturating_add(size);
            }
        } else if net.contains(addr) {
            self.global = self.global.saturating_add(GLOBAL_SIZE);
        }
    }

    /// IPv4 addresses covered.
    pub fn v4(&self) -> u64 {
        self.v4
    }

    /// IPv6 addresses covered; ::/0 counts as one less than it has.
    pub fn v6(&self) -> u128 {
        self.v6
    }

    /// Whether more than `percent` of IPv4 or of 2000::/3 is covered; exactly so much is not more.
    pub fn over_percent(&self, percent: u8) -> Option<Excess> {
        let share = |size: u128| {
            // size * percent does not fit for IPv6; this is the same, rounded down once
            let percent = u128::from(percent.min(100));
            size / 100 * percent + size % 100 * percent / 100
        };
        if u128::from(self.v4) > share(1 << 32) {
            Some(Excess::V4(self.v4))
        } else if self.global > share(GLOBAL_SIZE) {
            Some(Excess::V6(networks(self.global)))
        } else {
            None
        }
    }

    /// Whether more than `max` addresses of IPv4, or more than `max` times a /64 of IPv6, are
    /// covered; exactly so many are not more.
    pub fn over_addresses(&self, max: u64) -> Option<Excess> {
        if self.v4 > max {
            Some(Excess::V4(self.v4))
        } else if self.v6 > u128::from(max) << 64 {
            Some(Excess::V6(networks(self.v6)))
        } else {
            None
        }
    }
}

fn networks(addresses: u128) -> u64 {
    u64::try_from(addresses.div_ceil(1 << 64)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
