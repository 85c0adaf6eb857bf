//! Answers as text for people.
//!
//! * In: the parts of an answer as they come, and its end; commands that fit the daemon that is asked.
//! * Out: lines on stdout, on a terminal most of them of 80 columns at most; progress on one.
//! * Never: print a control character of a stranger's, or say twice what stands there already.

mod entries;
mod hits;
mod lists;
mod report;
mod status;

use std::io::{self, IsTerminal as _, Write};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::time::{SystemTime, UNIX_EPOCH};

use control::{Check, OwnEntry, Tested};
use nix::sys::stat::fstat;
use prefix::Prefix;

use crate::advice::Advice;
use crate::ending::Ending;
use crate::narrow::room;
use crate::output::{Output, Part};
use crate::printable::printable;

/// Most columns of a line that is written over again; in a longer one it would not be.
const COLUMNS: usize = 79;

/// Most lines that are known to have been said.
const MOST: usize = 1024;

/// Prints line by line, as it comes.
#[derive(Debug)]
pub struct Text<W> {
    out: W,
    /// What commands that lines advise need.
    advice: Advice,
    /// The lines so far, where standard error goes to the same place and would repeat them.
    said: Option<Vec<String>>,
    /// Whether somebody watches: progress goes to standard error when that is a terminal.
    is_watched: bool,
    /// Columns of the progress that stands there now.
    shown: usize,
    /// What `block` and `allow` said, as far as it has come.
    own: Vec<OwnEntry>,
    /// Columns that a table may take.
    room: usize,
}

impl<W: Write> Text<W> {
    /// Prints to `out`, which is standard output.
    pub fn new(out: W, advice: Advice) -> Self {
        let said = is_one_place().then(Vec::new);
        Self {
            out,
            advice,
            said,
            is_watched: io::stderr().is_terminal(),
            shown: 0,
            own: Vec::new(),
            room: room(),
        }
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
            writeln!(self.out, "{}", printable(&self.advice.fit(line)))?;
            if let Some(said) = self.said.as_mut().filter(|said| said.len() < MOST) {
                said.push(line.to_owned());
            }
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

    fn own(&mut self, entries: Vec<OwnEntry>) -> io::Result<()> {
        self.own.extend(entries);
        Ok(())
    }

    fn check(&mut self, check: Check) -> io::Result<()> {
        self.line(&check.text)
    }

    fn unsaid<'a>(&self, why: &'a str) -> Option<&'a str> {
        let stands = |part: &str| self.said.iter().flatten().any(|line| line.contains(part));
        let stand = |why: &str| why.split("; ").all(&stands);
        let way_out = || why.strip_suffix(')')?.rsplit_once(" (");
        match way_out() {
            _ if stand(why) => None,
            Some((why, way_out)) if stand(why) => Some(way_out),
            _ => Some(why),
        }
    }

    fn end(&mut self, ending: &Ending) -> io::Result<()> {
        match ending {
            Ending::Status(status) => self.line(&status::render(status, now(), self.room))?,
            Ending::Hits(hits) => self.line(&hits::render(hits, now(), self.room))?,
            Ending::Lists(lists) => self.line(&lists::render(lists, now(), self.room))?,
            Ending::Own => {
                let text = entries::render(&self.own);
                self.line(&text)?;
            }
            Ending::Report(report) => {
                let text = report::render(report, &self.advice, self.room);
                self.line(&text)?;
            }
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

/// Whether standard output and standard error are one terminal, file or pipe, so that who reads one
/// reads the other.
fn is_one_place() -> bool {
    let place = |fd: BorrowedFd<'_>| fstat(fd).map(|stat| (stat.st_dev, stat.st_ino)).ok();
    let (out, err) = (place(io::stdout().as_fd()), place(io::stderr().as_fd()));
    out.is_some() && out == err
}

/// Epoch seconds.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
