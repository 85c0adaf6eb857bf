//! A bar on stderr for whoever waits.

use std::ffi::OsStr;
use std::io::{self, Write as _};

use crate::printable::printable;

/// Columns of the bar.
const WIDTH: u64 = 30;
/// Columns of the name.
const NAME: usize = 30;

/// The progress through a file.
pub struct Progress {
    name: String,
    size: u64,
}

impl Progress {
    /// Of a file of so many octets.
    pub fn new(name: &OsStr, size: u64) -> Self {
        let name = printable(&name.to_string_lossy());
        let length = name.chars().count();
        Self { name: name.chars().skip(length.saturating_sub(NAME)).collect(), size }
    }

    /// Shows how far it is; at the end the line is made empty again.
    pub fn show(&self, octets: u64, ended: bool) {
        let line = self.line(octets);
        let end =
            if ended { format!("\r{}\r", " ".repeat(line.chars().count())) } else { "".into() };
        // it is only a convenience
        let _ = write!(io::stderr(), "\r{line}{end}");
    }

    /// `pflog [######        ]  20 %`
    fn line(&self, octets: u64) -> String {
        let octets = octets.min(self.size);
        let of = |whole: u64| match self.size {
            0 => whole,
            size => (u128::from(octets) * u128::from(whole) / u128::from(size)) as u64,
        };
        let done = of(WIDTH);
        let (bar, rest) = ("#".repeat(done as usize), " ".repeat((WIDTH - done) as usize));
        format!("{} [{bar}{rest}] {:3} %", self.name, of(100))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_with_the_file() {
        let progress = Progress::new(OsStr::new("pflog\x1b.0"), 200);
        assert_eq!(progress.line(0), format!("pflog?.0 [{}]   0 %", " ".repeat(30)));
        let half = format!("pflog?.0 [{}{}]  50 %", "#".repeat(15), " ".repeat(15));
        assert_eq!(progress.line(100), half);
        let whole = format!("pflog?.0 [{}] 100 %", "#".repeat(30));
        assert_eq!(progress.line(u64::MAX), whole);
        assert_eq!(Progress::new(OsStr::new("pflog?.0"), 0).line(0), whole);
    }
}
