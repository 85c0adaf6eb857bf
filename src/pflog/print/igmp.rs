//! IGMP, RFC 1112 and 2236, with the multicast protocols that use its number: DVMRP (RFC
//! 1075), PIM version 1, and mtrace.

use super::*;

const HEADER: usize = 8;
const USUAL_LENGTH: u32 = 8;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32, outer: Outer<'_>) {
    outer.pair(line).put(": ");
    if !data.has(HEADER) {
        line.put("[|igmp]");
        return;
    }
    let kind = data.octet(0);
    let group = data.array(4);
    match kind {
        0x11 => {
            line.put("igmp query");
            if group != [0; 4] {
                line.put(" [gaddr ").ip4(group).ch(b']');
            }
            odd_length(line, length);
        }
        0x12 => {
            line.put("igmp report ").ip4(group);
            odd_length(line, length);
        }
        0x16 => {
            line.put("igmp nreport ").ip4(group);
        }
        0x17 => {
            line.put("igmp leave ").ip4(group);
        }
        0x13 => {
            line.put("igmp dvmrp");
            if length < USUAL_LENGTH {
                odd_length(line, length);
            } else {
                dvmrp(line, data, length);
            }
        }
        0x14 => {
            line.put("igmp pim");
            pim(line, data);
        }
        0x1e => trace(line.put("mresp "), data),
        0x1f => trace(line.put("mtrace "), data),
        _ => {
            line.put("igmp-").dec((kind & 15).into());
        }
    }
    if kind >> 4 != 1 {
        line.put(" [v").dec((kind >> 4).into()).ch(b']');
    }
    if !data.has(length as usize) {
        line.put("[|igmp]");
    }
}

fn odd_length(line: &mut Text<'_>, length: u32) {
    if length != USUAL_LENGTH {
        line.put(" [len ").int(length).ch(b']');
    }
}

/// A traceroute of multicast. tcpdump takes the query's number in its machine's byte order.
fn trace(line: &mut Text<'_>, data: &[u8]) {
    let reply_to = data.array(16);
    let query = data.le32(20);
    line.dec(query & 0x00ff_ffff).put(": ").ip4(data.array(8)).put(" to ").ip4(data.array(12));
    line.put(" reply-to ").ip4(reply_to);
    if reply_to[0] >> 4 == 14 {
        line.put(" with-ttl ").dec(query >> 24);
    }
}

/// The type of a PIM message.
pub(super) fn pim(line: &mut Text<'_>, data: &[u8]) {
    const TYPES: [&str; 9] = [
        " Query",
        " Register",
        " Register-Stop",
        " Join/Prune",
        " RP-reachable",
        " Assert",
        " Graft",
        " Graft-ACK",
        " Mode",
    ];
    if data.is_empty() {
        return;
    }
    let kind = data.octet(1);
    match TYPES.get(usize::from(kind)) {
        Some(name) => line.put(name),
        None => line.put(" [type ").dec(kind.into()).ch(b']'),
    };
}

const CUT: &str = " [|]";

fn dvmrp(line: &mut Text<'_>, data: &[u8], length: u32) {
    let body = data.after(HEADER);
    let length = length - USUAL_LENGTH;
    match data.octet(1) {
        1 => {
            line.put(" Probe");
        }
        2 => {
            line.put(" Report");
        }
        3 => {
            line.put(" Ask-neighbors(old)");
        }
        4 => neighbors(line.put(" Neighbors(old)"), body, length),
        5 => {
            line.put(" Ask-neighbors2");
        }
        6 => {
            // Version and capabilities stand where IGMP has the group.
            line.put(" Neighbors2 (v ").dec(data.octet(7).into());
            line.ch(b'.').dec(data.octet(6).into()).put("):");
            neighbors2(line, body, length);
        }
        7 => {
            line.put(" Prune");
            if source_and_group(line, body, length, 12) {
                line.put(" timer ").int(body.be32(8));
            }
        }
        8 => {
            source_and_group(line.put(" Graft"), body, length, 8);
        }
        9 => {
            source_and_group(line.put(" Graft-ACK"), body, length, 8);
        }
        kind => {
            line.put(" [type ").dec(kind.into()).ch(b']');
        }
    }
}

/// Prints the beginning of a message of `size` octets; false when it is not there.
fn source_and_group(line: &mut Text<'_>, body: &[u8], length: u32, size: usize) -> bool {
    if captured(body, length) < size {
        line.put(CUT);
        return false;
    }
    line.put(" src ").ip4(body.array(0)).put(" grp ").ip4(body.array(4));
    true
}

/// Local addresses with their neighbors. tcpdump never looks at the last captured octet.
fn neighbors(line: &mut Text<'_>, mut body: &[u8], mut length: u32) {
    while length > 0 && !body.is_empty() && !line.full() {
        if length < 7 || !body.has(8) {
            line.put(CUT);
            return;
        }
        let local = body.array(0);
        let (metric, threshold, mut count) = (body.octet(4), body.octet(5), body.octet(6));
        (body, length) = (body.after(7), length - 7);
        while count > 0 && length >= 4 && body.has(5) && !line.full() {
            line.put(" [").ip4(local).put(" -> ").ip4(body.array(0)).put(", (");
            line.dec(metric.into()).ch(b'/').dec(threshold.into()).put(")]");
            (body, length, count) = (body.after(4), length - 4, count - 1);
        }
    }
}

fn neighbors2(line: &mut Text<'_>, mut body: &[u8], mut length: u32) {
    const FLAGS: [(u8, &str); 5] = [
        (0x01, "/tunnel"),
        (0x02, "/srcrt"),
        (0x40, "/querier"),
        (0x20, "/disabled"),
        (0x10, "/down"),
    ];
    while length > 0 && !body.is_empty() && !line.full() {
        if length < 8 || !body.has(9) {
            line.put(CUT);
            return;
        }
        let local = body.array(0);
        let (metric, threshold, flags) = (body.octet(4), body.octet(5), body.octet(6));
        let mut count = body.octet(7);
        (body, length) = (body.after(8), length - 8);
        while count > 0 && length >= 4 && body.has(4) && !line.full() {
            line.put(" [").ip4(local).put(" -> ").ip4(body.array(0)).put(" (");
            line.dec(metric.into()).ch(b'/').dec(threshold.into());
            for (_, word) in FLAGS.iter().filter(|entry| flags & entry.0 != 0) {
                line.put(word);
            }
            line.put(")]");
            (body, length, count) = (body.after(4), length - 4, count - 1);
        }
        if count > 0 {
            line.put(CUT);
            return;
        }
    }
}
