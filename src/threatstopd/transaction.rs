//! One new content of a table, as the engine hands it over, checked prefix by prefix.
//!
//! Nothing is believed: the number, the order, the form and the reach of every prefix are looked
//! at here, before anything is written.

use config::Guard;
use imsg::{Entries, Family, Protected, TableId};
use pf::PfrAddr;
use prefix::{Address, Coverage, Excess, Net, PackError, Prefix, Range};

/// What the engine did that it may not: it is dropped, with table and file untouched.
pub type Violation = String;

/// The protected networks in the form in which they are looked at: sorted, disjoint ranges.
#[derive(Debug, Default)]
pub struct Shield {
    v4: Vec<Range<u32>>,
    v6: Vec<Range<u128>>,
}

impl Shield {
    /// The shield of these networks.
    pub fn new(networks: &[Protected]) -> Self {
        let mut it = Self::default();
        for network in networks {
            match network.net {
                Prefix::V4(net) => it.v4.push(net.into()),
                Prefix::V6(net) => it.v6.push(net.into()),
            }
        }
        merge(&mut it.v4);
        merge(&mut it.v6);
        it
    }
}

fn merge<A: Address>(ranges: &mut Vec<Range<A>>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let joined = next.first() <= kept.last();
        if joined && let Some(both) = Range::new(kept.first(), kept.last().max(next.last())) {
            *kept = both;
        }
        joined
    });
}

/// Where one family of a transaction stands.
struct Progress<A> {
    last: Option<A>,
    floor: u8,
    /// The first range of the shield that the next prefix can touch.
    next: usize,
}

impl<A: Address> Progress<A>
where
    Prefix: From<Net<A>>,
{
    fn check(&mut self, net: Net<A>, shield: &[Range<A>]) -> Result<(), Violation> {
        if self.last.is_some_and(|last| net.addr() <= last) {
            return Err(format!("{net} is out of order"));
        }
        if net.len() < self.floor {
            return Err(format!("{net} is wider than the floor"));
        }
        // Prefixes ascend, so a range that ends before this one will not be met again.
        while shield.get(self.next).is_some_and(|range| range.last() < net.addr()) {
            self.next += 1;
        }
        if shield.get(self.next).is_some_and(|range| range.first() <= net.last()) {
            return Err(format!("{net} touches a protected network"));
        }
        self.last = Some(net.last());
        Ok(())
    }
}

/// A transaction under way.
pub struct Transaction {
    /// Which table.
    pub table: TableId,
    /// Whether it is only tried.
    pub dry_run: bool,
    announced: u32,
    addrs: Vec<PfrAddr>,
    v4: Progress<u32>,
    v6: Progress<u128>,
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
        dry_run: bool,
        guard: &Guard,
    ) -> Result<Self, Violation> {
        if u64::from(announced) > u64::from(guard.max_entries) {
            return Err(format!("{announced} prefixes are more than max_entries"));
        }
        if table == TableId::Block && announced == 0 {
            return Err("an empty block table".into());
        }
        // a helper that ended for want of memory would leave nobody to try again
        let mut addrs = Vec::new();
        addrs
            .try_reserve_exact(announced as usize)
            .map_err(|_| format!("no memory for {announced} prefixes"))?;
        Ok(Self {
            table,
            dry_run,
            announced,
            addrs,
            v4: Progress { last: None, floor: guard.min_prefix_v4, next: 0 },
            v6: Progress { last: None, floor: guard.min_prefix_v6, next: 0 },
            coverage: Coverage::default(),
        })
    }

    /// Takes the next part.
    ///
    /// # Errors
    /// At the first prefix that may not be there.
    pub fn add(&mut self, part: &Entries, shield: &Shield) -> Result<(), Violation> {
        // The shield is against blocking; an allow table may name what is protected.
        let (shield4, shield6): (&[_], &[_]) = match self.table {
            TableId::Block => (&shield.v4, &shield.v6),
            TableId::Allow => (&[], &[]),
        };
        let form = |error: PackError| error.to_string();
        match part.family {
            Family::V4 => {
                if self.v6.last.is_some() {
                    return Err("IPv4 after IPv6".into());
                }
                for net in part.v4().map_err(form)? {
                    let net = net.map_err(form)?;
                    self.v4.check(net, shield4)?;
                    self.coverage.add_v4(net);
                    self.push(net.into())?;
                }
            }
            Family::V6 => {
                for net in part.v6().map_err(form)? {
                    let net = net.map_err(form)?;
                    self.v6.check(net, shield6)?;
                    self.coverage.add_v6(net);
                    self.push(net.into())?;
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, prefix: Prefix) -> Result<(), Violation> {
        if self.addrs.len() >= self.announced as usize {
            return Err(format!("more prefixes than the {} announced", self.announced));
        }
        self.addrs.push(PfrAddr::from(prefix));
        Ok(())
    }

    /// The complete content, ready to be published.
    ///
    /// # Errors
    /// When prefixes are missing, or all together cover more than they may.
    pub fn complete(self, guard: &Guard) -> Result<Vec<PfrAddr>, Violation> {
        if self.addrs.len() != self.announced as usize {
            return Err(format!("{} prefixes of {} announced", self.addrs.len(), self.announced));
        }
        let excess = match self.table {
            TableId::Block => self.coverage.over_percent(guard.max_coverage),
            TableId::Allow => self.coverage.over_addresses(guard.allow_max_coverage),
        };
        match excess {
            None => Ok(self.addrs),
            Some(Excess::V4(n)) => Err(format!("it covers {n} addresses of IPv4")),
            Some(Excess::V6(n)) => Err(format!("it covers {n} networks (/64) of IPv6")),
        }
    }
}

#[cfg(test)]
mod tests;
