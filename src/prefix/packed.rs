//! The packed form: address in network order, then the length in one octet.
//!
//! Five octets for IPv4, seventeen for IPv6, no padding and no separators. Both the messages
//! between helper and engine and the engine's state use it.

use crate::net::{Address, Net};

impl<A: Address> Net<A> {
    /// Octets of a packed prefix: 5 or 17.
    pub const PACKED: usize = A::OCTETS + 1;

    /// Reads a packed prefix; `None` when it has not so many octets, a length beyond its family's, or
    /// a host bit.
    pub fn unpack(octets: &[u8]) -> Option<Self> {
        let (len, addr) = octets.split_last()?;
        Self::new(A::from_octets(addr)?, *len)
    }
}

/// Appends prefixes in packed form.
pub fn pack<A: Address>(nets: &[Net<A>], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + nets.len() * Net::<A>::PACKED, 0);
    for (octets, net) in out[start..].chunks_exact_mut(Net::<A>::PACKED).zip(nets) {
        net.addr().write_octets(octets);
        octets[A::OCTETS] = net.len();
    }
}
