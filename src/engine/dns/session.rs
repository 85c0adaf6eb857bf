//! All lists from one address, over one connection as long as it lasts.
//!
//! Many queries are in flight at once (RFC 7766, section 6.2.1.1). A server may bear that badly:
//! close early, mix up answers, or never answer what came while it was busy. Then the rest is
//! asked one question at a time, on a fresh connection.

use core::net::SocketAddr;
use std::collections::HashMap;

use apl::{AnswerError, Ask, Assembly, List, Question, Reply, Ticket};
use tokio::time::Instant;

use super::Limits;
use super::connection::{Connection, WINDOW};
use super::error::AttemptError;
use super::event::Event;

/// Connections in a row that may end without an answer to a single question.
const MAX_BARREN: u32 = 2;

/// The lists that are read from one address.
pub struct Session<'a> {
    addr: SocketAddr,
    limits: Limits,
    lists: Vec<Slot>,
    /// By the id of the query.
    in_flight: HashMap<u16, Sent>,
    /// How many questions may be in flight.
    window: usize,
    tell: &'a mut dyn FnMut(Event<'_>),
}

/// A list on its way.
struct Slot {
    assembly: Assembly,
    started: bool,
    whole: Option<List>,
}

/// A question in flight.
struct Sent {
    list: usize,
    ticket: Ticket,
    question: Question,
}

/// How a connection fared, for the decision about the next one.
#[derive(Default)]
struct Record {
    /// Answers that came.
    answers: usize,
    /// Most questions that were in flight at once.
    peak: usize,
}

impl<'a> Session<'a> {
    /// Prepares to read lists; nothing is sent yet.
    pub fn new(
        addr: SocketAddr,
        limits: Limits,
        assemblies: Vec<Assembly>,
        tell: &'a mut dyn FnMut(Event<'_>),
    ) -> Self {
        let slot = |assembly| Slot { assembly, started: false, whole: None };
        let lists = assemblies.into_iter().map(slot).collect();
        Self { addr, limits, lists, in_flight: HashMap::new(), window: WINDOW, tell }
    }

    /// Reads all lists, beginning on the given connection to the address; they come back in the
    /// order they were given in.
    ///
    /// # Errors
    /// When any of them cannot be had from this address. All connections but a few bring answers,
    /// and the questions of a list are bounded, so that there is an end.
    pub async fn run(mut self, mut connection: Connection) -> Result<Vec<List>, AttemptError> {
        let mut barren = 0;
        loop {
            let mut record = Record::default();
            let Err(error) = self.converse(&mut connection, &mut record).await else { break };
            let closed = matches!(error, AttemptError::Closed(_));
            // Some servers close after so many answers; that is no sign that a full window was too
            // much for them.
            let borne = closed && record.answers >= WINDOW;
            if record.peak > 1 && error.may_be_of_pipelining() && !borne {
                self.window = 1;
            } else if closed && record.answers > 0 {
                barren = 0;
            } else if closed && barren + 1 < MAX_BARREN {
                barren += 1;
            } else {
                return Err(error);
            }
            self.in_flight.clear();
            for slot in &mut self.lists {
                slot.assembly.connection_lost();
            }
            // A server may bear but one connection of a client.
            drop(connection);
            connection = Connection::open(self.addr, self.limits.connect).await?;
        }
        // An assembly without questions is at its end, so that none is missing here.
        let lists: Option<Vec<List>> = self.lists.into_iter().map(|slot| slot.whole).collect();
        lists.ok_or(AttemptError::Closed(None))
    }

    /// Asks and listens until nothing is left to be asked, or the connection fails.
    async fn converse(
        &mut self,
        connection: &mut Connection,
        record: &mut Record,
    ) -> Result<(), AttemptError> {
        loop {
            self.fill(connection)?;
            if self.in_flight.is_empty() {
                return Ok(());
            }
            record.peak = record.peak.max(self.in_flight.len());
            let message = connection.receive(Instant::now() + self.limits.answer).await?;
            self.take_in(&message)?;
            record.answers += 1;
        }
    }

    /// Queues questions until the window is full or there are none.
    fn fill(&mut self, connection: &mut Connection) -> Result<(), AttemptError> {
        while self.in_flight.len() < self.window
            && let Some((list, ask)) = self.next_question()
        {
            let mut id = rand::random();
            while self.in_flight.contains_key(&id) {
                id = id.wrapping_add(1);
            }
            connection.send(ask.question.to_message(id, ask.edns))?;
            self.in_flight.insert(id, Sent { list, ticket: ask.ticket, question: ask.question });
        }
        Ok(())
    }

    /// The next question of the first list that has one.
    fn next_question(&mut self) -> Option<(usize, Ask)> {
        self.lists.iter_mut().enumerate().find_map(|(index, slot)| {
            let ask = slot.assembly.next_question()?;
            if !slot.started {
                slot.started = true;
                (self.tell)(Event::Started(slot.assembly.name()));
            }
            Some((index, ask))
        })
    }

    /// Hands a message to the list whose question it answers.
    fn take_in(&mut self, message: &[u8]) -> Result<(), AttemptError> {
        let reply = Reply::parse(message).map_err(AttemptError::Answer)?;
        let sent = self.in_flight.remove(&reply.id()).ok_or(AttemptError::Unasked)?;
        if !reply.answers(&sent.question) {
            return Err(AttemptError::Answer(AnswerError::Question));
        }
        let Some(slot) = self.lists.get_mut(sent.list) else { return Ok(()) };
        if let Some(end) = slot.assembly.answer(sent.ticket, &reply) {
            let list = end.map_err(AttemptError::List)?;
            (self.tell)(Event::Finished(&list));
            slot.whole = Some(list);
        }
        Ok(())
    }
}
