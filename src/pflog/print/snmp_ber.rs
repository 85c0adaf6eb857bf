//! The part of ASN.1's basic encoding rules (X.690) that SNMP uses.

use super::*;

/// Tag numbers that have a name in tcpdump, by class: universal, application, context, private.
const NAMES: [&[&str]; 4] = [
    &[
        "U-0",
        "Boolean",
        "Integer",
        "Bitstring",
        "String",
        "Null",
        "ObjID",
        "ObjectDes",
        "U-8",
        "U-9",
        "U-10",
        "U-11",
        "U-12",
        "U-13",
        "U-14",
        "U-15",
        "Sequence",
        "Set",
    ],
    &[
        "IpAddress",
        "Counter",
        "Gauge",
        "TimeTicks",
        "Opaque",
        "NsapAddress",
        "Counter64",
        "UInteger32",
    ],
    &[
        "GetRequest",
        "GetNextRequest",
        "GetResponse",
        "SetRequest",
        "Trap",
        "GetBulkReq",
        "InformReq",
        "TrapV2",
        "Report",
    ],
    &["P-0"],
];
/// What tcpdump prints for the name of a class: a slip of its preprocessor.
const CLASS: &str = "x";
const EXCEPTIONS: [&str; 3] = ["noSuchObject", "noSuchInstance", "endOfMibView"];

/// Octets of a message that are still to be read: a part of what was captured, which may end
/// before the part does.
#[derive(Clone, Copy)]
pub(super) struct Input<'d> {
    /// From here to the end of the capture.
    pub data: &'d [u8],
    /// The size of the part.
    pub len: u32,
    /// Was the message longer than its capture? Then everything odd is taken for a cut.
    pub cut: bool,
}

/// What an element holds.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Kind {
    Octets,
    Null,
    ObjectId,
    Integer(u32),
    Unsigned(u32),
    Unsigned64(u64),
    String,
    Sequence,
    Address,
    Pdu,
    Exception,
}

/// One element.
#[derive(Clone, Copy)]
pub(super) struct Element<'d> {
    pub kind: Kind,
    /// The number of the tag.
    pub tag: u8,
    /// The contents.
    pub inside: Input<'d>,
}

impl<'d> Element<'d> {
    /// The captured contents.
    pub fn octets(&self) -> &'d [u8] {
        self.inside.data.get(..self.inside.len as usize).unwrap_or(self.inside.data)
    }
}

impl<'d> Input<'d> {
    /// Takes the next element off. None, after saying why, when there is none.
    pub fn element(&mut self, line: &mut Text<'_>) -> Option<Element<'d>> {
        let first = self.octet(line, "[nothing to parse]")?;
        let (class, constructed) = (usize::from(first >> 6), first & 0x20 != 0);
        let mut tag = first & 0x1f;
        if tag == 0x1f {
            tag = self.long_tag(line)?;
        }
        let len = self.length(line)?;
        let inside = Input { len, ..*self };
        let form = if constructed { 'C' } else { 'P' };
        let Some(name) = NAMES[class & 3].get(usize::from(tag)) else {
            if self.cut {
                line.put("[|snmp]");
            } else {
                line.put("[id?").ch(form as u8).ch(b'/').put(CLASS);
                line.ch(b'/').dec(tag.into()).ch(b']');
            }
            return None;
        };
        self.data = self.data.after(len as usize);
        self.len = self.len.wrapping_sub(len);
        let kind = if constructed {
            constructed_kind(line, class, tag, name)
        } else {
            primitive_kind(line, class, tag, name, inside)
        };
        Some(Element { kind, tag, inside })
    }

    /// The tag number that follows a tag of all ones.
    fn long_tag(&mut self, line: &mut Text<'_>) -> Option<u8> {
        let mut tag = 0_u8;
        while self.data.octet(0) & 0x80 != 0 && self.len > 0 {
            tag = tag << 7 | self.data.octet(0) & 0x7f;
            self.advance();
        }
        if self.len == 0 && self.data.octet(0) & 0x80 != 0 {
            line.put(if self.cut { "[|snmp]" } else { "[Xtagfield?]" });
            return None;
        }
        tag = tag << 7 | self.data.octet(0);
        self.advance();
        Some(tag)
    }

    /// The length of an element, not more than there is.
    fn length(&mut self, line: &mut Text<'_>) -> Option<u32> {
        let mut len = u32::from(self.octet(line, "[no asnlen]")?);
        if len & 0x80 != 0 {
            let octets = len & 0x7f;
            if self.len < octets {
                if self.cut {
                    line.put("[|snmp]");
                } else {
                    line.put("[asnlen? ").int(self.len).ch(b'<').dec(octets).ch(b']');
                }
                return None;
            }
            len = 0;
            for _ in 0..octets {
                len = len << 8 | u32::from(self.data.octet(0));
                self.advance();
            }
        }
        if self.len < len {
            if !self.cut {
                line.put("[len").int(self.len).put("<asnlen").dec(len).ch(b']');
                return None;
            }
            len = self.len;
        }
        Some(len)
    }

    /// The next octet; says `missing` when there is none.
    fn octet(&mut self, line: &mut Text<'_>, missing: &str) -> Option<u8> {
        if self.len == 0 {
            line.put(if self.cut { "[|snmp]" } else { missing });
            return None;
        }
        let octet = self.data.octet(0);
        self.advance();
        Some(octet)
    }

    fn advance(&mut self) {
        self.data = self.data.after(1);
        self.len = self.len.wrapping_sub(1);
    }
}

fn constructed_kind(line: &mut Text<'_>, class: usize, tag: u8, name: &str) -> Kind {
    match (class, tag) {
        (0, 16) => Kind::Sequence,
        (2, _) => Kind::Pdu,
        (0, _) => {
            line.put("C/U/").put(name);
            Kind::Octets
        }
        _ => {
            line.put("C/").put(CLASS).ch(b'/').put(name);
            Kind::Octets
        }
    }
}

fn primitive_kind(
    line: &mut Text<'_>,
    class: usize,
    tag: u8,
    name: &str,
    inside: Input<'_>,
) -> Kind {
    // Not more octets than the message has: `inside` was limited to it.
    let octets = (0..captured(inside.data, inside.len)).map(|at| inside.data.octet(at));
    let number = |start: u64| octets.fold(start, |number, octet| number << 8 | u64::from(octet));
    match (class, tag) {
        (0, 2) => {
            let negative = inside.data.octet(0) & 0x80 != 0;
            Kind::Integer(number(if negative { u64::MAX } else { 0 }) as u32)
        }
        (0, 4) => Kind::String,
        (0, 5) => Kind::Null,
        (0, 6) => Kind::ObjectId,
        (1, 0) => Kind::Address,
        (1, 6) => Kind::Unsigned64(number(0)),
        (1, 1..=5 | 7) => Kind::Unsigned(number(0) as u32),
        (2, 0..=2) => Kind::Exception,
        _ => {
            match class {
                0 => line.put("[P/U/").put(name),
                1 => line.put("[P/A/").put(name),
                2 => line.put("[P/C/").dec(tag.into()),
                _ => line.put("[P/").put(CLASS).ch(b'/').put(name),
            };
            line.ch(b']');
            Kind::Octets
        }
    }
}

/// Prints an element by its kind.
pub(super) fn print(line: &mut Text<'_>, element: &Element<'_>) {
    let octets = line.bounded(element.octets());
    match element.kind {
        Kind::Octets => {
            for &octet in octets {
                line.ch(b'_').hex(octet.into(), 2);
            }
        }
        Kind::Null => (),
        Kind::ObjectId => object_id(line, octets),
        Kind::Integer(number) | Kind::Unsigned(number) => {
            line.int(number);
        }
        Kind::Unsigned64(number) => {
            let number = number.cast_signed();
            if number < 0 {
                line.ch(b'-');
            }
            line.dec64(number.unsigned_abs());
        }
        Kind::String => string(line, octets),
        Kind::Sequence => {
            line.put("Seq(").dec(element.inside.len).ch(b')');
        }
        Kind::Address => {
            if element.inside.len != 4 {
                line.put("[inetaddr len!=4]");
            }
            for (n, &octet) in octets.iter().enumerate() {
                line.ch(if n == 0 { b'[' } else { b'.' }).dec(octet.into());
            }
            line.ch(b']');
        }
        Kind::Pdu => {
            let name = NAMES[2].get(usize::from(element.tag)).copied().unwrap_or_default();
            line.put(name).ch(b'(').dec(element.inside.len).ch(b')');
        }
        Kind::Exception => {
            line.put(EXCEPTIONS.get(usize::from(element.tag)).copied().unwrap_or_default());
        }
    }
}

/// The numbers of an object identifier, each behind a dot. They have 32 bits, as in tcpdump.
fn object_id(line: &mut Text<'_>, octets: &[u8]) {
    let (mut number, mut first) = (0_i32, true);
    for &octet in octets {
        number = (number << 7).wrapping_add(i32::from(octet & 0x7f));
        if octet & 0x80 != 0 {
            continue;
        }
        if first {
            // The first octet has two numbers.
            first = false;
            line.ch(b'.').dec((number / 40).cast_unsigned());
            number %= 40;
        }
        line.ch(b'.').dec(number.cast_unsigned());
        number = 0;
    }
}

/// A string in quotes when it is text, else hexadecimal.
fn string(line: &mut Text<'_>, octets: &[u8]) {
    let text = |octet: &u8| printable(*octet) || matches!(octet, b'\t'..=b'\r');
    if octets.iter().all(text) {
        line.ch(b'"');
        line.string(octets);
        line.ch(b'"');
        return;
    }
    for (n, &octet) in octets.iter().enumerate() {
        if n > 0 {
            line.ch(b'_');
        }
        line.hex(octet.into(), 2);
    }
}
