//! One entry a line, with comments: what most public lists are.

use memchr::memchr;

use crate::entry::{Entry, is_name};
use crate::refused::Refused;
use crate::taken::Taken;

/// Octets of a line that are looked at; what comes behind them is comment.
pub const LONGEST_LINE: usize = 512;

/// Takes lines apart.
#[derive(Default)]
pub(crate) struct Lines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// Whether some of that line was left out.
    cut: bool,
    line: u64,
}

impl Lines {
    /// Takes the next octets.
    ///
    /// # Errors
    /// As soon as the list cannot be taken any more.
    pub(crate) fn push(&mut self, mut octets: &[u8], taken: &mut Taken) -> Result<(), Refused> {
        while let Some(end) = memchr(b'\n', octets) {
            let line = &octets[..end];
            octets = &octets[end + 1..];
            if self.begun.is_empty() && line.len() <= LONGEST_LINE {
                self.line += 1;
                take(line, false, self.line, taken)?;
            } else {
                self.begin(line);
                self.end(taken)?;
            }
        }
        self.begin(octets);
        Ok(())
    }

    /// Takes the end of the octets.
    ///
    /// # Errors
    /// When the list cannot be taken.
    pub(crate) fn finish(mut self, taken: &mut Taken) -> Result<(), Refused> {
        if self.begun.is_empty() { Ok(()) } else { self.end(taken) }
    }

    fn begin(&mut self, octets: &[u8]) {
        let room = LONGEST_LINE - self.begun.len();
        self.begun.extend_from_slice(&octets[..octets.len().min(room)]);
        self.cut |= octets.len() > room;
    }

    fn end(&mut self, taken: &mut Taken) -> Result<(), Refused> {
        self.line += 1;
        take(&self.begun, self.cut, self.line, taken)?;
        self.begun.clear();
        self.cut = false;
        Ok(())
    }
}

/// Takes one line, of which some may be left out at its end.
fn take(line: &[u8], cut: bool, number: u64, taken: &mut Taken) -> Result<(), Refused> {
    let text = line.trim_ascii();
    match text {
        [] => return Ok(()),
        [b'#' | b';', ..] | [b'/', b'/', ..] => {
            taken.comment();
            return Ok(());
        }
        _ => {}
    }
    let (field, rest) = field(text);
    let entry = match rest {
        // where the line was cut, so may have been its only field
        [] if cut => None,
        [] => Entry::parse(field),
        _ => wider(field, rest).or_else(|| Entry::parse(field)),
    };
    match entry {
        Some(entry) => return taken.entry(entry),
        None if is_name(field) => taken.name(number, text),
        None => taken.wrong(number, text),
    }
    Ok(())
}

/// The first field, and the rest of the line with what ended the field.
fn field(text: &[u8]) -> (&[u8], &[u8]) {
    let end =
        text.iter().position(|octet| matches!(octet, b' ' | b'\t' | b';' | b'#' | b',' | b'|'));
    text.split_at(end.unwrap_or(text.len()))
}

/// An entry of more than the first field: `first - last`, and DShield's `first last length`. Taken
/// by its first field alone, a range would be blocked in its first address only.
fn wider(first: &[u8], rest: &[u8]) -> Option<Entry> {
    let rest = rest.trim_ascii_start();
    match rest.first()? {
        b'-' => Entry::range(first, field(rest[1..].trim_ascii_start()).0),
        b'0'..=b'9' => {
            let (last, rest) = field(rest);
            Entry::columns(first, last, field(rest.trim_ascii_start()).0)
        }
        _ => None,
    }
}
