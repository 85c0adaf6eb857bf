//! Ethernet inside IP: EtherIP (RFC 3378) and what GRE, VXLAN and MPLS carry.
//!
//! Frames of LLC, with STP and CDP in them, and those of types that are rarer still, are shown in
//! hexadecimal, as tcpdump shows frames of types that it does not know: see the crate.

use super::*;

const HEADER: usize = 14;
/// Up to this number the type is a length, and LLC follows.
const MAX_LENGTH: u16 = 1500;

mod kind {
    pub const IP: u16 = 0x0800;
    pub const ARP: u16 = 0x0806;
    pub const REVERSE_ARP: u16 = 0x8035;
    pub const VLAN: u16 = 0x8100;
    pub const IP6: u16 = 0x86dd;
    pub const FLOW_CONTROL: u16 = 0x8808;
    pub const MPLS: u16 = 0x8847;
    pub const MPLS_MULTICAST: u16 = 0x8848;
    pub const EAPOL: u16 = 0x888e;
    pub const SERVICE_VLAN: u16 = 0x88a8;
    pub const BACKBONE: u16 = 0x88e7;
}

/// A frame.
pub(crate) fn print(line: &mut Line<'_>, data: &[u8], length: u32) {
    if !line.enter() {
        return;
    }
    if !data.has(HEADER) {
        line.put("[|ether]");
        return;
    }
    header(line, data, length);
    line.set_link(data);
    let inside = data.after(HEADER);
    if !payload(line, data.be16(12), inside, length.wrapping_sub(HEADER as u32)) {
        line.dump(data);
    }
}

/// A frame behind the header of EtherIP.
pub(crate) fn print_etherip(line: &mut Line<'_>, data: &[u8], length: u32) {
    const MISSING: &str = "[|etherip]";
    line.put("etherip ");
    if !line.enter() || !data.has(2) {
        line.put(MISSING);
        return;
    }
    let size = match data.octet(0) >> 4 {
        2 => 1,
        3 => 2,
        _ => {
            line.put("unknown len ").int(length);
            return;
        }
    };
    line.dec(size + 1).put(" len ").int(length).put(": ");
    let (frame, length) = (data.after(size as usize), length.wrapping_sub(size));
    if !frame.has(HEADER) {
        line.put("[|ether] [|ether]");
        return;
    }
    header(line, frame, length);
    let inside = frame.after(HEADER);
    if !payload(line, frame.be16(12), inside, length.wrapping_sub(HEADER as u32)) {
        line.dump(inside);
    }
}

/// Source, destination, type and length.
fn header(line: &mut Line<'_>, data: &[u8], length: u32) {
    line.ether(data.array(6)).ch(b' ').ether(data.array(0)).ch(b' ');
    line.hex(data.be16(12).into(), 4).ch(b' ').int(length).put(": ");
}

/// What is inside a frame; false when its type is unknown.
fn payload(line: &mut Line<'_>, mut kind: u16, mut data: &[u8], mut length: u32) -> bool {
    loop {
        match kind {
            0..=MAX_LENGTH => return false,
            kind::IP => line.print_ip(data, length),
            kind::IP6 => line.print_ip6(data, length),
            kind::ARP | kind::REVERSE_ARP => arp::print(line, data, length),
            kind::MPLS | kind::MPLS_MULTICAST => mpls::print(line, data, length),
            kind::FLOW_CONTROL => flow_control(line, data, length),
            kind::EAPOL => eapol(line, data, length),
            kind::BACKBONE => backbone(line, data, length),
            kind::VLAN | kind::SERVICE_VLAN => {
                if line.full() {
                    return true;
                }
                line.put(if kind == kind::VLAN { "802.1Q vid " } else { "QinQ svid " });
                let tag = data.be16(0);
                line.dec((tag & 0xfff).into()).put(" pri ").dec(priority(tag.into(), 13));
                line.put(if tag & 0x1000 != 0 { " dei " } else { " " });
                kind = data.be16(2);
                data = data.after(4);
                length = length.wrapping_sub(4);
                if kind <= MAX_LENGTH {
                    return true;
                }
                continue;
            }
            _ => return false,
        }
        return true;
    }
}

/// The priority in the top bits of a tag: 0 and 1 change places (IEEE 802.1Q).
fn priority(tag: u32, shift: u32) -> u32 {
    match tag >> shift {
        0 => 1,
        1 => 0,
        other => other,
    }
}

fn flow_control(line: &mut Line<'_>, data: &[u8], length: u32) {
    const PAUSE: u16 = 1;
    const MISSING: &str = "[|MACCTL]";
    line.put("MACCTL");
    if length < 2 {
        line.put(MISSING);
    } else if data.be16(0) != PAUSE {
        line.put(" unknown-opcode(0x").hex(data.be16(0).into(), 4).ch(b')');
    } else if length < 4 {
        line.put(" PAUSE").put(MISSING);
    } else {
        line.put(" PAUSE quanta ").dec(512 * u32::from(data.be16(2)));
    }
}

/// Port authentication, IEEE 802.1X.
fn eapol(line: &mut Line<'_>, data: &[u8], length: u32) {
    const TYPES: [(u8, &str); 8] = [
        (0, " EAP"),
        (1, " Start"),
        (2, " Logoff"),
        (3, " Key"),
        (5, " MKA"),
        (6, " Announcement (Generic)"),
        (7, " Announcement (Specific)"),
        (8, " Announcement Req"),
    ];
    line.put("EAPOL");
    if !data.has(4) {
        line.put(" [|eapol] ");
        return;
    }
    let (kind, claimed) = (data.octet(1), u32::from(data.be16(2)));
    let left = length.wrapping_sub(4);
    if left < claimed {
        line.put(" truncated-eapol - ").dec(claimed - left).put(" bytes missing!");
    }
    match TYPES.iter().find(|entry| entry.0 == kind) {
        Some((_, word)) => line.put(word),
        None => line.put(" unknown (").dec(kind.into()).ch(b')'),
    };
}

/// Provider backbone bridging: a frame in a frame.
fn backbone(line: &mut Line<'_>, data: &[u8], length: u32) {
    if !data.has(4) {
        line.put("[|pbb] ");
        return;
    }
    let tag = data.be32(0);
    line.put("802.1Q ivid ").dec(tag & 0x00ff_ffff).put(" pri ").dec(priority(tag, 29)).ch(b' ');
    if tag & 1 << 28 != 0 {
        line.put("dei ");
    }
    if tag & 1 << 27 != 0 {
        line.put("uca ");
    }
    let reserved = tag >> 24 & 7;
    if reserved != 0 {
        line.put("res ").dec(reserved).put("! ");
    }
    print(line, data.after(4), length.wrapping_sub(4));
}
