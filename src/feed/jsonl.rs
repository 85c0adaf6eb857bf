//! What a pointer leads to in one JSON document, or in each line that is one.

use crate::json::{Found, Json};
use crate::pointer::{LONGEST_NAME, Pointer};
use crate::refused::Refused;
use crate::taken::{Mark, Taken};

/// Octets of a line that is shown when it is not JSON.
const SHOWN: usize = 40;

/// A whole document.
pub(crate) struct Document {
    json: Json,
    pointer: Pointer,
    line: u64,
}

impl Document {
    /// For what this pointer leads to.
    pub(crate) fn new(pointer: &Pointer) -> Self {
        Self { json: Json::new(), pointer: pointer.clone(), line: 1 }
    }

    /// Takes the next octets.
    ///
    /// # Errors
    /// As soon as the list cannot be taken any more.
    pub(crate) fn push(&mut self, octets: &[u8], taken: &mut Taken) -> Result<(), Refused> {
        for octet in octets {
            let found = self.json.next(*octet, &self.pointer);
            if let Some(found) = found.map_err(|why| Refused::Json(self.line, why))? {
                take(&self.json, found, self.line, taken)?;
            }
            self.line += u64::from(*octet == b'\n');
        }
        Ok(())
    }

    /// Takes the end of the octets.
    ///
    /// # Errors
    /// When the list cannot be taken.
    pub(crate) fn finish(&self) -> Result<(), Refused> {
        // of nothing at all there is a better word than half a document
        let whole = if self.json.is_fresh() { Ok(()) } else { self.json.finish() };
        whole.map_err(|why| Refused::Json(self.line, why))
    }
}

/// A document a line.
pub(crate) struct Documents {
    json: Json,
    pointer: Pointer,
    line: u64,
    /// The beginning of the line, to show it.
    begun: Vec<u8>,
    /// What had been taken when the line began.
    mark: Option<Mark>,
    /// The line is none: the rest of it does not count.
    wrong: bool,
}

impl Documents {
    /// For what this pointer leads to.
    pub(crate) fn new(pointer: &Pointer) -> Self {
        let (json, pointer, begun) = (Json::new(), pointer.clone(), Vec::new());
        Self { json, pointer, line: 1, begun, mark: None, wrong: false }
    }

    /// Takes the next octets.
    ///
    /// # Errors
    /// As soon as the list cannot be taken any more.
    pub(crate) fn push(&mut self, octets: &[u8], taken: &mut Taken) -> Result<(), Refused> {
        for octet in octets {
            if *octet == b'\n' {
                self.end(taken);
                continue;
            }
            let mark = *self.mark.get_or_insert_with(|| taken.mark());
            if self.begun.len() < SHOWN && !(self.begun.is_empty() && octet.is_ascii_whitespace()) {
                self.begun.push(*octet);
            }
            if self.wrong {
                continue;
            }
            match self.json.next(*octet, &self.pointer) {
                Ok(Some(found)) => take(&self.json, found, self.line, taken)?,
                Ok(None) => {}
                Err(_) => {
                    taken.give_back(mark);
                    self.wrong = true;
                }
            }
        }
        Ok(())
    }

    /// Takes the end of the octets, which ends the last line too.
    pub(crate) fn finish(mut self, taken: &mut Taken) {
        self.end(taken);
    }

    fn end(&mut self, taken: &mut Taken) {
        if !self.wrong && !self.json.is_fresh() && self.json.finish().is_err() {
            if let Some(mark) = self.mark {
                taken.give_back(mark);
            }
            self.wrong = true;
        }
        if self.wrong {
            taken.wrong(self.line, &self.begun);
        }
        self.json.again();
        self.begun.clear();
        (self.mark, self.wrong) = (None, false);
        self.line += 1;
    }
}

fn take(json: &Json, found: Found, line: u64, taken: &mut Taken) -> Result<(), Refused> {
    match found {
        Found::Text if json.text().len() <= LONGEST_NAME => {
            return taken.text(line, json.text().trim_ascii());
        }
        Found::Text => taken.wrong(line, json.text()),
        Found::Other(octet) => taken.wrong(line, &[octet]),
    }
    Ok(())
}
