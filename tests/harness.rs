//! Runs the real programs against the simulated service, in a directory that is thrown away.
//!
//! A case makes a [`Scratch`] directory and a [`Config`] for it, starts a [`Daemon`] and asks it
//! with [`Daemon::ctl`]. The pf tables are the simulated ones. Everything has a deadline, and no
//! process outlives its test.

mod cargo;
mod config;
mod daemon;
mod programs;
mod scratch;
pub mod upload;

pub use cargo::{cargo, clean};
pub use config::Config;
pub use daemon::{Daemon, ctl};
pub use programs::{
    Programs, copy_program, faulty_engine, faulty_helper, programs, programs_aloud, write_script,
};
pub use scratch::Scratch;

#[cfg(test)]
mod tests;
