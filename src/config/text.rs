//! Types that the file has as strings in a syntax of their own.

use core::fmt;

use prefix::quoted;

/// A type written as a TOML string in a syntax of its own.
pub(crate) trait Text: Sized {
    /// The type with its article, for messages: "a table name".
    const WHAT: &'static str;
    /// Reads the text.
    fn parse(text: &str) -> Result<Self, Invalid>;
    /// The text that [`Text::parse`] takes.
    fn text(&self) -> String;
}

/// Why a text is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(String);

impl Invalid {
    pub(crate) fn new(text: &str, why: impl fmt::Display) -> Self {
        Self(format!("{}: {why}", quoted(text)))
    }

    /// For secrets, which no message may repeat.
    pub(crate) fn hidden(why: &str) -> Self {
        Self(why.to_owned())
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

/// Gives types of [`Text`] the standard conversion.
macro_rules! from_str {
    ($($name:ty),+) => {$(
        impl core::str::FromStr for $name {
            type Err = $crate::text::Invalid;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                <Self as $crate::text::Text>::parse(text)
            }
        }
    )+};
}
pub(crate) use from_str;

/// Text as a TOML basic string, with its quotes (TOML 1.0, section "String").
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
