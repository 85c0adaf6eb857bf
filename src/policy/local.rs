//! The administrator's own lists: the files of local_block and local_allow.

use core::fmt;

use prefix::{Items, ParseError, Prefix, quoted};

/// Longest line in octets, comment included, line end not.
pub const LOCAL_MAX_LINE: usize = 1024;
/// Most prefixes of a file.
pub const LOCAL_MAX_ENTRIES: usize = 1_000_000;
/// Most octets of a file; who reads it need not read further than one octet beyond.
pub const LOCAL_MAX_OCTETS: usize = 32 << 20;

/// A file of prefixes has a wrong line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalError {
    /// The name of the file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: LocalProblem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LocalProblem {
    /// Not a prefix; the text and the reason.
    NotPrefix(String, ParseError),
    /// A `!` before a prefix.
    Negated,
    /// Longer than [`LOCAL_MAX_LINE`].
    Line,
    /// More than [`LOCAL_MAX_ENTRIES`] prefixes.
    Entries,
    /// More than [`LOCAL_MAX_OCTETS`] octets.
    Octets,
}

impl fmt::Display for LocalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.problem)
    }
}

impl fmt::Display for LocalProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotPrefix(text, error) => write!(f, "{}: {error}", quoted(text)),
            Self::Negated => f.write_str("\"!\" has no meaning here: a file only adds prefixes"),
            Self::Line => write!(f, "the line has more than {LOCAL_MAX_LINE} octets"),
            Self::Entries => write!(f, "more than {LOCAL_MAX_ENTRIES} prefixes"),
            Self::Octets => write!(f, "the file has more than {LOCAL_MAX_OCTETS} octets"),
        }
    }
}

impl std::error::Error for LocalError {}

/// Reads a file of one prefix a line; `file` names it in messages.
///
/// A `#` begins a comment, blank lines and CR before LF do not count.
///
/// # Errors
/// [`LocalError`] at the first wrong line: a file is taken as a whole or not at all.
pub fn parse_local(file: &str, text: &[u8]) -> Result<Items, LocalError> {
    let mut items = Items::default();
    let mut octets = 0;
    for (index, line) in text.split(|octet| *octet == b'\n').enumerate() {
        octets += line.len() + 1;
        let push = if octets > LOCAL_MAX_OCTETS + 1 {
            Err(LocalProblem::Octets)
        } else if line.len() > LOCAL_MAX_LINE {
            Err(LocalProblem::Line)
        } else {
            parse_line(line)
        };
        let error = |problem| LocalError { file: file.to_owned(), line: index + 1, problem };
        let Some(prefix) = push.map_err(error)? else { continue };
        if items.len() == LOCAL_MAX_ENTRIES {
            return Err(error(LocalProblem::Entries));
        }
        items.push(prefix, false);
    }
    Ok(items)
}

fn parse_line(line: &[u8]) -> Result<Option<Prefix>, LocalProblem> {
    let end = line.iter().position(|octet| *octet == b'#').unwrap_or(line.len());
    // what is not UTF-8 is not an address either, and the parser says so
    let text = String::from_utf8_lossy(&line[..end]);
    let text = text.trim_ascii();
    if text.is_empty() {
        return Ok(None);
    }
    if text.starts_with('!') {
        return Err(LocalProblem::Negated);
    }
    let wrong = |error| LocalProblem::NotPrefix(text.to_owned(), error);
    text.parse().map(Some).map_err(wrong)
}

#[cfg(test)]
mod tests;
