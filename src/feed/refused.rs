//! Why a list is not taken.

use core::fmt;

use prefix::quoted;

use crate::excerpt::grouped;
use crate::told::Told;

/// Why a list is not taken, as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its first octet that is no blank is `<`.
    Html,
    /// No prefix at all.
    Empty(Told),
    /// More than 20 and more than 5 % of the lines are neither prefix, host name, comment nor blank.
    Wrong(Told),
    /// More prefixes than this.
    Entries(usize),
    /// The head line of comma-separated values has no column of this name.
    Column(String),
    /// A quoted field that begins in this record, counted by its line, has no end.
    Quotes(u64),
    /// Not a JSON document: the line, and why.
    Json(u64, &'static str),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Html => f.write_str("a web page (HTML) and no list: look where url leads to"),
            Self::Empty(told) => {
                f.write_str("no prefix in it")?;
                match &told.first {
                    Some(first) => write!(f, ", first: {first}; look at url and format"),
                    None => f.write_str(": look at url and format"),
                }
            }
            Self::Wrong(told) => {
                let (wrong, lines) = (grouped(told.wrong), grouped(told.lines));
                write!(f, "{wrong} of {lines} lines are no prefix")?;
                if let Some(first) = &told.first {
                    write!(f, ", first: {first}")?;
                }
                f.write_str("; look at format")
            }
            Self::Entries(most) => {
                write!(f, "more than {} entries: raise max_entries if that is meant", {
                    grouped(*most as u64)
                })
            }
            Self::Column(name) => {
                write!(f, "no column {} in its head line: look at format", quoted(name))
            }
            Self::Quotes(line) => write!(f, "line {line}: a field in quotes has no end"),
            Self::Json(line, why) => write!(f, "not JSON: line {line}: {why}"),
        }
    }
}

impl core::error::Error for Refused {}
