//! Names and character strings of DNS messages: RFC 1035 section 4.1.4, and the bit labels of
//! RFC 2673.

use super::*;

/// The two top bits of a label's first octet tell its kind.
const KIND: u8 = 0xc0;
const POINTER: u8 = 0xc0;
const EXTENDED: u8 = 0x40;
const BIT_LABEL: u8 = 1;

/// The position behind a name; none when it was not captured whole or has an unknown label.
pub(super) fn skip(message: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let label = octet(message, at)?;
        at += 1;
        match label & KIND {
            _ if label == 0 => return Some(at),
            POINTER => return Some(at + 1),
            EXTENDED if label & !KIND != BIT_LABEL => return None,
            EXTENDED => at += 1 + octet(message, at).map(bits)?.div_ceil(8),
            _ => at += usize::from(label),
        }
    }
}

/// Prints a name with a dot behind each label and returns the position behind it; none when
/// something is missing or the pointers of the name run in a circle.
pub(super) fn print(line: &mut Line<'_>, message: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    let mut size = label_size(line, message, at)?;
    let mut label = octet(message, at)?;
    at += 1;
    if label == 0 {
        line.ch(b'.');
        return Some(at);
    }
    let mut behind = None;
    let mut own = at + size;
    let mut seen = 1;
    while label != 0 && at < message.len() {
        if line.full() {
            return None;
        }
        if label & KIND == POINTER {
            if !line.follow() {
                return None;
            }
            behind = behind.or(Some(at + 1));
            at = usize::from(u16::from_be_bytes([label, octet(message, at)?]) & 0x3fff);
            size = label_size(line, message, at)?;
            label = octet(message, at)?;
            at += 1;
            seen += 1;
            // So many steps look at something a second time.
            if seen >= message.len() {
                line.put("<LOOP>");
                return None;
            }
            continue;
        }
        if label & KIND == EXTENDED {
            bit_label(line, message, at)?;
        } else {
            characters(line, message, at, size)?;
        }
        line.ch(b'.');
        at += size;
        seen += size + 1;
        size = label_size(line, message, at)?;
        label = octet(message, at)?;
        at += 1;
        own += size + 1;
    }
    Some(behind.unwrap_or(own))
}

/// Prints a character string and returns the position behind it.
pub(super) fn character_string(line: &mut Line<'_>, message: &[u8], at: usize) -> Option<usize> {
    let size = usize::from(octet(message, at)?);
    characters(line, message, at + 1, size)?;
    Some(at + 1 + size)
}

/// Prints `size` octets as a name; none when the capture ends before or with them.
pub(super) fn characters(
    line: &mut Line<'_>,
    message: &[u8],
    at: usize,
    size: usize,
) -> Option<()> {
    let rest = message.after(at);
    line.bounded_name(rest.get(..size).unwrap_or(rest));
    (rest.len() > size).then_some(())
}

fn octet(message: &[u8], at: usize) -> Option<u8> {
    message.get(at).copied()
}

/// How many octets follow the first of a label. Says so when it is of an unknown kind.
fn label_size(line: &mut Line<'_>, message: &[u8], at: usize) -> Option<usize> {
    let label = octet(message, at)?;
    if label & KIND != EXTENDED {
        return Some(usize::from(label));
    }
    let kind = label & !KIND;
    if kind != BIT_LABEL {
        line.put("<ELT ").dec(kind.into()).ch(b'>');
        return None;
    }
    Some(octet(message, at + 1).map(bits)?.div_ceil(8) + 1)
}

/// The number of bits in a bit label.
fn bits(count: u8) -> usize {
    if count == 0 { 256 } else { usize::from(count) }
}

/// Prints a bit label: hexadecimal digits and the number of bits.
fn bit_label(line: &mut Line<'_>, message: &[u8], at: usize) -> Option<()> {
    let count = bits(octet(message, at)?);
    line.put("\\[x");
    let complete = bit_digits(line, message, at + 1, count);
    if complete.is_none() {
        line.put("...");
    }
    line.ch(b'/').dec(count as u32).ch(b']');
    complete
}

fn bit_digits(line: &mut Line<'_>, message: &[u8], at: usize, count: usize) -> Option<()> {
    let whole = count / 8;
    for n in 0..whole {
        line.hex(octet(message, at + n)?.into(), 2);
    }
    let rest = count % 8;
    if rest == 0 {
        return Some(());
    }
    let last = octet(message, at + whole)?;
    if rest > 4 {
        // The octet is signed in tcpdump and masked with more than eight bits.
        let wide = i32::from(last.cast_signed()) & 0xff << (8 - rest);
        line.hex(wide.cast_unsigned(), 2);
    } else {
        line.hex(u32::from(last >> 4) & 0x0f << (4 - rest), 1);
    }
    Some(())
}
