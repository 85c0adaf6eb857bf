//! The messages by name: one enum a direction, fixed payloads, bounds beside them.
//!
//! * In: the type and payload of a frame.
//! * Out: a value of the enum of its direction, or an [`ImsgError`]; and back.
//! * Never: a payload with an octet too many or too few, a number that no value has, a path.

pub mod engine;
pub mod entries;
pub mod helper;

use crate::channel::Channel;
use crate::frame::{Frame, ImsgError};

/// Version of what monitor, helper and engine say to one another, argument vectors and exit statuses
/// included. An upgrade replaces the files while the old monitor still runs, and with it children of
/// the new version do not begin.
pub const VERSION: u32 = 5;
/// What a child says that another version's monitor has started.
pub const OTHER_VERSION: &str =
    "another version was installed over the one that runs: rcctl restart threatstopd";

/// The type of the first message of either side, whose payload is its version.
const HELLO: u32 = 1;

/// Queues the greeting.
///
/// # Errors
/// Those of [`Channel::queue`].
pub fn greet(channel: &mut Channel) -> Result<(), ImsgError> {
    channel.queue(HELLO, 0, &VERSION.to_ne_bytes(), None)
}

/// Takes the first message of the other side, which is to be the greeting of this version.
///
/// # Errors
/// When it is not.
pub fn greeted(frame: &Frame) -> Result<(), ImsgError> {
    match frame.kind {
        HELLO if frame.payload == VERSION.to_ne_bytes() => Ok(()),
        HELLO => Err(ImsgError::Version),
        _ => Err(ImsgError::Greeting),
    }
}

/// A table, by its place in the configuration: the block table, the allow table, those of `[[table]]`.
/// That is all by which the engine can name one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(u8);

impl TableId {
    /// The table of tables.block.
    pub const BLOCK: Self = Self(0);
    /// The table of tables.allow.
    pub const ALLOW: Self = Self(1);
    /// How many there can be.
    pub const MAX: u8 = 16;

    /// The first `count` tables, at most [`TableId::MAX`], in the order of their numbers.
    pub fn all(count: usize) -> impl DoubleEndedIterator<Item = Self> {
        (0..Self::MAX).take(count).map(Self)
    }

    /// Its place in the configuration, counted from 0.
    pub fn number(self) -> usize {
        self.0.into()
    }
}

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new set; the one of the file becomes the set before.
    Publish = 0,
    /// Only to check and count; nothing changes.
    Trial = 1,
    /// The set in force, for a file or table that somebody has lost or changed, or what is left of
    /// it; the set before stays what it is.
    Repair = 2,
}

impl Purpose {
    /// The purpose of a number; `None` for a number that is none.
    pub(crate) fn from_wire(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Publish),
            1 => Some(Self::Trial),
            2 => Some(Self::Repair),
            _ => None,
        }
    }
}

/// Takes fixed-size fields off a payload; nothing may be left at the end.
pub(crate) struct Fields<'a> {
    kind: u32,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of a payload, of a message of this type.
    pub fn new(kind: u32, payload: &'a [u8]) -> Self {
        Self { kind, rest: payload }
    }

    /// That the payload is not what the type has.
    pub fn bad(&self) -> ImsgError {
        ImsgError::Payload(self.kind)
    }

    /// The next octets.
    ///
    /// # Errors
    /// When the payload is too short, or has no such value.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], ImsgError> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.bad())?;
        self.rest = rest;
        Ok(*head)
    }

    /// The next octet.
    ///
    /// # Errors
    /// When the payload is too short, or has no such value.
    pub fn u8(&mut self) -> Result<u8, ImsgError> {
        Ok(self.array::<1>()?[0])
    }

    /// A truth value: an octet, 0 or 1.
    ///
    /// # Errors
    /// When the payload is too short, or has no such value.
    pub fn flag(&mut self) -> Result<bool, ImsgError> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.bad()),
        }
    }

    /// A number of 32 bits, in host order.
    ///
    /// # Errors
    /// When the payload is too short, or has no such value.
    pub fn u32(&mut self) -> Result<u32, ImsgError> {
        Ok(u32::from_ne_bytes(self.array()?))
    }

    /// A number of 64 bits, in host order.
    ///
    /// # Errors
    /// When the payload is too short, or has no such value.
    pub fn u64(&mut self) -> Result<u64, ImsgError> {
        Ok(u64::from_ne_bytes(self.array()?))
    }

    /// One of the first `count` tables: an octet.
    ///
    /// # Errors
    /// When the payload is too short, or has no such value.
    pub fn table(&mut self, count: usize) -> Result<TableId, ImsgError> {
        let number = self.u8()?.into();
        TableId::all(count).nth(number).ok_or_else(|| self.bad())
    }

    /// A purpose: an octet.
    ///
    /// # Errors
    /// When the payload is too short, or has no such value.
    pub fn purpose(&mut self) -> Result<Purpose, ImsgError> {
        Purpose::from_wire(self.u8()?).ok_or_else(|| self.bad())
    }

    /// All octets that are left.
    pub fn remaining(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// All that is left, one after the other.
    pub fn all<T>(
        &mut self,
        read: impl Fn(&mut Self) -> Result<T, ImsgError>,
    ) -> Result<Vec<T>, ImsgError> {
        let mut all = Vec::new();
        while !self.rest.is_empty() {
            all.push(read(self)?);
        }
        Ok(all)
    }

    /// Takes the end of the payload.
    ///
    /// # Errors
    /// When something is left.
    pub fn end(self) -> Result<(), ImsgError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.bad()) }
    }
}
