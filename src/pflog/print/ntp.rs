//! NTP: RFC 5905. Without -v tcpdump shows the first four octets.

use super::*;

/// The size of a message without extensions and authentication.
const USUAL_LENGTH: u32 = 48;

const LEAP: [&str; 4] = ["", " +1s", " -1s", " alarm"];
const MODES: [&str; 8] =
    [" unspec", " sym_act", " sym_pas", " client", " server", " bcast", " res1", " res2"];

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    if length != USUAL_LENGTH {
        line.put(" [len=").int(length).ch(b']');
    }
    if let Some(&status) = data.first() {
        line.ch(b'v').dec((status >> 3 & 7).into());
        line.put(LEAP[usize::from(status >> 6)]).put(MODES[usize::from(status & 7)]);
    }
    let fields = [" strat ", " poll "];
    for (name, octet) in fields.into_iter().zip(data.iter().skip(1)) {
        line.put(name).dec((*octet).into());
    }
    match data.get(3) {
        Some(precision) => line.put(" prec ").int(i32::from(precision.cast_signed()) as u32),
        None => line.put(" [|ntp]"),
    };
}
