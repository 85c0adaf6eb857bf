//! Geneve: RFC 8926.

use super::*;

const HEADER: usize = 8;
const VERSION: u16 = 0xc000;
const CONTROL: u16 = 0x0080;
const CRITICAL: u16 = 0x0040;

mod kind {
    pub const IP: u16 = 0x0800;
    pub const IP6: u16 = 0x86dd;
    pub const TRANSPARENT_ETHERNET: u16 = 0x6558;
    pub const MPLS: u16 = 0x8847;
    pub const MPLS_MULTICAST: u16 = 0x8848;
}

pub(super) fn print(line: &mut Line<'_>, data: &[u8], length: u32) {
    line.put("geneve");
    if !data.has(HEADER) {
        line.put(" [|geneve]");
        return;
    }
    let Some(length) = length.checked_sub(HEADER as u32) else {
        line.put(" ip truncated");
        return;
    };
    let flags = data.be16(0);
    if flags & VERSION != 0 {
        line.put(" unknown version ").dec((flags >> 14).into());
        return;
    }
    line.put(" vni ").dec(data.be24(4));
    if flags & CONTROL != 0 {
        line.put(" Control");
    }
    if flags & CRITICAL != 0 {
        line.put(" Critical");
    }
    // in words of four octets, at most 63 of them
    let size = usize::from(flags >> 8 & 0x3f) * 4;
    let rest = data.after(HEADER);
    let Some(options) = rest.get(..size) else {
        line.put(" [|geneve]");
        return;
    };
    let Some(length) = length.checked_sub(size as u32) else {
        line.put(" ip truncated");
        return;
    };
    if print_options(line, options).is_none() {
        line.put("[|geneve option]");
    }
    line.put("\n    ");
    let inside = rest.after(size);
    match data.be16(2) {
        kind::IP => line.print_ip(inside, length),
        kind::IP6 => line.print_ip6(inside, length),
        kind::MPLS | kind::MPLS_MULTICAST => mpls::print(line, inside, length),
        kind::TRANSPARENT_ETHERNET => line.print_ether(inside, length),
        other => {
            line.put("geneve-protocol-0x").hex(other.into(), 1);
        }
    }
}

/// One line for each option; `None` when the last one is longer than what is there.
fn print_options(line: &mut Line<'_>, mut options: &[u8]) -> Option<()> {
    while !options.is_empty() {
        let (head, rest) = options.split_first_chunk::<4>()?;
        line.put("\n\toption class ").dec(head.be16(0).into());
        line.put(" type ").dec(head.octet(2).into());
        let words = usize::from(head.octet(3) & 0x1f);
        if words > 0 {
            line.ch(b':');
        }
        options = rest;
        for _ in 0..words {
            let (word, rest) = options.split_first_chunk::<4>()?;
            line.ch(b' ').hex(word.be32(0), 8);
            options = rest;
        }
    }
    Some(())
}
