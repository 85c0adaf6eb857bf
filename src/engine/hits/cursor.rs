//! How far the packet log was counted, so that no record counts twice.

use pflog::Fingerprint;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A file of the packet log, by its first record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Print(pub Fingerprint);

impl Serialize for Print {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Print {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

/// How far a file was dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The file.
    pub file: Print,
    /// Offset of the next record in it, unpacked when the file is gzip.
    pub offset: u64,
}
