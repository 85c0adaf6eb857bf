//! TFTP: RFC 1350.

use super::*;

const ERRORS: [(u32, &str); 8] = [
    (0, "EUNDEF"),
    (1, "ENOTFOUND"),
    (2, "EACCESS"),
    (3, "ENOSPACE"),
    (4, "EBADOP"),
    (5, "EBADID"),
    (6, "EEXISTS"),
    (7, "ENOUSER"),
];

pub(super) fn print(line: &mut Text<'_>, data: &[u8], length: u32) {
    line.int(length);
    if body(line, data).is_none() {
        line.put(" [|tftp]");
    }
}

/// None when something was not captured.
fn body(line: &mut Text<'_>, data: &[u8]) -> Option<()> {
    let need = |end: usize| data.has(end).then_some(());
    need(2)?;
    match data.be16(0) {
        1 => quoted(line.put(" RRQ"), data.after(2)),
        2 => quoted(line.put(" WRQ"), data.after(2)),
        3 => block(line.put(" DATA"), data),
        4 => block(line.put(" ACK"), data),
        5 => {
            line.put(" ERROR");
            need(4)?;
            let code = u32::from(data.be16(2));
            match lookup(code, &ERRORS) {
                Some(word) => line.ch(b' ').put(word),
                // The quotation mark is tcpdump's.
                None => line.put(" tftp-err-#").dec(code).put(" \""),
            };
            quoted(line, data.after(4))
        }
        operation => {
            line.put(" tftp-#").dec(operation.into());
            Some(())
        }
    }
}

/// A string that ends with a NUL.
fn quoted(line: &mut Text<'_>, data: &[u8]) -> Option<()> {
    line.put(" \"");
    let cut = line.string(data);
    line.ch(b'"');
    (!cut).then_some(())
}

fn block(line: &mut Text<'_>, data: &[u8]) -> Option<()> {
    if !data.has(4) {
        return None;
    }
    line.put(" block ").dec(data.be16(2).into());
    Some(())
}
