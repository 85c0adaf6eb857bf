//! The reader of a list, whatever its format.

use prefix::Items;

use crate::csv::Csv;
use crate::format::Format;
use crate::jsonl::{Document, Documents};
use crate::lines::Lines;
use crate::refused::Refused;
use crate::taken::Taken;
use crate::told::Told;

/// UTF-8's byte order mark, which some editors put before a text.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// A list whose octets are coming.
pub struct Reader {
    /// The first octets, as long as they may be a byte order mark; `None` behind them.
    begun: Option<Vec<u8>>,
    /// Whether nothing but blanks has come.
    blank: bool,
    form: Form,
    taken: Taken,
}

enum Form {
    Lines(Lines),
    Csv(Box<Csv>),
    Json(Document),
    Jsonl(Documents),
}

/// A list that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// The prefixes, in no particular order and with repetitions; none is negated.
    pub items: Items,
    /// What there is to say of it.
    pub told: Told,
}

impl Reader {
    /// A reader of a list of at most so many prefixes.
    pub fn new(format: &Format, max_entries: usize) -> Self {
        let form = match format {
            Format::Lines => Form::Lines(Lines::default()),
            Format::Csv(column) => Form::Csv(Box::new(Csv::new(column))),
            Format::Json(pointer) => Form::Json(Document::new(pointer)),
            Format::Jsonl(pointer) => Form::Jsonl(Documents::new(pointer)),
        };
        Self { begun: Some(Vec::new()), blank: true, form, taken: Taken::new(max_entries) }
    }

    /// Takes the next octets.
    ///
    /// # Errors
    /// As soon as the list cannot be taken any more; nothing is to be pushed then.
    pub fn push(&mut self, octets: &[u8]) -> Result<(), Refused> {
        let Some(mut begun) = self.begun.take() else { return self.text(octets) };
        let (first, rest) = octets.split_at(octets.len().min(MARK.len() - begun.len()));
        begun.extend_from_slice(first);
        if begun.len() < MARK.len() && MARK.starts_with(&begun) {
            self.begun = Some(begun);
            return Ok(());
        }
        self.text(begun.strip_prefix(MARK).unwrap_or(&begun))?;
        self.text(rest)
    }

    /// The whole list, when all its octets have come.
    ///
    /// # Errors
    /// [`Refused`]: nothing of it is to be used.
    pub fn finish(mut self) -> Result<Read, Refused> {
        if let Some(begun) = self.begun.take() {
            self.text(&begun)?;
        }
        let Self { form, mut taken, .. } = self;
        match form {
            Form::Lines(lines) => lines.finish(&mut taken)?,
            Form::Csv(csv) => csv.finish(&mut taken)?,
            Form::Json(document) => document.finish()?,
            Form::Jsonl(documents) => documents.finish(&mut taken),
        }
        let (items, told) = taken.finish()?;
        Ok(Read { items, told })
    }

    /// Takes octets behind the byte order mark.
    fn text(&mut self, octets: &[u8]) -> Result<(), Refused> {
        if self.blank
            && let Some(first) = octets.iter().find(|octet| !octet.is_ascii_whitespace())
        {
            if *first == b'<' {
                return Err(Refused::Html);
            }
            self.blank = false;
        }
        match &mut self.form {
            Form::Lines(lines) => lines.push(octets, &mut self.taken),
            Form::Csv(csv) => csv.push(octets, &mut self.taken),
            Form::Json(document) => document.push(octets, &mut self.taken),
            Form::Jsonl(documents) => documents.push(octets, &mut self.taken),
        }
    }
}
