//! CARP, version 2 of OpenBSD.

use super::*;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32, ttl: u8) {
    const ADVERTISEMENT: u8 = 1;
    if data.is_empty() {
        line.put("[|carp]");
        return;
    }
    let (version, kind) = (data.octet(0) >> 4, data.octet(0) & 15);
    line.put("CARPv").dec(version.into());
    line.put(if kind == ADVERTISEMENT { "-advertise " } else { "-unknown " });
    line.int(length).put(": ");
    if ttl != 255 {
        line.put("[ttl=").dec(ttl.into()).put("!] ");
    }
    if version != 2 || kind != ADVERTISEMENT {
        return;
    }
    if !data.has(6) {
        line.put("[|carp]");
        return;
    }
    line.put("vhid=").dec(data.octet(1).into()).put(" advbase=").dec(data.octet(5).into());
    line.put(" advskew=").dec(data.octet(2).into()).put(" demote=").dec(data.octet(4).into());
}
