//! What the administrator blocks and allows himself, and the answers to `block`, `allow` and `forget`.

use serde::{Deserialize, Serialize};

/// Most entries of `block` and `allow` together.
pub const MAX_OWN: usize = 65_536;

/// Longest reason in characters, all of them printable.
pub const MAX_REASON: usize = 200;

/// The least and the most seconds until an entry ends: a minute, a year.
pub const OWN_SECONDS: [u64; 2] = [60, 365 * 86_400];

/// What is to become of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is blocked.
    Block,
    /// It is taken out of what is blocked.
    Allow,
}

impl Action {
    /// The word of the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Block => "block",
            Self::Allow => "allow",
        }
    }
}

/// What somebody said by `block` or `allow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnEntry {
    /// The prefix, as the table file would have it.
    pub prefix: String,
    /// Whether the prefix is blocked or allowed.
    pub action: Action,
    /// When it was said.
    pub since: u64,
    /// When it ends; absent when it does not.
    pub until: Option<u64>,
    /// Who said it.
    pub uid: u32,
    /// Why, in his words; mostly empty.
    pub reason: String,
}

/// The end of `block` and `allow`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// The prefix, as table files have it.
    pub prefix: String,
    /// When it ends; absent when it does not.
    pub until: Option<u64>,
    /// Whether it is kept over restarts: always, for else the command fails.
    pub kept: bool,
    /// Whether all of the prefix is blocked now.
    pub blocked: bool,
    /// What wins over `block`, or still blocks what is allowed; absent when nothing does.
    pub why: Option<String>,
}

/// The end of `forget`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Forgotten {
    /// How many entries were taken back.
    pub forgotten: u64,
    /// Whether something of the prefix is blocked still; absent when all were taken back.
    pub blocked: Option<bool>,
    /// By which lists; absent when it is not.
    pub why: Option<String>,
}
