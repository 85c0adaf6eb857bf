//! The answer to `show lists`.

use serde::{Deserialize, Serialize};

use crate::status::SourceState;

/// All lists of the configuration, source by source.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lists {
    /// The lists, in the order of the configuration.
    pub lists: Vec<ListShown>,
    /// The pairs that have the most entries in common, the largest first; absent unless asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlaps: Option<Vec<Overlap>>,
}

/// Most pairs of lists that are shown.
pub const MAX_OVERLAPS: usize = 10;

/// What two lists of a kind have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// The list of which more lies in the other one, most often the smaller, and that one.
    pub lists: [String; 2],
    /// How many entries of the first the second has, too, or covers.
    pub entries: u64,
    /// How much of the first that is, rounded down.
    pub percent: u64,
}

/// A list, what it is good for, and how it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListShown {
    /// Its name.
    pub list: String,
    /// Who brings it, as `update` takes it.
    pub source: String,
    /// The table that it goes into, as `show` takes it; `none` of what `allow` said, which is taken out
    /// of each block table.
    pub table: String,
    /// Prefixes of its copy; absent when there is none.
    pub entries: Option<u64>,
    /// How many of them no other list of that kind has; absent without a copy.
    pub unique: Option<u64>,
    /// How often it was hit.
    pub hits: HitsOfDays,
    /// When the content of the copy came.
    pub changed: Option<u64>,
    /// Seconds since its source last brought it so; absent without a copy.
    pub age: Option<u64>,
    /// How it is.
    pub state: SourceState,
}

/// Hits of the last days, that of now included, as far as they were counted; absent for what is let
/// through, and while the packet log is not followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HitsOfDays {
    /// Of the day of now.
    #[serde(rename = "1")]
    pub day: Option<u64>,
    /// Of 7 days.
    #[serde(rename = "7")]
    pub week: Option<u64>,
    /// Of 35 days.
    #[serde(rename = "35")]
    pub all: Option<u64>,
}
