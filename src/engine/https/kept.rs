//! Connections to a server, and to where it redirects to, that are kept from one request to the next.

use std::time::Instant;

use prefix::Shield;
use ureq::{Agent, Error};

use super::begun::Begun;
use super::client::Client;
use super::guarded::Guarded;
use super::limit::SLOW;
use super::queue::Origin;
use super::whole::WholeAnswers;

/// What is kept of a server. Its lists come one after the other over one connection, as long as the
/// server keeps it and somebody has more to ask of it; then it is closed.
pub struct Kept {
    /// The server.
    pub origin: Origin,
    /// Who has the connections.
    pub agent: Agent,
    /// Where they lead.
    pub guarded: Guarded,
    begun: Begun,
    since: Instant,
}

impl Kept {
    /// Nothing so far, for a host with these networks of its own.
    pub fn new(client: &Client, origin: Origin, own: Shield) -> Self {
        let begun = Begun::default();
        let guarded = Guarded::new(own, client.is_proxied(), begun.clone());
        let agent = client.agent(guarded.clone(), begun.clone(), WholeAnswers { wanted: true });
        Self { origin, agent, guarded, begun, since: Instant::now() }
    }

    /// Whether it may be used once more: names may lead elsewhere later, and other servers wait.
    pub fn is_young(&self) -> bool {
        self.since.elapsed() < SLOW
    }

    /// Asks a server; once more where a connection was kept that turns out to be none any more. A server
    /// may close it just when it is asked, and then it has not heard the request (RFC 9110, section
    /// 9.2.2); or what came first was the rest of another answer. One that has thought about it before
    /// is not asked twice.
    ///
    /// # Errors
    /// Why there is no head of an answer; nothing of what is kept is to be used any more.
    pub fn ask<T>(&self, ask: impl Fn(&Agent) -> Result<T, Error>) -> Result<T, Error> {
        let (begun, asked) = (self.begun.count(), Instant::now());
        match ask(&self.agent) {
            Err(Error::Io(_) | Error::Protocol(_))
                if self.begun.count() == begun && asked.elapsed() < SLOW =>
            {
                ask(&self.agent)
            }
            asked => asked,
        }
    }
}
