//! Answers as text for people.

use std::io::{self, IsTerminal as _, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use control::{Check, Request, Tested};
use prefix::Prefix;

use crate::ending::Ending;
use crate::hits;
use crate::output::{Output, Part};
use crate::printable::printable;
use crate::status;

/// Most columns of a line that is written over again; in a longer one it would not be.
const COLUMNS: usize = 79;

/// Prints line by line, as it comes.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
    /// Whether somebody watches: progress goes to standard error when that is a terminal.
    is_watched: bool,
    /// Columns of the progress that stands there now.
    shown: usize,
}

impl<W: Write> Text<W> {
    /// Prints to `out`.
    pub fn new(out: W) -> Self {
        Self { out, is_watched: io::stderr().is_terminal(), shown: 0 }
    }
}

impl<W> Text<W> {
    /// Takes the progress away before anything else is printed.
    fn clear(&mut self) {
        if self.shown > 0 {
            // it is only a convenience
            let _ = write!(io::stderr(), "\r{:1$}\r", "", self.shown);
            self.shown = 0;
        }
    }
}

impl<W> Drop for Text<W> {
    /// An error is said on a line of its own.
    fn drop(&mut self) {
        self.clear();
    }
}

impl<W: Write> Output for Text<W> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        self.clear();
        for line in line.lines() {
            writeln!(self.out, "{}", printable(line))?;
        }
        // an update takes its time, and somebody watches
        self.out.flush()
    }

    fn progress(&mut self, what: &str) -> io::Result<()> {
        if self.is_watched {
            self.clear();
            let line: String = printable(&format!("{what} ...")).chars().take(COLUMNS).collect();
            self.shown = line.chars().count();
            let _ = write!(io::stderr(), "{line}");
        }
        Ok(())
    }

    fn prefixes(&mut self, part: Part, prefixes: Vec<Prefix>) -> io::Result<()> {
        self.clear();
        let sign = match part {
            Part::Table => "",
            Part::Add => "+",
            Part::Remove => "-",
        };
        prefixes.iter().try_for_each(|prefix| writeln!(self.out, "{sign}{prefix}"))
    }

    fn check(&mut self, check: Check) -> io::Result<()> {
        self.line(&check.text)
    }

    fn end(&mut self, _: &Request, ending: &Ending) -> io::Result<()> {
        match ending {
            Ending::Status(status) => self.line(&status::render(status, now()))?,
            Ending::Hits(hits) => self.line(&hits::render(hits, now()))?,
            Ending::Metrics(metrics) => self.line(&metrics.text)?,
            Ending::Tested(Tested { tried, failed }) => {
                self.line(&format!("{failed} of {tried} failed"))?;
            }
            // Of the others the lines before have said everything.
            _ => {}
        }
        self.out.flush()
    }
}

/// Epoch seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
