//! ICMPv6: RFC 4443, with neighbor discovery (RFC 4861), multicast listener discovery
//! (RFC 2710, 3810) and the old node information queries.

use super::*;

/// Where the quoted packet, and the body of most messages, begins.
const BODY: usize = 8;
/// Up to the end of the quoted packet's destination.
const TO_QUOTED_DESTINATION: usize = BODY + 40;

/// Something was not captured.
struct Missing;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    if message(line, data, length).is_err() {
        line.put("[|icmp6]");
    }
}

fn need(data: &[u8], end: usize) -> Result<(), Missing> {
    if data.has(end) { Ok(()) } else { Err(Missing) }
}

fn message(line: &mut Text<'_>, data: &[u8], length: u32) -> Result<(), Missing> {
    need(data, 2)?;
    let code = data.octet(1);
    match data.octet(0) {
        1 => unreachable(line, data, code)?,
        2 => {
            need(data, 8)?;
            line.put("icmp6: too big ").dec(data.be32(4));
        }
        3 => {
            need(data, TO_QUOTED_DESTINATION)?;
            match code {
                0 => quoted_destination(line.put("icmp6: time exceeded in-transit for "), data),
                1 => line.put("icmp6: ip6 reassembly time exceeded"),
                _ => line.put("icmp6: time exceeded code-#").dec(code.into()),
            };
        }
        4 => {
            need(data, TO_QUOTED_DESTINATION)?;
            line.put("icmp6: parameter problem ");
            match code {
                0 => line.put("erroneous - octet ").dec(data.be32(4)),
                1 => line.put("next header - octet ").dec(data.be32(4)),
                2 => line.put("option - octet ").dec(data.be32(4)),
                _ => line.put("code-#").dec(code.into()),
            };
        }
        128 => {
            line.put("icmp6: echo request");
        }
        129 => {
            line.put("icmp6: echo reply");
        }
        130 => listener_query(line, data, length)?,
        131 => listener(line.put("icmp6: multicast listener report "), data),
        132 => listener(line.put("icmp6: multicast listener done "), data),
        133 => {
            line.put("icmp6: router solicitation ");
        }
        134 => {
            line.put("icmp6: router advertisement");
        }
        135 => {
            need(data, BODY + 16)?;
            line.put("icmp6: neighbor sol: who has ").ip6(data.array(BODY));
        }
        136 => {
            need(data, BODY + 16)?;
            line.put("icmp6: neighbor adv: tgt is ").ip6(data.array(BODY));
        }
        137 => {
            need(data, BODY + 32)?;
            line.put("icmp6: redirect ").ip6(data.array(BODY + 16));
            line.put(" to ").ip6(data.array(BODY));
        }
        138 => {
            match code {
                0 => line.put("icmp6: router renum command"),
                1 => line.put("icmp6: router renum result"),
                _ => line.put("icmp6: router renum code-#").dec(code.into()),
            };
        }
        139 => {
            // tcpdump tells the two questions apart by what was captured.
            line.put("icmp6: ").put(match data.after(BODY).len() {
                4 => "who-are-you request",
                _ => "FQDN request",
            });
        }
        140 => name_reply(line, data.after(BODY), code),
        143 => listener_report_v2(line, data, length)?,
        kind => {
            line.put("icmp6: type-#").dec(kind.into());
        }
    }
    Ok(())
}

fn quoted_destination<'l, 'a>(line: &'l mut Text<'a>, data: &[u8]) -> &'l mut Text<'a> {
    line.ip6(data.array(BODY + 24))
}

fn unreachable(line: &mut Text<'_>, data: &[u8], code: u8) -> Result<(), Missing> {
    need(data, if code == 4 { TO_QUOTED_DESTINATION + 4 } else { TO_QUOTED_DESTINATION })?;
    quoted_destination(line.put("icmp6: "), data);
    match code {
        0 => line.put(" unreachable route"),
        1 => line.put(" unreachable prohibited"),
        2 => line.put(" beyond scope of source address ").ip6(data.array(BODY + 8)),
        3 => line.put(" unreachable address"),
        4 => {
            let protocol = data.octet(BODY + 6);
            match protocol {
                6 => line.put(" tcp port "),
                17 => line.put(" udp port "),
                _ => line.put(" protocol ").dec(protocol.into()).put(" port "),
            };
            line.dec(data.be16(TO_QUOTED_DESTINATION + 2).into()).put(" unreachable")
        }
        _ => line.put(" unreachable code-#").dec(code.into()),
    };
    Ok(())
}

/// The delay and the group of a message of version 1, if they were captured.
fn listener(line: &mut Text<'_>, data: &[u8]) {
    if data.has(BODY + 16) {
        line.put("max resp delay: ").dec(data.be16(4).into());
        line.put(" addr: ").ip6(data.array(BODY));
    }
}

fn listener_query(line: &mut Text<'_>, data: &[u8], length: u32) -> Result<(), Missing> {
    const V1: u32 = 24;
    const V2: u32 = 28;
    line.put("icmp6: multicast listener query ");
    match length {
        V1 => listener(line, data),
        0..V2 => {
            line.put("unknown-version (len ").dec(length).put(") ");
        }
        _ => {
            line.put("v2 ");
            need(data, BODY + 16)?;
            line.put(" [gaddr ").ip6(data.array(BODY));
            need(data, V2 as usize)?;
            let sources = u32::from(data.be16(26));
            if length < V2 + sources * 16 {
                line.put(" [invalid number of sources]");
            } else if sources > 0 {
                line.put(", ").dec(sources).put(" source(s)");
            }
            line.ch(b']');
        }
    }
    Ok(())
}

fn listener_report_v2(line: &mut Text<'_>, data: &[u8], length: u32) -> Result<(), Missing> {
    line.put("multicast listener report v2");
    if length < 8 {
        line.put(" [invalid len ").dec(length).ch(b']');
        return Ok(());
    }
    need(data, 8)?;
    line.put(", ").dec(data.be16(6).into()).put(" group record(s)");
    Ok(())
}

/// The reply to a question for a name. Its old form has no length and is told from the newer
/// one by guessing.
fn name_reply(line: &mut Text<'_>, body: &[u8], code: u8) {
    const OLD_NAME: usize = 4;
    const NAME: usize = 13;
    let claimed = usize::from(body.octet(NAME - 1)) + NAME;
    let old = claimed != body.len()
        && code != 1
        && body.after(OLD_NAME).iter().all(|&octet| printable(octet))
        && claimed.abs_diff(body.len()) > 2;
    let (kind, name) =
        if old { ("who-are-you", body.after(OLD_NAME)) } else { ("FQDN", body.after(NAME)) };
    line.put("icmp6: ").put(kind).put(" reply(\"");
    let name = line.bounded(name);
    line.octal(name).put("\")");
}
