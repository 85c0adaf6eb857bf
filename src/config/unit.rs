//! Numbers with a unit: durations and sizes.

use core::fmt;

/// Units from the smallest, 1, to the greatest.
type Units = [(&'static str, u64); 4];
const TIMES: Units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
const SIZES: Units = [("", 1), ("K", 1 << 10), ("M", 1 << 20), ("G", 1 << 30)];

/// Digits and a unit, multiplied out.
fn scaled(text: &str, units: &Units) -> Option<u64> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let (_, factor) = units.iter().find(|(name, _)| *name == unit)?;
    digits.parse::<u64>().ok()?.checked_mul(*factor)
}

/// The shortest text that [`scaled`] takes, with the greatest unit that divides the value.
fn unscaled(value: u64, units: &Units) -> String {
    let fits = units.iter().rfind(|(_, factor)| value.is_multiple_of(*factor));
    fits.map_or_else(|| value.to_string(), |(unit, factor)| format!("{}{unit}", value / factor))
}

/// The seconds of a duration such as `15m`; `None` when it is none.
pub fn read_duration(text: &str) -> Option<u64> {
    scaled(text, &TIMES)
}

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

    /// The size of a text such as `64M`.
    pub(crate) fn of_text(text: &str) -> Option<Self> {
        scaled(text, &SIZES).map(Self)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&unscaled(self.0, &SIZES))
    }
}
