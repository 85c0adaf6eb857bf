//! Updates of BGP: RFC 4271, 4760, 1997, 8092, 6793.

use super::*;
use bgp_words::{ATTRIBUTES, Missing, ORIGINS, both, family, need, put, word};

const HEADER: usize = 19;
const IPV4: u16 = 1;
const IPV6: u16 = 2;

/// A message from its header on; `size` is what it claims.
pub(super) fn print(line: &mut Text<'_>, data: &[u8], size: usize) -> Result<(), Missing> {
    /// Of one without routes and attributes.
    const EMPTY: usize = 23;
    line.ch(b':');
    let withdrawn = usize::from(data.be16(HEADER));
    if withdrawn != 0 {
        line.put(" (Withdrawn routes: ").dec(withdrawn as u32).put(" bytes)");
    }
    let mut at = HEADER + 2 + withdrawn;
    need(data, at + 2)?;
    let all = usize::from(data.be16(at));
    if all == 0 && size == EMPTY {
        line.put(" End-of-Rib Marker (empty NLRI)");
        return Ok(());
    }
    at += 2;
    if all != 0 {
        line.put(" (Path attributes:");
        attributes(line, data.after(at), all)?;
        line.ch(b')');
    }
    at += all;
    if at >= size {
        return Ok(());
    }
    line.put(if all != 0 { "\n\t\t(NLRI:" } else { "(NLRI:" });
    while at < size && !line.full() {
        match prefix::<4>(line, data.after(at))? {
            Some(octets) => at += octets,
            None => {
                line.put(" (illegal prefix length)");
                break;
            }
        }
    }
    line.ch(b')');
    Ok(())
}

fn attributes(line: &mut Text<'_>, data: &[u8], all: usize) -> Result<(), Missing> {
    const EXTENDED: u8 = 0x10;
    let mut at = 0;
    while at < all && !line.full() {
        need(data, at + 4)?;
        let (flags, kind) = (data.octet(at), data.octet(at + 1));
        let (before, size) = match flags & EXTENDED {
            0 => (3, usize::from(data.octet(at + 2))),
            _ => (4, usize::from(data.be16(at + 2))),
        };
        word(line.put(" ("), kind, &ATTRIBUTES);
        if flags != 0 {
            line.ch(b'[');
            for (bit, letter) in [(0x80, b'O'), (0x40, b'T'), (0x20, b'P'), (EXTENDED, b'E')] {
                if flags & bit != 0 {
                    line.ch(letter);
                }
            }
            if flags & 0xf != 0 {
                line.ch(b'+').hex((flags & 0xf).into(), 1);
            }
            line.ch(b']');
        }
        attribute(line, kind, data.after(at + before), size)?;
        line.ch(b')');
        at += before + size;
    }
    Ok(())
}

/// The value of an attribute, which claims `size` octets.
fn attribute(line: &mut Text<'_>, kind: u8, data: &[u8], size: usize) -> Result<(), Missing> {
    let valid = match kind {
        1 => size == 1,
        2 | 17 => size.is_multiple_of(2),
        3 | 4 | 5 | 9 | 35 => size == 4,
        6 => size == 0,
        7 | 18 => size == 6 || size == 8,
        8 | 10 => size.is_multiple_of(4),
        32 => size != 0 && size.is_multiple_of(12),
        _ => true,
    };
    if !valid {
        line.put(" invalid len");
        return Ok(());
    }
    match kind {
        2 => return path(line, data, size, None),
        17 => return path(line, data, size, Some(4)),
        14 => return reachable(line, data, size),
        15 => return unreachable(line, data, size),
        1 | 3 | 4 | 5 | 7 | 9 | 18 | 35 => need(data, size)?,
        _ => (),
    }
    match kind {
        1 => {
            word(line.ch(b' '), data.octet(0), &ORIGINS);
        }
        3 => {
            line.ch(b' ').ip4(data.array(0));
        }
        4 | 5 => {
            line.ch(b' ').dec(data.be32(0));
        }
        7 | 18 => {
            let number = if size == 6 { data.be16(0).into() } else { data.be32(0) };
            line.put(" AS #").dec(number).put(", origin ").ip4(data.array(size - 4));
        }
        8 => each::<4>(line, data, size, |line, value, _| {
            match value.be32(0) {
                0xffff_ff01 => line.put(" NO_EXPORT"),
                0xffff_ff02 => line.put(" NO_ADVERTISE"),
                0xffff_ff03 => line.put(" NO_EXPORT_SUBCONFED"),
                0xffff_ff04 => line.put(" NO_PEER"),
                other => line.ch(b' ').dec(other >> 16).ch(b':').dec(other & 0xffff),
            };
        })?,
        9 => {
            line.ip4(data.array(0));
        }
        10 => each::<4>(line, data, size, |line, value, last| {
            line.ch(b' ').ip4(value.array(0)).put(if last { "" } else { ", " });
        })?,
        32 => each::<12>(line, data, size, |line, value, _| {
            line.ch(b' ').dec(value.be32(0)).ch(b':').dec(value.be32(4)).ch(b':');
            line.dec(value.be32(8));
        })?,
        35 => {
            line.put(" AS").dec(data.be32(0));
        }
        _ => (),
    }
    Ok(())
}

/// Values of `N` octets each, one behind the other; `put` is told which is the last.
fn each<const N: usize>(
    line: &mut Text<'_>,
    data: &[u8],
    size: usize,
    put: impl Fn(&mut Text<'_>, &[u8], bool),
) -> Result<(), Missing> {
    for at in (0..size).step_by(N) {
        if line.full() {
            break;
        }
        need(data, at + N)?;
        put(line, data.after(at), at + N >= size);
    }
    Ok(())
}

/// A path of autonomous systems. Its numbers have two octets or four, which only the lengths tell
/// where `octets` does not.
fn path(
    line: &mut Text<'_>,
    data: &[u8],
    size: usize,
    mut octets: Option<usize>,
) -> Result<(), Missing> {
    if size == 0 {
        line.put(" empty");
    }
    let mut at = 0;
    while at < size && !line.full() {
        need(data, at + 2)?;
        let (kind, count) = (data.octet(at), usize::from(data.octet(at + 1)));
        let each = match octets {
            Some(each) => each,
            None if count == 0 => {
                line.put(" malformed");
                break;
            }
            None => (size - 2) / count,
        };
        octets = Some(each).filter(|&each| each != 0);
        let (open, close) = match kind {
            1 => (" {", "}"),
            2 => (" ", ""),
            3 => (" (", ")"),
            4 => (" ({", "})"),
            _ => ("?", "?"),
        };
        line.put(open);
        at += 2;
        if each != 0 {
            for n in 0..count {
                need(data, at + each)?;
                if n > 0 {
                    line.ch(b' ');
                }
                line.dec(if each == 2 { data.be16(at).into() } else { data.be32(at) });
                at += each;
                if line.full() {
                    break;
                }
            }
        }
        line.put(close);
    }
    Ok(())
}

/// Address family and what of it, the same in both attributes of RFC 4760.
fn families(line: &mut Text<'_>, data: &[u8]) -> Result<u16, Missing> {
    need(data, 3)?;
    let (af, safi) = (data.be16(0), data.octet(2));
    match safi {
        128.. => put(line.ch(b' '), family(af)).put(" vendor specific ").dec(safi.into()),
        _ => both(line.ch(b' '), af, safi),
    };
    line.ch(b',');
    Ok(af)
}

fn reachable(line: &mut Text<'_>, data: &[u8], size: usize) -> Result<(), Missing> {
    let af = families(line, data)?;
    let width = match af {
        IPV4 => 4,
        IPV6 => 16,
        _ => return Ok(()),
    };
    need(data, 4)?;
    let hops = usize::from(data.octet(3));
    let mut at = 4;
    if hops != 0 {
        line.put(" nexthop");
        for hop in (at..at + hops).step_by(width) {
            need(data, hop + width)?;
            line.ch(b' ');
            match af {
                IPV4 => line.ip4(data.array(hop)),
                _ => line.ip6(data.array(hop)),
            };
        }
        line.ch(b',');
    }
    at += hops;
    need(data, at + 1)?;
    let points = data.octet(at);
    at += 1;
    if points != 0 {
        line.ch(b' ').dec(points.into()).put(" snpa");
        for _ in 0..points {
            need(data, at + 1)?;
            let size = data.octet(at);
            line.ch(b'(').dec(size.into()).put(" bytes)");
            at += 1 + usize::from(size);
        }
        line.ch(b',');
    }
    line.put(" NLRI");
    prefixes(line, af, data, at, size);
    Ok(())
}

fn unreachable(line: &mut Text<'_>, data: &[u8], size: usize) -> Result<(), Missing> {
    let af = families(line, data)?;
    line.put(" Withdraw");
    prefixes(line, af, data, 3, size);
    Ok(())
}

/// Prefixes up to the end, or to the first that is none or was not captured.
fn prefixes(line: &mut Text<'_>, af: u16, data: &[u8], mut at: usize, size: usize) {
    while at < size && !line.full() {
        let rest = data.after(at);
        let octets = match af {
            IPV4 => prefix::<4>(line, rest),
            IPV6 => prefix::<16>(line, rest),
            _ => {
                line.put(" (unknown af)");
                return;
            }
        };
        match octets {
            Ok(Some(octets)) => at += octets,
            Ok(None) | Err(Missing) => return,
        }
    }
}

/// A prefix after a blank: how many octets it takes, `None` when it is longer than an address.
fn prefix<const N: usize>(line: &mut Text<'_>, data: &[u8]) -> Result<Option<usize>, Missing> {
    need(data, 1)?;
    let length = usize::from(data.octet(0));
    if length > N * 8 {
        return Ok(None);
    }
    let octets = length.div_ceil(8);
    need(data, 1 + octets)?;
    let mut address = [0; 16];
    for (n, octet) in address.iter_mut().take(octets).enumerate() {
        // the last one may have bits that do not belong to the prefix
        let bits = (length - n * 8).min(8);
        *octet = data.octet(1 + n) & (0xff00_u16 >> bits) as u8;
    }
    line.ch(b' ');
    match N {
        4 => line.ip4(address.array(0)),
        _ => line.ip6(address),
    };
    line.ch(b'/').dec(length as u32);
    Ok(Some(1 + octets))
}
