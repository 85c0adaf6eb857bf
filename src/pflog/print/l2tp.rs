//! L2TP: RFC 2661.

use super::*;

const MISSING: &str = "[|l2tp]";

const MESSAGES: [&str; 17] = [
    "RESERVED_0",
    "SCCRQ",
    "SCCRP",
    "SCCCN",
    "StopCCN",
    "RESERVED_5",
    "HELLO",
    "OCRQ",
    "OCRP",
    "OCCN",
    "ICRQ",
    "ICRP",
    "ICCN",
    "RESERVED_13",
    "CDN",
    "WEN",
    "SLI",
];

/// How the value of an attribute is printed.
#[derive(Clone, Copy)]
enum Form {
    Message,
    Result,
    Version,
    /// The letters of the two lowest bits.
    Bits(&'static str, &'static str),
    TieBreaker,
    Short,
    Word,
    Text,
    Hex,
    Digest,
    Cause,
    Obsolete,
    Authentication,
    LowOctet,
    Errors,
    ControlMap,
    Nothing,
}

use Form::{Bits, Hex, Short, Text as Letters, Word};

/// Attributes by number.
const ATTRIBUTES: [(&str, Form); 40] = [
    ("MSGTYPE", Form::Message),
    ("RESULT_CODE", Form::Result),
    ("PROTO_VER", Form::Version),
    ("FRAMING_CAP", Bits("S", "A")),
    ("BEARER_CAP", Bits("D", "A")),
    ("TIE_BREAKER", Form::TieBreaker),
    ("FIRM_VER", Short),
    ("HOST_NAME", Letters),
    ("VENDOR_NAME", Letters),
    ("ASSND_TUN_ID", Short),
    ("RECV_WIN_SIZE", Short),
    ("CHALLENGE", Hex),
    ("Q931_CC", Form::Cause),
    ("CHALLENGE_RESP", Form::Digest),
    ("ASSND_SESS_ID", Short),
    ("CALL_SER_NUM", Word),
    ("MINIMUM_BPS", Word),
    ("MAXIMUM_BPS", Word),
    ("BEARER_TYPE", Bits("D", "A")),
    ("FRAMING_TYPE", Bits("S", "A")),
    ("PACKET_PROC_DELAY", Form::Obsolete),
    ("CALLED_NUMBER", Letters),
    ("CALLING_NUMBER", Letters),
    ("SUB_ADDRESS", Letters),
    ("TX_CONN_SPEED", Word),
    ("PHY_CHANNEL_ID", Word),
    ("INI_RECV_LCP", Hex),
    ("LAST_SENT_LCP", Hex),
    ("LAST_RECV_LCP", Hex),
    ("PROXY_AUTH_TYPE", Form::Authentication),
    ("PROXY_AUTH_NAME", Hex),
    ("PROXY_AUTH_CHAL", Hex),
    ("PROXY_AUTH_ID", Form::LowOctet),
    ("PROXY_AUTH_RESP", Hex),
    ("CALL_ERRORS", Form::Errors),
    ("ACCM", Form::ControlMap),
    ("RANDOM_VECTOR", Hex),
    ("PRIVATE_GRP_ID", Letters),
    ("RX_CONN_SPEED", Word),
    ("SEQ_REQUIRED", Form::Nothing),
];

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    const L2F: u16 = 1;
    const L2TP: u16 = 2;
    if length < 6 || !data.has(6) {
        line.ch(b' ').put(MISSING);
        return;
    }
    let flags = data.be16(0);
    match flags & 15 {
        L2TP => {
            line.put("l2tp:");
            // tcpdump says so behind whole messages as well.
            let _ = header(line, data, length, flags);
            line.put(MISSING);
        }
        L2F => {
            line.put("l2f:");
        }
        _ => {
            line.put("Unknown Version, neither L2F(1) nor L2TP(2)");
        }
    }
}

/// None when something was not captured.
fn header(line: &mut Text<'_>, data: &[u8], length: u32, flags: u16) -> Option<()> {
    const TYPE: u16 = 0x8000;
    const LENGTH: u16 = 0x4000;
    const SEQUENCE: u16 = 0x0800;
    const OFFSET: u16 = 0x0200;
    const PRIORITY: u16 = 0x0100;
    let letters =
        [(TYPE, b'T'), (LENGTH, b'L'), (SEQUENCE, b'S'), (OFFSET, b'O'), (PRIORITY, b'P')];
    line.ch(b'[');
    for (flag, letter) in letters {
        if flags & flag != 0 {
            line.ch(letter);
        }
    }
    line.ch(b']');
    let mut at = 2;
    let mut short = || {
        at += 2;
        data.has(at).then(|| u32::from(data.be16(at - 2)))
    };
    if flags & LENGTH != 0 {
        short()?;
    }
    let tunnel = short()?;
    line.ch(b'(').dec(tunnel).ch(b'/');
    let session = short()?;
    line.dec(session).ch(b')');
    if flags & SEQUENCE != 0 {
        let sent = short()?;
        line.put("Ns=").dec(sent).ch(b',');
        let received = short()?;
        line.put("Nr=").dec(received);
    }
    if flags & OFFSET != 0 {
        at += short()? as usize;
        data.has(at).then_some(())?;
    }
    if flags & TYPE == 0 {
        line.put("[hdlc|]");
    } else if length as usize == at {
        line.put(" ZLB");
    } else if length as usize > at {
        attributes(line, data.after(at), length - at as u32);
    }
    Some(())
}

fn attributes(line: &mut Text<'_>, mut data: &[u8], mut length: u32) {
    const MANDATORY: u16 = 0x8000;
    const HIDDEN: u16 = 0x4000;
    const HEADER: usize = 6;
    loop {
        line.ch(b' ');
        if length == 0 {
            return;
        }
        let head = data.be16(0);
        let size = usize::from(head & 0x03ff);
        if !data.has(2) || !data.has(size) || line.full() {
            line.put("|...");
            return;
        }
        if head & MANDATORY != 0 {
            line.ch(b'*');
        }
        let hidden = head & HIDDEN != 0;
        if hidden {
            line.ch(b'?');
        }
        let (vendor, number) = (data.be16(2), data.be16(4));
        if vendor != 0 {
            line.put("vendor=").hex(vendor.into(), 4);
        }
        match ATTRIBUTES.get(usize::from(number)) {
            Some((name, form)) => {
                line.put(name).ch(b'(');
                match size.checked_sub(HEADER) {
                    Some(size) if !hidden => value(line, *form, data.after(HEADER), size),
                    _ => {
                        line.put("???");
                    }
                }
                line.ch(b')');
            }
            None => {
                line.put(" invalid AVP ").dec(number.into());
            }
        }
        if size == 0 || (length as usize) < size {
            return;
        }
        data = data.after(size);
        length -= size as u32;
    }
}

/// Prints a value of `size` octets. Forms of fixed size do not look at it.
fn value(line: &mut Text<'_>, form: Form, data: &[u8], size: usize) {
    const PROXIES: [&str; 6] = ["Reserved", "Textual", "CHAP", "PAP", "No Auth", "MS-CHAP"];
    let octets = line.bounded(data.get(..size).unwrap_or(data));
    let short = u32::from(data.be16(0));
    match form {
        Form::Message => {
            line.put(MESSAGES.get(short as usize).copied().unwrap_or_default());
        }
        Form::Result => match size {
            2 => {
                line.dec(short);
            }
            4.. => {
                line.dec(short).ch(b'/').dec(data.be16(2).into());
                if size > 4 {
                    line.ch(b' ').name(octets.after(4));
                }
            }
            _ => (),
        },
        Form::Version => {
            line.dec(data.octet(0).into()).ch(b'.').dec(data.octet(1).into());
        }
        Form::Bits(low, high) => {
            let bits = data.be32(0);
            line.put(if bits & 2 != 0 { high } else { "" });
            line.put(if bits & 1 != 0 { low } else { "" });
        }
        Form::TieBreaker => {
            line.hex_octets(octets.get(..8).unwrap_or(octets));
        }
        Short => {
            line.dec(short);
        }
        Word => {
            line.dec(data.be32(0));
        }
        Letters => {
            line.name(octets);
        }
        Hex => {
            line.hex_octets(octets);
        }
        Form::Digest => {
            line.hex_octets(&data.array::<16>(0));
        }
        Form::Cause => {
            line.dec(short).dec(data.be16(2).into());
            if size > 3 {
                line.ch(b' ').name(octets.after(3));
            }
        }
        Form::Obsolete => {
            line.put("obsolete");
        }
        Form::Authentication => {
            line.put(PROXIES.get(short as usize).copied().unwrap_or("unknown"));
        }
        Form::LowOctet => {
            line.dec(short & 0xff);
        }
        // Behind two octets that are reserved, and two more of padding in tcpdump's structures,
        // in the byte order of its machine.
        Form::Errors => {
            let names =
                ["CRCErr=", " FrameErr=", " HardOver=", " BufOver=", " Timeout=", " AlingErr="];
            for (n, name) in names.into_iter().enumerate() {
                line.put(name).int(data.le32(4 + 4 * n));
            }
        }
        Form::ControlMap => {
            line.put("send=").hex(data.le32(4), 1).put(" recv=").hex(data.le32(8), 1);
        }
        Form::Nothing => (),
    }
}
