//! Runs the real programs against the simulated service, in a directory that is thrown away.
//!
//! A case makes a [`Scratch`] directory and a [`Config`] for it, starts a [`Daemon`] and asks it
//! with [`Daemon::ctl`]. The pf tables are the simulated ones. Everything has a deadline, and no
//! process outlives its test.

mod config;
mod daemon;
mod programs;
mod scratch;

pub use config::Config;
pub use daemon::{Daemon, ctl};
pub use programs::{Programs, programs};
pub use scratch::Scratch;

#[cfg(test)]
mod tests;
