//! Answers as they come off the wire.
//!
//! hickory-proto's own `Message` is not used: it refuses a message with an empty APL record, which
//! RFC 3123 allows. Its decoder reads the header, the question and the names (whose compression it
//! bounds: every pointer must lead backwards); the records are walked here.

use hickory_proto::op::{Header, MessageType, OpCode, Query};
use hickory_proto::rr::{DNSClass, Name, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};
use prefix::Items;

use crate::answer::{Answer, AnswerError, MAX_ALIASES, Rcode};
use crate::codec::Counts;
use crate::query::Question;
use crate::record::Records;

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
