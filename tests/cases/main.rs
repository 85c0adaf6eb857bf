//! The end-to-end cases, a file for each subject. They are one program, so that what waits in one file
//! leaves the processor to another, and so that it is linked once.
//!
//! * In: the real programs, and the simulated services of the library beside this.
//! * Out: what came of the steps in each case's heading.
//! * Never: depend on speed, on an unusual limit, or on another case; need root without saying so.

// A test stops at the first thing that is not as expected; there is nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

// What several of them share.
mod browser;
mod common;
mod fuzz_seeds;
mod logging;
mod three;

mod control;
mod doctor;
mod documents;
mod faults;
mod feeds;
mod feeds_far;
mod feeds_kept;
mod first_update;
mod fuzz_corpus;
mod guards;
mod hostile;
mod hostile_engine;
mod https;
mod import;
mod interfaces;
mod lifecycle;
mod lists;
mod log;
mod looks;
mod manuals;
mod memory;
mod mended;
mod metrics;
mod mistakes;
mod monitor;
mod moves;
mod outage;
mod own;
mod page;
mod parts;
mod port;
mod relay;
mod report;
mod rollback;
mod root;
mod seen;
mod servers;
mod setup;
mod sim_self;
mod soak;
mod sources;
mod states;
mod tables;
mod tables_named;
mod tree;
mod upload;
mod watched;
