//! IPv6 with its extension headers: RFC 8200.

use super::*;

const HEADER: usize = 40;
/// What an extension header that cannot be passed counts as; no capture is as long.
const NO_WAY_ON: usize = usize::MAX;

mod next {
    pub const HOP_BY_HOP: u8 = 0;
    pub const IPV4: u8 = 4;
    pub const TCP: u8 = 6;
    pub const UDP: u8 = 17;
    pub const IPV6: u8 = 41;
    pub const ROUTING: u8 = 43;
    pub const FRAGMENT: u8 = 44;
    pub const GRE: u8 = 47;
    pub const ESP: u8 = 50;
    pub const AH: u8 = 51;
    pub const ICMP6: u8 = 58;
    pub const NONE: u8 = 59;
    pub const DESTINATION: u8 = 60;
    pub const OSPF: u8 = 89;
    pub const ETHERIP: u8 = 97;
    pub const PIM: u8 = 103;
    pub const CARP: u8 = 112;
}

pub(crate) fn print(line: &mut Line<'_>, data: &[u8], length: u32) {
    if !line.enter() {
        return;
    }
    let Some(header) = data.first_chunk::<HEADER>() else {
        line.put("[|ip6]");
        return;
    };
    if length < HEADER as u32 {
        line.put("truncated-ip6 ").dec(length);
        return;
    }
    let version = header.octet(0) >> 4;
    if version != 6 {
        line.put("bad-ip6-version ").dec(version.into());
        return;
    }
    let whole = u32::from(header.be16(4)) + HEADER as u32;
    if length < whole {
        line.put("truncated-ip6 - ").dec(whole - length).put(" bytes missing!");
    }
    chain(line, header, data);

    let flow = header.be32(0);
    if flow & 0x0ff0_0000 != 0 {
        line.put(" [class 0x").hex(flow >> 20 & 0xff, 1).ch(b']');
    }
    if flow & 0x000f_ffff != 0 {
        line.put(" [flowlabel 0x").hex(flow & 0x000f_ffff, 1).ch(b']');
    }
    let hop_limit = header.octet(7);
    if hop_limit <= 1 {
        line.put(" [hlim ").dec(hop_limit.into()).ch(b']');
    }
}

/// Walks through the extension headers to the payload.
fn chain(line: &mut Line<'_>, header: &[u8; HEADER], data: &[u8]) {
    let outer = Outer::V6(header);
    let plen = u32::from(header.be16(4));
    let (mut at, mut step, mut protocol) = (0_usize, HEADER, header.octet(6));
    while data.has(at.saturating_add(step)) && !line.full() {
        at += step;
        let rest = data.after(at);
        // What is left of the payload; wraps when extension headers claim more than there is.
        let left = (plen + HEADER as u32).wrapping_sub(at as u32);
        let names_itself =
            matches!(protocol, next::TCP | next::UDP | next::AH | next::IPV4 | next::IPV6);
        if at == HEADER && !names_itself {
            outer.pair(line).put(": ");
        }
        match protocol {
            next::HOP_BY_HOP => step = options(line, rest, "HBH"),
            next::DESTINATION => step = options(line, rest, "DSTOPT"),
            next::FRAGMENT => step = fragment(line, rest, left),
            next::ROUTING => step = routing(line, rest),
            next::TCP => return tcp::print(line, rest, left, outer),
            next::UDP => return udp::print(line, rest, left, outer),
            next::ESP => return ipsec::esp(line, rest, left),
            next::AH => return ipsec::ah(line, rest, left, outer),
            next::ICMP6 => return icmp6::print(line, rest, left),
            next::PIM => {
                line.put("PIM");
                return igmp::pim(line, rest);
            }
            next::OSPF => return ospf::print6(line, rest, plen),
            next::IPV6 => {
                print(line, rest, plen);
                line.put(" (encap)");
                return;
            }
            next::IPV4 => {
                line.print_ip(rest, plen);
                line.put(" (encap)");
                return;
            }
            next::GRE => return gre::print(line, rest, plen),
            next::NONE => {
                line.put("no next header");
                return;
            }
            next::ETHERIP => return line.print_etherip(rest, plen),
            next::CARP => {
                // tcpdump goes on behind it and finds CARP again, as long as there are octets.
                carp::print(line, rest, plen, header.octet(7));
                continue;
            }
            _ => {
                // The number of the first header, whichever this one is.
                line.put("ip-proto-").dec(header.octet(6).into()).ch(b' ').dec(plen);
                return;
            }
        }
        if step == 0 {
            return;
        }
        protocol = rest.octet(0);
    }
}

/// Hop-by-hop and destination options. Returns the size of the header.
fn options(line: &mut Line<'_>, data: &[u8], name: &str) -> usize {
    let size = if data.has(2) { (usize::from(data.octet(1)) + 1) * 8 } else { 0 };
    if size > 0 && data.has(size) {
        line.put(name).ch(b' ');
    } else {
        line.put("[|").put(name).ch(b']');
    }
    size
}

/// A fragment header. Only the first fragment has something behind it that can be printed.
fn fragment(line: &mut Line<'_>, data: &[u8], left: u32) -> usize {
    const SIZE: usize = 8;
    if !data.has(SIZE) {
        line.put("[|frag]");
        return NO_WAY_ON;
    }
    let field = data.be16(2);
    line.put("frag (0x").hex(data.be32(4), 8).ch(b':');
    line.int(left.wrapping_sub(SIZE as u32)).ch(b'@').dec((field & 0xfff8).into());
    line.put(if field & 1 != 0 { "+)" } else { ")" });
    if field & 0xfff8 != 0 {
        return NO_WAY_ON;
    }
    line.ch(b' ');
    SIZE
}

/// A routing header; type 0 has the addresses to visit.
fn routing(line: &mut Line<'_>, data: &[u8]) -> usize {
    const TRUNCATED: &str = ", [|srcrt]";
    if !data.has(4) {
        line.put(TRUNCATED);
        return NO_WAY_ON;
    }
    let (len, kind) = (data.octet(1), data.octet(2));
    line.put("srcrt (len=").dec(len.into()).put(", type=").dec(kind.into());
    line.put(", segleft=").dec(data.octet(3).into());
    let size = (usize::from(len) + 1) * 8;
    if kind != 0 {
        if !data.has(size) {
            line.put(TRUNCATED);
            return NO_WAY_ON;
        }
    } else {
        if !data.has(8) {
            line.put(TRUNCATED);
            return NO_WAY_ON;
        }
        let reserved = data.be32(4);
        if reserved != 0 {
            line.put(", rsv=0x").hex(reserved, 1);
        }
        if len % 2 == 1 {
            line.put(TRUNCATED);
            return NO_WAY_ON;
        }
        for n in 0..usize::from(len / 2) {
            let at = 8 + n * 16;
            if !data.has(at + 16) || line.full() {
                line.put(TRUNCATED);
                return NO_WAY_ON;
            }
            line.put(", [").dec(n as u32).ch(b']').ip6(data.array(at));
        }
    }
    line.ch(b')');
    size
}
