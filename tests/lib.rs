//! What the end-to-end tests share: the simulated policy service, real DNS servers, lists whose
//! outcome is known, and a harness that runs the programs.

// A test stops at the first thing that is not as expected; there is nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod harness;
pub mod imports;
pub mod item;
pub mod limits;
pub mod lists;
pub mod prng;
pub mod process;
pub mod servers;
pub mod sim;
pub mod soak;
