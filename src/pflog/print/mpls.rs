//! MPLS: RFC 3032, with the control word of RFC 4385.

use super::*;

pub(super) fn print(line: &mut Line<'_>, mut data: &[u8], mut length: u32) {
    if !line.enter() {
        return;
    }
    let label = loop {
        if !data.has(4) || line.full() {
            line.put("[|mpls]");
            return;
        }
        let entry = data.be32(0);
        data = data.after(4);
        length = length.wrapping_sub(4);
        line.put("MPLS(label ").dec(entry >> 12).put(", exp ").dec(entry >> 9 & 7);
        line.put(", ttl ").dec(entry & 0xff).put(") ");
        if entry & 0x100 != 0 {
            break entry >> 12;
        }
    };
    let word = data.be32(0);
    let control = length >= 4 && word >> 28 == 0;
    if control {
        data = data.after(4);
        // tcpdump adds where it should subtract.
        length = length.wrapping_add(4);
        line.put("CW(frag ").dec(word >> 16 & 0x30).put(", sequence ").dec(word & 0xffff).put(") ");
    }
    match label {
        0 => line.print_ip(data, length),
        1 => {
            line.put("Route-Alert");
        }
        2 => line.print_ip6(data, length),
        3 => {
            line.put("Implicit-NULL");
        }
        4..16 => (),
        _ if length == 0 => (),
        _ => match data.first().map(|first| first >> 4) {
            Some(4) => line.print_ip(data, length),
            Some(6) => line.print_ip6(data, length),
            Some(_) => (),
            None => {
                line.put("[|mpls]");
                return;
            }
        },
    }
    if control {
        line.print_ether(data, length);
    }
}
