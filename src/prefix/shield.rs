//! The protected networks in the form in which prefixes are held against them.

use std::net::IpAddr;

use crate::net::Prefix;

/// Networks that no block table may touch: ascending and disjoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shield(pub(crate) Vec<Prefix>);

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
    /// Whether a protected network and the prefix share an address. Of one set, prefixes are asked for in
    /// ascending order, and `passed` is how many networks lie before all that come; it begins with none.
    pub fn touches(&self, net: Prefix, passed: &mut usize) -> bool {
        while self.0.get(*passed).is_some_and(|one| net.follows(Some(one))) {
            *passed += 1;
        }
        self.0.get(*passed).is_some_and(|one| !one.follows(Some(&net)))
    }

    /// Whether an address is in a protected network.
    pub fn contains(&self, addr: IpAddr) -> bool {
        self.touches(Prefix::host(addr), &mut 0)
    }
}

#[cfg(test)]
mod tests;
