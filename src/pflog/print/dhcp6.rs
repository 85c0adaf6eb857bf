//! DHCPv6: RFC 8415. Without -v tcpdump shows the type and the transaction.

use super::*;

const TYPES: [(u32, &str); 11] = [
    (1, "Solicit"),
    (2, "Advertise"),
    (3, "Request"),
    (4, "Confirm"),
    (5, "Renew"),
    (6, "Rebind"),
    (7, "Reply"),
    (8, "Release"),
    (9, "Decline"),
    (10, "Reconfigure"),
    (11, "Information-request"),
];

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    const MISSING: &str = " [|dhcp6]";
    const SHORT: &str = " ip truncated";
    line.put("DHCPv6");
    let Some(&kind) = data.first() else {
        line.put(MISSING);
        return;
    };
    if length < 1 {
        line.put(SHORT);
        return;
    }
    match (kind, lookup(kind.into(), &TYPES)) {
        (12, _) => line.put(" Relay-forward"),
        (13, _) => line.put(" Relay-reply"),
        (_, None) => line.put(" unknown message type ").dec(kind.into()),
        (_, Some(name)) => {
            line.ch(b' ').put(name);
            if !data.has(4) {
                line.put(MISSING)
            } else if length < 4 {
                line.put(SHORT)
            } else {
                line.put(" xid ").hex(data.be24(1), 1)
            }
        }
    };
}
