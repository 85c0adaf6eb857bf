//! Messages for the tests, octet by octet and with every mistake that is wanted.

use crate::codec;
use crate::name::ListName;
use crate::query::{QueryType, Question};

pub const PTR: u16 = 12;
pub const CNAME: u16 = 5;
pub const SOA: u16 = 6;
pub const TXT: u16 = 16;
pub const OPT: u16 = 41;
pub const APL: u16 = 42;
pub const RRSIG: u16 = 46;
/// The question's name as an owner.
pub const ASKED: &[u8] = &[0xc0, 12];

pub fn name(text: &str) -> ListName {
    ListName::parse(text).unwrap()
}

pub fn question(qtype: QueryType, text: &str) -> Question {
    Question { name: name(text), qtype }
}

/// A name in wire form, not compressed.
pub fn wire(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    name(text).write(&mut out);
    out
}

/// RDATA of an APL record.
pub fn apl(prefixes: &[&str]) -> Vec<u8> {
    let mut rdata = Vec::new();
    for text in prefixes {
        let positive = text.trim_start_matches('!');
        codec::encode(positive.parse().unwrap(), positive != *text, &mut rdata);
    }
    rdata
}

/// RDATA of a TXT record with one string.
pub fn txt(text: &str) -> Vec<u8> {
    [&[text.len() as u8], text.as_bytes()].concat()
}

/// A message under construction; the counts follow the records unless they are set afterwards.
#[derive(Clone)]
pub struct Message {
    pub id: u16,
    pub flags: u16,
    pub counts: [u16; 4],
    pub body: Vec<u8>,
}

impl Message {
    /// An empty NOERROR answer.
    pub fn to(question: &Question, id: u16) -> Self {
        let body = question.to_message(id, false)[12..].to_vec();
        Self { id, flags: 0x8580, counts: [1, 0, 0, 0], body }
    }

    pub fn rcode(mut self, rcode: u16) -> Self {
        self.flags |= rcode;
        self
    }

    pub fn truncated(mut self) -> Self {
        self.flags |= 0x0200;
        self
    }

    fn push(
        mut self,
        section: usize,
        owner: &[u8],
        head: [u16; 2],
        ttl: u32,
        rdata: &[u8],
    ) -> Self {
        self.counts[section] += 1;
        self.body.extend(owner);
        self.body.extend(head.map(u16::to_be_bytes).as_flattened());
        self.body.extend(ttl.to_be_bytes());
        self.body.extend((rdata.len() as u16).to_be_bytes());
        self.body.extend(rdata);
        self
    }

    /// Adds a record of class IN to the answer section.
    pub fn record(self, owner: &[u8], rtype: u16, ttl: u32, rdata: &[u8]) -> Self {
        self.push(1, owner, [rtype, 1], ttl, rdata)
    }

    pub fn record_of_class(self, class: u16, rtype: u16, rdata: &[u8]) -> Self {
        self.push(1, ASKED, [rtype, class], 60, rdata)
    }

    pub fn authority(self, owner: &[u8], rtype: u16, rdata: &[u8]) -> Self {
        self.push(2, owner, [rtype, 1], 60, rdata)
    }

    pub fn opt(self, extended_rcode: u8) -> Self {
        self.push(3, &[0], [OPT, 1232], u32::from(extended_rcode) << 24, &[])
    }

    pub fn octets(&self) -> Vec<u8> {
        let mut out = Vec::new();
        for word in [[self.id, self.flags].as_slice(), &self.counts].concat() {
            out.extend(word.to_be_bytes());
        }
        out.extend(&self.body);
        out
    }
}
