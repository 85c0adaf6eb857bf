//! IGRP, Cisco's.

use super::*;

const HEADER: usize = 12;
const ENTRY: usize = 14;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32, outer: Outer<'_>) {
    const OPERATIONS: [(u32, &str); 2] = [(1, "update"), (2, "request")];
    outer.pair(line).put(": igrp: ");
    if !data.has(HEADER) {
        line.put("[|igrp]");
        return;
    }
    let [mut interior, mut system, mut exterior] = [4, 6, 8].map(|at| data.be16(at));
    line.ch(b' ').word((data.octet(0) & 15).into(), &OPERATIONS, "op-#");
    line.put(" V").dec((data.octet(0) >> 4).into()).put(" edit=").dec(data.octet(1).into());
    line.put(" AS=").dec(data.be16(2).into()).put(" (").dec(interior.into());
    line.ch(b'/').dec(system.into()).ch(b'/').dec(exterior.into()).ch(b')');

    let mut length = length.wrapping_sub(HEADER as u32);
    let mut entry = data.after(HEADER);
    while length >= ENTRY as u32 && !line.full() {
        let (count, kind) = if interior > 0 {
            (&mut interior, Kind::Interior)
        } else if system > 0 {
            (&mut system, Kind::System)
        } else if exterior > 0 {
            (&mut exterior, Kind::Exterior)
        } else {
            line.put("[extra bytes ").int(length).ch(b']');
            break;
        };
        if !entry.has(ENTRY) {
            break;
        }
        *count -= 1;
        route(line, entry, kind);
        entry = entry.after(ENTRY);
        length -= ENTRY as u32;
    }
    if interior > 0 || system > 0 || exterior > 0 {
        line.put("[|igrp]");
    }
}

enum Kind {
    Interior,
    System,
    Exterior,
}

fn route(line: &mut Text<'_>, entry: &[u8], kind: Kind) {
    let [a, b, c] = entry.array(0);
    match kind {
        Kind::Interior => line.put(" *."),
        Kind::System => line.ch(b' '),
        Kind::Exterior => line.put(" X"),
    };
    line.dec(a.into()).ch(b'.').dec(b.into()).ch(b'.').dec(c.into());
    if !matches!(kind, Kind::Interior) {
        line.put(".0");
    }
    let (delay, bandwidth) = (entry.be24(3), entry.be24(6));
    line.put(" d=").dec(10 * delay);
    line.put(" b=").dec(10_000_000_u32.checked_div(bandwidth).unwrap_or(0));
    line.put(" r=").dec(entry.octet(11).into()).put(" l=").dec(entry.octet(12).into());
    line.put(" M=").dec((delay + bandwidth).min(0x00ff_ffff));
    line.put(" mtu=").dec(entry.be16(9).into());
    line.put(" in ").dec(entry.octet(13).into()).put(" hops");
}
