//! A column of comma-separated values (RFC 4180), with comment lines between the records.

use csv_core::{ReadFieldResult, Reader};
use memchr::{memchr, memchr_iter};

use crate::format::Column;
use crate::refused::Refused;
use crate::taken::Taken;

/// Octets of a field that are looked at; a longer one is neither a prefix nor the name of a column.
const LONGEST_FIELD: usize = 512;

/// Takes records apart.
pub(crate) struct Csv {
    reader: Reader,
    column: Column,
    /// The number of the column, from 0, once it is known.
    at: Option<usize>,
    /// The line that is being read, and the one where the record began.
    line: u64,
    began: u64,
    state: State,
    /// Whether the record is the head line.
    head: bool,
    /// The number of the field within its record, from 0, and what has come of it.
    index: usize,
    field: Vec<u8>,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    /// Where a record, a comment or a blank line may begin.
    Between,
    Comment,
    Record,
}

impl Csv {
    /// A reader of one column.
    pub(crate) fn new(column: &Column) -> Self {
        let at = match column {
            Column::Number(number) => number.checked_sub(1),
            Column::Name(_) => None,
        };
        let (reader, column) = (Reader::new(), column.clone());
        let (state, field) = (State::Between, Vec::new());
        Self { reader, column, at, line: 1, began: 1, state, head: false, index: 0, field }
    }

    /// Takes the next octets.
    ///
    /// # Errors
    /// As soon as the list cannot be taken any more.
    pub(crate) fn push(&mut self, mut octets: &[u8], taken: &mut Taken) -> Result<(), Refused> {
        while let Some(first) = octets.first() {
            match (self.state, first) {
                (State::Between, b'\n' | b'\r') => octets = self.pass(octets, 1),
                (State::Between, b'#' | b';') => self.begin(State::Comment),
                (State::Between, _) => self.begin(State::Record),
                (State::Comment, _) => octets = self.comment(octets, taken),
                (State::Record, _) => octets = self.record(octets, taken)?,
            }
        }
        Ok(())
    }

    /// Takes the end of the octets.
    ///
    /// # Errors
    /// When the list cannot be taken.
    pub(crate) fn finish(mut self, taken: &mut Taken) -> Result<(), Refused> {
        // ends the last line, unless that is within quotes
        self.push(b"\n", taken)?;
        if self.state == State::Record {
            return Err(Refused::Quotes(self.began));
        }
        match (self.at, self.column) {
            (None, Column::Name(name)) => Err(Refused::Column(name)),
            _ => Ok(()),
        }
    }

    fn begin(&mut self, state: State) {
        (self.state, self.began, self.index) = (state, self.line, 0);
        self.head = self.at.is_none();
        self.field.clear();
    }

    fn pass<'a>(&mut self, octets: &'a [u8], count: usize) -> &'a [u8] {
        let (passed, rest) = octets.split_at(count);
        self.line += memchr_iter(b'\n', passed).count() as u64;
        rest
    }

    /// Within a comment, which ends with its line, whatever quotes are in it.
    fn comment<'a>(&mut self, octets: &'a [u8], taken: &mut Taken) -> &'a [u8] {
        let end = memchr(b'\n', octets);
        self.keep(&octets[..end.unwrap_or(octets.len())]);
        let Some(end) = end else { return &[] };
        taken.comment();
        self.state = State::Between;
        // some lists have their head line in a comment
        if let (None, Column::Name(name)) = (self.at, &self.column) {
            let begin = self.field.iter().position(|octet| !b"#; \t".contains(octet));
            let head = &self.field[begin.unwrap_or(self.field.len())..];
            let mut columns = head.split(|octet| *octet == b',');
            self.at = columns.position(|column| clean(column) == name.as_bytes());
        }
        self.pass(octets, end + 1)
    }

    /// Within a record: reads on in one field.
    fn record<'a>(&mut self, octets: &'a [u8], taken: &mut Taken) -> Result<&'a [u8], Refused> {
        let mut room = [0; 256];
        let (result, read, written) = self.reader.read_field(octets, &mut room);
        let rest = self.pass(octets, read);
        self.keep(&room[..written]);
        if let ReadFieldResult::Field { record_end } = result {
            match (self.head, &self.column) {
                (true, Column::Name(name)) => {
                    if self.at.is_none() && clean(&self.field) == name.as_bytes() {
                        self.at = Some(self.index);
                    }
                    if record_end && self.at.is_none() {
                        return Err(Refused::Column(name.clone()));
                    }
                }
                _ => self.value(record_end, taken)?,
            }
            self.index += 1;
            self.field.clear();
            if record_end {
                self.state = State::Between;
            }
        }
        Ok(rest)
    }

    fn keep(&mut self, octets: &[u8]) {
        // one more than is looked at tells a longer field
        let room = (LONGEST_FIELD + 1).saturating_sub(self.field.len());
        self.field.extend_from_slice(&octets[..octets.len().min(room)]);
    }

    /// The end of a field below the head.
    fn value(&self, record_end: bool, taken: &mut Taken) -> Result<(), Refused> {
        let text = clean(&self.field);
        let blank = text.is_empty() && (Some(self.index) == self.at || self.index == 0);
        match self.at {
            Some(at) if at == self.index && self.field.len() > LONGEST_FIELD => {
                taken.wrong(self.began, text);
            }
            // a record without a value is passed over, and so is a line of blanks
            Some(at) if at == self.index && !blank => return taken.text(self.began, text),
            Some(at) if at > self.index && record_end && !blank => taken.wrong(self.began, text),
            _ => {}
        }
        Ok(())
    }
}

/// A field without blanks around it, and without quotes where a blank stood before these: then
/// they are none for RFC 4180.
fn clean(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    let inner = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\""));
    inner.unwrap_or(field).trim_ascii()
}
