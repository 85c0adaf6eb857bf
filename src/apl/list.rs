//! What the assembly of a list ends in: the list, or why there is none.

use core::fmt;

use prefix::Items;

use crate::answer::{AnswerError, Rcode};
use crate::codec::Counts;
use crate::name::ListName;
use crate::query::QueryType;

/// Most names that a list is read from.
pub const MAX_NAMES: usize = 1024;
/// Most items of a list.
pub const MAX_ITEMS: usize = 5_000_000;
/// The highest number of a name in a list of the old kind.
pub const MAX_NUMBERED: u8 = 64;

/// A whole list, as one server gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Its name.
    pub name: ListName,
    /// Its items, in no particular order and with repetitions. Empty only when the server has APL
    /// records for it and nothing is in them.
    pub items: Items,
    /// Names that were asked for, the list's own included.
    pub names: usize,
    /// Names that had items, or an empty APL record.
    pub data_names: usize,
    /// Whether any of them had APL records.
    pub apl: bool,
    /// The lowest TTL of all records used, in seconds.
    pub ttl: u32,
    /// What the decoder counted.
    pub counts: Counts,
    /// What the administrator should hear of.
    pub warnings: Vec<Warning>,
}

/// Something odd about a list that was read all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// PTR records lead out of the configured suffix; they were not followed.
    OutsideSuffix {
        /// How many.
        count: usize,
        /// One of them.
        example: ListName,
    },
    /// Items of other address families than IPv4 and IPv6; they were skipped.
    UnknownFamily {
        /// How many.
        count: usize,
    },
    /// Items with host bits; they were cleared.
    HostBits {
        /// How many.
        count: usize,
    },
    /// The list was read twice, because a part of it failed the first time.
    ReadTwice {
        /// What failed.
        why: ListError,
    },
    /// Not from APL records alone.
    OtherForm {
        /// The type of record instead.
        qtype: QueryType,
    },
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutsideSuffix { count, example } => write!(
                f,
                "{count} names outside the suffix ignored, such as {example} (policy.suffix)"
            ),
            Self::UnknownFamily { count } => {
                write!(f, "{count} items of unknown address families skipped")
            }
            Self::HostBits { count } => {
                write!(f, "{count} items with host bits, which were cleared")
            }
            Self::ReadTwice { why } => write!(f, "read twice: {why}"),
            Self::OtherForm { qtype } => write!(f, "read from {qtype} records instead of APL"),
        }
    }
}

/// Why a list could not be assembled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListError {
    /// The list.
    pub list: String,
    /// The part that failed; none when it was the list's own name.
    pub part: Option<String>,
    /// What failed there.
    pub kind: ListErrorKind,
}

/// What failed in the assembly of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListErrorKind {
    /// The server gave no answer, or a bad one.
    Answer(QueryType, AnswerError),
    /// The name has no records of any kind that a list is made of, or PTR records that lead to
    /// none.
    NoData,
    /// As [`NoData`](Self::NoData), and the TXT records of the name are not prefixes.
    ForeignText,
    /// The list had APL records before and has none now; a list of single addresses is not taken
    /// instead.
    Downgrade,
    /// There are records, but what was skipped and ignored is all that they have.
    NothingUsable {
        /// Items of unknown address families.
        unknown_family: usize,
        /// PTR records that lead out of the suffix.
        outside_suffix: usize,
    },
    /// More than [`MAX_NAMES`] names.
    TooManyNames,
    /// More than [`MAX_ITEMS`] items.
    TooManyItems,
    /// More than [`MAX_NUMBERED`] numbered names.
    TooManyNumbered,
}

impl ListErrorKind {
    /// Whether another reading of the list may well end the same way, since the list itself breaks
    /// a bound.
    pub(crate) fn is_bound(&self) -> bool {
        matches!(self, Self::TooManyNames | Self::TooManyItems | Self::TooManyNumbered)
    }
}

impl ListError {
    /// Whether the server does not know the list, or not this client: what a device sees that is
    /// not yet provisioned.
    pub fn is_unprovisioned(&self) -> bool {
        use Rcode::{NotAuth, NxDomain, Refused};
        self.part.is_none()
            && matches!(
                self.kind,
                ListErrorKind::Answer(_, AnswerError::Rcode(NxDomain | Refused | NotAuth))
            )
    }
}

impl fmt::Display for ListErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(_, AnswerError::Rcode(Rcode::NxDomain)) => {
                f.write_str("not found (NXDOMAIN)")
            }
            Self::Answer(qtype, error) => write!(f, "{qtype}: {error}"),
            Self::NoData => f.write_str("no APL records, and no PTR records that lead to any"),
            Self::ForeignText => f.write_str("no APL or PTR records, and TXT without prefixes"),
            Self::Downgrade => f.write_str(
                "no APL or PTR records any more; single addresses are not taken instead",
            ),
            Self::NothingUsable { unknown_family, outside_suffix } => write!(
                f,
                "nothing in it can be used ({unknown_family} items of unknown address families, \
                 {outside_suffix} names outside the suffix)"
            ),
            Self::TooManyNames => write!(f, "made of more than {MAX_NAMES} names"),
            Self::TooManyItems => write!(f, "more than {MAX_ITEMS} items"),
            Self::TooManyNumbered => write!(f, "more than {MAX_NUMBERED} numbered names"),
        }
    }
}

impl fmt::Display for ListError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "list {}: ", self.list)?;
        if let Some(part) = &self.part {
            write!(f, "part {part}: ")?;
        }
        write!(f, "{}", self.kind)?;
        if self.is_unprovisioned() {
            f.write_str(
                " (device not yet provisioned, wrong list name, or an address that the device is \
                 not registered with: threatstopctl test)",
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for ListError {}
