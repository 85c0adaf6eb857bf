//! VQP, Cisco's query for VLAN membership. Without -v tcpdump shows the header.

use super::*;

pub(super) fn print(line: &mut Text<'_>, data: &[u8]) {
    if header(line, data).is_none() {
        line.put("[|vqp]");
    }
}

/// None when something was not captured.
fn header(line: &mut Text<'_>, data: &[u8]) -> Option<()> {
    const OPERATIONS: [(u8, &str); 4] =
        [(1, "Join"), (2, "JoinResp"), (3, "Reconfirm"), (4, "ReconfirmResp")];
    const RESULTS: [(u8, &str); 6] = [
        (0, "NoError"),
        (1, "WrongVersion"),
        (2, "InsufficientResources"),
        (3, "Deny"),
        (4, "Shutdown"),
        (5, "WrongMgmtDomain"),
    ];
    let need = |end: usize| data.has(end).then_some(());
    need(1)?;
    let version = data.octet(0);
    line.put("VQPv").dec(version.into());
    if version != 1 {
        return Some(());
    }
    need(2)?;
    line.ch(b'-');
    word(line, data.octet(1), &OPERATIONS);
    need(3)?;
    line.put(" rcode:");
    word(line, data.octet(2), &RESULTS);
    need(8)?;
    line.put(" xid:0x").hex(data.be32(4), 8).put(" dcount:").dec(data.octet(3).into());
    Some(())
}

fn word(line: &mut Text<'_>, number: u8, table: &[(u8, &str)]) {
    match table.iter().find(|entry| entry.0 == number) {
        Some((_, word)) => line.put(word),
        None => line.put("unknown(").hex(number.into(), 1).ch(b')'),
    };
}
