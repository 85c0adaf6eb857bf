//! Why lists could not be had from a server, or from any.

use core::fmt;
use core::net::SocketAddr;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use apl::{AnswerError, ListError};

use crate::errors::words;

/// What failed at one address of a server.
#[derive(Debug)]
pub enum AttemptError {
    /// The name of the server could not be resolved.
    Resolve(io::Error),
    /// No connection.
    Connect(io::Error),
    /// The connection ended before all was answered; by the error, if there was one.
    Closed(Option<io::Error>),
    /// No answer in the time for one.
    Timeout,
    /// The time for this server, or for the whole run, is over.
    RunTimeout,
    /// An answer to nothing that was asked.
    Unasked,
    /// A message that is no answer.
    Answer(AnswerError),
    /// A list, or a part of one, cannot be had.
    List(ListError),
    /// The zone is older than the one before, or of another numbering.
    SerialBack {
        /// The zone.
        zone: String,
        /// The serial of the lists in force.
        before: u32,
        /// That of the server.
        now: u32,
    },
}

impl AttemptError {
    /// Whether a server may fail so because several questions were in flight.
    pub(super) fn may_be_of_pipelining(&self) -> bool {
        matches!(self, Self::Closed(_) | Self::Timeout | Self::Unasked | Self::Answer(_))
    }
}

impl fmt::Display for AttemptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resolve(error) => write!(f, "resolve: {}", words(error)),
            Self::Connect(error) => write!(f, "connect: {}", words(error)),
            Self::Closed(None) => f.write_str(
                "connection closed before the last answer (some servers do so when a list is too \
                 large for one answer)",
            ),
            Self::Closed(Some(error)) => write!(f, "connection lost: {}", words(error)),
            Self::Timeout => f.write_str("no answer in time (policy.timeout)"),
            Self::RunTimeout => f.write_str("not done in the time for one run"),
            Self::Unasked => f.write_str("answer to a question that was not asked"),
            Self::Answer(error) => error.fmt(f),
            Self::List(error) => error.fmt(f),
            Self::SerialBack { zone, before, now } => write!(
                f,
                "the serial of {zone} went back from {before} to {now}: it serves an older zone, \
                 until it has the newer one; if it was numbered anew: threatstopctl update -f policy"
            ),
        }
    }
}

impl std::error::Error for AttemptError {}

/// One failed attempt at an address of a server.
#[derive(Debug)]
pub struct Attempt {
    /// The server as it is configured.
    pub server: String,
    /// The address; none when the server's name was not resolved.
    pub address: Option<SocketAddr>,
    /// What failed.
    pub error: AttemptError,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some(address) => write!(f, "server {address}: {}", self.error),
            None => write!(f, "server {}: {}", self.server, self.error),
        }
    }
}

/// No server gave all lists.
#[derive(Debug)]
pub struct RunError {
    /// Every attempt, in order.
    pub attempts: Vec<Attempt>,
}

impl RunError {
    /// Whether servers were reached and all of them know no such list, or not this device: so it
    /// looks before a device is provisioned.
    pub fn is_unprovisioned(&self) -> bool {
        let mut reached = self.attempts.iter().filter_map(|attempt| match &attempt.error {
            AttemptError::Resolve(_) | AttemptError::Connect(_) => None,
            AttemptError::List(error) => Some(error.is_unprovisioned()),
            _ => Some(false),
        });
        reached.next().is_some_and(|first| first && reached.all(|other| other))
    }

    /// What to do. What a server says of a device that it does not know has its own.
    fn way_out(&self) -> Option<String> {
        let of_device = |attempt: &Attempt| match &attempt.error {
            AttemptError::List(error) => error.is_unprovisioned(),
            _ => false,
        };
        match self.unreached() {
            None if self.attempts.iter().any(of_device) => None,
            None => Some(
                "it is tried again by itself; threatstopctl test reads each list from each server"
                    .into(),
            ),
            unreached => unreached,
        }
    }

    /// What has to be open when no server could even be connected to: the ports that were tried,
    /// which are not the same for each.
    fn unreached(&self) -> Option<String> {
        let mut ports: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
        for Attempt { server, address, error } in &self.attempts {
            match (error, address) {
                (AttemptError::Connect(_), Some(address)) => {
                    ports.entry(server).or_default().insert(address.port());
                }
                (AttemptError::Resolve(_), _) => {}
                _ => return None,
            }
        }
        let mut servers: BTreeMap<BTreeSet<u16>, Vec<&str>> = BTreeMap::new();
        for (server, ports) in ports {
            servers.entry(ports).or_default().push(server);
        }
        let alike = servers.len() == 1;
        let parts: Vec<String> = servers
            .into_iter()
            .map(|(ports, servers)| {
                let ports: Vec<String> = ports.iter().map(u16::to_string).collect();
                let whom = match (alike, servers.len()) {
                    (true, 1) => "the server".to_owned(),
                    (true, _) => "the servers".to_owned(),
                    (false, _) => servers.join(" and "),
                };
                format!("TCP port {} must be open to {whom}", ports.join(" or "))
            })
            .collect();
        match parts.as_slice() {
            [] => Some("threatstopctl test tries each of them".into()),
            parts => Some(format!("{}: threatstopctl test", parts.join(", "))),
        }
    }
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, attempt) in self.attempts.iter().enumerate() {
            let separator = if index > 0 { "; " } else { "" };
            write!(f, "{separator}{attempt}")?;
        }
        match self.way_out() {
            Some(way_out) => write!(f, " ({way_out})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for RunError {}
