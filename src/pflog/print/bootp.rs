//! BOOTP and DHCP: RFC 951, 1497, 2132.

use super::*;

const MISSING: &str = " [|bootp]";
const REQUEST: u8 = 1;
const REPLY: u8 = 2;
const SERVER: u16 = 67;
const CLIENT: u16 = 68;
const ETHERNET: u8 = 1;

/// Offsets of the fields.
mod field {
    pub const ADDRESSES: [(&str, usize); 4] = [(" C:", 12), (" Y:", 16), (" S:", 20), (" G:", 24)];
    pub const HARDWARE: usize = 28;
    pub const SERVER_NAME: usize = 44;
    pub const FILE: usize = 108;
    pub const VENDOR: usize = 236;
}

/// How the data of an option are printed.
#[derive(Clone, Copy)]
enum Form {
    /// As the size suggests.
    Any,
    Ascii,
    Addresses,
    Words,
    Pairs,
    Shorts,
    Flags,
    Octets,
}

use Form::{Addresses, Ascii, Flags, Octets as Bytes, Pairs, Shorts, Words};

/// Options by number: form and name. The message type has no form of its own; neither has
/// padding, which is named in lists of wanted options only.
const OPTIONS: &[(u8, Form, &str)] = &[
    (0, Bytes, "PAD"),
    (1, Addresses, "SM"),
    (2, Words, "TZ"),
    (3, Addresses, "DG"),
    (4, Addresses, "TS"),
    (5, Addresses, "IEN"),
    (6, Addresses, "NS"),
    (7, Addresses, "LOG"),
    (8, Addresses, "CS"),
    (9, Addresses, "LPR"),
    (10, Addresses, "IM"),
    (11, Addresses, "RL"),
    (12, Ascii, "HN"),
    (13, Shorts, "BS"),
    (14, Ascii, "DP"),
    (15, Ascii, "DN"),
    (16, Addresses, "SS"),
    (17, Ascii, "RP"),
    (18, Ascii, "EP"),
    (19, Flags, "IPF"),
    (20, Flags, "SRT"),
    (21, Pairs, "PF"),
    (22, Shorts, "RSZ"),
    (23, Bytes, "TTL"),
    (24, Words, "MA"),
    (25, Shorts, "MT"),
    (26, Shorts, "MTU"),
    (27, Flags, "LSN"),
    (28, Addresses, "BR"),
    (29, Flags, "MD"),
    (30, Flags, "MS"),
    (31, Flags, "RD"),
    (32, Addresses, "RSA"),
    (33, Pairs, "SR"),
    (34, Flags, "UT"),
    (35, Words, "AT"),
    (36, Flags, "IE"),
    (37, Bytes, "TT"),
    (38, Words, "KI"),
    (39, Flags, "KG"),
    (40, Ascii, "YD"),
    (41, Addresses, "YS"),
    (42, Addresses, "NTP"),
    (43, Bytes, "VO"),
    (44, Addresses, "WNS"),
    (45, Addresses, "WDD"),
    (46, Bytes, "WNT"),
    (47, Ascii, "WSC"),
    (48, Addresses, "XFS"),
    (49, Addresses, "XDM"),
    (50, Addresses, "RQ"),
    (51, Words, "LT"),
    (52, Bytes, "OO"),
    (53, Bytes, "DHCP"),
    (54, Addresses, "SID"),
    (55, Bytes, "PR"),
    (56, Ascii, "MSG"),
    (57, Shorts, "MSZ"),
    (58, Words, "RN"),
    (59, Words, "RB"),
    (60, Bytes, "VC"),
    (61, Bytes, "CID"),
    (64, Shorts, "N+D"),
    (65, Addresses, "N+S"),
    (66, Ascii, "TFTP"),
    (67, Ascii, "BF"),
    (68, Addresses, "MH"),
    (69, Addresses, "SMTP"),
    (70, Addresses, "POP3"),
    (71, Addresses, "NNTP"),
    (72, Addresses, "WWW"),
    (73, Addresses, "FG"),
    (74, Addresses, "IRC"),
    (75, Addresses, "STS"),
    (76, Addresses, "STDA"),
    (255, Bytes, "END"),
];

const MESSAGES: [&str; 8] =
    ["DISCOVER", "OFFER", "REQUEST", "DECLINE", "ACK", "NACK", "RELEASE", "INFORM"];

pub(super) fn print(line: &mut Line<'_>, data: &[u8], ports: (u16, u16)) {
    if message(line, data, ports).is_none() {
        line.put(MISSING);
    }
}

/// None when something was not captured.
fn message(line: &mut Line<'_>, data: &[u8], ports: (u16, u16)) -> Option<()> {
    let need = |end: usize| data.has(end).then_some(());
    need(1)?;
    let operation = data.octet(0);
    match operation {
        REQUEST if ports != (CLIENT, SERVER) => line.put("(request)"),
        REPLY if ports != (SERVER, CLIENT) => line.put("(reply)"),
        REQUEST | REPLY => line,
        _ => line.put("bootp-#").dec(operation.into()),
    };
    need(field::ADDRESSES[0].1)?;
    let (hardware, size) = (data.octet(1), data.octet(2));
    let ethernet = hardware == ETHERNET && size == 6;
    if hardware != ETHERNET {
        line.put(" htype-#").dec(hardware.into());
    }
    if !ethernet {
        line.put(" hlen:").dec(size.into());
    }
    let number = |line: &mut Line<'_>, name: &str, n: u32| {
        if n != 0 {
            line.put(name).dec(n);
        }
    };
    number(line, " hops:", data.octet(3).into());
    if data.be32(4) != 0 {
        line.put(" xid:0x").hex(data.be32(4), 1);
    }
    number(line, " secs:", data.be16(8).into());
    if data.be16(10) != 0 {
        line.put(" flags:0x").hex(data.be16(10).into(), 1);
    }
    for (name, at) in field::ADDRESSES {
        need(at + 4)?;
        if data.be32(at) != 0 {
            line.put(name).ip4(data.array(at));
        }
    }
    if ethernet {
        need(field::HARDWARE + 6)?;
        let own: [u8; 6] = data.array(field::HARDWARE);
        let [to, from] = [line.link::<12>().array(0), line.link::<12>().array(6)];
        let as_sent = match operation {
            REQUEST => own == from,
            REPLY => own == to,
            _ => false,
        };
        if !as_sent {
            line.put(" ether ").ether(own);
        }
    }
    for (name, at) in [(" sname \"", field::SERVER_NAME), (" file \"", field::FILE)] {
        need(at + 1)?;
        if data.octet(at) != 0 {
            line.put(name);
            let cut = line.string(data.after(at));
            line.ch(b'"');
            if cut {
                line.put("[|bootp]");
                return Some(());
            }
        }
    }
    need(field::VENDOR + 4)?;
    let vendor = data.after(field::VENDOR);
    match vendor.array(0) {
        [99, 130, 83, 99] => options(line, vendor.after(4)),
        [b'C', b'M', b'U', 0] => carnegie_mellon(line, vendor),
        [0, 0, 0, 0] => Some(()),
        // tcpdump prints the number in its machine's byte order.
        other => {
            line.put("vend-#0x").hex(u32::from_le_bytes(other), 1);
            Some(())
        }
    }
}

fn option(tag: u8) -> Option<(Form, &'static str)> {
    OPTIONS.iter().find(|entry| entry.0 == tag).map(|entry| (entry.1, entry.2))
}

fn options(line: &mut Line<'_>, mut data: &[u8]) -> Option<()> {
    const PAD: u8 = 0;
    const MESSAGE_TYPE: u8 = 53;
    const WANTED: u8 = 55;
    const END: u8 = 255;
    line.put(" vend-rfc1048");
    while data.has(2) && !line.full() {
        let tag = data.octet(0);
        data = data.after(1);
        if tag == PAD {
            continue;
        }
        if tag == END {
            break;
        }
        let (form, name) = option(tag).unwrap_or((Form::Any, ""));
        match name {
            "" => line.put(" T").dec(tag.into()),
            _ => line.ch(b' ').put(name),
        };
        line.ch(b':');
        // An option that ends with the capture counts as cut.
        if !data.has(2) {
            return None;
        }
        let size = usize::from(data.octet(0));
        data = data.after(1);
        if data.len() <= size {
            return None;
        }
        let value = data.get(..size)?;
        let mut used = size;
        match tag {
            MESSAGE_TYPE if size == 1 => {
                let kind = value.octet(0);
                match MESSAGES.get(usize::from(kind).wrapping_sub(1)) {
                    Some(word) => line.put(word),
                    None => line.dec(kind.into()),
                };
            }
            WANTED => {
                for (n, &wanted) in value.iter().enumerate() {
                    if n > 0 {
                        line.ch(b'+');
                    }
                    match option(wanted) {
                        Some((_, name)) => line.put(name),
                        None => line.dec(wanted.into()),
                    };
                }
            }
            _ => {
                // tcpdump takes what is left over for the next option.
                let left_over = print_value(line, form, value);
                if left_over > 0 {
                    line.put("[len ").dec(size as u32).ch(b']');
                }
                used -= left_over;
            }
        }
        data = data.after(used);
    }
    Some(())
}

/// Prints the data of an option. Returns how many octets are left over.
fn print_value(line: &mut Line<'_>, form: Form, value: &[u8]) -> usize {
    let (unit, separator) = match form {
        Form::Any if value.len() % 2 == 1 => return print_value(line, Bytes, value),
        Form::Any if value.len() % 4 == 2 => return print_value(line, Shorts, value),
        Form::Any => return print_value(line, Words, value),
        Ascii => {
            line.ch(b'"').name(value).ch(b'"');
            return 0;
        }
        Addresses | Words => (4, b','),
        Pairs => (8, b','),
        Shorts => (2, b','),
        Flags => (1, b','),
        Bytes => (1, b'.'),
    };
    for (n, item) in value.chunks_exact(unit).enumerate() {
        if n > 0 {
            line.ch(separator);
        }
        match form {
            Addresses => line.ip4(item.array(0)),
            Pairs => line.ch(b'(').ip4(item.array(0)).ch(b':').ip4(item.array(4)).ch(b')'),
            Shorts => line.dec(item.be16(0).into()),
            Flags => match item.octet(0) {
                0 => line.ch(b'N'),
                1 => line.ch(b'Y'),
                other => line.dec(other.into()).ch(b'?'),
            },
            Bytes => line.dec(item.octet(0).into()),
            _ => line.dec(item.be32(0)),
        };
    }
    value.len() % unit
}

/// The vendor area of Carnegie Mellon's server.
fn carnegie_mellon(line: &mut Line<'_>, data: &[u8]) -> Option<()> {
    const MASK_IS_VALID: u32 = 1;
    line.put(" vend-cmu");
    if !data.has(8) {
        return None;
    }
    // In the byte order of tcpdump's machine.
    let flags = data.le32(4);
    if flags & !MASK_IS_VALID != 0 {
        line.put(" F:0x").hex(flags, 1);
    }
    let mask = if flags & MASK_IS_VALID != 0 { " SM:" } else { " SM*:" };
    let fields = [
        (" DG:", 12),
        (mask, 8),
        (" NS1:", 16),
        (" NS2:", 20),
        (" IEN1:", 24),
        (" IEN2:", 28),
        (" TS1:", 32),
        (" TS2:", 36),
    ];
    for (name, at) in fields {
        if !data.has(at + 4) {
            return None;
        }
        if data.be32(at) != 0 {
            line.put(name).ip4(data.array(at));
        }
    }
    Some(())
}
