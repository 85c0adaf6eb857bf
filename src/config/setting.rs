//! Values of keys: how each type is read from TOML and written back.

use core::time::Duration;
use std::collections::BTreeMap;

use prefix::quoted;
use toml::Spanned;
use toml::de::DeValue;

use crate::fault::Fault;
use crate::key::{Kind, range};
use crate::text::{Text, quote};
use crate::unit::{Size, read_duration, write_duration};

/// See [`crate::Key::bounds`].
pub(crate) type Bounds = Option<(u64, u64)>;

/// A value of the file, with its place.
pub(crate) type Value<'i> = Spanned<DeValue<'i>>;

/// A type that a key can have.
pub(crate) trait Setting: Sized {
    /// What the type takes.
    const KIND: Kind;
    /// Reads a value and holds it against the bounds; all that is wrong goes to the faults.
    fn read(value: &Value<'_>, bounds: Bounds, faults: &mut Vec<Fault>) -> Option<Self>;
    /// Appends the value as TOML that [`Setting::read`] takes.
    fn write(&self, out: &mut String);
}

/// Notes what is wrong with a value.
pub(crate) fn wrong<T>(value: &Value<'_>, why: String, faults: &mut Vec<Fault>) -> Option<T> {
    faults.push(Fault::new(value.span(), why));
    None
}

/// What to say of a value of another type.
pub(crate) fn wrong_type(wanted: Kind, value: &DeValue<'_>) -> String {
    let found = match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(float) => not_whole(float.as_str()),
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    let way_out = match (wanted, value) {
        (Kind::Duration, DeValue::Integer(digits)) => {
            format!(": for seconds write \"{}s\"", digits.as_str())
        }
        (Kind::Integer, DeValue::Float(float)) => in_digits(float.as_str()),
        (Kind::Boolean | Kind::Integer, DeValue::String(_)) => ": write it without quotes".into(),
        (Kind::List(_), DeValue::String(_)) => ": write [\"...\"]".into(),
        (Kind::Text(_), DeValue::Array(_)) => ": write it without brackets".into(),
        (Kind::Text(_), _) => ": write it in quotes".into(),
        _ => String::new(),
    };
    format!("takes {wanted}, not {found}{way_out}")
}

/// What a number that is written as a TOML float is.
fn not_whole(text: &str) -> &'static str {
    match text {
        _ if text.ends_with("inf") || text.ends_with("nan") => "a number without an end",
        _ if text.contains(['e', 'E']) => "a number with an exponent",
        _ => "a number with a fraction",
    }
}

/// The same number in digits where it is a whole one and of a length that somebody may have meant.
fn in_digits(text: &str) -> String {
    let number: f64 = text.replace('_', "").parse().unwrap_or(f64::NAN);
    match number.fract() == 0.0 && number.abs() < 1e15 {
        true => format!(": write {number}"),
        false => String::new(),
    }
}

/// The text of a string.
fn string<'v>(value: &'v Value<'_>, kind: Kind, faults: &mut Vec<Fault>) -> Option<&'v str> {
    let text = value.get_ref().as_str();
    text.or_else(|| wrong(value, wrong_type(kind, value.get_ref()), faults))
}

/// A number, if it is within the bounds.
fn within(
    number: i128,
    kind: Kind,
    (least, greatest): (u64, u64),
    value: &Value<'_>,
    faults: &mut Vec<Fault>,
) -> Option<u64> {
    match u64::try_from(number) {
        Ok(number) if (least..=greatest).contains(&number) => Some(number),
        _ => wrong(value, format!("out of range, {}", range(kind, (least, greatest))), faults),
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

/// What to say of a string that is no number with a unit.
fn no_number(kind: Kind, text: &str) -> String {
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let way_out = match kind {
        Kind::Duration if digits => format!(": for seconds write {}", quoted(&format!("{text}s"))),
        _ => String::new(),
    };
    format!("takes {kind}, not {}{way_out}", quoted(text))
}

impl Setting for bool {
    const KIND: Kind = Kind::Boolean;

    fn read(value: &Value<'_>, _: Bounds, faults: &mut Vec<Fault>) -> Option<Self> {
        let read = value.get_ref().as_bool();
        read.or_else(|| wrong(value, wrong_type(Self::KIND, value.get_ref()), faults))
    }

    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }
}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl Setting for $type {
            const KIND: Kind = Kind::Integer;

            fn read(value: &Value<'_>, bounds: Bounds, faults: &mut Vec<Fault>) -> Option<Self> {
                let Some(number) = integer(value.get_ref()) else {
                    return wrong(value, wrong_type(Self::KIND, value.get_ref()), faults);
                };
                let bounds = bounds.unwrap_or((0, Self::MAX.into()));
                let number = within(number, Self::KIND, bounds, value, faults)?;
                // bounds beyond the type would be a mistake of the schema; a test looks for it
                Some(Self::try_from(number).unwrap_or(Self::MAX))
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

    fn read(value: &Value<'_>, bounds: Bounds, faults: &mut Vec<Fault>) -> Option<Self> {
        let text = string(value, Self::KIND, faults)?;
        let Some(seconds) = read_duration(text) else {
            return wrong(value, no_number(Self::KIND, text), faults);
        };
        let bounds = bounds.unwrap_or((0, u64::MAX));
        within(seconds.into(), Self::KIND, bounds, value, faults).map(Self::from_secs)
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

    fn read(value: &Value<'_>, bounds: Bounds, faults: &mut Vec<Fault>) -> Option<Self> {
        let octets = match integer(value.get_ref()) {
            Some(octets) => octets,
            None => {
                let text = string(value, Self::KIND, faults)?;
                match Size::of_text(text) {
                    Some(size) => size.octets().into(),
                    None => return wrong(value, no_number(Self::KIND, text), faults),
                }
            }
        };
        let bounds = bounds.unwrap_or((0, u64::MAX));
        within(octets, Self::KIND, bounds, value, faults).map(Self::new)
    }

    fn write(&self, out: &mut String) {
        out.push_str(&quote(&self.to_string()));
    }
}

impl<T: Text> Setting for T {
    const KIND: Kind = Kind::Text(T::WHAT);

    fn read(value: &Value<'_>, _: Bounds, faults: &mut Vec<Fault>) -> Option<Self> {
        match T::parse(string(value, Self::KIND, faults)?) {
            Ok(read) => Some(read),
            Err(invalid) => wrong(value, invalid.to_string(), faults),
        }
    }

    fn write(&self, out: &mut String) {
        out.push_str(&quote(&self.text()));
    }
}

impl<T: Setting> Setting for Option<T> {
    const KIND: Kind = Kind::Optional(&T::KIND);

    fn read(value: &Value<'_>, bounds: Bounds, faults: &mut Vec<Fault>) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => Some(None),
            _ => T::read(value, bounds, faults).map(Some),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Some(value) => value.write(out),
            None => out.push_str("\"\""),
        }
    }
}

/// How many entries a list has without bounds of its own.
const ENTRIES: (u64, u64) = (0, 1024);

impl<T: Setting + PartialEq> Setting for Vec<T> {
    const KIND: Kind = Kind::List(&T::KIND);

    fn read(value: &Value<'_>, bounds: Bounds, faults: &mut Vec<Fault>) -> Option<Self> {
        let Some(array) = value.get_ref().as_array() else {
            return wrong(value, wrong_type(Self::KIND, value.get_ref()), faults);
        };
        // before the entries, for the search for repetitions takes time by their square
        within(array.len() as i128, Self::KIND, bounds.unwrap_or(ENTRIES), value, faults)?;
        let mut list = Self::new();
        for entry in array.iter() {
            match T::read(entry, None, faults) {
                Some(item) if list.contains(&item) => {
                    wrong::<T>(entry, "has the same entry twice".into(), faults);
                }
                Some(item) => list.push(item),
                None => {}
            }
        }
        Some(list)
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

impl<K: Text + Ord, V: Setting> Setting for BTreeMap<K, V> {
    const KIND: Kind = Kind::Map;

    fn read(value: &Value<'_>, bounds: Bounds, faults: &mut Vec<Fault>) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            return wrong(value, wrong_type(Self::KIND, value.get_ref()), faults);
        };
        within(table.len() as i128, Self::KIND, bounds.unwrap_or(ENTRIES), value, faults)?;
        let mut map = Self::new();
        for (name, entry) in table {
            let read = V::read(entry, None, faults);
            match K::parse(name.get_ref()) {
                Ok(name) => map.extend(read.map(|read| (name, read))),
                Err(invalid) => faults.push(Fault::new(name.span(), invalid.to_string())),
            }
        }
        Some(map)
    }

    fn write(&self, out: &mut String) {
        out.push('{');
        for (index, (name, value)) in self.iter().enumerate() {
            out.push_str(if index == 0 { " " } else { ", " });
            out.push_str(&format!("{} = ", quote(&name.text())));
            value.write(out);
        }
        out.push_str(if self.is_empty() { "}" } else { " }" });
    }
}
