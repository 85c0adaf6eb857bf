//! What a message says in answer to a question, or why it says nothing.

use core::fmt;

use hickory_proto::serialize::binary::DecodeError;

use crate::codec::{AplError, Counts};
use crate::name::ListName;
use crate::query::QueryType;

/// Longest chain of CNAMEs that is followed inside a message.
pub const MAX_ALIASES: usize = 8;

/// Response codes other than NOERROR, as far as they are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rcode {
    /// FORMERR: the server did not understand the query.
    FormErr,
    /// SERVFAIL: the server failed.
    ServFail,
    /// NXDOMAIN: there is no such name.
    NxDomain,
    /// NOTIMP: the server does not know the type or the opcode.
    NotImp,
    /// REFUSED: the server does not answer this client.
    Refused,
    /// NOTAUTH: the server is not in charge of the name.
    NotAuth,
    /// Any other code, extended ones included.
    Other(u16),
}

impl Rcode {
    /// What a code means; `None` for NOERROR.
    pub(crate) fn from_code(code: u16) -> Option<Self> {
        match code {
            0 => None,
            1 => Some(Self::FormErr),
            2 => Some(Self::ServFail),
            3 => Some(Self::NxDomain),
            4 => Some(Self::NotImp),
            5 => Some(Self::Refused),
            9 => Some(Self::NotAuth),
            _ => Some(Self::Other(code)),
        }
    }
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FormErr => f.write_str("FORMERR"),
            Self::ServFail => f.write_str("SERVFAIL"),
            Self::NxDomain => f.write_str("NXDOMAIN"),
            Self::NotImp => f.write_str("NOTIMP"),
            Self::Refused => f.write_str("REFUSED"),
            Self::NotAuth => f.write_str("NOTAUTH"),
            Self::Other(code) => write!(f, "response code {code}"),
        }
    }
}

/// Why a message gives no answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnswerError {
    /// The message ends before its header, its question or a record does, or its counts promise
    /// more records than there are.
    Short,
    /// QR is clear: not an answer.
    NotAnAnswer,
    /// Another opcode than QUERY.
    Opcode,
    /// Not the question that was asked, or not exactly one.
    Question,
    /// A response code other than NOERROR.
    Rcode(Rcode),
    /// TC over TCP: the set of records exceeds 65,535 octets.
    Truncated,
    /// A name that breaks the rules of RFC 1035, section 4.1.4.
    Name,
    /// A record of the wanted type belongs to another name than the one asked for.
    Owner,
    /// A record in the answer section is not of class IN.
    Class,
    /// More CNAMEs than are followed.
    Aliases,
    /// Octets follow the last record.
    Trailing,
    /// The RDATA of a record of the wanted type does not have the form of its type.
    Rdata(QueryType),
    /// An APL record is malformed.
    Apl(AplError),
}

impl fmt::Display for AnswerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short => f.write_str("malformed answer: it ends too early"),
            Self::NotAnAnswer => f.write_str("malformed answer: it is a query"),
            Self::Opcode => f.write_str("malformed answer: wrong opcode"),
            Self::Question => f.write_str("answer to another question"),
            Self::Rcode(rcode) => write!(f, "the server says {rcode}"),
            Self::Truncated => f.write_str("list too large for one answer"),
            Self::Name => f.write_str("malformed answer: bad name"),
            Self::Owner => f.write_str("malformed answer: it has records of another name"),
            Self::Class => f.write_str("malformed answer: it has records of another class"),
            Self::Aliases => write!(f, "more than {MAX_ALIASES} aliases (CNAME) in one answer"),
            Self::Trailing => f.write_str("malformed answer: octets after the last record"),
            Self::Rdata(qtype) => write!(f, "malformed {qtype} record"),
            Self::Apl(error) => write!(f, "malformed APL record: {error}"),
        }
    }
}

impl std::error::Error for AnswerError {}

impl From<DecodeError> for AnswerError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::InsufficientBytes => Self::Short,
            _ => Self::Name,
        }
    }
}

/// What a message says in answer to a question, beside the items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Records of the wanted type. None means that the name has no such records.
    pub records: usize,
    /// The lowest TTL of those records in seconds; zero when there are none.
    pub ttl: u32,
    /// What the decoder of APL and text counted; A and AAAA records are items too.
    pub counts: Counts,
    /// The names that PTR records lead to; the root is left out.
    pub targets: Vec<ListName>,
    /// The serial of the zone, of its SOA record.
    pub serial: Option<u32>,
    /// There were TXT records, but something in them is not a prefix: no item was taken.
    pub foreign_text: bool,
}
