//! HSRP: RFC 2281.

use super::*;

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    if message(line, data, length).is_none() {
        line.put("[|hsrp]");
    }
}

/// None when something was not captured.
fn message(line: &mut Text<'_>, data: &[u8], length: u32) -> Option<()> {
    const OPERATIONS: [&str; 3] = ["hello ", "coup ", "resign "];
    const STATES: [(u32, &str); 6] =
        [(0, "initial"), (1, "learn"), (2, "listen"), (4, "speak"), (8, "standby"), (16, "active")];
    let need = |end: usize| data.has(end).then_some(());
    need(1)?;
    let version = data.octet(0);
    line.put("HSRPv").dec(version.into());
    if version != 0 {
        return Some(());
    }
    need(2)?;
    let operation = data.octet(1);
    match OPERATIONS.get(usize::from(operation)) {
        Some(word) => line.ch(b'-').put(word),
        None => line.put("-unknown (").dec(operation.into()).put(") "),
    };
    line.int(length).put(": ");
    need(3)?;
    let state = u32::from(data.octet(2));
    match lookup(state, &STATES) {
        Some(word) => line.put("state=").put(word),
        None => line.put("state=Unknown (").dec(state).ch(b')'),
    };
    line.ch(b' ');
    need(7)?;
    line.put("group=").dec(data.octet(6).into()).ch(b' ');
    need(8)?;
    let reserved = data.octet(7);
    if reserved != 0 {
        line.put("[reserved=").dec(reserved.into()).put("!] ");
    }
    need(20)?;
    line.put("addr=").ip4(data.array(16));
    Some(())
}
