//! RADIUS: RFC 2865 and 2866.

use super::*;

const HEADER: u32 = 20;

const CODES: [&str; 12] = [
    "", "Axs?", "Axs+", "Axs-", "Act?", "Act+", "ActSt", "Pchg?", "Pchg+", "Pchg-", "ActMg", "Axs!",
];

/// How a value is printed.
#[derive(Clone, Copy)]
enum Form {
    Integer,
    Address,
    Text,
    Hex,
}

use Form::{Address, Hex, Integer, Text as Words};

/// Attributes by number: form, name, and names of small integers.
const ATTRIBUTES: [(u8, Form, &str, &[&str]); 32] = [
    (1, Words, "Name", &[]),
    (2, Hex, "Pass", &[]),
    (3, Hex, "CPass", &[]),
    (4, Address, "NAS-IP", &[]),
    (5, Integer, "NAS-Pt", &[]),
    (6, Integer, "USvc", &["", "Login", "Framed", "DB-Lgn", "DB-Frm", "Out", "Shell"]),
    (7, Integer, "FProt", &["", "PPP", "SLIP"]),
    (8, Address, "F-IP", &[]),
    (9, Address, "F-Msk", &[]),
    (10, Integer, "F-Rtg", &[]),
    (11, Words, "FltID", &[]),
    (12, Integer, "F-MTU", &[]),
    (13, Integer, "F-Comp", &[]),
    (14, Address, "L-Hst", &[]),
    (15, Integer, "L-Svc", &["", "Telnt", "Rlog", "Clear", "PortM"]),
    (16, Integer, "L-Pt", &[]),
    (17, Hex, "OPass", &[]),
    (18, Words, "PMsg", &[]),
    (19, Words, "DB#", &[]),
    (20, Words, "DBNm", &[]),
    (21, Integer, "PExp", &[]),
    (22, Words, "F-Rt", &[]),
    (23, Address, "F-IPX", &[]),
    (24, Words, "CState", &[]),
    (25, Words, "Class", &[]),
    (26, Hex, "Vendor", &[]),
    (27, Integer, "S-TO", &[]),
    (28, Integer, "I-TO", &[]),
    (29, Integer, "TermAct", &[]),
    (30, Words, "Callee", &[]),
    (31, Words, "Caller", &[]),
    (40, Integer, "Stat", &["", "Start", "Stop"]),
];

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    if length < HEADER {
        line.put("[|radius]");
        return;
    }
    let (code, claimed) = (data.octet(0), data.be16(2));
    match CODES.get(usize::from(code)).filter(|_| code > 0) {
        Some(name) => line.put(name),
        None => line.put("Code:").dec(code.into()),
    };
    line.put(" id:").hex(data.octet(1).into(), 1).put(" [").dec(claimed.into()).ch(b']');
    if u32::from(claimed) > length {
        line.put("[|radius]");
        return;
    }
    attributes(line, data.after(HEADER as usize), length - HEADER);
}

fn attributes(line: &mut Text<'_>, mut data: &[u8], mut left: u32) {
    let mut first = true;
    while left > 0 && !line.full() {
        if !first {
            line.ch(b',');
        }
        first = false;
        let (code, size) = (data.octet(0), data.octet(1));
        if u32::from(size) > left || size < 2 {
            line.put(" [|radius]");
            return;
        }
        let value = data.after(2);
        attribute(line, code, value, usize::from(size) - 2);
        data = data.after(usize::from(size));
        left -= u32::from(size);
    }
}

/// Prints an attribute whose value has `size` octets, of which some may not be captured.
fn attribute(line: &mut Text<'_>, code: u8, value: &[u8], size: usize) {
    let Some((_, form, name, values)) = ATTRIBUTES.iter().find(|entry| entry.0 == code) else {
        line.ch(b' ').dec(code.into());
        return;
    };
    line.ch(b' ').put(name).put(" =");
    let number = value.be32(0);
    // tcpdump looks for a name before it looks at the size.
    if let Some(word) = values.get(number as usize) {
        line.ch(b' ').put(word);
        return;
    }
    match form {
        Integer | Address if size < 4 => line.put(" ?"),
        Integer => line.ch(b' ').int(number),
        Address => line.ch(b' ').ip4(value.array(0)),
        Words if size == 0 => line.put(" ?"),
        Words => {
            let text: [u8; 127] = value.array(0);
            let text = text.get(..size).unwrap_or(&text);
            let end = text.iter().position(|&octet| octet == 0).unwrap_or(text.len());
            line.ch(b' ').octal(text.get(..end).unwrap_or_default())
        }
        Hex => {
            let octets: [u8; 255] = value.array(0);
            line.put(" [").hex_octets(octets.get(..size).unwrap_or_default()).ch(b']')
        }
    };
}
