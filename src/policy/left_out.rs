//! Protected networks, and what they keep out of a table, counted for people.

use prefix::{Address, Prefix, Range};

/// A network that is never blocked, and why: "interface em0", "policy server".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The network.
    pub net: Prefix,
    /// The reason, for people.
    pub reason: String,
}

impl From<(Prefix, &str)> for Protected {
    fn from((net, reason): (Prefix, &str)) -> Self {
        Self { net, reason: reason.to_owned() }
    }
}

/// A protected network that lists name something of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The network and why it is protected.
    pub protected: Protected,
    /// Entries of the lists that it keeps out of the table, wholly or in part; at least 1.
    pub entries: usize,
}

/// Counts sorted, disjoint `ranges` by the network that keeps them out, which is the narrowest one
/// that holds a range as a whole, else the first one that it touches: each counts once, so that the
/// sum is the number of ranges that are touched. Networks come in any order, are nested or disjoint,
/// and of equal ones the first one counts. The result has a number for each network.
pub(crate) fn count<A: Address>(ranges: &[Range<A>], nets: &[Range<A>]) -> Vec<usize> {
    let mut counts = vec![0; nets.len()];
    let mut order: Vec<usize> = (0..nets.len()).collect();
    // outer before inner; the sort is stable
    order.sort_by_key(|&index| (nets[index].first(), core::cmp::Reverse(nets[index].last())));
    order.dedup_by_key(|index| nets[*index]);
    // the networks around the current one, the outermost first
    let mut open: Vec<usize> = Vec::new();
    let mut counted = None;
    for index in order {
        let net = nets[index];
        while open.pop_if(|outer| nets[*outer].last() < net.first()).is_some() {}
        // ranges that begin within, and of these those that end within
        let begin = ranges.partition_point(|range| range.first() < net.first());
        let end = ranges.partition_point(|range| range.last() <= net.last());
        let within = end.saturating_sub(begin);
        counts[index] += within;
        match open.last() {
            Some(&outer) => counts[outer] -= within,
            None => {
                let from = ranges.partition_point(|range| range.last() < net.first());
                let to = ranges.partition_point(|range| range.first() <= net.last());
                // all but the first and the last that are touched lie within
                for touched in (from..begin).chain(end.max(begin)..to) {
                    counts[index] += usize::from(counted != Some(touched));
                    counted = Some(touched);
                }
            }
        }
        open.push(index);
    }
    counts
}

#[cfg(test)]
mod tests;
