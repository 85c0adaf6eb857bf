//! IPsec: ESP and AH (RFC 4303, 4302), IPComp (RFC 3173), and ESP and IKE in UDP (RFC 3948).

use super::*;

/// Parameter index, sequence number and length of an encrypted payload.
pub(super) fn esp(line: &mut Text<'_>, data: &[u8], length: u32) {
    if length < 8 {
        line.put("[|esp]");
        return;
    }
    line.put("esp spi 0x").hex(data.be32(0), 8).put(" seq ").dec(data.be32(4));
    line.put(" len ").int(length);
}

/// The same of an authentication header, with the addresses.
pub(super) fn ah(line: &mut Text<'_>, data: &[u8], length: u32, outer: Outer<'_>) {
    outer.pair(line.put("ah "));
    if length < 12 {
        line.put("[|ah]");
        return;
    }
    line.put(" spi 0x").hex(data.be32(4), 8).put(" seq ").dec(data.be32(8));
    line.put(" len ").int(length);
}

/// A compressed payload.
pub(super) fn ipcomp(line: &mut Text<'_>, data: &[u8], length: u32, outer: Outer<'_>) {
    outer.pair(line.put("ipcomp "));
    if length < 4 {
        line.put("[|ipcomp]");
        return;
    }
    line.put(" cpi 0x").hex_upper(data.be16(2).into(), 4);
    line.put(" flags ").hex(data.octet(1).into(), 1).put(" next ").hex(data.octet(0).into(), 1);
}

/// Port 4500: ESP, or IKE behind four octets of zero.
pub(super) fn in_udp(line: &mut Text<'_>, data: &[u8], length: u32) {
    const KEEPALIVE: u8 = 0xff;
    const MARKER: u32 = 4;
    if length == 1 && data.octet(0) == KEEPALIVE {
        line.put("NAT-T Keepalive");
    } else if length < MARKER {
        line.put("[|udpencap]");
    } else {
        line.put("udpencap: ");
        if data.be32(0) == 0 {
            ike::print(line, data.after(4), length - MARKER);
        } else {
            esp(line, data, length);
        }
    }
}
