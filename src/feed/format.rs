//! In which form a list is written.

use crate::pointer::Pointer;

/// The form of a list, as the key `format` of the configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Format {
    /// One entry a line, with comments.
    Lines,
    /// A column of comma-separated values (RFC 4180).
    Csv(Column),
    /// What a pointer leads to in one JSON document.
    Json(Pointer),
    /// What a pointer leads to in each line, which is a JSON document of its own.
    Jsonl(Pointer),
}

/// A column of comma-separated values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Column {
    /// The number of the column, from 1.
    Number(usize),
    /// The name of the column in the head line.
    Name(String),
}

impl Format {
    /// Reads `lines`, `csv:COLUMN`, `json:POINTER` or `jsonl:POINTER`; `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            None => (text == "lines").then_some(Self::Lines),
            Some(("csv", column)) => Column::parse(column).map(Self::Csv),
            Some(("json", pointer)) => Pointer::parse(pointer).map(Self::Json),
            Some(("jsonl", pointer)) => Pointer::parse(pointer).map(Self::Jsonl),
            Some(_) => None,
        }
    }
}

impl Column {
    /// A number from 1, or else a name.
    fn parse(text: &str) -> Option<Self> {
        if text.bytes().all(|octet| octet.is_ascii_digit()) {
            return text.parse().ok().filter(|number| *number > 0).map(Self::Number);
        }
        Some(Self::Name(text.to_owned()))
    }
}
