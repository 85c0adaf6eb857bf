//! A part of a set of prefixes in one message.

use prefix::{Address, Net, Prefix, pack};

use super::Fields;
use crate::frame::{ImsgError, MAX_PAYLOAD};

/// The family of all prefixes in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4 = 4,
    V6 = 6,
}

impl Family {
    /// Octets of a prefix: five or seventeen.
    fn octets(self) -> usize {
        match self {
            Self::V4 => Net::<u32>::PACKED,
            Self::V6 => Net::<u128>::PACKED,
        }
    }
}

/// Prefixes of one family in packed form, at most as many as fit a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entries {
    family: Family,
    packed: Vec<u8>,
}

impl Entries {
    /// Splits prefixes into as few messages as they fit.
    pub fn split<A: Address>(nets: &[Net<A>]) -> impl Iterator<Item = Self> {
        let family = if A::OCTETS == 4 { Family::V4 } else { Family::V6 };
        // an octet goes to the family
        nets.chunks((MAX_PAYLOAD - 1) / Net::<A>::PACKED).map(move |part| {
            let mut packed = Vec::new();
            pack(part, &mut packed);
            Self { family, packed }
        })
    }

    /// The prefixes; `None` in the place of one that is not in canonical form.
    pub fn prefixes(&self) -> impl Iterator<Item = Option<Prefix>> {
        self.packed.chunks(self.family.octets()).map(|packed| match self.family {
            Family::V4 => Net::unpack(packed).map(Prefix::V4),
            Family::V6 => Net::unpack(packed).map(Prefix::V6),
        })
    }

    /// Appends the payload.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(self.family as u8);
        out.extend_from_slice(&self.packed);
    }

    /// Reads the payload.
    ///
    /// # Errors
    /// When it has another form.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Result<Self, ImsgError> {
        let family = match fields.u8()? {
            4 => Family::V4,
            6 => Family::V6,
            _ => return Err(fields.bad()),
        };
        let packed = fields.remaining();
        // An empty part would let the sender keep us busy for ever without coming nearer its end.
        if packed.is_empty() || !packed.len().is_multiple_of(family.octets()) {
            return Err(fields.bad());
        }
        Ok(Self { family, packed: packed.to_vec() })
    }
}
