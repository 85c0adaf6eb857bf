//! Minimal encapsulation within IP: RFC 2004.

use super::*;

const HEADER: u32 = 8;
/// Bit of the second octet: the header has the original source too.
const WITH_SOURCE: u16 = 0x0080;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    if length < HEADER {
        line.put("[|mobile]");
        return;
    }
    let with_source = data.be16(0) & WITH_SOURCE != 0;
    line.put(if with_source { "[S] " } else { "[] " });
    let words = if with_source { 6 } else { 4 };
    let sum: u32 = (0..words).map(|n| u32::from(data.be16(n * 2))).sum();
    // The sum of complements of a correct header is all ones.
    let folded = (sum >> 16) + (sum & 0xffff);
    if (folded + (folded >> 16)) as u16 != 0xffff {
        line.put(" (bad checksum ").dec(data.be16(2).into()).ch(b')');
    }
}
