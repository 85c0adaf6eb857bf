//! The absolute guards: what no table may have, whoever wants it.
//!
//! Engine and helper ask this same code: the engine so as to keep the set before and say why, the
//! helper so as to believe nothing of the engine.

use core::fmt;
use core::net::IpAddr;

use crate::coverage::{Coverage, Excess};
use crate::net::{Address, Net, Prefix};
use crate::shield::Shield;

/// What a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// What is in it is blocked.
    Block,
    /// What is in it is let through.
    Allow,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Block => "block",
            Self::Allow => "allow",
        })
    }
}

/// The widest prefixes a table may hold, by family: `min_prefix_v4` and `min_prefix_v6`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Floor {
    /// Shortest prefix length of IPv4, 0 to 32.
    pub v4: u8,
    /// Shortest prefix length of IPv6, 0 to 128.
    pub v6: u8,
}

impl Floor {
    /// The shortest prefix length of the family of `A`.
    pub fn bits<A: Address>(self) -> u8 {
        if A::BITS == u32::BITS as u8 { self.v4 } else { self.v6 }
    }

    /// The shortest prefix length of the family of a prefix.
    pub fn of(self, net: Prefix) -> u8 {
        match net {
            Prefix::V4(_) => self.v4,
            Prefix::V6(_) => self.v6,
        }
    }
}

/// The keys of `[guard]` that hold for every set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Shortest prefix lengths.
    pub floor: Floor,
    /// Most entries of a table.
    pub max_entries: u64,
    /// Percent of IPv4 that a block table may cover.
    pub max_coverage: u8,
    /// /32 networks of IPv6 that a block table may cover.
    pub max_coverage_v6: u32,
    /// IPv4 addresses, and /64 networks of IPv6, that an allow table may cover.
    pub allow_max_coverage: u64,
    /// Addresses that the block table must have, unless they are protected or allowed.
    pub expect: Vec<IpAddr>,
}

/// What forbids a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A block table would have no entry.
    Empty,
    /// More entries than `max_entries`.
    Entries {
        /// The entries there would be, at least.
        entries: u64,
        /// The bound.
        max: u64,
    },
    /// A prefix does not follow the one before it, or lies within it.
    Order(Prefix),
    /// A prefix is wider than the floor.
    Wide {
        /// The prefix.
        net: Prefix,
        /// The shortest length permitted.
        floor: u8,
    },
    /// A prefix of a block table shares an address with a protected network.
    Protected(Prefix),
    /// Too many addresses.
    Covers(Excess),
    /// An address of `expect` is not in the block table.
    Missing(IpAddr),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "nothing would be blocked (threatstopctl test shows what the lists hold)",
            ),
            Self::Entries { entries, max } => {
                write!(f, "{entries} entries, more than {max} (see max_entries in [guard])")
            }
            Self::Order(net) => write!(f, "{net} is out of order"),
            Self::Wide { net, floor } => {
                let family = if matches!(net, Prefix::V4(_)) { 4 } else { 6 };
                write!(f, "{net} is wider than /{floor} (see min_prefix_v{family} in [guard])")
            }
            Self::Protected(net) => write!(f, "{net} touches a protected network"),
            Self::Covers(excess) => fmt::Display::fmt(excess, f),
            Self::Missing(addr) => write!(f, "{addr} is missing (see expect in [guard])"),
        }
    }
}

impl std::error::Error for Refusal {}

impl Bounds {
    /// Whether a table may have so many entries.
    ///
    /// # Errors
    /// When it may not.
    pub fn count(&self, kind: Kind, entries: u64) -> Result<(), Refusal> {
        match entries {
            0 if kind == Kind::Block => Err(Refusal::Empty),
            _ if entries > self.max_entries => {
                Err(Refusal::Entries { entries, max: self.max_entries })
            }
            _ => Ok(()),
        }
    }

    /// Whether a table may cover so much.
    ///
    /// # Errors
    /// When it may not.
    pub fn covers(&self, kind: Kind, coverage: &Coverage) -> Result<(), Refusal> {
        let excess = match kind {
            Kind::Block => coverage.block_excess(self.max_coverage, self.max_coverage_v6),
            Kind::Allow => coverage.allow_excess(self.allow_max_coverage),
        };
        excess.map_or(Ok(()), |excess| Err(Refusal::Covers(excess)))
    }
}

/// All of IPv4.
const ALL: Prefix = Prefix::V4(Net { addr: 0, len: 0 });

/// A set as far as it has come, prefix by prefix.
#[derive(Debug)]
pub struct Tally {
    kind: Kind,
    count: usize,
    last: Option<Prefix>,
    /// Networks of the shield that lie before what comes.
    passed: usize,
    /// The next network or address that is protected or awaited.
    next: Option<Prefix>,
    coverage: Coverage,
    /// Addresses of `expect` that may come yet, the next one at the end, and those that did not.
    awaited: Vec<Prefix>,
    missing: Vec<Prefix>,
}

impl Tally {
    /// A set without any prefix yet.
    pub fn new(kind: Kind, bounds: &Bounds) -> Self {
        let host = |addr: &IpAddr| Prefix::host(addr.to_canonical());
        // an allow table is asked for nothing, and may name what is protected: the shield is against
        // blocking. A block table's first prefix is held against all, as it lies before nothing
        let (mut awaited, next) = match kind {
            Kind::Block => (bounds.expect.iter().map(host).collect(), Some(ALL)),
            Kind::Allow => (Vec::new(), None),
        };
        awaited.sort_unstable_by(|a, b| b.cmp(a));
        let (coverage, missing) = (Coverage::default(), Vec::new());
        Self { kind, count: 0, last: None, passed: 0, next, coverage, awaited, missing }
    }

    /// Takes the next prefix.
    ///
    /// # Errors
    /// When it may not be there.
    // always: a prefix that goes through memory takes more time than all that is asked of it here
    #[inline(always)]
    pub fn add(&mut self, net: Prefix, bounds: &Bounds, shield: &Shield) -> Result<(), Refusal> {
        if !net.follows(self.last.as_ref()) {
            return Err(Refusal::Order(net));
        }
        let floor = bounds.floor.of(net);
        if net.len() < floor {
            return Err(Refusal::Wide { net, floor });
        }
        // nearly all lie before it, and need be held against nothing
        if self.next.as_ref().is_some_and(|next| !next.follows(Some(&net))) {
            self.meet(net, shield)?;
        }
        self.coverage.add(net);
        self.last = Some(net);
        self.count += 1;
        Ok(())
    }

    /// Holds the next prefix against what is protected and awaited.
    #[cold]
    fn meet(&mut self, net: Prefix, shield: &Shield) -> Result<(), Refusal> {
        if shield.touches(net, &mut self.passed) {
            return Err(Refusal::Protected(net));
        }
        // what lies before this one does not come any more, and what does not lie behind it has come
        while let Some(host) = self.awaited.pop_if(|host| net.follows(Some(host))) {
            self.missing.push(host);
        }
        while self.awaited.pop_if(|host| !host.follows(Some(&net))).is_some() {}
        let both = [shield.0.get(self.passed), self.awaited.last()];
        self.next = both.into_iter().flatten().min().copied();
        Ok(())
    }

    /// How many prefixes have come.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the whole may be a table. `allowed` says what is in the allow table.
    ///
    /// An address of `expect` that is protected or allowed is no sign of another's policy, and must
    /// not keep what else is protected or allowed from being let through.
    ///
    /// # Errors
    /// When all together is too much, or something is missing.
    pub fn end(
        mut self,
        bounds: &Bounds,
        shield: &Shield,
        allowed: impl Fn(IpAddr) -> bool,
    ) -> Result<(), Refusal> {
        bounds.covers(self.kind, &self.coverage)?;
        self.missing.extend(self.awaited.into_iter().rev());
        let is_missing = |addr: &IpAddr| !shield.contains(*addr) && !allowed(*addr);
        let mut missing = self.missing.into_iter().map(Prefix::addr);
        missing.find(is_missing).map_or(Ok(()), |addr| Err(Refusal::Missing(addr)))
    }
}

#[cfg(test)]
mod tests;
