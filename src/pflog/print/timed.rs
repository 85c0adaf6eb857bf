//! The time synchronization protocol of timed.

use super::*;

const TYPES: [&str; 25] = [
    "ANY",
    "ADJTIME",
    "ACK",
    "MASTERREQ",
    "MASTERACK",
    "SETTIME",
    "MASTERUP",
    "SLAVEUP",
    "ELECTION",
    "ACCEPT",
    "REFUSE",
    "CONFLICT",
    "RESOLVE",
    "QUIT",
    "DATE",
    "DATEREQ",
    "DATEACK",
    "TRACEON",
    "TRACEOFF",
    "MSITE",
    "MSITEREQ",
    "TEST",
    "SETDATE",
    "SETDATEREQ",
    "LOOP",
];
const LOOP: u8 = 24;
const NAME: usize = 12;
const MAX_NAME: usize = 256;

pub(super) fn print(line: &mut Text<'_>, data: &[u8]) {
    if message(line, data).is_none() {
        line.put(" [|timed]");
    }
}

/// None when something was not captured.
fn message(line: &mut Text<'_>, data: &[u8]) -> Option<()> {
    let need = |end: usize| data.has(end).then_some(());
    need(1)?;
    let kind = data.octet(0);
    match TYPES.get(usize::from(kind)) {
        Some(word) => line.put("TSP_").put(word),
        None => line.put("(tsp_type 0x").hex(kind.into(), 1).ch(b')'),
    };
    need(2)?;
    line.put(" vers ").dec(data.octet(1).into());
    need(4)?;
    // In the byte order of tcpdump's machine.
    line.put(" seq ").dec(data.le16(2).into());
    match kind {
        LOOP => {
            need(5)?;
            line.put(" hopcnt ").int(i32::from(data.octet(4).cast_signed()) as u32);
        }
        // Adjust, set time, set date and its request.
        1 | 5 | 22 | 23 => {
            need(12)?;
            line.put(" time ").dec(data.be32(4)).ch(b'.').dec6(data.be32(8));
        }
        _ => (),
    }
    line.put(" name ");
    let name = data.after(NAME);
    let cut = line.string(name.get(..MAX_NAME).unwrap_or(name));
    (!cut).then_some(())
}
