//! Policy lists over DNS/TCP: which server, which connection, what to do when one fails.
//!
//! All lists of a run come whole from one server. What is asked and what the answers mean is the
//! crate `apl`'s; here are sockets, clocks and the order of servers.
//!
//! * In: the lists that are wanted, the servers of the configuration, and the octets that these
//!   send.
//! * Out: all lists, whole and from one server, or that they are those in force; else every
//!   attempt that failed, and what helps.
//! * Never: lists of two servers, a part of a list, or a wait without a deadline.

mod connection;
mod error;
mod event;
mod probe;
mod retrieve;
mod serial;
mod servers;
mod session;

#[cfg(test)]
mod tests;

use core::time::Duration;

pub use error::AttemptError;
pub use event::Event;
pub use probe::{Attempted, Reached, reach};
pub use retrieve::{Retrieved, Run, Wanted, retrieve};
pub use serial::Before;
pub use servers::{Entry, Health, Servers};

/// How long things may take. All of it is measured on the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// To resolve the name of a server, and to connect to it.
    pub connect: Duration,
    /// From one complete answer to the next, while there are questions to be answered.
    pub answer: Duration,
    /// For all lists, over all servers.
    pub run: Duration,
}

impl Limits {
    /// The limits of the daemon; only the second is configured.
    pub fn new(answer: Duration) -> Self {
        Self { connect: Duration::from_secs(10), answer, run: Duration::from_secs(600) }
    }
}
