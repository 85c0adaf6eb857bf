//! A run: all lists from the first server that has them all.

use core::net::SocketAddr;

use apl::{Assembly, List, ListName, Options};
use tokio::time::{Instant, timeout_at};

use super::Limits;
use super::connection::Connection;
use super::error::{Attempt, AttemptError, RunError};
use super::event::Event;
use super::serial::{Before, serial};
use super::servers::{Entry, Servers};
use super::session::Session;

/// A list to be read.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Its name.
    pub name: ListName,
    /// Whether it had APL records at an earlier time; single addresses are then not taken instead.
    pub apl_before: bool,
}

impl Wanted {
    /// The beginning of its assembly; PTR records are followed below `suffix` only.
    pub(super) fn assembly(&self, suffix: &ListName) -> Assembly {
        let options = Options { suffix: suffix.clone(), apl_before: self.apl_before };
        Assembly::new(self.name.clone(), options)
    }
}

/// What a run needs.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The servers.
    pub servers: &'a Servers,
    /// The lists, each once.
    pub lists: &'a [Wanted],
    /// The domain that PTR records are followed in.
    pub suffix: &'a ListName,
    /// How long things may take.
    pub limits: Limits,
    /// What is known of the zone `suffix` from before, where its serial is to be asked for first.
    pub before: Option<&'a Before>,
}

/// The lists of a run.
#[derive(Debug)]
pub struct Retrieved {
    /// The lists, in the order they were asked for; none when they are those in force.
    pub lists: Option<Vec<List>>,
    /// The server they came from, as it is configured.
    pub server: String,
    /// The serial of the zone before they were read, where it was asked for and there is one.
    pub serial: Option<u32>,
}

/// What an address has: the serial and the lists, as in [`Retrieved`].
type Read = (Option<u32>, Option<Vec<List>>);

/// Reads all lists from one server: the first in order that has them whole.
///
/// # Errors
/// When no server has, or the time for a run is over; every attempt is in the error. A server
/// behind which there are others has half of the time that is left.
pub async fn retrieve(
    run: &Run<'_>,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<Retrieved, RunError> {
    let deadline = Instant::now() + run.limits.run;
    let mut attempts = Vec::new();
    let mut entries = run.servers.in_turn().peekable();
    while let Some(entry) = entries.next() {
        let now = Instant::now();
        let left = deadline.saturating_duration_since(now);
        let until = if entries.peek().is_some() { now + left / 2 } else { deadline };
        match try_server(run, entry, until, &mut attempts, tell).await {
            Some((address, (serial, lists))) => {
                entry.worked(address);
                return Ok(Retrieved { lists, server: entry.server().to_string(), serial });
            }
            None => continue,
        }
    }
    Err(RunError { attempts })
}

/// Tries the addresses of a server in order, until the given time.
async fn try_server(
    run: &Run<'_>,
    entry: &Entry,
    until: Instant,
    attempts: &mut Vec<Attempt>,
    tell: &mut dyn FnMut(Event<'_>),
) -> Option<(SocketAddr, Read)> {
    let mut fail = |address, error, tell: &mut dyn FnMut(Event<'_>)| {
        let attempt = entry.failed(address, error);
        tell(Event::Failed(&attempt));
        attempts.push(attempt);
    };
    let addresses = match entry.addresses(run.limits.connect).await {
        Ok(addresses) => addresses,
        Err(error) => {
            fail(None, error, tell);
            return None;
        }
    };
    for address in addresses {
        match timeout_at(until, read_lists(run, entry, address, tell)).await {
            Ok(Ok(read)) => return Some((address, read)),
            Ok(Err(error)) => fail(Some(address), error, tell),
            Err(_) => {
                fail(Some(address), AttemptError::RunTimeout, tell);
                break;
            }
        }
    }
    None
}

async fn read_lists(
    run: &Run<'_>,
    entry: &Entry,
    address: SocketAddr,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<Read, AttemptError> {
    let mut connection = Connection::open(address, run.limits.connect).await?;
    tell(Event::Server { server: entry.server() });
    // before the lists: what changes while they are read has another serial the next time
    let mut serial_now = None;
    if let Some(before) = run.before {
        serial_now = serial(&mut connection, run.suffix, run.limits).await?;
        let server = entry.server().to_string();
        if let Some(serial) = serial_now
            && before.is_same(&server, run.suffix, serial)?
        {
            return Ok((serial_now, None));
        }
    }
    let assemblies = run.lists.iter().map(|wanted| wanted.assembly(run.suffix)).collect();
    let lists = Session::new(address, run.limits, assemblies, tell).run(connection).await?;
    Ok((serial_now, Some(lists)))
}
