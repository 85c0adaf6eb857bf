//! Questions, and the messages that ask them.

use core::fmt;

use hickory_proto::rr::RecordType;

use crate::name::ListName;

/// TYPE of APL (RFC 3123, section 3), which hickory-proto has no name for.
const TYPE_APL: u16 = 42;
/// TYPE of OPT (RFC 6891, section 6.1.1).
const TYPE_OPT: u16 = 41;
/// CLASS IN.
const CLASS_IN: u16 = 1;
/// The header's flags of a query: opcode 0 and RD, as dig sends it.
const FLAGS: u16 = 0x0100;
/// The UDP payload size that an OPT record must name; it means nothing over TCP.
const OPT_PAYLOAD: u16 = 1232;

/// The types of record that a list can be made of, and the one that says of which age they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QueryType {
    /// Names of further parts of a list.
    Ptr,
    /// Prefixes (RFC 3123).
    Apl,
    /// Prefixes as text.
    Txt,
    /// Single IPv4 addresses.
    A,
    /// Single IPv6 addresses.
    Aaaa,
    /// The serial of the zone.
    Soa,
}

impl QueryType {
    /// TYPE, as hickory-proto has it.
    pub(crate) fn record_type(self) -> RecordType {
        match self {
            Self::Ptr => RecordType::PTR,
            Self::Apl => RecordType::from(TYPE_APL),
            Self::Txt => RecordType::TXT,
            Self::A => RecordType::A,
            Self::Aaaa => RecordType::AAAA,
            Self::Soa => RecordType::SOA,
        }
    }
}

impl fmt::Display for QueryType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ptr => "PTR",
            Self::Apl => "APL",
            Self::Txt => "TXT",
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Soa => "SOA",
        })
    }
}

/// What is asked of a server; the class is always IN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The name.
    pub name: ListName,
    /// The type of record.
    pub qtype: QueryType,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.qtype, self.name)
    }
}

impl Question {
    /// The query as a message (RFC 1035, section 4.1), without the length prefix of TCP.
    ///
    /// Plain unless `edns` asks for an OPT record: nothing over TCP needs one, but a server may
    /// insist, and says so by FORMERR.
    pub fn to_message(&self, id: u16, edns: bool) -> Vec<u8> {
        let mut message = Vec::with_capacity(12 + 255 + 4 + 11);
        for word in [id, FLAGS, 1, 0, 0, u16::from(edns)] {
            message.extend_from_slice(&word.to_be_bytes());
        }
        self.name.write(&mut message);
        for word in [u16::from(self.qtype.record_type()), CLASS_IN] {
            message.extend_from_slice(&word.to_be_bytes());
        }
        if edns {
            message.push(0);
            // extended RCODE, version, flags and options: all zero
            for word in [TYPE_OPT, OPT_PAYLOAD, 0, 0, 0] {
                message.extend_from_slice(&word.to_be_bytes());
            }
        }
        message
    }
}
