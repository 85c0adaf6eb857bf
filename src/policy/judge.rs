//! The guards: whether a set may replace the one before it.

use core::fmt;
use core::net::IpAddr;

use prefix::{Coverage, Excess, Prefix, PrefixSet};

use crate::held::HeldRuns;
use crate::list::Floor;

/// A change of no more entries than this is never held back, whatever its percentage.
const SMALL_CHANGE: u64 = 100;

/// Which table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// The table of blocked addresses.
    Block,
    /// The table of allowed addresses.
    Allow,
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Block => "block",
            Self::Allow => "allow",
        })
    }
}

/// The section `[guard]` of the configuration, without what is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// Shortest prefix lengths.
    pub floor: Floor,
    /// Most entries of a table.
    pub max_entries: u64,
    /// Percent of IPv4 and of 2000::/3 that the block table may cover.
    pub max_coverage: u8,
    /// IPv4 addresses, and /64 networks of IPv6, that the allow table may cover.
    pub allow_max_coverage: u64,
    /// Percent by which a table may shrink.
    pub max_shrink: u32,
    /// Percent by which a table may grow.
    pub max_growth: u32,
    /// Addresses that the block table must have.
    pub expect: Vec<IpAddr>,
}

impl Guard {
    /// What forbids to go from `old` to `new` entries without being asked.
    ///
    /// There is no percentage of nothing, so that from an empty table any step is small enough.
    fn change(&self, old: u64, new: u64) -> Option<Reason> {
        let beyond = |by: u64, percent: u32| {
            by > SMALL_CHANGE && u128::from(by) * 100 > u128::from(old) * u128::from(percent)
        };
        if old == 0 {
            None
        } else if beyond(old.saturating_sub(new), self.max_shrink) {
            Some(Reason::Shrunk { old, new, percent: self.max_shrink })
        } else if beyond(new.saturating_sub(old), self.max_growth) {
            Some(Reason::Grown { old, new, percent: self.max_growth })
        } else {
            None
        }
    }

    /// Whether either number of entries may follow the other.
    pub(crate) fn alike(&self, a: u64, b: u64) -> bool {
        self.change(a, b).is_none() && self.change(b, a).is_none()
    }

    /// What forbids the set whatever went before it and whoever wants it.
    fn refusal(&self, table: Table, set: &PrefixSet) -> Option<Reason> {
        let entries = set.len() as u64;
        if entries > self.max_entries {
            return Some(Reason::Entries { entries, max: self.max_entries });
        }
        let mut coverage = Coverage::default();
        set.v4().iter().for_each(|net| coverage.add_v4(*net));
        set.v6().iter().for_each(|net| coverage.add_v6(*net));
        if table == Table::Allow {
            let limit = Limit::Addresses(self.allow_max_coverage);
            let excess = coverage.over_addresses(self.allow_max_coverage);
            return excess.map(|excess| Reason::Covers { excess, limit });
        }
        if set.is_empty() {
            return Some(Reason::Empty);
        }
        if let Some(excess) = coverage.over_percent(self.max_coverage) {
            return Some(Reason::Covers { excess, limit: Limit::Percent(self.max_coverage) });
        }
        let missing = self.expect.iter().find(|addr| set.find(addr.to_canonical()).is_none());
        missing.map(|addr| Reason::Missing(*addr))
    }
}

/// Who wants the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// The timer.
    Scheduled,
    /// `threatstopctl update`, or SIGUSR1.
    Manual,
    /// `threatstopctl update -f`: shrink and growth are accepted.
    Forced,
}

/// A set may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is within all limits, or the first one.
    Usual,
    /// It shrank or grew too much, and `update -f` accepts it.
    Forced,
    /// It shrank or grew too much, and three scheduled runs in a row agree on it.
    ThirdRun,
}

/// The previous table stays; the message of [`fmt::Display`] says why and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Which table.
    pub table: Table,
    /// What forbids the new one.
    pub reason: Reason,
}

/// The bound that a table exceeds by what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// `max_coverage`.
    Percent(u8),
    /// `allow_max_coverage`.
    Addresses(u64),
}

/// What forbids a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nothing is left to block.
    Empty,
    /// A list has a prefix wider than the floor.
    Wider {
        /// The list.
        list: String,
        /// The prefix.
        net: Prefix,
        /// The shortest length permitted.
        floor: u8,
    },
    /// More entries than `max_entries`.
    Entries {
        /// The entries there would be, at least.
        entries: u64,
        /// The bound.
        max: u64,
    },
    /// Too many addresses.
    Covers {
        /// The family and how much of it is covered.
        excess: Excess,
        /// The bound.
        limit: Limit,
    },
    /// An address of `expect` is not in the table.
    Missing(IpAddr),
    /// Too few entries compared with the previous set.
    Shrunk {
        /// Entries of the previous set.
        old: u64,
        /// Entries of the new set.
        new: u64,
        /// `max_shrink`.
        percent: u32,
    },
    /// Too many entries compared with the previous set.
    Grown {
        /// Entries of the previous set.
        old: u64,
        /// Entries of the new set.
        new: u64,
        /// `max_growth`.
        percent: u32,
    },
}

impl Reason {
    /// Whether the set is only held back: `update -f` or the third such run publishes it.
    pub fn is_hold(&self) -> bool {
        matches!(self, Self::Shrunk { .. } | Self::Grown { .. })
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "nothing would be blocked (threatstopctl test shows what the lists hold)",
            ),
            Self::Wider { list, net, floor } => {
                let key = match net {
                    Prefix::V4(_) => "min_prefix_v4",
                    Prefix::V6(_) => "min_prefix_v6",
                };
                write!(f, "{list} has {net}, wider than /{floor} (see {key} in [guard])")
            }
            Self::Entries { entries, max } => {
                write!(f, "{entries} entries, more than {max} (see max_entries in [guard])")
            }
            Self::Covers { excess, limit } => {
                let (what, family, percent_of) = match excess {
                    Excess::V4(count) => (*count, "addresses", "IPv4"),
                    Excess::V6(count) => (*count, "networks of IPv6 (/64)", "2000::/3"),
                };
                write!(f, "it covers {what} {family}, more than ")?;
                match limit {
                    Limit::Percent(percent) => {
                        write!(f, "{percent} % of {percent_of} (see max_coverage in [guard])")
                    }
                    Limit::Addresses(max) => {
                        write!(f, "{max} (see allow_max_coverage in [guard])")
                    }
                }
            }
            Self::Missing(addr) => write!(f, "{addr} is missing (see expect in [guard])"),
            Self::Shrunk { old, new, percent } => {
                write!(
                    f,
                    "{old} -> {new} entries, more than {percent} % fewer (update -f to accept)"
                )
            }
            Self::Grown { old, new, percent } => {
                write!(
                    f,
                    "{old} -> {new} entries, more than {percent} % more (update -f to accept)"
                )
            }
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keeping the previous {} list: {}", self.table, self.reason)
    }
}

impl std::error::Error for Kept {}

/// Judges a composed table.
///
/// `previous` is the number of entries of the set before, if there is one. `held` is the row of
/// runs that were held back; the caller keeps it between runs, and keeps the changed value only
/// when the run really counts: not for `update -n`, and not when the accepted set could not be
/// published. A run that [`compose_allow`] or [`compose_block`] has refused already ends the row:
/// see [`HeldRuns::end`].
///
/// # Errors
/// [`Kept`] when the previous set must stay.
///
/// [`compose_allow`]: crate::compose_allow
/// [`compose_block`]: crate::compose_block
pub fn judge(
    table: Table,
    set: &PrefixSet,
    previous: Option<usize>,
    guard: &Guard,
    run: Run,
    held: &mut HeldRuns,
) -> Result<Accepted, Kept> {
    if let Some(reason) = guard.refusal(table, set) {
        held.end();
        return Err(Kept { table, reason });
    }
    let new = set.len() as u64;
    let change = previous.and_then(|old| guard.change(old as u64, new));
    let accepted = match (change, run) {
        (None, _) => Accepted::Usual,
        (Some(_), Run::Forced) => Accepted::Forced,
        (Some(_), Run::Scheduled) if held.agree(new, guard) => Accepted::ThirdRun,
        (Some(reason), _) => return Err(Kept { table, reason }),
    };
    held.end();
    Ok(accepted)
}

#[cfg(test)]
mod tests;
