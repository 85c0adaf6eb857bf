//! What `watch` tells.

use serde::{Deserialize, Serialize};

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number: each has one more than the one before, also over reloads and restarts.
    pub number: u64,
    /// When it happened, epoch seconds.
    pub time: u64,
    /// `published`, `held`, `failed`, `recovered`, `upload failing`, `table unused`,
    /// `new suspect host`, `log gap`, `mended`, `damaged` or `warning`.
    pub event: String,
    /// The source, list, table or host that it is about; absent when it is about none.
    pub subject: Option<String>,
    /// The sentence about it, the same as in the log.
    pub text: String,
}
