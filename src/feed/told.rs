//! What there is to say of a list.

use core::fmt;

use crate::excerpt::grouped;

/// What there is to say of a list that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Prefixes taken, repetitions included.
    pub entries: u64,
    /// Lines, or entries of a document, that are neither comment nor blank.
    pub lines: u64,
    /// Lines that are comments.
    pub comments: u64,
    /// Lines that are host names.
    pub names: u64,
    /// Lines that are neither prefix nor name.
    pub wrong: u64,
    /// The first line that was skipped, name or wrong.
    pub first: Option<Skipped>,
}

/// A line that is no prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its number, from 1.
    pub line: u64,
    /// The beginning of its text, at most 40 octets, printable.
    pub text: String,
}

impl fmt::Display for Told {
    /// `1,234 entries, 3 lines skipped, first: line 17 "bad.example"`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = if self.entries == 1 { "entry" } else { "entries" };
        write!(f, "{} {entries}", grouped(self.entries))?;
        let Some(first) = &self.first else { return Ok(()) };
        let skipped = self.names + self.wrong;
        let lines = if skipped == 1 { "line" } else { "lines" };
        write!(f, ", {} {lines} skipped, first: {first}", grouped(skipped))?;
        match self.names {
            0 => Ok(()),
            1 => f.write_str("; 1 of them is a host name"),
            names => write!(f, "; {} of them are host names", grouped(names)),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} \"{}\"", self.line, self.text)
    }
}
