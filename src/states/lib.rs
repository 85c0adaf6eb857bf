//! States of pf(4) that pass what is blocked now, and their end.
//!
//! A state passes packets until it ends, whatever a table says by then. [`flush`] reads all states
//! once, has pf test their addresses against the block tables, and ends those whose initiator is in
//! a table of what comes in, or whose target is in one of what goes out. Nothing else is ended, and
//! not a state that only shares a key with such a one: what pf cannot find by a number is ended where
//! a walk over all states finds it alone, and only so many of these in a pass.
//!
//! `threatstopctl flush` does this by hand, threatstopd-states after each update.
//!
//! * In: the block tables of a configuration; the states of pf.
//! * Out: the states that pass what is blocked now, ended or only told.
//! * Never: change a table, or end a state neither end of which is in a block table.

mod abi;
mod kernel;
mod key;
mod pass;
mod request;
mod simulated;
mod tables;

use nix::errno::Errno;
use pf::{PfrAddr, Table};

pub use abi::{PfiocStateKill, State};
pub use kernel::Kernel;
pub use key::End;
pub use pass::{Found, Report, flush};
pub use simulated::Simulated;
pub use tables::{Blocked, Direction, blocked};

/// Why states were not looked at, or not ended; with what helps, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The number that comes nearest: EPERM where pf lets nobody end states.
    pub errno: Errno,
    /// What, why and the way out.
    pub what: String,
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.what)
    }
}

impl core::error::Error for Error {}

/// The states of a pf, real or simulated: the three requests that a pass is made of.
pub trait Pf {
    /// All states, as far as they were there from the beginning of the call to its end.
    ///
    /// # Errors
    /// ENOMEM where they take more memory than this process may have; those of open(2) and ioctl(2).
    fn states(&self) -> Result<Vec<State>, Error>;
    /// Marks those single addresses, none of which is marked yet, that a table has.
    ///
    /// # Errors
    /// ESRCH without the table, EINVAL for what is no single address.
    fn test(&self, table: &Table, addrs: &mut [PfrAddr]) -> nix::Result<()>;
    /// Ends a state, or tells that there is none like it any more: how many have ended.
    ///
    /// # Errors
    /// EPERM at securelevel 2.
    fn kill(&self, request: &mut PfiocStateKill) -> nix::Result<u32>;
}

/// What an error of a request means, with the way out where it is known.
fn words(errno: Errno) -> &'static str {
    match errno {
        Errno::ENOTTY | Errno::ENODEV => MISMATCH,
        errno => errno.desc(),
    }
}

/// What is said where pf's structures are others than ours.
const MISMATCH: &str = "this build does not match the kernel's pf; rebuild the port";

/// What is said where pf lets nobody end states.
pub const FORBIDDEN: &str = "pf lets nobody end states at securelevel 2: they end by themselves; \
                             securelevel=1 in /etc/rc.securelevel and a reboot allow it";
