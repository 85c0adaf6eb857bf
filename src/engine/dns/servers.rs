//! The configured servers, their addresses, and how each of them fared.

use core::net::SocketAddr;
use core::time::Duration;
use std::cell::{Cell, RefCell};
use std::io;

use config::Server;
use tokio::net::lookup_host;
use tokio::time::timeout;

use super::error::{Attempt, AttemptError};
use crate::clock;

/// The ports of a server that is configured without one, in order: the second is meant for
/// networks where the first is not open, or intercepted.
const PORTS: [u16; 2] = [53, 5353];
/// Most addresses that are taken from the name of a server.
const MAX_ADDRESSES: usize = 8;

/// The servers of the configuration, in its order, and what is remembered of each while the engine
/// lives.
#[derive(Debug)]
pub struct Servers(Vec<Entry>);

/// One server.
#[derive(Debug)]
pub struct Entry {
    server: Server,
    health: RefCell<Health>,
    /// Whether its name could not be looked up last.
    unresolved: Cell<bool>,
}

/// How a server fared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The server as it is configured.
    pub server: String,
    /// The address that lists came from last. Its port is tried first from then on.
    pub address: Option<SocketAddr>,
    /// When they came, in epoch seconds.
    pub last_success: Option<u64>,
    /// What failed last, whether or not lists have come since.
    pub last_failure: Option<Failure>,
    /// Attempts that failed since lists came last.
    pub failures: u32,
}

/// A failure that is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The address; none when the server's name was not resolved.
    pub address: Option<SocketAddr>,
    /// When, in epoch seconds.
    pub at: u64,
    /// What failed.
    pub what: String,
}

impl Servers {
    /// The servers of a configuration, of which nothing is known yet.
    pub fn new(servers: &[Server]) -> Self {
        let entry = |server: &Server| Entry {
            server: server.clone(),
            health: RefCell::new(Health { server: server.to_string(), ..Health::default() }),
            unresolved: Cell::new(false),
        };
        Self(servers.iter().map(entry).collect())
    }

    /// How the servers fared, in the order of the configuration.
    pub fn health(&self) -> Vec<Health> {
        self.0.iter().map(|entry| entry.health.borrow().clone()).collect()
    }

    /// Notes which of the names could not be looked up last. Their servers are asked last then: a
    /// name that does not resolve costs ten seconds each time (resolv.conf(5)).
    pub fn note_unresolved(&self, fails: impl Fn(&str) -> bool) {
        for entry in &self.0 {
            if let Server::Name(name) | Server::NamePort(name, _) = &entry.server {
                entry.unresolved.set(fails(name.as_str()));
            }
        }
    }

    /// The servers in the order in which they are asked.
    pub(super) fn in_turn(&self) -> impl Iterator<Item = &Entry> {
        let with = |unresolved| self.0.iter().filter(move |e| e.unresolved.get() == unresolved);
        with(false).chain(with(true))
    }

    /// The servers, in the order of the configuration.
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }
}

impl Entry {
    /// The server as it is configured.
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// The addresses to be tried, in order. The name of a server is resolved here, once a run.
    ///
    /// # Errors
    /// [`AttemptError::Resolve`], also when `limit` is over.
    pub(super) async fn addresses(&self, limit: Duration) -> Result<Vec<SocketAddr>, AttemptError> {
        let resolve = async |name: &str, port: u16| {
            let found = timeout(limit, lookup_host((name, port)))
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                .map_err(AttemptError::Resolve)?;
            let mut addresses = Vec::new();
            for address in found {
                if addresses.len() < MAX_ADDRESSES && !addresses.contains(&address) {
                    addresses.push(address);
                }
            }
            if addresses.is_empty() {
                let error = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
                return Err(AttemptError::Resolve(error));
            }
            Ok(addresses)
        };
        let (hosts, any_port) = match &self.server {
            Server::Address(addr) => (vec![SocketAddr::new(*addr, 0)], true),
            Server::AddressPort(addr) => (vec![*addr], false),
            Server::Name(name) => (resolve(name.as_str(), 0).await?, true),
            Server::NamePort(name, port) => (resolve(name.as_str(), *port).await?, false),
        };
        if !any_port {
            return Ok(hosts);
        }
        let mut ports = PORTS;
        if self.health.borrow().address.is_some_and(|address| address.port() == ports[1]) {
            ports.reverse();
        }
        let with_ports = |host: &SocketAddr| ports.map(|port| SocketAddr::new(host.ip(), port));
        Ok(hosts.iter().flat_map(with_ports).collect())
    }

    /// Remembers that all lists came from an address.
    pub(super) fn worked(&self, address: SocketAddr) {
        let mut health = self.health.borrow_mut();
        health.address = Some(address);
        health.last_success = Some(clock::now());
        health.failures = 0;
    }

    /// Remembers a failure, and returns it as an attempt.
    pub(super) fn failed(&self, address: Option<SocketAddr>, error: AttemptError) -> Attempt {
        let mut health = self.health.borrow_mut();
        health.last_failure = Some(Failure { address, at: clock::now(), what: error.to_string() });
        health.failures = health.failures.saturating_add(1);
        Attempt { server: health.server.clone(), address, error }
    }
}
