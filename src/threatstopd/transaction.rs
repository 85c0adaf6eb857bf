//! One new content of a table, as the engine hands it over, checked prefix by prefix.
//!
//! Nothing is believed: the number, the order, the form and the reach of every prefix are looked
//! at here, before anything is written.

use config::Guard;
use imsg::{Entries, Protected, Purpose, TableId};
use pf::PfrAddr;
use prefix::{Coverage, Excess, Prefix};

/// What the engine did that it may not: it is dropped, with table and file untouched.
pub type Violation = String;

/// The protected networks in the form in which they are looked at: ascending and disjoint.
#[derive(Debug, Default)]
pub struct Shield(Vec<Prefix>);

impl Shield {
    /// The shield of these networks.
    pub fn new(networks: &[Protected]) -> Self {
        let mut nets: Vec<Prefix> = networks.iter().map(|network| network.net).collect();
        // a prefix comes directly before what lies within it
        nets.sort_unstable();
        nets.dedup_by(|next, kept| kept.contains(next.addr()));
        Self(nets)
    }

    fn touches(&self, net: Prefix) -> bool {
        let (before, behind) = self.0.split_at(self.0.partition_point(|one| *one <= net));
        before.last().is_some_and(|one| one.contains(net.addr()))
            || behind.first().is_some_and(|one| net.contains(one.addr()))
    }
}

/// A transaction under way.
pub struct Transaction {
    /// Which table.
    pub table: TableId,
    /// What for.
    pub purpose: Purpose,
    announced: usize,
    set: Vec<PfrAddr>,
    coverage: Coverage,
}

impl Transaction {
    /// Begins with room for exactly the prefixes announced, which `max_entries` bounds.
    ///
    /// # Errors
    /// When more are announced, or none for the block table.
    pub fn begin(
        table: TableId,
        announced: u32,
        purpose: Purpose,
        guard: &Guard,
    ) -> Result<Self, Violation> {
        if u64::from(announced) > u64::from(guard.max_entries) {
            return Err(format!("{announced} prefixes are more than max_entries"));
        }
        if table == TableId::Block && announced == 0 {
            return Err("an empty block table".into());
        }
        // a helper that ended for want of memory would leave nobody to try again
        let (mut set, announced) = (Vec::new(), announced as usize);
        set.try_reserve_exact(announced)
            .map_err(|_| format!("no memory for {announced} prefixes"))?;
        Ok(Self { table, purpose, announced, set, coverage: Coverage::default() })
    }

    /// Takes the next part.
    ///
    /// # Errors
    /// At the first prefix that may not be there.
    pub fn add(&mut self, part: &Entries, guard: &Guard, shield: &Shield) -> Result<(), Violation> {
        for net in part.prefixes() {
            let net = net.map_err(|error| error.to_string())?;
            if !net.follows(self.set.last().and_then(PfrAddr::prefix)) {
                return Err(format!("{net} is out of order"));
            }
            let floor = match net {
                Prefix::V4(_) => guard.min_prefix_v4,
                Prefix::V6(_) => guard.min_prefix_v6,
            };
            if net.len() < floor {
                return Err(format!("{net} is wider than the floor"));
            }
            // The shield is against blocking; an allow table may name what is protected.
            if self.table == TableId::Block && shield.touches(net) {
                return Err(format!("{net} touches a protected network"));
            }
            if self.set.len() >= self.announced {
                return Err(format!("more prefixes than the {} announced", self.announced));
            }
            self.coverage.add(net);
            self.set.push(net.into());
        }
        Ok(())
    }

    /// The complete content, ready to be published.
    ///
    /// # Errors
    /// When prefixes are missing, or all together cover more than they may.
    pub fn complete(self, guard: &Guard) -> Result<Vec<PfrAddr>, Violation> {
        if self.set.len() != self.announced {
            return Err(format!("{} prefixes of {} announced", self.set.len(), self.announced));
        }
        let excess = match self.table {
            TableId::Block => self.coverage.over_percent(guard.max_coverage),
            TableId::Allow => self.coverage.over_addresses(guard.allow_max_coverage),
        };
        match excess {
            None => Ok(self.set),
            Some(Excess::V4(n)) => Err(format!("it covers {n} addresses of IPv4")),
            Some(Excess::V6(n)) => Err(format!("it covers {n} networks (/64) of IPv6")),
        }
    }
}

#[cfg(test)]
mod tests;
