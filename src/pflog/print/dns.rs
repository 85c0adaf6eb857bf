//! DNS, RFC 1035, and multicast DNS, RFC 6762.

use super::*;

const HEADER: usize = 12;
/// Behind the name of a question: type and class.
const QUESTION: usize = 4;
/// Behind the name of a record: type, class, time to live, length.
const RECORD: usize = 10;
/// In multicast DNS the top bit of a class has a meaning of its own.
const TOP_BIT: u16 = 0x8000;

const OPERATIONS: [&str; 16] = [
    "",
    " inv_q",
    " stat",
    " op3",
    " notify",
    " update",
    " op6",
    " op7",
    " op8",
    " updataA",
    " updateD",
    " updateDA",
    " updateM",
    " updateMA",
    " zoneInit",
    " zoneRef",
];

const RESPONSES: [&str; 16] = [
    "",
    " FormErr",
    " ServFail",
    " NXDomain",
    " NotImp",
    " Refused",
    " YXDomain",
    " YXRRSet",
    " NXRRSet",
    " NotAuth",
    " NotZone",
    " Resp11",
    " Resp12",
    " Resp13",
    " Resp14",
    " NoChange",
];

const CLASSES: [(u32, &str); 4] = [(1, "IN"), (3, "CHAOS"), (4, "HS"), (255, "ANY")];
const IN: u16 = 1;

/// Types of records, by IANA's registry; a few have left it.
const TYPES: [(u32, &str); 61] = [
    (1, "A"),
    (2, "NS"),
    (3, "MD"),
    (4, "MF"),
    (5, "CNAME"),
    (6, "SOA"),
    (7, "MB"),
    (8, "MG"),
    (9, "MR"),
    (10, "NULL"),
    (11, "WKS"),
    (12, "PTR"),
    (13, "HINFO"),
    (14, "MINFO"),
    (15, "MX"),
    (16, "TXT"),
    (17, "RP"),
    (18, "AFSDB"),
    (19, "X25"),
    (20, "ISDN"),
    (21, "RT"),
    (22, "NSAP"),
    (23, "NSAP_PTR"),
    (24, "SIG"),
    (25, "KEY"),
    (26, "PX"),
    (27, "GPOS"),
    (28, "AAAA"),
    (29, "LOC"),
    (30, "NXT"),
    (31, "EID"),
    (32, "NIMLOC"),
    (33, "SRV"),
    (34, "ATMA"),
    (35, "NAPTR"),
    (36, "KX"),
    (37, "CERT"),
    (38, "A6"),
    (39, "DNAME"),
    (40, "SINK"),
    (41, "OPT"),
    (42, "APL"),
    (43, "DS"),
    (44, "SSHFP"),
    (45, "IPSECKEY"),
    (46, "RRSIG"),
    (47, "NSEC"),
    (48, "DNSKEY"),
    (99, "SPF"),
    (100, "UINFO"),
    (101, "UID"),
    (102, "GID"),
    (103, "UNSPEC"),
    (104, "UNSPECA"),
    (249, "TKEY"),
    (250, "TSIG"),
    (251, "IXFR"),
    (252, "AXFR"),
    (253, "MAILB"),
    (254, "MAILA"),
    (255, "ANY"),
];

pub(super) fn print(line: &mut Line<'_>, message: &[u8], length: u32, multicast: bool) {
    let complete = message.has(HEADER) && {
        line.dec(message.be16(0).into());
        let is_response = message.octet(2) & 0x80 != 0;
        let done = if is_response {
            response(line, message, multicast)
        } else {
            request(line, message, multicast)
        };
        done.is_some()
    };
    if complete {
        line.ch(b'(').int(length).ch(b')');
    } else {
        line.put("[|domain]");
    }
}

/// The counts of the four sections: questions, answers, authorities, additional records.
fn counts(message: &[u8]) -> [u32; 4] {
    [4, 6, 8, 10].map(|at| message.be16(at).into())
}

fn operation(message: &[u8]) -> u8 {
    message.octet(2) >> 3 & 15
}

/// Runs `step` over a section of `count` entries from `at` on. What was captured of a section
/// may end before the section does: that is complete only when nothing is left.
fn section(
    message: &[u8],
    mut at: usize,
    count: u32,
    mut step: impl FnMut(usize, u32) -> Option<usize>,
) -> Option<()> {
    for n in 0..count {
        if n > 0 && at >= message.len() {
            return None;
        }
        at = step(at, n)?;
    }
    Some(())
}

fn response(line: &mut Line<'_>, message: &[u8], multicast: bool) -> Option<()> {
    let (flags, more) = (message.octet(2), message.octet(3));
    line.put(OPERATIONS[usize::from(operation(message) & 15)]);
    line.put(RESPONSES[usize::from(more & 15)]);
    line.put(if flags & 0x04 != 0 { "*" } else { "" });
    line.put(if more & 0x80 != 0 { "" } else { "-" });
    line.put(if flags & 0x02 != 0 { "|" } else { "" });
    line.put(if more & 0x20 != 0 { "$" } else { "" });
    let [questions, answers, authorities, additional] = counts(message);
    if questions != 1 {
        line.put(" [").dec(questions).put("q]");
    }
    let mut at = HEADER;
    for n in 0..questions {
        if n > 0 {
            line.ch(b',');
        }
        at = dns_name::skip(message, at)? + QUESTION;
    }
    line.ch(b' ').dec(answers).ch(b'/').dec(authorities).ch(b'/').dec(additional);
    section(message, at, answers, |at, n| {
        if line.full() {
            return None;
        }
        if n > 0 {
            line.ch(b',');
        }
        record(line, message, at, multicast)
    })
}

fn request(line: &mut Line<'_>, message: &[u8], multicast: bool) -> Option<()> {
    const INVERSE: u8 = 1;
    const NOTIFY: u8 = 4;
    let (flags, more) = (message.octet(2), message.octet(3));
    let operation = operation(message);
    line.put(OPERATIONS[usize::from(operation & 15)]);
    line.put(if flags & 0x01 != 0 { "+" } else { "" });
    line.put(if more & 0x10 != 0 { "%" } else { "" });
    // The bits of responses; tcpdump compares a notification's with the wrong byte order.
    let odd = message.be16(2) & 0x06cf;
    if odd != if operation == NOTIFY { 0x0004 } else { 0 } {
        line.put(" [b2&3=0x").hex(message.be16(2).into(), 1).ch(b']');
    }
    let [questions, answers, authorities, additional] = counts(message);
    let (usual_questions, usual_answers) = if operation == INVERSE { (0, 1) } else { (1, 0) };
    let [asked, answered] = [
        (questions != usual_questions).then_some((questions, "q]")),
        (answers != usual_answers).then_some((answers, "a]")),
    ];
    let order = if operation == INVERSE { [asked, answered] } else { [answered, asked] };
    for (count, unit) in order.into_iter().flatten() {
        line.put(" [").dec(count).put(unit);
    }
    if authorities != 0 {
        line.put(" [").dec(authorities).put("n]");
    }
    if additional != 0 {
        line.put(" [").dec(additional).put("au]");
    }
    section(message, HEADER, questions, |at, _| {
        if line.full() { None } else { question(line, message, at, multicast) }
    })
}

/// Prints a question and returns the position behind it.
fn question(line: &mut Line<'_>, message: &[u8], start: usize, multicast: bool) -> Option<usize> {
    let at = dns_name::skip(message, start)?;
    if !message.has(at + QUESTION) {
        return None;
    }
    line.ch(b' ').word(message.be16(at).into(), &TYPES, "Type");
    let field = message.be16(at + 2);
    class(line, if multicast { field & !TOP_BIT } else { field });
    if multicast && field & TOP_BIT != 0 {
        line.put(" (QU)");
    }
    line.put("? ");
    Some(dns_name::print(line, message, start)? + QUESTION)
}

/// Prints a class unless it is the usual one.
fn class(line: &mut Line<'_>, class: u16) {
    if class == IN {
        return;
    }
    match lookup(class.into(), &CLASSES) {
        Some(word) => line.ch(b' ').put(word),
        None => line.put(" (Class ").dec(class.into()).ch(b')'),
    };
}

/// Prints a resource record and returns the position behind it.
fn record(line: &mut Line<'_>, message: &[u8], start: usize, multicast: bool) -> Option<usize> {
    const OPT: u16 = 41;
    let end = message.len();
    let Some(at) = dns_name::skip(message, start).filter(|at| message.has(at + RECORD)) else {
        return Some(end);
    };
    let kind = message.be16(at);
    let field = message.be16(at + 2);
    let own_class = if multicast { field & !TOP_BIT } else { field };
    if kind != OPT {
        class(line, own_class);
    }
    if multicast && field & TOP_BIT != 0 {
        line.put(" (Cache flush)");
    }
    let size = usize::from(message.be16(at + 8));
    let data = at + RECORD;
    let behind = data + size;
    line.ch(b' ').word(kind.into(), &TYPES, "Type");
    if behind > end {
        return None;
    }
    if kind == OPT {
        line.put(" UDPsize=").dec(own_class.into());
        if message.be16(at + 6) & 0x8000 != 0 {
            line.put(" DO");
        }
        return Some(behind);
    }
    value(line, message, kind, data, size)?;
    Some(behind)
}

/// Prints the data of a record, as far as tcpdump knows the type; none when data are missing.
fn value(line: &mut Line<'_>, message: &[u8], kind: u16, at: usize, size: usize) -> Option<()> {
    let need = |end: usize| message.has(end).then_some(());
    match kind {
        1 => {
            need(at + 4)?;
            line.ch(b' ').ip4(message.array(at));
        }
        2 | 5 | 12 | 39 => {
            line.ch(b' ');
            dns_name::print(line, message, at)?;
        }
        15 => {
            line.ch(b' ');
            need(at + 2)?;
            dns_name::print(line, message, at + 2)?;
            line.ch(b' ').dec(message.be16(at).into());
        }
        16 => {
            let mut text = at;
            while text < at + size {
                line.put(" \"");
                text = dns_name::character_string(line, message, text)?;
                line.ch(b'"');
            }
        }
        28 => {
            need(at + 16)?;
            line.ch(b' ').ip6(message.array(at));
        }
        33 => {
            line.ch(b' ');
            need(at + 6)?;
            dns_name::print(line, message, at + 6)?;
            line.ch(b':').dec(message.be16(at + 4).into());
            line.ch(b' ').dec(message.be16(at).into());
            line.ch(b' ').dec(message.be16(at + 2).into());
        }
        38 => a6(line, message, at)?,
        104 => dns_name::characters(line, message, at, size)?,
        _ => (),
    }
    Some(())
}

/// An address in two parts: its end here, its beginning at another name (RFC 2874).
fn a6(line: &mut Line<'_>, message: &[u8], at: usize) -> Option<()> {
    let prefix = *message.get(at)?;
    if prefix > 128 {
        line.ch(b' ').dec(prefix.into()).put("(bad plen)");
        return Some(());
    }
    let whole = usize::from(prefix / 8);
    let suffix = 16 - whole;
    if prefix < 128 {
        let octets = message.get(at + 1..at + 1 + suffix)?;
        let mut address = [0; 16];
        address.iter_mut().skip(whole).zip(octets).for_each(|(to, from)| *to = *from);
        line.ch(b' ').dec(prefix.into()).ch(b' ').ip6(address);
    }
    if prefix > 0 {
        line.ch(b' ');
        dns_name::print(line, message, at + 1 + suffix)?;
    }
    Some(())
}
