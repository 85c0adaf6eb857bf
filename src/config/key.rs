//! What is known of a key: the entry of the table that parser, printer and manual share.

use core::fmt;

use crate::unit::{Size, write_duration};

/// A key of the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The section, such as `log.request`; empty for the keys before the first section.
    pub section: &'static str,
    /// Whether the section can stand several times, each with a header in two brackets.
    pub many: bool,
    /// The name within the section.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// The default as TOML; `""` for the keys that must be set, such as `table.name`.
    pub default: &'static str,
    /// The least and the greatest value: of a number itself, of a duration in seconds, of a size
    /// in octets, of a list the number of its entries. `None` where the kind says it all.
    pub bounds: Option<(u64, u64)>,
    /// What the checks of the rest go on with while a key that must be set is not, or is wrong.
    pub(crate) stand_in: Option<&'static str>,
    /// What it is for, in one line.
    pub doc: &'static str,
}

/// What values a key takes. `Display` names it with its article, as in "a duration".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A string such as `"90s"`, `"15m"`, `"1h"` or `"1d"`.
    Duration,
    /// A string such as `"64M"`, with K, M or G as powers of 1024, or a number of octets.
    Size,
    /// A string of some syntax; the text names it with its article.
    Text(&'static str),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// The empty string for "none", or this.
    Optional(&'static Kind),
    /// An array of these, without repetition.
    List(&'static Kind),
    /// A table of strings.
    Map,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => f.write_str("true or false"),
            Self::Integer => f.write_str("a whole number"),
            Self::Duration => f.write_str("a duration like \"90s\", \"15m\", \"1h\" or \"1d\""),
            Self::Size => f.write_str("a size like \"500K\", \"64M\" or \"1G\""),
            Self::Text(what) => f.write_str(what),
            Self::OneOf(words) => {
                for (index, word) in words.iter().enumerate() {
                    let or = match index {
                        0 => "",
                        _ if index + 1 == words.len() => " or ",
                        _ => ", ",
                    };
                    write!(f, "{or}\"{word}\"")?;
                }
                Ok(())
            }
            Self::Optional(kind) => write!(f, "{kind}, or \"\" for none"),
            Self::List(kind) => write!(f, "a list, each entry {kind}"),
            Self::Map => f.write_str("a table of strings"),
        }
    }
}

impl Key {
    /// The key with its section, as messages have it: `policy.interval`.
    pub fn path(&self) -> String {
        join(self.section, self.name)
    }

    /// Where the key belongs: the header of its section.
    pub(crate) fn place(&self) -> String {
        match self.section {
            "" => "the lines before the first section".to_owned(),
            section => header(section, self.many),
        }
    }

    /// The bounds as a message or a manual has them, such as `1m to 7d`.
    pub fn range(&self) -> Option<String> {
        self.bounds.map(|bounds| range(self.kind, bounds))
    }
}

/// A name within a section.
pub(crate) fn join(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

/// The line that begins a section.
pub(crate) fn header(section: &str, many: bool) -> String {
    if many { format!("[[{section}]]") } else { format!("[{section}]") }
}

/// Bounds in the notation of the kind.
pub(crate) fn range(kind: Kind, (least, greatest): (u64, u64)) -> String {
    match kind {
        Kind::Duration => format!("{} to {}", write_duration(least), write_duration(greatest)),
        Kind::Size => format!("{} to {}", Size::new(least), Size::new(greatest)),
        Kind::List(_) | Kind::Map => format!("{least} to {greatest} entries"),
        _ => format!("{least} to {greatest}"),
    }
}
