//! Ways to print an answer.

use std::io;

use control::{Check, OwnEntry};
use prefix::Prefix;

use crate::ending::Ending;

/// What prefixes of an answer are.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// In the table.
    Table,
    /// Added by a change.
    Add,
    /// Removed by it.
    Remove,
}

/// A way to print an answer.
pub trait Output {
    /// A line for people.
    fn line(&mut self, line: &str) -> io::Result<()>;
    /// What is waited for now.
    fn progress(&mut self, what: &str) -> io::Result<()>;
    /// Some prefixes.
    fn prefixes(&mut self, part: Part, prefixes: Vec<Prefix>) -> io::Result<()>;
    /// Some of what `block` and `allow` said.
    fn own(&mut self, entries: Vec<OwnEntry>) -> io::Result<()>;
    /// A trial of `test`.
    fn check(&mut self, check: Check) -> io::Result<()>;
    /// What of an error whoever reads it has not read yet, if anything.
    fn unsaid<'a>(&self, why: &'a str) -> Option<&'a str> {
        Some(why)
    }
    /// The end; all that was printed is out after it.
    fn end(&mut self, ending: &Ending) -> io::Result<()>;
}
