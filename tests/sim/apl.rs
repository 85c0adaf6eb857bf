//! APL record data, RFC 3123, section 4.
//!
//! Written for the tests alone, so that it can disagree with the program.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::item::Item;

/// Address family of IPv4 in the IANA registry that RFC 3123 refers to.
pub const FAMILY_V4: u16 = 1;
/// Address family of IPv6.
pub const FAMILY_V6: u16 = 2;

/// The data of one record that holds the items in the order given; none give an empty record,
/// which is legal.
pub fn rdata(items: &[Item]) -> Vec<u8> {
    let mut out = Vec::with_capacity(items.len() * 8);
    for item in items {
        let octets = octets(item.addr);
        let used = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
        push_raw(&mut out, family(item.addr), item.len, item.negated, &octets[..used]);
    }
    out
}

/// The same with all 4 or 16 octets of each address. RFC 3123 forbids the trailing zeros; nsd 4.13
/// sends them.
pub fn padded_rdata(items: &[Item]) -> Vec<u8> {
    let mut out = Vec::with_capacity(items.len() * 8);
    for item in items {
        push_raw(&mut out, family(item.addr), item.len, item.negated, &octets(item.addr));
    }
    out
}

/// Appends one item from its fields, sound or not; `afd` is at most 127 octets, the field's width.
pub fn push_raw(out: &mut Vec<u8>, family: u16, len: u8, negated: bool, afd: &[u8]) {
    let afd_len = u8::try_from(afd.len()).ok().filter(|len| *len < 0x80);
    let afd_len = afd_len.expect("AFDLENGTH has seven bits: give at most 127 octets");
    out.extend_from_slice(&family.to_be_bytes());
    out.push(len);
    out.push(if negated { 0x80 } else { 0 } | afd_len);
    out.extend_from_slice(afd);
}

/// The octets that one item takes in a record.
pub fn size(item: &Item) -> usize {
    rdata(std::slice::from_ref(item)).len()
}

/// The items of one record, or what is wrong with it.
pub fn read(mut rdata: &[u8]) -> Result<Vec<Item>, String> {
    let mut items = Vec::new();
    while !rdata.is_empty() {
        let [f1, f0, len, flags, rest @ ..] = rdata else {
            return Err(format!("item of {} octets", rdata.len()));
        };
        let (family, afd_len) = (u16::from_be_bytes([*f1, *f0]), usize::from(flags & 0x7f));
        if afd_len > rest.len() {
            return Err(format!("AFDLENGTH {afd_len} with {} octets left", rest.len()));
        }
        let (afd, rest) = rest.split_at(afd_len);
        let addr = match family {
            FAMILY_V4 => IpAddr::V4(Ipv4Addr::from(filled::<4>(afd)?)),
            FAMILY_V6 => IpAddr::V6(Ipv6Addr::from(filled::<16>(afd)?)),
            other => return Err(format!("address family {other}")),
        };
        let item = Item { addr, len: *len, negated: flags & 0x80 != 0 };
        if item.len > item.max_len() {
            return Err(format!("prefix length {} of {addr}", item.len));
        }
        items.push(item);
        rdata = rest;
    }
    Ok(items)
}

/// The address with the zeros that were left out.
fn filled<const N: usize>(afd: &[u8]) -> Result<[u8; N], String> {
    let mut octets = [0; N];
    let part = octets.get_mut(..afd.len());
    part.ok_or_else(|| format!("AFDLENGTH {} for {N} octets", afd.len()))?.copy_from_slice(afd);
    Ok(octets)
}

fn family(addr: IpAddr) -> u16 {
    if addr.is_ipv4() { FAMILY_V4 } else { FAMILY_V6 }
}

fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(addr) => addr.octets().to_vec(),
        IpAddr::V6(addr) => addr.octets().to_vec(),
    }
}

#[cfg(test)]
mod tests;
