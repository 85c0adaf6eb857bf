//! One new content of a table, as the engine hands it over, checked prefix by prefix.
//!
//! Nothing is believed: the number, the order, the form and the reach of every prefix are looked
//! at here, before anything is written.

use std::fmt;

use config::Guard;
use imsg::{Entries, Family, Protected, TableId};
use pf::PfrAddr;
use prefix::{Address, Coverage, Excess, Net, PackError, Prefix, Range};

/// What the engine may not do. It is dropped at the first of these, with table and file untouched.
#[derive(Debug, PartialEq, Eq)]
pub enum Violation {
    /// More prefixes than `max_entries`.
    TooMany(u32),
    /// An empty block table.
    Empty,
    /// More or fewer prefixes than announced.
    Count {
        /// Announced.
        announced: u32,
        /// Received so far.
        received: usize,
    },
    /// Octets that are no prefixes in canonical form.
    Form(PackError),
    /// A prefix that does not come after the one before it.
    Order(Prefix),
    /// A prefix wider than the floor.
    Wide(Prefix),
    /// A prefix that touches a protected network.
    Protected(Prefix),
    /// The table covers more than it may.
    Coverage(Excess),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooMany(entries) => write!(f, "{entries} prefixes are more than max_entries"),
            Self::Empty => f.write_str("an empty block table"),
            Self::Count { announced, received } => {
                write!(f, "{received} prefixes came where {announced} were announced")
            }
            Self::Form(error) => write!(f, "{error}"),
            Self::Order(net) => write!(f, "{net} is out of order"),
            Self::Wide(net) => write!(f, "{net} is wider than the floor"),
            Self::Protected(net) => write!(f, "{net} touches a protected network"),
            Self::Coverage(Excess::V4(n)) => write!(f, "the table covers {n} IPv4 addresses"),
            Self::Coverage(Excess::V6(n)) => write!(f, "the table covers {n} IPv6 networks (/64)"),
        }
    }
}

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
            return Err(Violation::Order(net.into()));
        }
        if net.len() < self.floor {
            return Err(Violation::Wide(net.into()));
        }
        // Prefixes ascend, so a range that ends before this one will not be met again.
        while shield.get(self.next).is_some_and(|range| range.last() < net.addr()) {
            self.next += 1;
        }
        if shield.get(self.next).is_some_and(|range| range.first() <= net.last()) {
            return Err(Violation::Protected(net.into()));
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
            return Err(Violation::TooMany(announced));
        }
        if table == TableId::Block && announced == 0 {
            return Err(Violation::Empty);
        }
        Ok(Self {
            table,
            dry_run,
            announced,
            addrs: Vec::with_capacity(announced as usize),
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
        match part.family {
            Family::V4 => {
                for net in part.v4().map_err(Violation::Form)? {
                    let net = net.map_err(Violation::Form)?;
                    if self.v6.last.is_some() {
                        return Err(Violation::Order(net.into()));
                    }
                    self.v4.check(net, shield4)?;
                    self.coverage.add_v4(net);
                    self.push(net.into())?;
                }
            }
            Family::V6 => {
                for net in part.v6().map_err(Violation::Form)? {
                    let net = net.map_err(Violation::Form)?;
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
            let received = self.addrs.len() + 1;
            return Err(Violation::Count { announced: self.announced, received });
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
            let received = self.addrs.len();
            return Err(Violation::Count { announced: self.announced, received });
        }
        let excess = match self.table {
            TableId::Block => self.coverage.over_percent(guard.max_coverage),
            TableId::Allow => self.coverage.over_addresses(guard.allow_max_coverage),
        };
        match excess {
            Some(excess) => Err(Violation::Coverage(excess)),
            None => Ok(self.addrs),
        }
    }
}
