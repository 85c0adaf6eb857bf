//! RIP: RFC 1058, 2453, and for IPv6 RFC 2080.

use super::*;

const HEADER: usize = 4;
const ENTRY: usize = 20;
const INET: u16 = 2;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    let there = captured(data, length);
    if there < HEADER {
        line.put("[|rip]");
        return;
    }
    let (command, version) = (data.octet(0), data.octet(1));
    let length_of = |line: &mut Text<'_>, name: &str| {
        line.put("RIPv").dec(version.into()).put(name).int(length);
    };
    match (version, command) {
        (0, _) => {
            line.put("RIPv0: ");
            words(line, data.after(HEADER));
        }
        (_, 1) => length_of(line, "-req "),
        (_, 2) => {
            let items = length / ENTRY as u32;
            line.put("RIPv").dec(version.into()).put("-resp [items ").dec(items).ch(b']');
            if items * ENTRY as u32 != length - HEADER as u32 {
                line.put(" [").int(length).ch(b']');
            }
            line.ch(b':');
            let body = data.get(HEADER..there).unwrap_or_default();
            for entry in body.chunks_exact(ENTRY) {
                if line.full() {
                    break;
                }
                if version == 1 { entry1(line, entry) } else { entry2(line, entry) }
            }
            if body.len() / ENTRY != items as usize {
                line.put("[|rip]");
            }
        }
        (_, 3) => {
            length_of(line, "-traceon ");
            line.put(": \"");
            line.string(data.after(HEADER));
            line.ch(b'"');
        }
        (_, 4) => length_of(line, "-traceoff "),
        (_, 5) => length_of(line, "-poll "),
        (_, 6) => length_of(line, "-pollentry "),
        _ => {
            line.put("RIPv").dec(version.into()).put("-#").dec(command.into());
            line.ch(b' ').int(length);
        }
    }
}

/// Octets in pairs; the second of the last pair may be missing and counts as zero.
fn words(line: &mut Text<'_>, octets: &[u8]) {
    for pair in octets.chunks(2) {
        if line.full() {
            return;
        }
        line.ch(b' ').hex(pair.be16(0).into(), 4);
    }
}

fn bracketed(line: &mut Text<'_>, octets: &[u8]) {
    words(line, octets);
    line.ch(b']');
}

fn foreign(line: &mut Text<'_>, entry: &[u8]) {
    line.put(" [family ").dec(entry.be16(0).into()).ch(b':');
    bracketed(line, entry.after(2));
}

fn entry1(line: &mut Text<'_>, entry: &[u8]) {
    let must_be_zero = [u32::from(entry.be16(2)), entry.be32(8), entry.be32(12)];
    if entry.be16(0) != INET {
        foreign(line, entry);
    } else if must_be_zero != [0; 3] {
        line.put(" [");
        bracketed(line, entry);
    } else {
        line.put(" {").ip4(entry.array(4)).put("}(").int(entry.be32(16)).ch(b')');
    }
}

fn entry2(line: &mut Text<'_>, entry: &[u8]) {
    const AUTHENTICATION: u16 = 0xffff;
    const PASSWORD: u16 = 2;
    match (entry.be16(0), entry.be16(2)) {
        (AUTHENTICATION, PASSWORD) => {
            // The last octet is not looked at.
            let octets: [u8; 15] = entry.array(4);
            let password = octets.split(|&octet| octet == 0).next().unwrap_or_default();
            if password.iter().all(|&octet| printable(octet)) {
                line.put(" [password ").name(password).ch(b']');
            } else {
                line.put(" [password: ");
                bracketed(line, entry.after(4));
            }
        }
        (AUTHENTICATION, kind) => {
            line.put(" [auth ").dec(kind.into()).ch(b':');
            bracketed(line, entry.after(4));
        }
        (INET, tag) => {
            line.put(" {").ip4(entry.array(4));
            for (name, at) in [("/", 8), ("->", 12)] {
                if entry.be32(at) != 0 {
                    line.put(name).ip4(entry.array(at));
                }
            }
            if tag != 0 {
                line.put(" tag ").hex(tag.into(), 4);
            }
            line.put("}(").int(entry.be32(16)).ch(b')');
        }
        _ => foreign(line, entry),
    }
}

/// RIP for IPv6.
pub(super) fn print_ng(line: &mut Text<'_>, data: &[u8], length: u32) {
    const INFINITY: u8 = 16;
    const VERSION: u8 = 1;
    let there = captured(data, length);
    if there < HEADER {
        return;
    }
    let (command, version) = (data.octet(0), data.octet(1));
    let items = length / ENTRY as u32;
    let body = data.get(HEADER..there).unwrap_or_default();
    let dump = items == 1 && data.octet(23) == INFINITY && data.array::<16>(4) == [0; 16];
    match command {
        1 if dump => {
            line.put("ripng-req dump");
        }
        1 | 2 => {
            line.put(if command == 1 { "ripng-req " } else { "ripng-resp " }).dec(items);
            if items * ENTRY as u32 != length - HEADER as u32 {
                line.ch(b'[').int(length).ch(b']');
            }
            line.ch(b':');
            for entry in body.chunks_exact(ENTRY) {
                if line.full() {
                    break;
                }
                line.ch(b' ').ip6(entry.array(0)).ch(b'/').dec(entry.octet(18).into());
                let (tag, metric) = (entry.be16(16), entry.octet(19));
                if tag != 0 {
                    line.put(" [").dec(tag.into()).ch(b']');
                }
                if command == 2 && metric != 0 {
                    line.put(" (").dec(metric.into()).ch(b')');
                }
            }
            if command == 2 && body.len() % ENTRY > 0 {
                line.put("[|rip]");
            }
        }
        _ => {
            line.put("ripng-").dec(command.into()).put(" ?? ").int(length);
        }
    }
    if version != VERSION {
        line.put(" [vers ").dec(version.into()).ch(b']');
    }
}
