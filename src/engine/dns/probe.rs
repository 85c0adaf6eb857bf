//! A look at one server, for `threatstopctl test`: its lists are read whole, as an update reads
//! them, and nothing of it is remembered.

use core::net::SocketAddr;
use core::time::Duration;

use apl::{List, ListName};
use tokio::time::{Instant, timeout};

use super::connection::Connection;
use super::error::AttemptError;
use super::servers::Entry;
use super::session::Session;
use super::{Limits, Wanted};

/// A server that could be connected to.
pub struct Reached {
    /// The address that could be.
    pub address: SocketAddr,
    /// How long that took.
    pub time: Duration,
    limits: Limits,
    /// For the first list; some servers bear but one connection of a client.
    connection: Option<Connection>,
}

/// What came of connecting to a server.
pub struct Attempted {
    /// Attempts that failed; those before the one that did not, if one did not.
    pub failed: Vec<(Option<SocketAddr>, AttemptError)>,
    /// The server, by the first of its addresses that answered.
    pub reached: Option<Reached>,
}

/// Connects to the first address of a server that lets itself be connected to.
pub async fn reach(entry: &Entry, limits: Limits) -> Attempted {
    let mut failed = Vec::new();
    let addresses = match entry.addresses(limits.connect).await {
        Ok(addresses) => addresses,
        Err(error) => return Attempted { failed: vec![(None, error)], reached: None },
    };
    for address in addresses {
        let started = Instant::now();
        match Connection::open(address, limits.connect).await {
            Ok(connection) => {
                let (time, connection) = (started.elapsed(), Some(connection));
                let reached = Some(Reached { address, time, limits, connection });
                return Attempted { failed, reached };
            }
            Err(error) => failed.push((Some(address), error)),
        }
    }
    Attempted { failed, reached: None }
}

impl Reached {
    /// Reads a list to its end.
    ///
    /// # Errors
    /// All of [`AttemptError`].
    pub async fn read(&mut self, list: &Wanted, suffix: &ListName) -> Result<List, AttemptError> {
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address, self.limits.connect).await?,
        };
        let mut silent = |_: super::Event<'_>| {};
        let assemblies = vec![list.assembly(suffix)];
        let session = Session::new(self.address, self.limits, assemblies, &mut silent);
        let lists = timeout(self.limits.run, session.run(connection))
            .await
            .unwrap_or(Err(AttemptError::RunTimeout))?;
        lists.into_iter().next().ok_or(AttemptError::Closed(None))
    }
}
