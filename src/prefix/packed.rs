//! The packed form: address in network order, then the length in one octet.
//!
//! Five octets for IPv4, seventeen for IPv6, no padding and no separators. Both the messages
//! between helper and engine and the engine's state use it.

use core::fmt;

use crate::net::{Address, Net};

/// Why octets are not a packed list of prefixes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackError {
    /// The octets do not divide into whole prefixes.
    Size,
    /// A length exceeds the family's, or a host bit is set; the index of the prefix is given.
    NotCanonical(usize),
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Size => f.write_str("packed prefixes: not a whole number of them"),
            Self::NotCanonical(index) => {
                write!(f, "packed prefixes: number {index} is not in canonical form")
            }
        }
    }
}

impl std::error::Error for PackError {}

impl<A: Address> Net<A> {
    /// Octets of a packed prefix: 5 or 17.
    pub const PACKED: usize = A::OCTETS + 1;
}

/// Appends prefixes in packed form.
pub fn pack<A: Address>(nets: &[Net<A>], out: &mut Vec<u8>) {
    out.reserve(nets.len() * Net::<A>::PACKED);
    let mut octets = [0; 16];
    for net in nets {
        net.addr().write_octets(&mut octets);
        out.extend_from_slice(&octets[..A::OCTETS]);
        out.push(net.len());
    }
}

/// Reads packed prefixes one by one; each is in canonical form, their order is not looked at.
///
/// # Errors
/// [`PackError::Size`] at once; an item is [`PackError::NotCanonical`] when that prefix is not.
pub fn unpack<A: Address>(
    octets: &[u8],
) -> Result<impl ExactSizeIterator<Item = Result<Net<A>, PackError>>, PackError> {
    if !octets.len().is_multiple_of(Net::<A>::PACKED) {
        return Err(PackError::Size);
    }
    Ok(octets.chunks_exact(Net::<A>::PACKED).enumerate().map(|(index, chunk)| {
        A::from_octets(&chunk[..A::OCTETS])
            .and_then(|addr| Net::new(addr, chunk[A::OCTETS]))
            .ok_or(PackError::NotCanonical(index))
    }))
}
