//! Answers as they come off the wire.
//!
//! hickory-proto's own `Message` is not used: it refuses a message with an empty APL record, which
//! RFC 3123 allows. Its decoder reads the header, the question and the names (whose compression it
//! bounds: every pointer must lead backwards); the records are walked here.

use core::fmt;

use hickory_proto::op::{Header, MessageType, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder, DecodeError};
use prefix::Items;

use crate::codec::{AplError, Counts};
use crate::name::ListName;
use crate::query::{QueryType, Question};
use crate::record::Records;

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
    fn from_code(code: u16) -> Option<Self> {
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
    /// There were TXT records, but something in them is not a prefix: no item was taken.
    pub foreign_text: bool,
}

/// A message whose header and question have been read.
#[derive(Clone, Debug)]
pub struct Reply<'a> {
    message: &'a [u8],
    header: Header,
    /// None when the message has no question, as errors may.
    question: Option<Query>,
    records_at: usize,
}

impl<'a> Reply<'a> {
    /// Reads header and question of a message without the length prefix of TCP.
    ///
    /// # Errors
    /// When it is too short or no answer at all. The response code is not looked at.
    pub fn parse(message: &'a [u8]) -> Result<Self, AnswerError> {
        let mut decoder = BinDecoder::new(message);
        let header = Header::read(&mut decoder)?;
        if header.message_type != MessageType::Response {
            return Err(AnswerError::NotAnAnswer);
        }
        if header.op_code != OpCode::Query {
            return Err(AnswerError::Opcode);
        }
        let question = match header.counts.queries {
            0 => None,
            1 => Some(Query::read(&mut decoder)?),
            _ => return Err(AnswerError::Question),
        };
        Ok(Self { message, header, question, records_at: decoder.index() })
    }

    /// The id, by which the query is found that this answers.
    pub fn id(&self) -> u16 {
        self.header.id
    }

    /// Whether this answers the question. An error may come without a question; then only the id
    /// can tell.
    pub fn answers(&self, question: &Question) -> bool {
        match &self.question {
            None => self.rcode().is_some(),
            Some(query) => {
                query.query_type() == question.qtype.record_type()
                    && query.query_class() == DNSClass::IN
                    && query.name() == question.name.as_name()
            }
        }
    }

    fn rcode(&self) -> Option<Rcode> {
        Rcode::from_code(u16::from(self.header.response_code))
    }

    /// Reads the records in answer to the question and adds the items they carry.
    ///
    /// # Errors
    /// When this is not an answer to the question, or a bad one; `items` is then as it was.
    pub fn read(&self, question: &Question, items: &mut Items) -> Result<Answer, AnswerError> {
        let before = (items.v4.len(), items.v6.len());
        let answer = self.read_sections(question, items);
        if answer.as_ref().map_or(true, |answer| answer.foreign_text) {
            items.v4.truncate(before.0);
            items.v6.truncate(before.1);
        }
        answer
    }

    fn read_sections(&self, question: &Question, items: &mut Items) -> Result<Answer, AnswerError> {
        if !self.answers(question) {
            return Err(AnswerError::Question);
        }
        if let Some(rcode) = self.rcode() {
            return Err(AnswerError::Rcode(rcode));
        }
        if self.header.truncation {
            return Err(AnswerError::Truncated);
        }
        let owners = self.check_sections(question)?;
        let wanted = question.qtype.record_type();
        let mut answer = Answer::default();
        let mut records = Records::new(self.message, self.records_at);
        for _ in 0..self.header.counts.answers {
            let record = records.next()?;
            if record.rtype != wanted {
                continue;
            }
            if record.owner.as_ref().is_some_and(|owner| !owners.contains(owner)) {
                return Err(AnswerError::Owner);
            }
            answer.ttl = if answer.records == 0 { record.ttl } else { answer.ttl.min(record.ttl) };
            answer.records += 1;
            record.read(question.qtype, &mut answer, items)?;
        }
        if answer.foreign_text {
            answer.counts = Counts::default();
        }
        Ok(answer)
    }

    /// Walks all sections to their end, and follows the CNAMEs from the name of the question. The
    /// names that may own records are returned, the question's own first.
    fn check_sections(&self, question: &Question) -> Result<Vec<Name>, AnswerError> {
        let counts = self.header.counts;
        let mut records = Records::new(self.message, self.records_at);
        let mut aliases = Vec::new();
        for _ in 0..counts.answers {
            let record = records.next()?;
            if record.class != DNSClass::IN {
                return Err(AnswerError::Class);
            }
            if record.rtype == RecordType::CNAME {
                if aliases.len() == MAX_ALIASES {
                    return Err(AnswerError::Aliases);
                }
                let target = record.name().ok_or(AnswerError::Name)?;
                aliases.push((record.owner, target));
            }
        }
        for _ in 0..u32::from(counts.authorities) + u32::from(counts.additionals) {
            if let Some(rcode) = records.next()?.extended_rcode().and_then(Rcode::from_code) {
                return Err(AnswerError::Rcode(rcode));
            }
        }
        if !records.at_end() {
            return Err(AnswerError::Trailing);
        }
        let asked = question.name.as_name();
        let mut owners = vec![asked.clone()];
        // Each alias is taken once, so that a loop of them ends.
        while let Some(index) = aliases
            .iter()
            .position(|(owner, _)| owners.last() == Some(owner.as_ref().unwrap_or(asked)))
        {
            owners.push(aliases.swap_remove(index).1);
        }
        Ok(owners)
    }
}

#[cfg(test)]
mod tests;
