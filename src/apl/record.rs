//! The records of a message, one after the other, and what their RDATA says.

use core::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::{DNSClass, Name, RecordType};
use hickory_proto::serialize::binary::{BinDecodable, BinDecoder};
use prefix::{Items, Prefix};

use crate::answer::{Answer, AnswerError};
use crate::codec;
use crate::name::ListName;
use crate::query::QueryType;
use crate::text;

/// A compression pointer (RFC 1035, section 4.1.4) to the name of the question, which begins
/// directly after the header. Nearly all owners are this, and need no reading of a name.
const QUESTION_POINTER: [u8; 2] = [0xc0, 12];

/// Most labels and pointers that a name is made of. An honest one has at most 127 labels, and a
/// pointer only after one of them.
const MAX_STEPS: usize = 256;

/// Reads one record after the other.
pub struct Records<'a> {
    message: &'a [u8],
    decoder: BinDecoder<'a>,
}

/// One record, its RDATA not yet looked at.
pub struct Record<'a> {
    /// The name that owns it; none stands for the name of the question.
    pub owner: Option<Name>,
    /// TYPE.
    pub rtype: RecordType,
    /// CLASS.
    pub class: DNSClass,
    /// Seconds; for OPT something else.
    pub ttl: u32,
    message: &'a [u8],
    rdata: &'a [u8],
    rdata_at: usize,
}

fn decoder_at(message: &[u8], at: usize) -> BinDecoder<'_> {
    let mut decoder = BinDecoder::new(message);
    // Positions come from a decoder of the same message; beyond its end nothing could be read.
    let _ = decoder.read_slice(at);
    decoder
}

/// Reads a name where the decoder stands.
///
/// hickory-proto follows pointers only backwards, but as many as there are: 8,000 in each of 5,000
/// names of one message. So the steps are counted before.
fn read_name(message: &[u8], decoder: &mut BinDecoder<'_>) -> Result<Name, AnswerError> {
    let mut at = decoder.index();
    for _ in 0..MAX_STEPS {
        match message.get(at..) {
            Some(&[0, ..]) => return Ok(Name::read(decoder)?),
            Some(&[high @ 0xc0..=0xff, low, ..]) => {
                at = usize::from(u16::from_be_bytes([high & 0x3f, low]));
            }
            Some(&[len, ..]) => at += 1 + usize::from(len),
            _ => return Err(AnswerError::Short),
        }
    }
    Err(AnswerError::Name)
}

impl<'a> Records<'a> {
    /// Begins at an offset into a message whose question stands directly after the header.
    pub fn new(message: &'a [u8], at: usize) -> Self {
        Self { message, decoder: decoder_at(message, at) }
    }

    /// Whether nothing is left of the message.
    pub fn at_end(&self) -> bool {
        self.decoder.is_empty()
    }

    /// The next record of whatever section.
    ///
    /// # Errors
    /// When the message ends within it, or its name is malformed.
    pub fn next(&mut self) -> Result<Record<'a>, AnswerError> {
        let decoder = &mut self.decoder;
        let rest = self.message.get(decoder.index()..).unwrap_or_default();
        let owner = if rest.starts_with(&QUESTION_POINTER) {
            decoder.read_u16()?;
            None
        } else {
            Some(read_name(self.message, decoder)?)
        };
        let rtype = RecordType::read(decoder)?;
        let class = DNSClass::read(decoder)?;
        let ttl = decoder.read_u32()?.unverified(/* any value is a TTL */);
        let len = decoder.read_u16()?.unverified(/* read_slice checks it */);
        let rdata_at = decoder.index();
        let rdata = decoder.read_slice(usize::from(len))?.unverified(/* checked by its reader */);
        Ok(Record { owner, rtype, class, ttl, message: self.message, rdata, rdata_at })
    }
}

impl Record<'_> {
    /// RDATA that is one name, as in PTR and CNAME; compressed names may lead out of it.
    pub fn name(&self) -> Option<Name> {
        let mut decoder = decoder_at(self.message, self.rdata_at);
        let name = read_name(self.message, &mut decoder).ok()?;
        (decoder.index() == self.rdata_at + self.rdata.len()).then_some(name)
    }

    /// The serial of an SOA record (RFC 1035, section 3.3.13): behind two names, and before four more
    /// numbers.
    fn serial(&self) -> Option<u32> {
        let mut decoder = decoder_at(self.message, self.rdata_at);
        read_name(self.message, &mut decoder).ok()?;
        read_name(self.message, &mut decoder).ok()?;
        let at = decoder.index().checked_sub(self.rdata_at)?;
        match *self.rdata.get(at..)? {
            [a, b, c, d, ref times @ ..] if times.len() == 16 => {
                Some(u32::from_be_bytes([a, b, c, d]))
            }
            _ => None,
        }
    }

    /// What an OPT record adds to the response code (RFC 6891, section 6.1.3).
    pub fn extended_rcode(&self) -> Option<u16> {
        (self.rtype == RecordType::OPT).then_some((self.ttl >> 24) as u16 * 16)
    }

    /// Reads RDATA of the given type, which must be the record's, into the answer and the items.
    pub fn read(
        &self,
        qtype: QueryType,
        answer: &mut Answer,
        items: &mut Items,
    ) -> Result<(), AnswerError> {
        let broken = AnswerError::Rdata(qtype);
        match qtype {
            QueryType::Ptr => {
                answer.targets.extend(ListName::from_wire(self.name().ok_or(broken)?));
            }
            QueryType::Apl => {
                answer.counts.add(codec::decode(self.rdata, items).map_err(AnswerError::Apl)?);
            }
            QueryType::Txt => {
                let strings = text::strings(self.rdata).ok_or(broken)?;
                match text::prefixes(&strings, items) {
                    Some(counts) => answer.counts.add(counts),
                    None => answer.foreign_text = true,
                }
            }
            QueryType::A => {
                let octets: [u8; 4] = self.rdata.try_into().map_err(|_| broken)?;
                items.push(Prefix::host(Ipv4Addr::from(octets).into()), false);
                answer.counts.items += 1;
            }
            QueryType::Aaaa => {
                let octets: [u8; 16] = self.rdata.try_into().map_err(|_| broken)?;
                items.push(Prefix::host(Ipv6Addr::from(octets).into()), false);
                answer.counts.items += 1;
            }
            QueryType::Soa => answer.serial = Some(self.serial().ok_or(broken)?),
        }
        Ok(())
    }
}
