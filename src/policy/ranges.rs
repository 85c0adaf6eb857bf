//! Addresses of both families, as lists name them and as they are taken out of tables.

use core::net::IpAddr;

use prefix::{Prefix, PrefixSet, Range, Range4, Range6};

use crate::sweep::{contains, overlap, sort_and_join, spans, union};

/// Ascending, disjoint ranges of addresses of both families.
///
/// Ranges and not prefixes: of a range of IPv6 these may be 254, and nobody but the sender of a
/// list decides how many ranges there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    pub(crate) v4: Vec<Range4>,
    pub(crate) v6: Vec<Range6>,
}

impl Ranges {
    /// The union.
    pub fn union<'a>(parts: impl Iterator<Item = &'a Self>) -> Self {
        let (v4, v6): (Vec<&[_]>, Vec<&[_]>) = parts.map(|part| (part.v4(), part.v6())).unzip();
        Self { v4: union(&v4).into_owned(), v6: union(&v6).into_owned() }
    }

    /// The IPv4 ranges, ascending.
    pub fn v4(&self) -> &[Range4] {
        &self.v4
    }

    /// The IPv6 ranges, ascending.
    pub fn v6(&self) -> &[Range6] {
        &self.v6
    }

    /// Whether there is no address at all.
    pub fn is_empty(&self) -> bool {
        self.v4.is_empty() && self.v6.is_empty()
    }

    /// Whether the address is there.
    pub fn contains(&self, addr: IpAddr) -> bool {
        match addr {
            IpAddr::V4(a) => contains(&self.v4, a.to_bits()),
            IpAddr::V6(a) => contains(&self.v6, a.to_bits()),
        }
    }

    /// Whether something of a prefix is there.
    pub fn meets(&self, net: Prefix) -> bool {
        let count = match net {
            Prefix::V4(net) => overlap(&self.v4, net.into()),
            Prefix::V6(net) => overlap(&self.v6, net.into()),
        };
        count.entries > 0
    }

    /// Whether nothing of a prefix lies outside.
    pub(crate) fn span(&self, net: Prefix) -> bool {
        match net {
            Prefix::V4(net) => spans(&self.v4, net.into()),
            Prefix::V6(net) => spans(&self.v6, net.into()),
        }
    }
}

/// Networks by family, in the order in which they are handed in.
pub(crate) fn by_family(nets: impl Iterator<Item = Prefix>) -> (Vec<Range4>, Vec<Range6>) {
    let (mut v4, mut v6) = (Vec::new(), Vec::new());
    for net in nets {
        match net {
            Prefix::V4(net) => v4.push(net.into()),
            Prefix::V6(net) => v6.push(net.into()),
        }
    }
    (v4, v6)
}

impl FromIterator<Prefix> for Ranges {
    fn from_iter<T: IntoIterator<Item = Prefix>>(nets: T) -> Self {
        let (mut v4, mut v6) = by_family(nets.into_iter());
        sort_and_join(&mut v4);
        sort_and_join(&mut v6);
        Self { v4, v6 }
    }
}

impl From<&PrefixSet> for Ranges {
    fn from(set: &PrefixSet) -> Self {
        Self {
            v4: set.v4().iter().copied().map(Range::from).collect(),
            v6: set.v6().iter().copied().map(Range::from).collect(),
        }
    }
}
