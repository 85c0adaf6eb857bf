//! The protected networks in the form in which prefixes are held against them.

use core::net::IpAddr;

use crate::net::Prefix;

/// Networks that no block table may touch: ascending and disjoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shield(Vec<Prefix>);

impl FromIterator<Prefix> for Shield {
    fn from_iter<T: IntoIterator<Item = Prefix>>(networks: T) -> Self {
        let mut nets: Vec<Prefix> = networks.into_iter().collect();
        // a prefix comes directly before what lies within it
        nets.sort_unstable();
        nets.dedup_by(|next, kept| kept.contains(next.addr()));
        Self(nets)
    }
}

impl Shield {
    /// Whether a protected network and the prefix share an address.
    pub fn touches(&self, net: Prefix) -> bool {
        let (before, behind) = self.0.split_at(self.0.partition_point(|one| *one <= net));
        before.last().is_some_and(|one| one.contains(net.addr()))
            || behind.first().is_some_and(|one| net.contains(one.addr()))
    }

    /// Whether the address is protected.
    pub fn contains(&self, addr: IpAddr) -> bool {
        self.touches(Prefix::host(addr))
    }
}
