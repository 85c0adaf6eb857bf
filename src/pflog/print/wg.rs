//! WireGuard, recognised on any port by the first word and the length of a message.

use super::*;

/// Prints a message; false when it is none of WireGuard's.
pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) -> bool {
    const MISSING: &str = "[|wg]";
    const DATA_OVERHEAD: u32 = 32;
    if !data.has(4) {
        return false;
    }
    match (data.le32(0), length) {
        (1, 148) => {
            line.put("[wg] initiation ");
            if data.has(8) {
                line.put("from 0x").hex(data.le32(4), 8);
                return true;
            }
        }
        (2, 92) => {
            line.put("[wg] response ");
            if data.has(12) {
                line.put("from 0x").hex(data.le32(4), 8);
                line.put(" to 0x").hex(data.le32(8), 8);
                return true;
            }
        }
        (3, 64) => {
            line.put("[wg] cookie ");
            if data.has(8) {
                line.put(" to 0x").hex(data.le32(4), 8);
                return true;
            }
        }
        (4, DATA_OVERHEAD..) => {
            match length - DATA_OVERHEAD {
                0 => line.put("[wg] keepalive "),
                len => line.put("[wg] data length ").dec(len).ch(b' '),
            };
            if data.has(16) {
                line.put("to 0x").hex(data.le32(4), 8).put(" nonce ").dec64(data.le64(8));
                return true;
            }
        }
        _ => return false,
    }
    line.put(MISSING);
    true
}
