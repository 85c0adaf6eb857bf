//! What the end-to-end tests share: lists whose outcome is known.

// A test stops at the first thing that is not as expected; there is nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod item;
pub mod lists;
pub mod prng;
