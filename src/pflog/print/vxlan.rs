//! VXLAN, RFC 7348, and its generic protocol extension.

use super::*;

const HEADER: u32 = 8;
const VERSION: u16 = 0x3000;
const INSTANCE: u16 = 0x0800;
const NEXT_PROTOCOL: u16 = 0x0400;
const BUM: u16 = 0x0200;
const OAM: u16 = 0x0100;
const ETHERNET: u8 = 3;

pub(super) fn print(line: &mut Line<'_>, data: &[u8], length: u32) {
    line.put("VXLAN");
    if !data.has(HEADER as usize) {
        line.put(" [|vxlan]");
        return;
    }
    let Some(length) = length.checked_sub(HEADER) else {
        line.put(" ip truncated");
        return;
    };
    let flags = data.be16(0);
    if flags & VERSION != 0 {
        line.put(" unknown version ").dec((flags >> 12 & 3).into());
        return;
    }
    if flags & INSTANCE != 0 {
        line.put(" vni ").dec(data.be24(4));
    }
    let protocol = if flags & NEXT_PROTOCOL != 0 { data.octet(3) } else { ETHERNET };
    if flags & BUM != 0 {
        line.put(" BUM");
    }
    if flags & OAM != 0 {
        line.put(" OAM (proto 0x").hex(protocol.into(), 1).put(", len ").dec(length).ch(b')');
        return;
    }
    line.put(": ");
    let inside = data.after(HEADER as usize);
    match protocol {
        0 => {
            line.put("Reserved");
        }
        1 => line.print_ip(inside, length),
        2 => line.print_ip6(inside, length),
        ETHERNET => line.print_ether(inside, length),
        5 => mpls::print(line, inside, length),
        // 4, a service header (NSH), is given by its number: see the crate
        _ => {
            line.put("Unassigned proto 0x").hex(protocol.into(), 1);
        }
    }
}
