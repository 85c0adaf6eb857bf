//! pfsync(4): only its header. tcpdump shows the states too, each on lines of its own, and ends
//! the line behind the packet.

use super::*;

const HEADER: usize = 20;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], outer: Outer<'_>) {
    outer.source(line).put(": ");
    if data.has(HEADER) {
        line.put("PFSYNCv").dec(data.octet(0).into()).put(" len ").dec(data.be16(2).into());
    } else {
        line.put("[|pfsync]");
    }
}
