//! The first sequence numbers of TCP connections, to which later ones are relative.

use std::collections::HashMap;

use foldhash::quality::RandomState;

use super::outer::Outer;
use crate::octets::Octets;

#[cfg(test)]
mod tests;

/// Connections that are remembered: as many as a map of 65,536 buckets (4 MB) holds. When one
/// more comes, all are forgotten and numbers are absolute again once; tcpdump, which forgets
/// nothing, would take any memory.
pub(crate) const MAX_CONNECTIONS: usize = 57_344;

/// Addresses and ports, in the same order for both directions. Addresses are numbers in the
/// byte order of a little endian machine; one of IPv4 is one of IPv6 with zeros behind.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Key {
    addresses: (u128, u128),
    ports: (u16, u16),
}

/// First numbers of the two directions.
#[derive(Clone, Copy, Debug)]
struct First {
    seq: u32,
    ack: u32,
}

/// The memory of one file.
#[derive(Debug, Default)]
pub(crate) struct Connections {
    // SipHash would take a twentieth of the time of a line
    first: HashMap<Key, First, RandomState>,
}

/// What is to be printed of a segment with ACK.
pub(crate) struct Numbers {
    /// Sequence number, absolute or relative.
    pub seq: u32,
    /// Acknowledgement, absolute or relative.
    pub ack: u32,
    /// What the edges of SACK blocks are relative to.
    pub sack_base: u32,
}

impl Connections {
    /// Remembers the numbers of a segment with ACK that is the first of its connection or has
    /// SYN, and makes those of others relative.
    pub(crate) fn relative(
        &mut self,
        outer: Outer<'_>,
        ports: (u16, u16),
        syn: bool,
        (seq, ack): (u32, u32),
    ) -> Numbers {
        let (key, reverse) = key(outer, ports);
        if !syn && let Some(first) = self.first.get(&key) {
            return if reverse {
                Numbers {
                    seq: seq.wrapping_sub(first.ack),
                    ack: ack.wrapping_sub(first.seq),
                    sack_base: first.seq,
                }
            } else {
                Numbers {
                    seq: seq.wrapping_sub(first.seq),
                    ack: ack.wrapping_sub(first.ack),
                    sack_base: first.ack,
                }
            };
        }
        if self.first.len() >= MAX_CONNECTIONS {
            self.first.clear();
        }
        let base = ack.wrapping_sub(1);
        let first = if reverse { First { seq: base, ack: seq } } else { First { seq, ack: base } };
        self.first.insert(key, first);
        Numbers { seq, ack, sack_base: base }
    }

    /// How many connections are remembered.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.first.len()
    }
}

/// The key of a connection, and whether source and destination change places in it: the lower
/// port comes first; of equal ports the lower address, compared as tcpdump does on a little
/// endian machine.
fn key(outer: Outer<'_>, (sport, dport): (u16, u16)) -> (Key, bool) {
    let (source, destination, greater) = match outer {
        Outer::V4(header) => {
            let (source, destination) = (header.le32(12), header.le32(16));
            (source.into(), destination.into(), source > destination)
        }
        Outer::V6(header) => {
            let greater = |at| header.le32(at) > header.le32(at + 16);
            let address = |at| u128::from_le_bytes(header.array(at));
            (address(8), address(24), [8, 12, 16, 20].into_iter().any(greater))
        }
    };
    let reverse = sport > dport || sport == dport && greater;
    let key = if reverse {
        Key { addresses: (destination, source), ports: (dport, sport) }
    } else {
        Key { addresses: (source, destination), ports: (sport, dport) }
    };
    (key, reverse)
}
