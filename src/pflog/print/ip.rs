//! IPv4: RFC 791, with the ECN bits of RFC 2481.

use super::*;

const HEADER: usize = 20;
const MORE_FRAGMENTS: u16 = 0x2000;
const DONT_FRAGMENT: u16 = 0x4000;
const OFFSET: u16 = 0x1fff;

pub(crate) fn print(line: &mut Line<'_>, data: &[u8], length: u32) {
    if !line.enter() {
        return;
    }
    let Some(header) = data.first_chunk::<HEADER>() else {
        line.put("[|ip]");
        return;
    };
    let version = header.octet(0) >> 4;
    if version != 4 {
        line.put("bad-ip-version ").dec(version.into());
        return;
    }
    let mut len = u32::from(header.be16(2));
    if length < len {
        line.put("truncated-ip - ").dec(len - length).put(" bytes missing!");
        len = length;
    }
    let hlen = u32::from(header.octet(0) & 15) * 4;
    if hlen < HEADER as u32 || hlen > len {
        line.put("bad-hlen ").dec(hlen);
        return;
    }
    len -= hlen;

    let fragment = header.be16(6);
    let offset = fragment & OFFSET;
    if offset == 0 {
        if !data.has(hlen as usize) {
            line.put("[|ip]");
            return;
        }
        if payload(line, header, data.after(hlen as usize), len) == Tail::Without {
            return;
        }
    }
    if fragment & (OFFSET | MORE_FRAGMENTS) != 0 {
        if offset != 0 {
            Outer::V4(header).pair(line).ch(b':');
        }
        line.put(" (frag ").dec(header.be16(4).into()).ch(b':').dec(len);
        line.ch(b'@').dec(u32::from(offset) * 8);
        line.put(if fragment & MORE_FRAGMENTS != 0 { "+)" } else { ")" });
    }
    if fragment & DONT_FRAGMENT != 0 {
        line.put(" (DF)");
    }
    let tos = header.octet(1);
    if tos != 0 {
        line.put(" [tos 0x").hex(tos.into(), 1);
        // ECN: capable transport, congestion experienced.
        line.put(["", " (C)", " (E)", " (EC)"][usize::from(tos & 3)]).ch(b']');
    }
    let ttl = header.octet(8);
    if ttl <= 1 {
        line.put(" [ttl ").dec(ttl.into()).ch(b']');
    }
}

/// Are fragment, flags, type of service and time to live printed behind the payload?
#[derive(PartialEq)]
enum Tail {
    With,
    Without,
}

fn payload(line: &mut Line<'_>, header: &[u8; HEADER], data: &[u8], len: u32) -> Tail {
    let outer = Outer::V4(header);
    match header.octet(9) {
        6 => tcp::print(line, data, len, outer),
        17 => udp::print(line, data, len, outer),
        1 => icmp::print(line, data, outer),
        9 => igrp::print(line, data, len, outer),
        77 => {
            outer.pair(line).put(": nd ").dec(len);
        }
        89 => ospf::print(line, data, len, outer),
        2 => igmp::print(line, data, len, outer),
        4 => {
            print(line, data, len);
            line.put(" (encap)");
            return Tail::Without;
        }
        41 => {
            line.print_ip6(data, len);
            line.put(" (encap)");
            return Tail::Without;
        }
        47 => {
            outer.pair(line).put(": ");
            gre::print(line, data, len);
        }
        50 => {
            outer.pair(line).put(": ");
            ipsec::esp(line, data, len);
        }
        51 => ipsec::ah(line, data, len, outer),
        55 => {
            mobile::print(line, data, len);
            line.put(" (mobile encap)");
            return Tail::Without;
        }
        97 => {
            outer.pair(line).put(": ");
            line.print_etherip(data, len);
        }
        108 => ipsec::ipcomp(line, data, len, outer),
        112 => carp::print(line, data, len, header.octet(8)),
        240 => pfsync::print(line, data, outer),
        protocol => {
            outer.pair(line).put(": ip-proto-").dec(protocol.into()).ch(b' ').dec(len);
        }
    }
    Tail::With
}
