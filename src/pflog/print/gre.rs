//! GRE: RFC 2784, 1701 with source routes, 2637 (PPTP), and what vendors put inside.
//!
//! NSH and CDP are given by the number of their protocol: see the crate.

use super::*;

const CHECKSUM: u16 = 0x8000;
const ROUTING: u16 = 0x4000;
const KEY: u16 = 0x2000;
const SEQUENCE: u16 = 0x1000;
const SOURCE_ROUTE: u16 = 0x0800;
const ACKNOWLEDGEMENT: u16 = 0x0080;
const VERSION: u16 = 0x0007;

const IP: u16 = 0x0800;
const TRANSPARENT_ETHERNET: u16 = 0x6558;
const IP6: u16 = 0x86dd;
const PPP: u16 = 0x880b;
const NHRP: u16 = 0x2001;
const WCCP: u16 = 0x883e;
const MPLS: u16 = 0x8847;
const MPLS_MULTICAST: u16 = 0x8848;
const ERSPAN: u16 = 0x88be;
/// Ethernet over IP of MikroTik.
const EOIP: u16 = 0x6400;

/// Something was not captured.
struct Missing;

/// What is left of a packet, read from the front.
struct Rest<'d> {
    data: &'d [u8],
    length: u32,
}

impl<'d> Rest<'d> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Missing> {
        let taken = *self.data.first_chunk().ok_or(Missing)?;
        self.data = self.data.after(N);
        self.length = self.length.wrapping_sub(N as u32);
        Ok(taken)
    }

    fn take16(&mut self) -> Result<u16, Missing> {
        self.take().map(u16::from_be_bytes)
    }

    fn take32(&mut self) -> Result<u32, Missing> {
        self.take().map(u32::from_be_bytes)
    }
}

pub(super) fn print(line: &mut Line<'_>, data: &[u8], length: u32) {
    if !line.enter() {
        return;
    }
    let mut rest = Rest { data, length };
    let Ok(flags) = rest.take16() else {
        line.put("[|gre]");
        return;
    };
    match flags & VERSION {
        0 => {
            line.put("gre");
            if version0(line, rest, flags).is_err() {
                line.put("[|gre]");
            }
        }
        1 => match rest.take16() {
            Ok(PPP) => {
                line.put("pptp");
                if pptp(line, rest, flags).is_err() {
                    line.put("[|pptp]");
                }
            }
            Ok(EOIP) => {
                line.put("eoip");
                if eoip(line, rest, flags).is_err() {
                    line.put("[|eoip]");
                }
            }
            Ok(protocol) => {
                line.put("unknown-gre1-proto-").hex(protocol.into(), 4);
            }
            Err(Missing) => {
                line.put("[|gre1]");
            }
        },
        version => {
            line.put("gre-unknown-version=").dec(version.into());
        }
    }
}

fn version0(line: &mut Line<'_>, mut rest: Rest<'_>, flags: u16) -> Result<(), Missing> {
    let protocol = rest.take16()?;
    if flags & (CHECKSUM | ROUTING) != 0 {
        rest.take16()?;
        let offset = rest.take16()?;
        if flags & ROUTING != 0 {
            line.put(" off 0x").hex(offset.into(), 1);
        }
    }
    if flags & KEY != 0 {
        let key = rest.take32()?;
        line.put(" key=").dec(key).ch(b'|').dec(key >> 8).ch(b'+').hex(key & 0xff, 2);
    }
    if flags & SEQUENCE != 0 {
        let number = rest.take32()?;
        line.put(" seq ").dec(number);
    }
    if flags & ROUTING != 0 {
        routes(line, &mut rest)?;
    }
    line.ch(b' ');
    let Rest { data, length } = rest;
    match protocol {
        0 => {
            line.put("keep-alive");
        }
        WCCP => wccp(line, data, length),
        IP => line.print_ip(data, length),
        IP6 => line.print_ip6(data, length),
        MPLS | MPLS_MULTICAST => mpls::print(line, data, length),
        TRANSPARENT_ETHERNET => line.print_ether(data, length),
        ERSPAN => erspan(line, rest, flags),
        NHRP => nhrp::print(line, data),
        _ => {
            line.put("unknown-proto-").hex(protocol.into(), 4);
        }
    }
    Ok(())
}

/// Source routes: entries up to one of zeros.
fn routes(line: &mut Line<'_>, rest: &mut Rest<'_>) -> Result<(), Missing> {
    const ADDRESSES: u16 = 0x0800;
    const SYSTEMS: u16 = 0xfffe;
    loop {
        let [high, low, offset, size] = rest.take()?;
        let family = u16::from_be_bytes([high, low]);
        if family == 0 && size == 0 {
            return Ok(());
        }
        let size = usize::from(size);
        let hops = rest.data.get(..size).unwrap_or(rest.data);
        match family {
            ADDRESSES => {
                line.put(" (rtaf=ip");
                hops_of(line, hops, usize::from(offset), size, 4, |line, hop| {
                    line.ip4(hop.array(0));
                });
                line.ch(b')');
            }
            SYSTEMS => {
                line.put(" (rtaf=asn");
                hops_of(line, hops, usize::from(offset), size, 2, |line, hop| {
                    line.hex(hop.be16(0).into(), 1);
                });
                line.ch(b')');
            }
            _ => {
                line.put(" (rtaf=0x").hex(family.into(), 1).ch(b')');
            }
        }
        if !rest.data.has(size) || line.full() {
            return Err(Missing);
        }
        rest.data = rest.data.after(size);
        rest.length = rest.length.wrapping_sub(size as u32);
    }
}

/// The hops of one entry, a star before the next one.
fn hops_of(
    line: &mut Line<'_>,
    hops: &[u8],
    offset: usize,
    size: usize,
    unit: usize,
    hop: impl Fn(&mut Line<'_>, &[u8]),
) {
    if !offset.is_multiple_of(unit) {
        line.put(" badoffset=").dec(offset as u32);
    } else if !size.is_multiple_of(unit) {
        line.put(" badlength=").dec(size as u32);
    } else if offset >= size {
        line.put(" badoff/len=").dec(offset as u32).ch(b'/').dec(size as u32);
    } else {
        for (n, octets) in hops.chunks_exact(unit).enumerate() {
            line.put(if n * unit == offset { " *" } else { " " });
            hop(line, octets);
        }
    }
}

/// Cisco's redirected packets: version 2 has a header before the packet.
fn wccp(line: &mut Line<'_>, mut data: &[u8], length: u32) {
    line.put("wccp ");
    let Some(first) = data.first() else {
        return;
    };
    if first >> 4 != 4 {
        if !data.has(4) {
            line.put("[|wccp]");
            return;
        }
        let bit = |mask: u8| if data.octet(0) & mask != 0 { b'1' } else { b'0' };
        line.put("D:").ch(bit(0x80)).put(" A:").ch(bit(0x40));
        for (name, at) in [(" SId:", 1), (" Alt:", 2), (" Pri:", 3)] {
            line.put(name).dec(data.octet(at).into());
        }
        line.put(": ");
        data = data.after(4);
    }
    line.print_ip(data, length);
}

/// Mirrored frames of Cisco's switches.
fn erspan(line: &mut Line<'_>, mut rest: Rest<'_>, flags: u16) {
    line.put("erspan");
    if flags & SEQUENCE == 0 {
        line.put(" I: ");
    } else {
        let Ok(head) = rest.take32() else {
            line.put(" [|erspan]");
            return;
        };
        let version = head >> 28;
        if version != 1 {
            line.put(" erspan-unknown-version-").hex(version, 1);
            return;
        }
        line.put(" session ").dec(head & 0x3ff);
        let vlan = head >> 16 & 0xfff;
        match head >> 11 & 3 {
            0 => (),
            1 => {
                line.put(" isl ").dec(vlan);
            }
            2 => {
                line.put(" vlan ").dec(vlan);
            }
            _ => {
                line.put(" vlan payload");
            }
        }
        if rest.take32().is_err() {
            line.put(" [|erspan]");
            return;
        }
        line.put(": ");
    }
    line.print_ether(rest.data, rest.length);
}

fn pptp(line: &mut Line<'_>, mut rest: Rest<'_>, flags: u16) -> Result<(), Missing> {
    let refused = [
        (flags & CHECKSUM != 0, " cpset!"),
        (flags & ROUTING != 0, " rpset!"),
        (flags & KEY == 0, " kpunset!"),
        (flags & SOURCE_ROUTE != 0, " spset!"),
    ];
    if let Some((_, complaint)) = refused.iter().find(|entry| entry.0) {
        line.put(complaint);
        return Ok(());
    }
    let len = u32::from(rest.take16()?);
    let call = rest.take16()?;
    line.put(" callid ").dec(call.into());
    if flags & SEQUENCE != 0 {
        let number = rest.take32()?;
        line.put(" seq ").dec(number);
    }
    if flags & ACKNOWLEDGEMENT != 0 {
        let number = rest.take32()?;
        line.put(" ack ").dec(number);
    }
    if flags & SEQUENCE != 0 {
        if rest.length < len {
            line.put(" truncated-pptp - ").dec(len - rest.length).put(" bytes missing!");
        }
        line.put(": ");
        ppp::print_frame(line, rest.data, len.min(rest.length));
    }
    Ok(())
}

fn eoip(line: &mut Line<'_>, mut rest: Rest<'_>, flags: u16) -> Result<(), Missing> {
    let flags = flags & !VERSION;
    if flags != KEY {
        line.put(" unknown-eoip-flags-").hex(flags.into(), 4).ch(b'!');
        return Ok(());
    }
    let len = u32::from(rest.take16()?);
    let tunnel = rest.take16()?.swap_bytes();
    line.ch(b' ').dec(tunnel.into());
    if rest.length < len {
        line.put(" truncated-eoip - ").dec(len - rest.length).put(" bytes missing!");
    }
    line.put(": ");
    match len.min(rest.length) {
        0 => {
            line.put("keepalive");
        }
        len => line.print_ether(rest.data, len),
    }
    Ok(())
}
