//! DNS messages (RFC 1035, section 4), as far as the raw server and the raw client need them.
//!
//! Independent of the library that the program uses, and able to write what no library would.

use super::data::{Data, rtype};
use super::zone::{Answer, TTL, rcode};

/// Class IN.
pub const CLASS_IN: u16 = 1;
/// Class CH, which nobody uses.
pub const CLASS_CH: u16 = 3;
/// Header field OPCODE; 0 is a query.
pub const OPCODE: u16 = 0x7800;
/// Header flag QR: the message is a response.
pub const QR: u16 = 0x8000;
/// Header flag AA: the answer is authoritative.
pub const AA: u16 = 0x0400;
/// Header flag TC: the answer is truncated.
pub const TC: u16 = 0x0200;
/// Header flag RD: recursion desired.
pub const RD: u16 = 0x0100;
/// Octets of a header.
pub const HEADER: usize = 12;

/// A question as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The identifier to be echoed.
    pub id: u16,
    /// The flags word of the header.
    pub flags: u16,
    /// The name, in the case it was sent in, without the last dot.
    pub name: String,
    /// The type asked for.
    pub rtype: u16,
    /// The class asked for.
    pub class: u16,
    /// Whether an OPT record came with it.
    pub edns: bool,
}

impl Query {
    /// A plain question for class IN with RD set, as dig sends it.
    pub fn new(id: u16, name: &str, rtype: u16) -> Self {
        Self { id, flags: RD, name: name.to_string(), rtype, class: CLASS_IN, edns: false }
    }

    /// The message.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = header(self.id, self.flags, [1, 0, 0, u16::from(self.edns)]);
        push_question(&mut out, &self.name, self.rtype, self.class);
        if self.edns {
            push_opt(&mut out);
        }
        out
    }

    /// Reads a question; an error says what is wrong with it.
    pub fn read(message: &[u8]) -> Result<Self, String> {
        let mut reader = Reader { message, pos: 0 };
        let (id, flags, counts, (name, rtype, class)) = reader.start()?;
        let mut edns = false;
        for _ in 0..counts.iter().map(|count| u32::from(*count)).sum::<u32>() {
            edns |= reader.record()?.rtype == rtype::OPT;
        }
        reader.end()?;
        Ok(Self { id, flags, name, rtype, class, edns })
    }

    /// The message that answers it.
    pub fn reply(&self, answer: &Answer, origin: &str) -> Vec<u8> {
        let mut flags = QR | AA | (self.flags & (RD | OPCODE)) | u16::from(answer.rcode);
        if answer.truncated {
            flags |= TC;
        }
        if answer.rcode == rcode::REFUSED {
            flags &= !AA;
        }
        let authorities = u16::from(answer.is_negative());
        let count = u16::try_from(answer.records.len()).expect("a zone answers what fits");
        let mut out = header(self.id, flags, [1, count, authorities, u16::from(self.edns)]);
        push_question(&mut out, &self.name, self.rtype, self.class);
        for (owner, data) in &answer.records {
            if owner.eq_ignore_ascii_case(&self.name) {
                out.extend_from_slice(&(0xc000 | HEADER as u16).to_be_bytes());
            } else {
                push_name(&mut out, owner);
            }
            push_record(&mut out, data.rtype(), self.class, TTL, &rdata(data));
        }
        if answer.is_negative() {
            push_name(&mut out, origin);
            push_record(&mut out, rtype::SOA, CLASS_IN, SOA_TTL, &soa(origin));
        }
        if self.edns {
            push_opt(&mut out);
        }
        out
    }
}

/// The time for which a negative answer holds, in seconds.
pub const SOA_TTL: u32 = 60;

/// A header with the counts of the four sections.
pub fn header(id: u16, flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let mut out = Vec::with_capacity(512);
    for word in [id, flags].into_iter().chain(counts) {
        out.extend_from_slice(&word.to_be_bytes());
    }
    out
}

/// Appends a question.
pub fn push_question(out: &mut Vec<u8>, name: &str, rtype: u16, class: u16) {
    push_name(out, name);
    out.extend_from_slice(&rtype.to_be_bytes());
    out.extend_from_slice(&class.to_be_bytes());
}

/// Appends a name without compression.
pub fn push_name(out: &mut Vec<u8>, name: &str) {
    for label in name.split('.').filter(|label| !label.is_empty()) {
        assert!(label.len() <= 63, "{name}: a label holds at most 63 octets");
        out.push(label.len() as u8);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
}

/// Appends what follows the owner of a record.
pub fn push_record(out: &mut Vec<u8>, rtype: u16, class: u16, ttl: u32, rdata: &[u8]) {
    out.extend_from_slice(&rtype.to_be_bytes());
    out.extend_from_slice(&class.to_be_bytes());
    out.extend_from_slice(&ttl.to_be_bytes());
    let len = u16::try_from(rdata.len()).expect("RDLENGTH has 16 bits");
    out.extend_from_slice(&len.to_be_bytes());
    out.extend_from_slice(rdata);
}

fn push_opt(out: &mut Vec<u8>) {
    out.push(0);
    push_record(out, rtype::OPT, 1232, 0, &[]);
}

fn rdata(data: &Data) -> Vec<u8> {
    let mut out = Vec::new();
    match data {
        Data::A(addr) => out.extend_from_slice(&addr.octets()),
        Data::Aaaa(addr) => out.extend_from_slice(&addr.octets()),
        Data::Cname(name) | Data::Ptr(name) => push_name(&mut out, name),
        Data::Txt(strings) => {
            for string in strings {
                out.push(string.len() as u8);
                out.extend_from_slice(string.as_bytes());
            }
        }
        Data::Apl(octets) => out.extend_from_slice(octets),
    }
    out
}

fn soa(origin: &str) -> Vec<u8> {
    let mut out = Vec::new();
    push_name(&mut out, &format!("ns.{origin}"));
    push_name(&mut out, &format!("hostmaster.{origin}"));
    for number in [1, 3600, 600, 86400, SOA_TTL] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out
}

/// Name, type and class of a question.
pub type Question = (String, u16, u16);

/// A record of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The owner, without the last dot.
    pub owner: String,
    /// The type.
    pub rtype: u16,
    /// The class.
    pub class: u16,
    /// The time to live in seconds.
    pub ttl: u32,
    /// The data; the name in it for PTR and CNAME stands in `target`.
    pub rdata: Vec<u8>,
    /// Where a PTR or CNAME record points.
    pub target: Option<String>,
}

/// An answer as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The identifier of the question.
    pub id: u16,
    /// The flags word of the header.
    pub flags: u16,
    /// The question that was echoed.
    pub question: Question,
    /// The answer section.
    pub answers: Vec<Record>,
    /// The authority section.
    pub authorities: Vec<Record>,
}

impl Reply {
    /// The response code.
    pub fn rcode(&self) -> u8 {
        (self.flags & 0xf) as u8
    }

    /// Whether TC is set.
    pub fn truncated(&self) -> bool {
        self.flags & TC != 0
    }

    /// Reads a message with one question; an error says what is wrong with it.
    pub fn read(message: &[u8]) -> Result<Self, String> {
        let mut reader = Reader { message, pos: 0 };
        let (id, flags, counts, question) = reader.start()?;
        let mut section = |count| (0..count).map(|_| reader.record()).collect::<Result<_, _>>();
        let (answers, authorities) = (section(counts[0])?, section(counts[1])?);
        let _: Vec<Record> = section(counts[2])?;
        reader.end()?;
        Ok(Self { id, flags, question, answers, authorities })
    }
}

/// A position in a message.
struct Reader<'a> {
    message: &'a [u8],
    pos: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let part = self.message.get(self.pos..self.pos + len);
        self.pos += len;
        part.ok_or_else(|| format!("ends at octet {} of {}", self.message.len(), self.pos))
    }

    /// Identifier, flags, the counts of the three sections of records, and the only question.
    fn start(&mut self) -> Result<(u16, u16, [u16; 3], Question), String> {
        let (id, flags, questions) = (self.u16()?, self.u16()?, self.u16()?);
        let counts = [self.u16()?, self.u16()?, self.u16()?];
        if questions != 1 {
            return Err(format!("{questions} questions"));
        }
        Ok((id, flags, counts, (self.name()?, self.u16()?, self.u16()?)))
    }

    fn u16(&mut self) -> Result<u16, String> {
        self.take(2).map(|octets| u16::from_be_bytes([octets[0], octets[1]]))
    }

    fn record(&mut self) -> Result<Record, String> {
        let owner = self.name()?;
        let (rtype, class) = (self.u16()?, self.u16()?);
        let ttl = u32::from(self.u16()?) << 16 | u32::from(self.u16()?);
        let len = usize::from(self.u16()?);
        let start = self.pos;
        let rdata = self.take(len)?.to_vec();
        let target = if matches!(rtype, rtype::PTR | rtype::CNAME) {
            let mut inner = Reader { message: &self.message[..self.pos], pos: start };
            Some(inner.name()?)
        } else {
            None
        };
        Ok(Record { owner, rtype, class, ttl, rdata, target })
    }

    /// A name; compression pointers must lead backwards, which bounds them.
    fn name(&mut self) -> Result<String, String> {
        let mut name = String::new();
        let mut pos = self.pos;
        let mut end = None;
        loop {
            let mut here = Reader { message: self.message, pos };
            match here.take(1)?[0] {
                0 => break pos = here.pos,
                len @ 1..=63 => {
                    let label = here.take(usize::from(len))?;
                    name.push_str(&String::from_utf8_lossy(label));
                    name.push('.');
                    pos = here.pos;
                }
                high @ 0xc0.. => {
                    let target = usize::from(high & 0x3f) << 8 | usize::from(here.take(1)?[0]);
                    if target >= pos {
                        return Err(format!("name at {pos} points forward to {target}"));
                    }
                    end.get_or_insert(here.pos);
                    pos = target;
                }
                other => return Err(format!("label type {other:#x}")),
            }
            if name.len() > 254 {
                return Err("name over 255 octets".to_string());
            }
        }
        self.pos = end.unwrap_or(pos);
        name.pop();
        Ok(name)
    }

    fn end(&self) -> Result<(), String> {
        match self.message.len() - self.pos {
            0 => Ok(()),
            more => Err(format!("{more} octets after the last record")),
        }
    }
}

#[cfg(test)]
mod tests;
