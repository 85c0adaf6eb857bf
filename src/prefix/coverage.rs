//! How many addresses a table covers.
//!
//! 256 disjoint /8 pass every look at a single prefix and still block everything, so the number of
//! addresses is bounded as well. Of IPv6 no share is a measure: all that IANA has given out is 1.4
//! percent of 2000::/3. What counts there is the number of /32, which is what a provider gets.

use core::fmt;

use crate::net::Prefix;
use crate::range::{Range4, Range6};

/// The first and the last address of 2000::/3, the global unicast space (IANA IPv6 address space
/// registry; RFC 4291, section 2.4).
const GLOBAL: (u128, u128) = (0x2000 << 112, (0x4000 << 112) - 1);

/// Addresses covered by the prefixes of one table, added up one by one.
///
/// The prefixes must be disjoint, or what they share is counted twice. All sums saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    v4: u64,
    v6: u128,
    global: u128,
}

/// A table covers more than it may. `Display` names the key of `[guard]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// A block table covers more than so many percent of IPv4.
    Percent {
        /// Addresses covered.
        addresses: u64,
        /// `max_coverage`.
        max: u8,
    },
    /// A block table covers more than so many /32 of IPv6.
    Networks {
        /// Addresses of 2000::/3 covered in numbers of a /32, rounded up.
        networks: u64,
        /// `max_coverage_v6`.
        max: u32,
    },
    /// An allow table covers more than so many addresses of IPv4.
    Allowed4 {
        /// Addresses covered.
        addresses: u64,
        /// `allow_max_coverage`.
        max: u64,
    },
    /// An allow table covers more than so many /64 of IPv6.
    Allowed6 {
        /// Addresses covered in numbers of a /64, rounded up.
        networks: u64,
        /// `allow_max_coverage`.
        max: u64,
    },
}

impl fmt::Display for Excess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it covers ")?;
        match self {
            Self::Percent { addresses, max } => write!(
                f,
                "{addresses} addresses, more than {max} % of IPv4 (see max_coverage in [guard])"
            ),
            Self::Networks { networks, max } => write!(
                f,
                "{networks} networks of IPv6 (/32), more than {max} (see max_coverage_v6 in \
                 [guard])"
            ),
            Self::Allowed4 { addresses, max } => write!(
                f,
                "{addresses} addresses, more than {max} (see allow_max_coverage in [guard])"
            ),
            Self::Allowed6 { networks, max } => write!(
                f,
                "{networks} networks of IPv6 (/64), more than {max} (see allow_max_coverage in \
                 [guard])"
            ),
        }
    }
}

impl Coverage {
    /// Adds a prefix.
    #[inline]
    pub fn add(&mut self, prefix: Prefix) {
        match prefix {
            Prefix::V4(net) => self.add_v4(net.into()),
            Prefix::V6(net) => self.add_v6(net.into()),
        }
    }

    /// Adds a range of IPv4.
    #[inline]
    pub fn add_v4(&mut self, range: Range4) {
        self.v4 = self.v4.saturating_add(u64::from(range.last() - range.first()) + 1);
    }

    /// Adds a range of IPv6.
    #[inline]
    pub fn add_v6(&mut self, range: Range6) {
        let size = |first: u128, last: u128| last.checked_sub(first).map(|n| n.saturating_add(1));
        let (first, last) = (range.first(), range.last());
        self.v6 = self.v6.saturating_add(size(first, last).unwrap_or(0));
        let global = size(first.max(GLOBAL.0), last.min(GLOBAL.1)).unwrap_or(0);
        self.global = self.global.saturating_add(global);
    }

    /// IPv4 addresses covered.
    pub fn v4(&self) -> u64 {
        self.v4
    }

    /// What is covered of 2000::/3, in numbers of a /32, rounded up. Many /48 of one /32 are
    /// together no more than this one.
    pub fn networks(&self) -> u64 {
        in_networks(self.global, 32)
    }

    /// Whether more than `percent` of IPv4, or more than `max` /32 of IPv6 are covered; exactly so
    /// much is not more.
    pub fn block_excess(&self, percent: u8, max: u32) -> Option<Excess> {
        let share = (1u64 << 32) * u64::from(percent.min(100)) / 100;
        if self.v4 > share {
            Some(Excess::Percent { addresses: self.v4, max: percent })
        } else if self.global > u128::from(max) << 96 {
            Some(Excess::Networks { networks: self.networks(), max })
        } else {
            None
        }
    }

    /// Whether more than `max` addresses of IPv4, or more than `max` times a /64 of IPv6, are
    /// covered; exactly so many are not more.
    pub fn allow_excess(&self, max: u64) -> Option<Excess> {
        if self.v4 > max {
            Some(Excess::Allowed4 { addresses: self.v4, max })
        } else if self.v6 > u128::from(max) << 64 {
            Some(Excess::Allowed6 { networks: in_networks(self.v6, 64), max })
        } else {
            None
        }
    }
}

fn in_networks(addresses: u128, len: u32) -> u64 {
    u64::try_from(addresses.div_ceil(1 << (u128::BITS - len))).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
