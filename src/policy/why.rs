//! Why an address is blocked, or why it is not.

use core::net::IpAddr;

use prefix::{Prefix, PrefixSet};

use crate::left_out::Protected;
use crate::list::List;
use crate::since::Since;

/// What the tables in force were made of.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'l, 'a> {
    /// The block table.
    pub block: &'a PrefixSet,
    /// Since when its entries are covered.
    pub since: &'a Since,
    /// The lists of the block table.
    pub block_lists: &'l [&'a List],
    /// The allow lists of every origin.
    pub allow_lists: &'l [&'a List],
    /// The protected networks.
    pub protected: &'a [Protected],
}

/// What is known of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why<'a> {
    /// The entry of the block table that covers it; `None`: it is not blocked.
    pub entry: Option<Prefix>,
    /// Epoch seconds since when that entry is covered.
    pub since: Option<u64>,
    /// The block lists that name it, also when they do not prevail, each with its own item.
    pub listed_by: Vec<(&'a str, Prefix)>,
    /// The allow lists that name it.
    pub allowed_by: Vec<&'a str>,
    /// The protected network that holds it, the most specific one.
    pub protected_by: Option<&'a Protected>,
}

impl Why<'_> {
    /// Whether the address is blocked.
    pub fn blocked(&self) -> bool {
        self.entry.is_some()
    }
}

/// Looks an address up; IPv4-mapped IPv6 is looked up as IPv4.
pub fn why<'a>(evidence: &Evidence<'_, 'a>, addr: IpAddr) -> Why<'a> {
    let addr = addr.to_canonical();
    let holding = evidence.protected.iter().filter(|protected| protected.net.contains(addr));
    Why {
        entry: evidence.block.find(addr),
        since: evidence.since.find(evidence.block, addr),
        listed_by: evidence
            .block_lists
            .iter()
            .filter_map(|list| Some((list.name(), list.item(addr)?)))
            .collect(),
        allowed_by: evidence
            .allow_lists
            .iter()
            .filter(|list| list.contains(addr))
            .map(|list| list.name())
            .collect(),
        protected_by: holding.max_by_key(|protected| protected.net.len()),
    }
}

#[cfg(test)]
mod tests;
