//! A part of a set of prefixes in one message.

use prefix::{Address, Net, PackError, Prefix, pack, unpack};

use super::Fields;
use crate::frame::{ImsgError, MAX_PAYLOAD};

/// The family of all prefixes in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4, five octets a prefix.
    V4 = 4,
    /// IPv6, seventeen octets a prefix.
    V6 = 6,
}

/// Prefixes of one family in packed form, at most as many as fit a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries {
    /// Which family.
    pub family: Family,
    packed: Vec<u8>,
}

impl Entries {
    /// Most prefixes of the family that fit one message.
    pub const fn capacity<A: Address>() -> usize {
        (MAX_PAYLOAD - 1) / Net::<A>::PACKED
    }

    /// Splits the IPv4 and then the IPv6 prefixes into messages.
    pub fn split<'a>(v4: &'a [Net<u32>], v6: &'a [Net<u128>]) -> impl Iterator<Item = Self> + 'a {
        let v4 = v4.chunks(Self::capacity::<u32>()).map(|part| Self::of(Family::V4, part));
        let v6 = v6.chunks(Self::capacity::<u128>()).map(|part| Self::of(Family::V6, part));
        v4.chain(v6)
    }

    fn of<A: Address>(family: Family, nets: &[Net<A>]) -> Self {
        let mut packed = Vec::new();
        pack(nets, &mut packed);
        Self { family, packed }
    }

    /// The prefixes, whichever their family; an item is an error when it is not in canonical form.
    pub fn prefixes(&self) -> impl Iterator<Item = Result<Prefix, PackError>> {
        let size = match self.family {
            Family::V4 => Net::<u32>::PACKED,
            Family::V6 => Net::<u128>::PACKED,
        };
        self.packed.chunks(size).enumerate().map(move |(index, packed)| {
            let read = |(len, addr): (&u8, &[u8])| match self.family {
                Family::V4 => Net::new(u32::from_octets(addr)?, *len).map(Prefix::V4),
                Family::V6 => Net::new(u128::from_octets(addr)?, *len).map(Prefix::V6),
            };
            packed.split_last().and_then(read).ok_or(PackError::NotCanonical(index))
        })
    }

    /// The IPv4 prefixes.
    ///
    /// # Errors
    /// When the octets are no IPv4 prefixes in canonical form.
    pub fn v4(&self) -> Result<impl Iterator<Item = Result<Net<u32>, PackError>>, PackError> {
        unpack(&self.packed)
    }

    /// The IPv6 prefixes.
    ///
    /// # Errors
    /// When the octets are no IPv6 prefixes in canonical form.
    pub fn v6(&self) -> Result<impl Iterator<Item = Result<Net<u128>, PackError>>, PackError> {
        unpack(&self.packed)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.family as u8);
        out.extend_from_slice(&self.packed);
    }

    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Self, ImsgError> {
        let (family, size) = match fields.u8()? {
            4 => (Family::V4, Net::<u32>::PACKED),
            6 => (Family::V6, Net::<u128>::PACKED),
            _ => return Err(fields.bad()),
        };
        let packed = fields.remaining();
        // An empty part would let the sender keep us busy for ever without coming nearer its end.
        if packed.is_empty() || !packed.len().is_multiple_of(size) {
            return Err(fields.bad());
        }
        Ok(Self { family, packed: packed.to_vec() })
    }
}
