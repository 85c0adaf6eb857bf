//! What is told of a run while it goes on.

use apl::{List, ListName};

use super::error::Attempt;

/// A step of a run.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// There is a connection: the lists are now read from this server, from their beginning.
    Server {
        /// The server as it is configured.
        server: &'a config::Server,
    },
    /// The first question of a list goes out.
    Started(&'a ListName),
    /// A list is whole. It counts only when the others become whole on the same server.
    Finished(&'a List),
    /// The server, or this address of it, does not have the lists.
    Failed(&'a Attempt),
}
