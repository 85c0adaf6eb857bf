//! Kerberos, versions 1 to 5. tcpdump was written for version 4 and stops at the first thing
//! that it wants to print of one: its test for the end of the capture looks at the wrong
//! pointer.

use super::*;

const MISSING: &str = " [|kerberos]";

/// Types of version 4; their lowest bit is the byte order.
const TYPES: [(u32, &str); 9] = [
    (2, "KDC_REQUEST"),
    (4, "KDC_REPLY"),
    (6, "APPL_REQUEST"),
    (8, "APPL_REQUEST_MUTUAL"),
    (10, "ERR_REPLY"),
    (12, "PRIVATE"),
    (14, "SAFE"),
    (16, "APPL_ERR"),
    (126, "DIE"),
];

pub(super) fn print(line: &mut Text<'_>, data: &[u8]) {
    let Some(&version) = data.first() else {
        line.put(MISSING);
        return;
    };
    match version {
        1..=3 => {
            line.ch(b'v').dec(version.into());
        }
        4 => {
            line.put("v4");
            if !data.has(2) {
                line.put(MISSING);
                return;
            }
            let kind = data.octet(1) & 0xfe;
            line.put(if data.octet(1) & 1 != 0 { " le " } else { " be " });
            line.word(kind.into(), &TYPES, "#").put(": ");
            line.put(if matches!(kind, 2 | 4 | 6 | 10) { MISSING } else { "(unknown)" });
        }
        // Tags of ASN.1: an error of version 5, a request, a reply.
        106 | 107 => {
            line.put("v5");
        }
        _ => (),
    }
}
