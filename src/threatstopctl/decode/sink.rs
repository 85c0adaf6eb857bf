//! Where the text goes: to stdout as it is, or as one JSON document.

use std::io::{self, Write};

use control::Failure;

use crate::advice::Advice;
use crate::error::Error;

/// How the document begins.
const BEGIN: &[u8] = b"{\"lines\":[";

/// Takes the text of all files. Nothing is held back, so that the size of a log does not matter.
pub struct Sink<W> {
    out: W,
    form: Form,
}

enum Form {
    /// Lines as they are; what failed is said at once.
    Text { failed: bool },
    /// The field `lines`, and at the end `error`.
    Json { lines: u64, failures: Vec<Failure> },
}

impl<W: Write> Sink<W> {
    /// Writes to `out`, with `json` one document.
    pub fn new(out: W, json: bool) -> Self {
        let form = match json {
            true => Form::Json { lines: 0, failures: Vec::new() },
            false => Form::Text { failed: false },
        };
        Self { out, form }
    }

    /// Takes whole lines.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn text(&mut self, text: &[u8]) -> io::Result<()> {
        let Form::Json { lines, .. } = &mut self.form else {
            return self.out.write_all(text);
        };
        for line in text.split_inclusive(|octet| *octet == b'\n') {
            self.out.write_all(if *lines == 0 { BEGIN } else { b"," })?;
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            serde_json::to_writer(&mut self.out, &String::from_utf8_lossy(line))?;
            *lines += 1;
        }
        Ok(())
    }

    /// Takes note of a file that could not be printed, or not to its end.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn failure(&mut self, failure: Failure) -> io::Result<()> {
        match &mut self.form {
            Form::Text { failed } => {
                *failed = true;
                // what came before it stands before it on a terminal, too
                self.out.flush()?;
                Error::Failed(failure).report(false, &Advice::default());
            }
            Form::Json { failures, .. } => failures.push(failure),
        }
        Ok(())
    }

    /// Ends the text; false when there was a failure.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn end(mut self) -> io::Result<bool> {
        let done = match &self.form {
            Form::Text { failed } => !failed,
            Form::Json { lines, failures } => {
                let failure = as_one(failures);
                match (lines, &failure) {
                    // as every command that was not done
                    (0, Some(_)) => self.out.write_all(b"{")?,
                    (0, None) => self.out.write_all(&[BEGIN, b"]"].concat())?,
                    (_, Some(_)) => self.out.write_all(b"],")?,
                    (_, None) => self.out.write_all(b"]")?,
                }
                if let Some(failure) = &failure {
                    self.out.write_all(b"\"error\":")?;
                    serde_json::to_writer(&mut self.out, failure)?;
                }
                self.out.write_all(b"}\n")?;
                failure.is_none()
            }
        };
        self.out.flush()?;
        Ok(done)
    }
}

/// An answer has one error: that of the only file that failed, or all of them together.
fn as_one(failures: &[Failure]) -> Option<Failure> {
    match failures {
        [] => None,
        [only] => Some(only.clone()),
        several => {
            let texts: Vec<_> =
                several.iter().map(|Failure { what, why }| format!("{what}: {why}")).collect();
            Some(Failure { what: "decode".into(), why: texts.join("; ") })
        }
    }
}
