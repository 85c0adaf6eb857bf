//! The header of IKE messages: RFC 2408, RFC 7296. Printed on two lines.

use super::*;

const HEADER: u32 = 28;
const ENCRYPTED: u8 = 1;
const COMMIT: u8 = 2;
const VERSION_2: u8 = 0x20;

const FIRST_EXCHANGES: [&str; 7] =
    ["NONE", "BASE", "ID_PROT", "AUTH_ONLY", "AGGRESSIVE", "INFO", "TRANSACTION"];
const QUICK_MODE: usize = 32;
const LATER_EXCHANGES: [&str; 7] = [
    "QUICK_MODE",
    "NEW_GROUP_MODE",
    "IKE_SA_INIT",
    "IKE_AUTH",
    "CREATE_CHILD_SA",
    "INFORMATIONAL",
    "IKE_SESSION_RESUME",
];

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    if length < HEADER {
        line.put(" [|isakmp]");
        return;
    }
    let version = data.octet(17);
    line.put("isakmp v").dec((version >> 4).into()).ch(b'.').dec((version & 15).into());
    line.put(" exchange ");
    let number = data.octet(18);
    let exchange = usize::from(number);
    let name = FIRST_EXCHANGES
        .get(exchange)
        .or_else(|| LATER_EXCHANGES.get(exchange.checked_sub(QUICK_MODE)?));
    match name {
        Some(name) => line.put(name),
        None if exchange < QUICK_MODE => line.put("unknown"),
        None => line.dec(number.into()).put(" (unknown)"),
    };
    let flags = data.octet(19);
    if flags & ENCRYPTED != 0 {
        line.put(" encrypted");
    }
    if flags & COMMIT != 0 {
        line.put(" commit");
    }
    line.put("\n\tcookie: ").hex_octets(&data.array::<8>(0));
    line.put("->").hex_octets(&data.array::<8>(8));
    if !data.has(24) {
        line.put(" [|isakmp]");
        return;
    }
    line.put(" msgid: ").hex(data.be32(20), 8);
    if !data.has(28) {
        line.put(" [|isakmp]");
        return;
    }
    line.put(" len: ").int(data.be32(24));
    if version > VERSION_2 {
        line.put(" new version");
    }
}
