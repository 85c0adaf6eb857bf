//! What a section `[[feed]]` has: a name, a format, a credential.

use core::fmt;

use crate::text::{Invalid, Text, from_str};

#[cfg(test)]
mod tests;

/// Longest name of a feed in octets.
const LONGEST_NAME: usize = 31;
/// Longest value of the header Authorization in octets.
const LONGEST_CREDENTIAL: usize = 2048;
/// Longest column or step of a pointer in octets.
const LONGEST_PART: usize = 256;
/// Longest format in octets.
const LONGEST_FORMAT: usize = 1024;

/// The name of a feed, which is that of its list: 1 to 31 of `a-z`, `0-9`, `-`, `_` and `.`, the
/// first one a letter or digit.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedName {
    octets: [u8; LONGEST_NAME],
    len: u8,
}

impl FeedName {
    /// The text.
    pub fn as_str(&self) -> &str {
        let octets = self.octets.get(..self.len.into()).unwrap_or_default();
        // nothing else than ASCII was taken
        str::from_utf8(octets).unwrap_or_default()
    }
}

impl Text for FeedName {
    const WHAT: &'static str = "a name of a feed";

    fn parse(text: &str) -> Result<Self, Invalid> {
        let begins = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit();
        let is_name = text.bytes().next().is_some_and(begins)
            && text.bytes().all(|octet| begins(octet) || b"-_.".contains(&octet));
        let mut name = Self { octets: [0; LONGEST_NAME], len: text.len() as u8 };
        match name.octets.get_mut(..text.len()) {
            Some(room) if is_name => room.copy_from_slice(text.as_bytes()),
            _ => {
                return Err(Invalid::new(
                    text,
                    "a name of a feed has 1 to 31 of a-z, 0-9, \"-\", \"_\" and \".\", and begins \
                     with a letter or digit",
                ));
            }
        }
        Ok(name)
    }

    fn text(&self) -> String {
        self.as_str().to_owned()
    }
}

impl fmt::Display for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for FeedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// In which form a feed has its prefixes: `lines`, `csv:COLUMN`, `json:POINTER`, `jsonl:POINTER`.
///
/// Only the form of the text is looked at here; who reads feeds knows what to make of it.
#[derive(Clone, PartialEq, Eq)]
pub struct FeedFormat(String);

impl FeedFormat {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text for FeedFormat {
    const WHAT: &'static str =
        "a format: \"lines\", \"csv:COLUMN\", \"json:POINTER\" or \"jsonl:POINTER\"";

    fn parse(text: &str) -> Result<Self, Invalid> {
        let read = match text.split_once(':') {
            None if text == "lines" => Ok(()),
            Some(("csv", column)) => csv(column),
            Some(("json" | "jsonl", pointer)) => json(pointer),
            _ => Err("takes \"lines\", \"csv:COLUMN\", \"json:POINTER\" or \"jsonl:POINTER\""),
        };
        match read {
            Ok(()) if text.len() <= LONGEST_FORMAT => Ok(Self(text.to_owned())),
            Ok(()) => Err(Invalid::new(text, "a format has at most 1024 octets")),
            Err(why) => Err(Invalid::new(text, why)),
        }
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

fn csv(column: &str) -> Result<(), &'static str> {
    let is_number = column.bytes().all(|octet| octet.is_ascii_digit());
    match (is_number, column.parse::<u16>()) {
        (false, _) if column.len() <= LONGEST_PART => Ok(()),
        (true, Ok(1..)) => Ok(()),
        _ => Err("csv: takes the number of a column, from 1, or its name in the head line"),
    }
}

/// A pointer of RFC 6901 with at least one step.
fn json(pointer: &str) -> Result<(), &'static str> {
    let step = |step: &str| {
        step.len() <= LONGEST_PART
            && step.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']))
    };
    match pointer.strip_prefix('/') {
        Some(steps) if steps.split('/').all(step) => Ok(()),
        Some(_) => Err("behind \"~\" stands 0 (for ~) or 1 (for /), and a step has 256 octets"),
        None => Err("a pointer begins with \"/\", such as \"/prefixes/*/ip_prefix\""),
    }
}

impl fmt::Debug for FeedFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// The value of the header Authorization: a credential. It has no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential(String);

impl Credential {
    /// The value, for the HTTP client and for nobody else.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text for Credential {
    const WHAT: &'static str = "the value of a header Authorization, like \"Bearer ...\"";

    fn parse(text: &str) -> Result<Self, Invalid> {
        let fits = text.len() <= LONGEST_CREDENTIAL && text.trim_ascii() == text;
        if fits && text.bytes().all(|octet| (b' '..=b'~').contains(&octet)) {
            return Ok(Self(text.to_owned()));
        }
        Err(Invalid::hidden(
            "takes what stands in the header Authorization: at most 2048 visible ASCII characters \
             and blanks between them, such as \"Bearer ...\"",
        ))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credential(hidden)")
    }
}

from_str!(FeedName, FeedFormat, Credential);
