//! Next hop resolution inside of GRE: RFC 2332.

use super::*;

const HEADER: usize = 28;
const ENTRY: usize = 12;
/// Marks an address of E.164 in what tells type and length of one.
const E164: u8 = 0x40;

const IP: u16 = 0x0800;
const IP6: u16 = 0x86dd;

/// Something was not captured.
struct Missing;

pub(super) fn print(line: &mut Text<'_>, data: &[u8]) {
    line.put("NHRP: ");
    if body(line, data).is_err() {
        line.put(" [|nhrp]");
    }
}

fn body(line: &mut Text<'_>, data: &[u8]) -> Result<(), Missing> {
    need(data, HEADER)?;
    let version = data.octet(16);
    if version != 1 {
        line.put("unknown-version-").hex(version.into(), 2);
        return Ok(());
    }
    match data.octet(17) {
        1 => line.put("res request, "),
        2 => line.put("res reply, "),
        3 => line.put("reg request, "),
        4 => line.put("reg reply, "),
        5 => line.put("purge request, "),
        6 => line.put("purge reply, "),
        7 => {
            // tcpdump does not turn it into the order of the host, of which all it runs on is this
            line.put("error ").dec(data.le16(24).into());
            return Ok(());
        }
        other => line.put("unknown-op-type-").hex(other.into(), 4).put(", "),
    };
    line.put("id ").dec(data.be32(24));
    let (family, protocol) = (data.be16(0), data.be16(2));
    let (nbma, source, destination) = (data.octet(18), data.octet(20), data.octet(21));
    let mut rest = data.after(HEADER);
    need(rest, nbma.into())?;
    if nbma != 0 {
        hardware(line, family, rest, ", src nbma ");
    }
    rest = rest.after(nbma.into());
    let second = usize::from(source);
    let both = second + usize::from(destination);
    need(rest, both)?;
    match protocol {
        IP => {
            line.put(", ").ip4(rest.array(0)).put(" -> ").ip4(rest.array(second));
        }
        IP6 => {
            line.put(", ").ip6(rest.array(0)).put(" -> ").ip6(rest.array(second));
        }
        _ => {
            line.put(", proto type ").hex(protocol.into(), 4);
        }
    }
    // the entries go up to the extensions, or to the end of the message
    let end = match data.be16(14) {
        0 => data.be16(10),
        extensions => extensions,
    };
    let mut at = HEADER + usize::from(nbma) + both;
    loop {
        at += entry(line, data.get(at..).ok_or(Missing)?, family, protocol)?;
        if at >= usize::from(end) || line.full() {
            return Ok(());
        }
    }
}

/// What is told of one client; the octets that it takes.
fn entry(line: &mut Text<'_>, data: &[u8], family: u16, protocol: u16) -> Result<usize, Missing> {
    need(data, ENTRY)?;
    line.put(" (code ").dec(data.octet(0).into());
    let (nbma, sub, inner) = (data.octet(8), data.octet(9), data.octet(10));
    if nbma & E164 != 0 {
        line.put(", nbma E.154");
    }
    let rest = data.after(ENTRY);
    need(rest, nbma.into())?;
    if nbma != 0 {
        hardware(line, family, rest, ", nbma ");
    }
    if sub != 0 {
        line.put(", unknown-nbma-saddr-family");
    }
    let before = usize::from(nbma) + usize::from(sub);
    need(rest, before + usize::from(inner))?;
    let rest = rest.after(before);
    if inner != 0 {
        match protocol {
            IP => line.put(", proto ").ip4(rest.array(0)),
            IP6 => line.put(", proto ").ip6(rest.array(0)),
            _ => line.put(", unknown-proto-family-").hex(protocol.into(), 4),
        };
    }
    line.ch(b')');
    Ok(ENTRY + before + usize::from(inner))
}

/// An address of the network below, after its name.
fn hardware(line: &mut Text<'_>, family: u16, address: &[u8], name: &str) {
    match family {
        1 => line.put(name).ip4(address.array(0)),
        2 => line.put(name).ip6(address.array(0)),
        6 => line.put(name).ether(address.array(0)),
        _ => line.put(", unknown-nbma-addr-family-").hex(family.into(), 4),
    };
}

fn need(data: &[u8], octets: usize) -> Result<(), Missing> {
    if data.has(octets) { Ok(()) } else { Err(Missing) }
}
