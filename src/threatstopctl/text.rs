//! Answers as text for people.

use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use control::{Check, Request};
use prefix::Prefix;

use crate::ending::Ending;
use crate::hits;
use crate::output::{Output, Part};
use crate::status;

/// Prints line by line, as it comes.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
}

impl<W: Write> Text<W> {
    /// Prints to `out`.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Output for Text<W> {
    fn line(&mut self, line: &str) -> io::Result<()> {
        for line in line.lines() {
            writeln!(self.out, "{}", printable(line))?;
        }
        // an update takes its time, and somebody watches
        self.out.flush()
    }

    fn prefixes(&mut self, part: Part, prefixes: Vec<Prefix>) -> io::Result<()> {
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
            // Of the others the lines before have said everything.
            _ => {}
        }
        self.out.flush()
    }
}

/// A line that can neither move the cursor nor rewrite the screen. The engine quotes what servers
/// say, and the one who reads it is root.
pub fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { '?' } else { c }).collect()
}

/// Epoch seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
