//! Where lists come from. A source brings its lists or fails, by itself: what it brought last is
//! kept, see [`crate::lists::copies`], and nothing of the others depends on it.
//!
//! * In: what the service, web servers, the administrator's files and `block` and `allow` say.
//! * Out: for each source a [`Copy`](struct@crate::lists::Copy) of each of its lists, that they are those
//!   in force, or a [`Failure`].
//! * Never: put anything in force, or let the failure of one source touch another.

pub mod feed;
pub mod kept;
pub mod local;
pub mod own;
pub mod policy;

use std::time::Duration;

/// Why a source brings nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What, why, where, and what to do about it.
    pub why: String,
    /// Whether it looks like a device that is not yet provisioned.
    pub unprovisioned: bool,
    /// For how long its server wants to be left alone.
    pub retry_after: Option<Duration>,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self { why, unprovisioned: false, retry_after: None }
    }
}
