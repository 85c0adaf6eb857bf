//! ICMP: RFC 792, 950, 1191, 1256, 1812.

use super::*;

/// Where the quoted packet begins.
const QUOTED: usize = 8;
/// tcpdump composes its text in a buffer; a router advertisement can fill it.
const MAX_ADVERTISEMENT: usize = 511;

const TYPES: [(u32, &str); 9] = [
    (0, "echo reply"),
    (4, "source quench"),
    (8, "echo request"),
    (10, "router solicitation"),
    (13, "time stamp request"),
    (14, "time stamp reply"),
    (15, "information request"),
    (16, "information reply"),
    (17, "address mask request"),
];

/// What stands before and behind the address in the text of an unreachable destination.
const UNREACHABLE: [(u8, &str, &str); 13] = [
    (0, "net ", " unreachable"),
    (1, "host ", " unreachable"),
    (5, "", " unreachable - source route failed"),
    (6, "net ", " unreachable - unknown"),
    (7, "host ", " unreachable - unknown"),
    (8, "", " unreachable - source host isolated"),
    (9, "net ", " unreachable - admin prohibited"),
    (10, "host ", " unreachable - admin prohibited"),
    (11, "net ", " unreachable - tos prohibited"),
    (12, "host ", " unreachable - tos prohibited"),
    (13, "host ", " unreachable - admin prohibited filter"),
    (14, "host ", " unreachable - host precedence violation"),
    (15, "host ", " unreachable - precedence cutoff"),
];

pub(super) fn print(line: &mut Text<'_>, data: &[u8], outer: Outer<'_>) {
    outer.pair(line).put(": ");
    if !data.has(needed(data)) {
        line.put("[|icmp]");
        return;
    }
    line.put("icmp: ");
    let code = data.octet(1);
    match data.octet(0) {
        3 => unreachable(line, data, code),
        5 => {
            match code {
                0 => line.put("redirect "),
                1 => line.put("redirect "),
                2 | 3 => line.put("redirect-tos "),
                _ => line.put("redirect-#").dec(code.into()).ch(b' '),
            };
            quoted_destination(line, data).put(if code == 1 { " to host " } else { " to net " });
            line.ip4(data.array(4));
        }
        9 => advertisement(line, data),
        11 => {
            match code {
                0 => line.put("time exceeded in-transit"),
                1 => line.put("ip reassembly time exceeded"),
                _ => line.put("time exceeded-#").dec(code.into()),
            };
        }
        12 => {
            match code {
                1 => line.put("requested option absent"),
                2 => line.put("bad length ").dec(data.octet(4).into()),
                _ => line.put("parameter problem - octet ").dec(data.octet(4).into()),
            };
        }
        18 => {
            line.put("address mask is 0x").hex(data.be32(8), 8);
        }
        kind => {
            line.word(kind.into(), &TYPES, "type-#");
        }
    }
}

/// The octets without which a message cannot be printed.
fn needed(data: &[u8]) -> usize {
    const TO_QUOTED_DESTINATION: usize = QUOTED + 20;
    if !data.has(2) {
        return 2;
    }
    match (data.octet(0), data.octet(1)) {
        (3, 3) if data.has(TO_QUOTED_DESTINATION) => {
            (quoted_ports(data) + 4).max(TO_QUOTED_DESTINATION)
        }
        (3 | 5 | 11, _) => TO_QUOTED_DESTINATION,
        // tcpdump does not ask for the octet of a bad length.
        (12, 1 | 2) => 2,
        (12, _) => 5,
        (9, _) if data.octet(4) > 0 && data.octet(5) == 2 => 16,
        (9, _) => 8,
        (18, _) => 12,
        _ => 2,
    }
}

fn quoted_destination<'l, 'a>(line: &'l mut Text<'a>, data: &[u8]) -> &'l mut Text<'a> {
    line.ip4(data.array(QUOTED + 16))
}

/// Where the ports of the quoted packet stand.
fn quoted_ports(data: &[u8]) -> usize {
    QUOTED + usize::from(data.octet(QUOTED) & 15) * 4
}

fn unreachable(line: &mut Text<'_>, data: &[u8], code: u8) {
    let protocol = u32::from(data.octet(QUOTED + 9));
    match code {
        2 => {
            quoted_destination(line, data).put(" protocol ").dec(protocol).put(" unreachable");
        }
        3 => {
            quoted_destination(line, data);
            match protocol {
                6 => line.put(" tcp port "),
                17 => line.put(" udp port "),
                _ => line.put(" protocol ").dec(protocol).put(" port "),
            };
            line.dec(data.be16(quoted_ports(data) + 2).into()).put(" unreachable");
        }
        4 => {
            quoted_destination(line, data).put(" unreachable - need to frag");
            let mtu = data.be16(6);
            if mtu != 0 {
                line.put(" (mtu ").dec(mtu.into()).ch(b')');
            }
        }
        _ => match UNREACHABLE.iter().find(|entry| entry.0 == code) {
            Some((_, before, behind)) => {
                line.put(before);
                quoted_destination(line, data).put(behind);
            }
            None => {
                line.ch(b'#').dec(code.into()).ch(b' ');
                quoted_destination(line, data).put(" unreachable");
            }
        },
    }
}

/// A router advertisement. tcpdump prints the first address over and over.
fn advertisement(line: &mut Text<'_>, data: &[u8]) {
    let start = line.len();
    let lifetime = u32::from(data.be16(6));
    line.put("router advertisement lifetime ");
    match lifetime {
        0..60 => line.dec(lifetime),
        60..3600 => line.dec(lifetime / 60).ch(b':').dec2(lifetime % 60),
        _ => {
            line.dec(lifetime / 3600).ch(b':').dec2(lifetime / 60 % 60);
            line.ch(b':').dec2(lifetime % 60)
        }
    };
    let (count, size) = (data.octet(4), data.octet(5));
    line.ch(b' ').dec(count.into()).ch(b':');
    if size != 2 {
        line.put(" [size ").dec(size.into()).ch(b']');
        return;
    }
    for _ in 0..count {
        line.put(" {").ip4(data.array(8)).ch(b' ').dec(data.be32(12)).ch(b'}');
    }
    line.truncate(start + MAX_ADVERTISEMENT);
}
