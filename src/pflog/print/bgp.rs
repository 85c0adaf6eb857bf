//! BGP: RFC 4271. The headers of messages; of their bodies tcpdump shows more, when they are
//! captured, and begins a line for a bad length.

use super::*;

const HEADER: usize = 19;
const MARKER: [u8; 16] = [0xff; 16];
const TYPES: [&str; 5] = ["OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "ROUTE-REFRESH"];

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    line.put(": BGP");
    let mut at = 0;
    let mut gap = false;
    let end = captured(data, length);
    while at < end && data.has(at + MARKER.len()) && !line.full() {
        if data.array(at) != MARKER {
            at += 1;
            gap = true;
            continue;
        }
        if !data.has(at + HEADER) {
            line.put(" [|BGP]");
            return;
        }
        if gap {
            line.put(" [|BGP]");
            gap = false;
        }
        let size = usize::from(data.be16(at + 16));
        let kind = data.octet(at + 18);
        line.ch(b' ');
        if size < HEADER {
            line.put("[|BGP Bogus header length ").dec(size as u32).put(" < 19]");
            return;
        }
        let whole = data.has(at + size);
        line.put(if whole { "(" } else { "[|BGP " });
        match TYPES.get(usize::from(kind).wrapping_sub(1)) {
            Some(name) => line.put(name),
            None => line.ch(b'#').dec(kind.into()),
        };
        line.put(if whole { ")" } else { "]" });
        if !whole {
            return;
        }
        at += size;
    }
}
