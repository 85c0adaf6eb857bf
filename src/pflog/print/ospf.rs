//! OSPF: version 2 in IPv4 (RFC 2328) and version 3 in IPv6 (RFC 5340). Without -v tcpdump
//! shows the common header, the designated routers of a hello, and the header of a database
//! description.

use super::*;

const MISSING: &str = " [|ospf]";
const TYPES: [(u32, &str); 6] =
    [(0, "umd"), (1, "hello"), (2, "dd"), (3, "ls_req"), (4, "ls_upd"), (5, "ls_ack")];
const HELLO: u8 = 1;
const DATABASE: u8 = 2;

const OPTIONS: [(u8, &str); 3] = [(0x01, "T"), (0x02, "E"), (0x04, "MC")];
const OPTIONS6: [(u8, &str); 6] =
    [(0x01, "V6"), (0x02, "E"), (0x04, "MC"), (0x08, "N"), (0x10, "R"), (0x20, "DC")];
const DATABASE_FLAGS: [(u8, &str); 3] = [(0x04, "I"), (0x02, "M"), (0x01, "MS")];

/// Version 2.
pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32, outer: Outer<'_>) {
    outer.pair(line).ch(b':');
    if version2(line, data, length).is_none() {
        line.put(MISSING);
    }
}

/// None when something was not captured.
fn version2(line: &mut Text<'_>, data: &[u8], mut length: u32) -> Option<()> {
    const MD5: u16 = 2;
    const DIGEST: usize = 16;
    if !data.has(16) {
        return None;
    }
    let mut data = data;
    if data.be16(14) == MD5 {
        data = data.get(..data.len() - DIGEST)?;
        length = length.wrapping_sub(DIGEST as u32);
    }
    let need = |end: usize| data.has(end).then_some(());
    need(2)?;
    let (version, kind) = (data.octet(0), data.octet(1));
    line.put(" OSPFv").dec(version.into()).ch(b'-');
    line.word(kind.into(), &TYPES, "type").ch(b' ');
    if lookup(kind.into(), &TYPES).is_none() {
        return Some(());
    }
    need(4)?;
    let claimed = u32::from(data.be16(2));
    if length < claimed {
        line.put(" [len ").dec(claimed).ch(b']');
        return Some(());
    }
    line.ch(b' ').dec(claimed);
    if length > claimed {
        line.ch(b'[').int(length).ch(b']');
    }
    line.ch(b':');
    need(8)?;
    router(line, data);
    need(12)?;
    area(line, data);
    if version != 2 {
        line.put(" ospf [version ").dec(version.into()).ch(b']');
        return Some(());
    }
    match kind {
        HELLO => designated(line, data, 36)?,
        DATABASE => {
            need(27)?;
            line.flags(data.octet(26), &OPTIONS);
            need(28)?;
            line.flags(data.octet(27), &DATABASE_FLAGS);
            need(32)?;
            line.put(" mtu ").dec(data.be16(24).into());
            line.put(" S ").hex_upper(data.be32(28), 1);
        }
        _ => (),
    }
    Some(())
}

/// Version 3.
pub(super) fn print6(line: &mut Text<'_>, data: &[u8], length: u32) {
    if version3(line, data, length).is_none() {
        line.put(MISSING);
    }
}

/// None when something was not captured.
fn version3(line: &mut Text<'_>, data: &[u8], length: u32) -> Option<()> {
    let need = |end: usize| data.has(end).then_some(());
    need(2)?;
    let (version, kind) = (data.octet(0), data.octet(1));
    line.put(" OSPFv").dec(version.into()).ch(b'-');
    line.word(kind.into(), &TYPES, "type").ch(b' ').int(length).ch(b':');
    if lookup(kind.into(), &TYPES).is_none() {
        return Some(());
    }
    need(4)?;
    let claimed = u32::from(data.be16(2));
    if length != claimed {
        line.put(" [len ").dec(claimed).ch(b']');
        return Some(());
    }
    need(8)?;
    router(line, data);
    need(12)?;
    area(line, data);
    need(15)?;
    let instance = data.octet(14);
    if instance != 0 {
        line.put(" instance ").dec(instance.into());
    }
    if version != 3 {
        line.put(" ospf [version ").dec(version.into()).ch(b']');
        return Some(());
    }
    match kind {
        HELLO => designated(line, data, 28)?,
        DATABASE => {
            need(20)?;
            line.flags(data.octet(19), &OPTIONS6);
            need(24)?;
            line.flags(data.octet(23), &DATABASE_FLAGS);
            need(28)?;
            line.put(" mtu ").dec(data.be16(20).into());
            line.put(" S ").hex_upper(data.be32(24), 1);
        }
        _ => (),
    }
    Some(())
}

fn router(line: &mut Text<'_>, data: &[u8]) {
    line.put(" rtrid ").ip4(data.array(4));
}

fn area(line: &mut Text<'_>, data: &[u8]) {
    let area = data.array(8);
    if area == [0; 4] {
        line.put(" backbone")
    } else {
        line.put(" area ").ip4(area)
    };
}

/// The designated router at `at` and its deputy behind it, unless they are zero.
fn designated(line: &mut Text<'_>, data: &[u8], at: usize) -> Option<()> {
    for (name, at) in [(" dr ", at), (" bdr ", at + 4)] {
        if !data.has(at + 4) {
            return None;
        }
        let address = data.array(at);
        if address != [0; 4] {
            line.put(name).ip4(address);
        }
    }
    Some(())
}
