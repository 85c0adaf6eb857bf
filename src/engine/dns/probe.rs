//! A look at every server without reading whole lists, for `threatstopctl test`.

use core::net::SocketAddr;
use core::time::Duration;

use apl::{AnswerError, ListName, QueryType, Question, Rcode, Reply};
use prefix::Items;
use tokio::time::Instant;

use super::Limits;
use super::connection::Connection;
use super::error::AttemptError;
use super::servers::Servers;

/// What a server showed.
#[derive(Debug)]
pub struct ServerReport {
    /// The server as it is configured.
    pub server: String,
    /// Attempts to connect that failed before one did not.
    pub failed: Vec<(Option<SocketAddr>, AttemptError)>,
    /// The address that could be connected to, and how long that took.
    pub connected: Option<(SocketAddr, Duration)>,
    /// The lists, in the order they were asked for; empty without a connection.
    pub lists: Vec<ListReport>,
}

/// What a server showed of a list.
#[derive(Debug)]
pub struct ListReport {
    /// The list.
    pub name: ListName,
    /// PTR and APL at the list's own name, and TXT and A when there is neither.
    pub answers: Vec<(QueryType, Result<Outcome, AttemptError>)>,
}

/// What an answer held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Records of the type.
    pub records: usize,
    /// Prefixes in them.
    pub items: usize,
    /// The lowest TTL, in seconds.
    pub ttl: u32,
}

impl ServerReport {
    /// Whether the server answered all questions without an error, and has records of every list.
    pub fn is_ready(&self) -> bool {
        self.connected.is_some() && self.lists.iter().all(ListReport::is_ready)
    }
}

impl ListReport {
    /// Whether there was no error, and there are records.
    pub fn is_ready(&self) -> bool {
        self.answers.iter().all(|(_, answer)| answer.is_ok()) && self.has_records()
    }

    /// Whether there are records, of whatever type.
    pub fn has_records(&self) -> bool {
        self.answers
            .iter()
            .any(|(_, answer)| answer.as_ref().is_ok_and(|outcome| outcome.records > 0))
    }
}

/// Connects to every server and asks it for every list, one question at a time. Nothing of it is
/// remembered, and a failure is a part of the report.
pub async fn probe(servers: &Servers, lists: &[ListName], limits: Limits) -> Vec<ServerReport> {
    let mut reports = Vec::new();
    for entry in servers.entries() {
        let mut report = ServerReport {
            server: entry.server().to_string(),
            failed: Vec::new(),
            connected: None,
            lists: Vec::new(),
        };
        let addresses = entry.addresses(limits.connect).await.unwrap_or_else(|error| {
            report.failed.push((None, error));
            Vec::new()
        });
        for address in addresses {
            let started = Instant::now();
            match Connection::open(address, limits.connect).await {
                Ok(connection) => {
                    report.connected = Some((address, started.elapsed()));
                    let mut asker = Asker { address, limits, connection: Some(connection) };
                    report.lists = asker.lists(lists).await;
                    break;
                }
                Err(error) => report.failed.push((Some(address), error)),
            }
        }
        reports.push(report);
    }
    reports
}

/// Asks one server, one question at a time.
struct Asker {
    address: SocketAddr,
    limits: Limits,
    connection: Option<Connection>,
}

impl Asker {
    async fn lists(&mut self, names: &[ListName]) -> Vec<ListReport> {
        let mut reports = Vec::new();
        for name in names {
            let mut report = ListReport { name: name.clone(), answers: Vec::new() };
            for qtype in [QueryType::Ptr, QueryType::Apl, QueryType::Txt, QueryType::A] {
                let known = report.has_records() || report.answers.iter().any(|(_, a)| a.is_err());
                if known && !matches!(qtype, QueryType::Ptr | QueryType::Apl) {
                    break;
                }
                let answer = self.ask(&Question { name: name.clone(), qtype }).await;
                report.answers.push((qtype, answer));
            }
            reports.push(report);
        }
        reports
    }

    /// Asks once more when the server wants OPT, or closed the connection after an earlier answer.
    async fn ask(&mut self, question: &Question) -> Result<Outcome, AttemptError> {
        let fresh = self.connection.is_none();
        match self.ask_once(question, false).await {
            Err(AttemptError::Answer(AnswerError::Rcode(Rcode::FormErr))) => {
                self.ask_once(question, true).await
            }
            Err(AttemptError::Closed(_)) if !fresh => self.ask_once(question, false).await,
            end => end,
        }
    }

    async fn ask_once(&mut self, question: &Question, edns: bool) -> Result<Outcome, AttemptError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => Connection::open(self.address, self.limits.connect).await?,
        };
        let id = rand::random();
        connection.send(question.to_message(id, edns))?;
        let message = connection.receive(Instant::now() + self.limits.answer).await?;
        let reply = Reply::parse(&message).map_err(AttemptError::Answer)?;
        if reply.id() != id {
            return Err(AttemptError::Unasked);
        }
        // The connection is in step: this was its one answer.
        self.connection = Some(connection);
        let answer = reply.read(question, &mut Items::default()).map_err(AttemptError::Answer)?;
        Ok(Outcome { records: answer.records, items: answer.counts.items, ttl: answer.ttl })
    }
}
