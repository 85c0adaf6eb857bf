//! Values of keys: how each type is read from TOML and written back.

use core::fmt;
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::DeValue;

use crate::error::{Fault, shown};
use crate::key::{Kind, range};
use crate::names::{FieldName, Invalid};
use crate::template::Template;

/// See [`crate::Key::bounds`].
pub(crate) type Bounds = Option<(u64, u64)>;

/// A type that a key can have.
pub(crate) trait Setting: Sized {
    /// What the type takes.
    const KIND: Kind;
    /// Reads a value and holds it against the bounds.
    fn read(value: &Spanned<DeValue<'_>>, bounds: Bounds) -> Result<Self, Fault>;
    /// Appends the value as TOML that [`Setting::read`] takes.
    fn write(&self, out: &mut String);
}

/// A type written as a TOML string in a syntax of its own.
pub(crate) trait Text: Sized {
    /// The type with its article, for messages: "a table name".
    const WHAT: &'static str;
    /// Reads the text.
    fn parse(text: &str) -> Result<Self, Invalid>;
    /// The text that [`Text::parse`] takes.
    fn text(&self) -> String;
}

fn wrong_type(wanted: Kind, value: &Spanned<DeValue<'_>>) -> Fault {
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    Fault::new(value.span(), format!("takes {wanted}, not {found}"))
}

fn string<'v>(value: &'v Spanned<DeValue<'_>>, kind: Kind) -> Result<&'v str, Fault> {
    value.get_ref().as_str().ok_or_else(|| wrong_type(kind, value))
}

fn within(
    number: i128,
    kind: Kind,
    (least, greatest): (u64, u64),
    value: &Spanned<DeValue<'_>>,
) -> Result<u64, Fault> {
    match u64::try_from(number) {
        Ok(number) if (least..=greatest).contains(&number) => Ok(number),
        _ => Err(Fault::new(
            value.span(),
            format!("out of range, {}", range(kind, (least, greatest))),
        )),
    }
}

/// A TOML integer; one that not even 128 bits hold is as far out of range as `i128::MAX`.
fn integer(value: &DeValue<'_>) -> Option<i128> {
    match value {
        DeValue::Integer(digits) => {
            Some(i128::from_str_radix(digits.as_str(), digits.radix()).unwrap_or(i128::MAX))
        }
        _ => None,
    }
}

/// Digits and a unit, multiplied out.
fn scaled(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The shortest text that [`scaled`] takes, with the greatest unit that divides the value.
fn unscaled(value: u64, units: &[(&str, u64)]) -> String {
    let fits = units.iter().rfind(|(_, factor)| value.is_multiple_of(*factor));
    fits.map_or_else(|| value.to_string(), |(unit, factor)| format!("{}{unit}", value / factor))
}

/// Units from the smallest, 1, to the greatest.
const TIMES: [(&str, u64); 4] = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
const SIZES: [(&str, u64); 4] = [("", 1), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)];

/// Seconds as a duration of the file.
pub(crate) fn write_duration(seconds: u64) -> String {
    unscaled(seconds, &TIMES)
}

/// A number of octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Size(u64);

impl Size {
    /// A size of so many octets.
    pub fn new(octets: u64) -> Self {
        Self(octets)
    }

    /// The number of octets.
    pub fn octets(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&unscaled(self.0, &SIZES))
    }
}

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

impl Setting for bool {
    const KIND: Kind = Kind::Boolean;

    fn read(value: &Spanned<DeValue<'_>>, _: Bounds) -> Result<Self, Fault> {
        value.get_ref().as_bool().ok_or_else(|| wrong_type(Self::KIND, value))
    }

    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl Setting for $type {
            const KIND: Kind = Kind::Integer;

            fn read(value: &Spanned<DeValue<'_>>, bounds: Bounds) -> Result<Self, Fault> {
                let number =
                    integer(value.get_ref()).ok_or_else(|| wrong_type(Self::KIND, value))?;
                let bounds = bounds.unwrap_or((0, Self::MAX.into()));
                let number = within(number, Self::KIND, bounds, value)?;
                // bounds beyond the type would be a mistake of the schema; a test looks for it
                Ok(Self::try_from(number).unwrap_or(Self::MAX))
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.to_string());
            }
        }
    )+};
}

integers!(u8, u32, u64);

impl Setting for Duration {
    const KIND: Kind = Kind::Duration;

    fn read(value: &Spanned<DeValue<'_>>, bounds: Bounds) -> Result<Self, Fault> {
        let text = string(value, Self::KIND)?;
        let seconds = scaled(text, &TIMES).ok_or_else(|| {
            Fault::new(value.span(), format!("takes {}, not {}", Self::KIND, shown(text)))
        })?;
        let bounds = bounds.unwrap_or((0, u64::MAX));
        Ok(Self::from_secs(within(seconds.into(), Self::KIND, bounds, value)?))
    }

    fn write(&self, out: &mut String) {
        let text = match self.as_secs() {
            // a minute is written as the sample and the manual have it
            60 => "60s".to_owned(),
            seconds => write_duration(seconds),
        };
        out.push_str(&quote(&text));
    }
}

impl Setting for Size {
    const KIND: Kind = Kind::Size;

    fn read(value: &Spanned<DeValue<'_>>, bounds: Bounds) -> Result<Self, Fault> {
        let octets = match integer(value.get_ref()) {
            Some(octets) => octets,
            None => {
                let text = string(value, Self::KIND)?;
                let wrong = format!("takes {}, not {}", Self::KIND, shown(text));
                scaled(text, &SIZES).ok_or_else(|| Fault::new(value.span(), wrong))?.into()
            }
        };
        within(octets, Self::KIND, bounds.unwrap_or((0, u64::MAX)), value).map(Self)
    }

    fn write(&self, out: &mut String) {
        out.push_str(&quote(&self.to_string()));
    }
}

impl<T: Text> Setting for T {
    const KIND: Kind = Kind::Text(T::WHAT);

    fn read(value: &Spanned<DeValue<'_>>, _: Bounds) -> Result<Self, Fault> {
        T::parse(string(value, Self::KIND)?)
            .map_err(|invalid| Fault::new(value.span(), invalid.to_string()))
    }

    fn write(&self, out: &mut String) {
        out.push_str(&quote(&self.text()));
    }
}

impl<T: Setting> Setting for Option<T> {
    const KIND: Kind = Kind::Optional(&T::KIND);

    fn read(value: &Spanned<DeValue<'_>>, bounds: Bounds) -> Result<Self, Fault> {
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => Ok(None),
            _ => T::read(value, bounds).map(Some),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("\"\""),
        }
    }
}

impl<T: Setting + PartialEq> Setting for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);

    fn read(value: &Spanned<DeValue<'_>>, bounds: Bounds) -> Result<Self, Fault> {
        let array = value.get_ref().as_array().ok_or_else(|| wrong_type(Self::KIND, value))?;
        // before the entries, for the search for repetitions takes time by their square
        within(array.len() as i128, Self::KIND, bounds.unwrap_or((0, 1024)), value)?;
        let mut list = Self::new();
        for entry in array.iter() {
            let item = T::read(entry, None)?;
            if list.contains(&item) {
                return Err(Fault::new(entry.span(), "has the same entry twice"));
            }
            list.push(item);
        }
        Ok(list)
    }

    fn write(&self, out: &mut String) {
        out.push('[');
        for (index, item) in self.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { ", " });
            item.write(out);
        }
        out.push(']');
    }
}

impl Setting for BTreeMap<FieldName, Template> {
    const KIND: Kind = Kind::Map;

    fn read(value: &Spanned<DeValue<'_>>, bounds: Bounds) -> Result<Self, Fault> {
        let table = value.get_ref().as_table().ok_or_else(|| wrong_type(Self::KIND, value))?;
        within(table.len() as i128, Self::KIND, bounds.unwrap_or((0, 1024)), value)?;
        let mut map = Self::new();
        for (name, entry) in table {
            let name = FieldName::parse(name.get_ref())
                .map_err(|invalid| Fault::new(name.span(), invalid.to_string()))?;
            map.insert(name, Template::read(entry, None)?);
        }
        Ok(map)
    }

    fn write(&self, out: &mut String) {
        out.push('{');
        for (index, (name, value)) in self.iter().enumerate() {
            out.push_str(if index == 0 { " " } else { ", " });
            out.push_str(&format!("{} = ", quote(name.as_str())));
            value.write(out);
        }
        out.push_str(if self.is_empty() { "}" } else { " }" });
    }
}

/// The longest path, in octets. PATH_MAX is 1024 with the NUL; this leaves room for the names of
/// tables, for `.pftable.prev` and for the numbers of rotated logs.
const LONGEST_PATH: usize = 900;

impl Text for PathBuf {
    const WHAT: &'static str = "an absolute path";

    fn parse(text: &str) -> Result<Self, Invalid> {
        let path = Path::new(text);
        let plain = path.components().skip(1).all(|part| matches!(part, Component::Normal(_)))
            // components() passes over these
            && !text.split('/').any(|part| part == ".");
        if !path.is_absolute() || path.parent().is_none() || !plain {
            return Err(Invalid::new(text, "not an absolute path without . and .."));
        }
        if text.len() > LONGEST_PATH || !text.chars().all(|c| !c.is_control()) {
            return Err(Invalid::new(
                text,
                "a path has at most 900 octets and no control character",
            ));
        }
        Ok(path.to_owned())
    }

    fn text(&self) -> String {
        // it was made from a str
        self.to_string_lossy().into_owned()
    }
}

/// Declares an enum of words.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $($(#[$doc:meta])+ $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$doc])+ $variant),+ }

        impl $name {
            /// The word of the file.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl $crate::setting::Setting for $name {
            const KIND: $crate::key::Kind = $crate::key::Kind::OneOf(&[$($word),+]);

            fn read(
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                _: $crate::setting::Bounds,
            ) -> Result<Self, $crate::error::Fault> {
                match value.get_ref().as_str() {
                    $(Some($word) => Ok(Self::$variant),)+
                    _ => Err($crate::setting::not_a_word(Self::KIND, value)),
                }
            }

            fn write(&self, out: &mut String) {
                out.push_str(&$crate::setting::quote(self.as_str()));
            }
        }
    };
}
pub(crate) use words;

pub(crate) fn not_a_word(kind: Kind, value: &Spanned<DeValue<'_>>) -> Fault {
    match value.get_ref().as_str() {
        Some(text) => Fault::new(value.span(), format!("takes {kind}, not {}", shown(text))),
        None => wrong_type(kind, value),
    }
}
