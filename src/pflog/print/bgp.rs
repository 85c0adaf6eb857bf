//! BGP: RFC 4271.

use super::*;
use bgp_words::{
    CAPABILITIES, Missing, NOTIFICATIONS, REFRESHES, ROLES, TYPES, at_once, both, family, name,
    need, put, sub_family, word,
};

const HEADER: usize = 19;
const MARKER: [u8; 16] = [0xff; 16];
const MISSING: &str = "[|BGP]";

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    line.put(": BGP");
    let mut at = 0;
    let mut gap = false;
    let end = captured(data, length);
    while at < end && data.has(at + MARKER.len()) && !line.full() {
        if data.array(at) != MARKER {
            at += 1;
            gap = true;
            continue;
        }
        if !data.has(at + HEADER) {
            line.ch(b' ').put(MISSING);
            return;
        }
        if gap {
            line.ch(b' ').put(MISSING);
            gap = false;
        }
        let size = usize::from(data.be16(at + 16));
        line.ch(b' ');
        if size < HEADER {
            line.put("\n[|BGP Bogus header length ").dec(size as u32).put(" < 19]");
            return;
        }
        let kind = data.octet(at + 18);
        if !data.has(at + size) {
            word(line.put("[|BGP "), kind, &TYPES).ch(b']');
            return;
        }
        message(line, data.after(at), size, kind);
        at += size;
    }
}

/// A message of `size` octets, with all that was captured behind it, too: tcpdump asks only
/// whether what it reads was captured.
fn message(line: &mut Text<'_>, data: &[u8], size: usize, kind: u8) {
    word(line.ch(b'('), kind, &TYPES);
    let body = match kind {
        1 => open(line, data, size),
        2 => bgp_update::print(line, data, size),
        3 => notification(line, data, size),
        5 => refresh(line, data, size),
        _ => Ok(()),
    };
    if body.is_err() {
        line.put(MISSING);
    }
    line.ch(b')');
}

fn open(line: &mut Text<'_>, data: &[u8], size: usize) -> Result<(), Missing> {
    const SIZE: usize = 29;
    const OFFERS: u8 = 2;
    need(data, SIZE)?;
    line.put(": Version ").dec(data.octet(19).into()).put(", AS #").dec(data.be16(20).into());
    line.put(", Holdtime ").dec(data.be16(22).into()).put(", ID ").ip4(data.array(24));
    let all = usize::from(data.octet(28));
    line.put(", Option length ").dec(all as u32);
    if size < all + SIZE || all == 0 {
        return Ok(());
    }
    let mut at = 0;
    while at < all && !line.full() {
        let option = data.after(SIZE + at);
        need(option, 2)?;
        let (kind, length) = (option.octet(0), option.octet(1));
        let next = at + 2 + usize::from(length);
        if next > all {
            line.put(" [|opt ").dec(length.into()).ch(b' ').dec(kind.into()).ch(b']');
            break;
        }
        line.put(if at == 0 { " (" } else { " " });
        match kind {
            OFFERS => {
                if capabilities(line, option.after(2), length.into()).is_err() {
                    line.put(MISSING);
                }
            }
            _ => {
                word(line.put(" (option "), kind, &["", "Authentication Information"]);
                line.put(", len=").dec(length.into()).ch(b')');
            }
        }
        at = next;
    }
    line.ch(b')');
    Ok(())
}

fn capabilities(line: &mut Text<'_>, data: &[u8], size: usize) -> Result<(), Missing> {
    let mut at = 0;
    while at < size {
        need(data, at + 2)?;
        let (kind, length) = (data.octet(at), usize::from(data.octet(at + 1)));
        line.put(if at == 0 { "(CAP " } else { " CAP " });
        word(line, kind, &CAPABILITIES);
        need(data, at + 2 + length)?;
        at += 2;
        capability(line, kind, data.get(at..at + length).unwrap_or_default());
        at += length;
        // so tcpdump counts
        if at + length < size {
            line.ch(b',');
        }
    }
    line.ch(b')');
    Ok(())
}

fn capability(line: &mut Text<'_>, kind: u8, value: &[u8]) {
    match (kind, value.len()) {
        (1, 4) => {
            both(line.put(" ["), value.be16(0), value.octet(3)).ch(b']');
        }
        (2, 0) => (),
        (9, 1) => {
            word(line.put(" ["), value.octet(0), &ROLES).ch(b']');
        }
        (64, 2..) if value.len() % 4 == 2 => {
            let restarted = value.octet(0) & 0x80 != 0;
            line.put(if restarted { " [R]" } else { " [none]" });
            line.put(", Time ").dec((value.be16(0) & 0xfff).into()).ch(b's');
            for entry in value.after(2).chunks_exact(4) {
                both(line.put(" ("), entry.be16(0), entry.octet(2)).ch(b')');
                if entry.octet(3) & 0x80 != 0 {
                    line.put(" forwarding state preserved");
                }
            }
        }
        (65, 4) => {
            line.put(" #").dec(value.be32(0));
        }
        (1 | 2 | 9 | 64 | 65, _) => {
            line.put(" BAD ENCODING");
        }
        (_, length) => {
            line.put(" len ").dec(length as u32);
        }
    }
}

fn notification(line: &mut Text<'_>, data: &[u8], size: usize) -> Result<(), Missing> {
    const SIZE: usize = 21;
    const CEASE: u8 = 6;
    need(data, SIZE)?;
    if size < SIZE {
        return Ok(());
    }
    let (major, minor) = (data.octet(19), data.octet(20));
    let known = NOTIFICATIONS.get(usize::from(major));
    match known.filter(|entry| !entry.0.is_empty()) {
        Some((name, _)) => line.put(": error ").put(name),
        None => line.put(": error #").dec(major.into()),
    };
    line.put(", subcode ");
    word(line, minor, known.map_or(&[], |entry| entry.1));
    let value = data.after(SIZE);
    match (major, minor) {
        (CEASE, 1) if size >= SIZE + 7 => {
            need(value, 7)?;
            both(line.ch(b' '), value.be16(0), value.octet(2));
            line.put(", Max Prefixes: ").dec(value.be32(3));
        }
        (CEASE, 2 | 4) if size > SIZE => {
            need(value, 1)?;
            let length = usize::from(value.octet(0));
            if length == 0 {
                return Ok(());
            }
            if size < length + 1 + SIZE {
                return Err(Missing);
            }
            let words = value.get(1..=length).ok_or(Missing)?;
            let end = words.iter().position(|&octet| octet == 0).unwrap_or(length);
            line.put(", Shutdown Communication [len ").dec(length as u32).put("]: \"");
            line.octal(words.get(..end).unwrap_or_default()).ch(b'"');
        }
        _ => (),
    }
    Ok(())
}

fn refresh(line: &mut Text<'_>, data: &[u8], size: usize) -> Result<(), Missing> {
    const SIZE: usize = 23;
    need(data, SIZE)?;
    if size < SIZE {
        return Ok(());
    }
    let names =
        [name(data.octet(21), &REFRESHES), family(data.be16(19)), sub_family(data.octet(22))];
    let [kind, af, safi] = at_once(names);
    put(line.ch(b' '), kind);
    put(line.put(" ("), af);
    put(line.ch(b' '), safi).ch(b')');
    Ok(())
}
