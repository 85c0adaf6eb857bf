//! Audio of vat and vt.

use super::*;

/// `ulen` is the length in the UDP header.
pub(super) fn print(line: &mut Text<'_>, data: &[u8], ulen: u16) {
    // In the byte order of tcpdump's machine.
    let stamp = u32::from(data.le16(0));
    let length = u32::from(ulen).wrapping_sub(8);
    if stamp & 0xf060 != 0 {
        line.put("udp/vt ").dec(length).ch(b' ').dec(stamp & 0x3ff).put(" / ").dec(stamp >> 10);
        return;
    }
    let (flags, time) = (data.be32(0), data.be32(4));
    line.put("udp/vat ").dec(length.wrapping_sub(8)).put(" c").dec(flags & 0xffff);
    line.ch(b' ').dec(time).put(if flags & 0x0080_0000 != 0 { "*" } else { "" });
    if flags & 0x001f_0000 != 0 {
        line.put(" f").dec(flags >> 16 & 0x1f);
    }
    if flags & 0x3f00_0000 != 0 {
        line.put(" s").dec(flags >> 24 & 0x3f);
    }
}
