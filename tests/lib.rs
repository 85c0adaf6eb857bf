//! What the end-to-end tests share: the simulated policy service, real DNS servers, lists whose
//! outcome is known, and a harness that runs the programs.
//!
//! * In: the programs as cargo builds them.
//! * Out: services, servers, lists and processes for cases, the demo, the benches and the soak.
//! * Never: talk to anybody but this host, share code with what is tested where the two could
//!   agree on a mistake, or leave a process behind.

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
