//! Runs the real programs against the simulated service, in a directory that is thrown away.
//!
//! A case makes a [`Scratch`] directory and a [`Config`] for it, starts a [`Daemon`] and asks it
//! with [`Daemon::ctl`]. The pf tables are the simulated ones. Everything has a deadline, and no
//! process outlives its test.
//!
//! * In: settings of a case, and files that it puts into its directory.
//! * Out: a daemon that runs, its log, and what the control tool says.
//! * Never: wait without a deadline, or leave a process or file behind.

mod cargo;
mod config;
mod daemon;
mod programs;
mod scratch;
pub mod upload;

pub use cargo::{cargo, clean};
pub use config::Config;
pub use daemon::{Daemon, ctl};
pub use programs::{Programs, copy_program, faulty_helper, programs, programs_aloud, write_script};
pub use scratch::Scratch;

#[cfg(test)]
mod tests;
