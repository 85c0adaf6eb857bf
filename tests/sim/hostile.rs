//! A policy server that misbehaves, octet by octet.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::background::Background;
use super::counters::{Queries, lock};
use super::wire::{self, CLASS_CH, OPCODE, QR, Query, TC};
use super::zone::{Answer, Zone, rcode};

/// How long the server waits for further questions before it takes those it has for all.
const QUIET: Duration = Duration::from_millis(50);
/// The longest that any connection lives, whatever its fault.
const MAX_LIFE: Duration = Duration::from_secs(120);
/// Messages that `Endless` sends at most.
const MAX_ENDLESS: u32 = 1_000_000;

/// What is wrong with one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageFault {
    /// Another identifier.
    WrongId,
    /// The question of another name, though the records are the right ones.
    WrongQuestion,
    /// The question of another type.
    WrongType,
    /// The question and the records in class CH.
    WrongClass,
    /// The records belong to another name.
    WrongOwner,
    /// QR=0: the message is no response.
    NotAResponse,
    /// This opcode, at most 15.
    Opcode(u8),
    /// This response code with the question and no records.
    Rcode(u8),
    /// This response code in a header without a question, as after a query that could not be read.
    HeaderOnly(u8),
    /// FORMERR unless the question carries an OPT record.
    NeedsEdns,
    /// TC=1 beside the whole answer.
    Truncated,
    /// So many octets of the message, framed as if they were all.
    Short(usize),
    /// So many octets after the last record.
    Trailing(usize),
    /// This count of answers in the header, whatever there is.
    Count(u16),
    /// A record whose owner is a compression pointer to itself.
    PointerLoop,
    /// As many records as fit: 11 octets each, owner the root, no data.
    TinyRecords,
}

/// What is wrong with a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConnectionFault {
    /// Nothing: answers in the order of the questions.
    #[default]
    None,
    /// The connection stays in the listen queue. The kernel completes the handshake.
    NeverAccept,
    /// Questions are read and never answered.
    Silent,
    /// Closed in good order after so many answers; 0 closes at the first question.
    CloseAfter(usize),
    /// Reset by the question after so many answers.
    ResetAfter(usize),
    /// After so many answers half of the next one, then closed in good order.
    HalfAfter(usize),
    /// Closed where an answer does not fit in a message: PowerDNS from 4.7 on.
    CloseWhenTooLarge,
    /// An octet each interval.
    Drip(Duration),
    /// So many questions are collected, or as many as come, and answered in reverse order.
    Reversed(usize),
    /// Closed, without an answer, when a second question comes before the first is answered.
    OneAtATime,
    /// After the first question answers to other questions without an end.
    Endless,
    /// Messages of length 0.
    LengthZero,
    /// The length says 65,535, what follows is the answer, and then nothing.
    LengthLie,
}

/// What a hostile service does wrong.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    connection: ConnectionFault,
    connections: Option<usize>,
    messages: Vec<(Option<String>, MessageFault)>,
}

impl Plan {
    /// Nothing wrong.
    pub fn honest() -> Self {
        Self::default()
    }

    /// Every connection has this fault.
    pub fn connection(fault: ConnectionFault) -> Self {
        Self { connection: fault, ..Self::default() }
    }

    /// Every answer has this fault.
    pub fn message(fault: MessageFault) -> Self {
        Self { messages: vec![(None, fault)], ..Self::default() }
    }

    /// Besides, every answer for this name has this fault.
    pub fn at(mut self, name: &str, fault: MessageFault) -> Self {
        self.messages.push((Some(name.to_ascii_lowercase()), fault));
        self
    }

    /// Only so many connections, counted from the start of the service, have the connection's fault;
    /// then the server is healed.
    pub fn first_connections(self, connections: usize) -> Self {
        Self { connections: Some(connections), ..self }
    }

    fn fault_of(&self, name: &str) -> Option<MessageFault> {
        let found = self.messages.iter().find(|(at, _)| match at {
            Some(at) => at.eq_ignore_ascii_case(name),
            None => true,
        });
        found.map(|(_, fault)| *fault)
    }
}

/// A policy server on 127.0.0.1 that follows a plan. It stops when dropped.
#[derive(Debug)]
pub struct HostileService {
    state: Arc<State>,
    background: Background,
}

#[derive(Debug)]
struct State {
    zone: Mutex<Arc<Zone>>,
    plan: Mutex<Arc<Plan>>,
    changed: Notify,
    queries: Mutex<Queries>,
}

impl HostileService {
    /// Starts a server that knows the zone and follows the plan.
    pub fn start(zone: Zone, plan: Plan) -> Self {
        let state = Arc::new(State {
            zone: Mutex::new(Arc::new(zone)),
            plan: Mutex::new(Arc::new(plan)),
            changed: Notify::new(),
            queries: Mutex::default(),
        });
        let background = Background::start({
            let state = Arc::clone(&state);
            |listener, stopped| serve(state, listener, stopped)
        });
        Self { state, background }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.background.addr()
    }

    /// What it was asked so far.
    pub fn queries(&self) -> Queries {
        lock(&self.state.queries).clone()
    }

    /// Follows another plan from the next connection on.
    pub fn set_plan(&self, plan: Plan) {
        *lock(&self.state.plan) = Arc::new(plan);
        self.state.changed.notify_one();
    }

    /// Changes anything in the zone at once.
    pub fn edit(&self, change: impl FnOnce(&mut Zone)) {
        change(Arc::make_mut(&mut lock(&self.state.zone)));
    }

    /// Stops; the port is free again when this returns.
    pub fn stop(self) {
        drop(self);
    }
}

async fn serve(state: Arc<State>, listener: TcpListener, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        let never = lock(&state.plan).connection == ConnectionFault::NeverAccept;
        let (stream, peer) = tokio::select! {
            accepted = listener.accept(), if !never => match accepted {
                Ok(accepted) => accepted,
                Err(_) => continue,
            },
            () = state.changed.notified() => continue,
            _ = &mut stopped => return,
        };
        let nth = lock(&state.queries).count_peer(peer);
        let state = Arc::clone(&state);
        connections.spawn(async move {
            // Errors are the client's going away, which is its good right here.
            let _ = timeout(MAX_LIFE, Connection::new(stream, state, nth).run()).await;
        });
        while connections.try_join_next().is_some() {}
    }
}

struct Connection {
    stream: TcpStream,
    state: Arc<State>,
    plan: Arc<Plan>,
    fault: ConnectionFault,
}

impl Connection {
    fn new(stream: TcpStream, state: Arc<State>, nth: usize) -> Self {
        let plan = Arc::clone(&lock(&state.plan));
        let healed = plan.connections.is_some_and(|connections| nth > connections);
        let fault = if healed { ConnectionFault::None } else { plan.connection };
        Self { stream, state, plan, fault }
    }

    async fn run(mut self) -> io::Result<()> {
        let mut answered = 0;
        while let Some(query) = self.query().await? {
            match self.fault {
                ConnectionFault::Silent | ConnectionFault::NeverAccept => {}
                ConnectionFault::CloseAfter(0) => return self.close().await,
                ConnectionFault::ResetAfter(limit) if answered == limit => return self.reset(),
                ConnectionFault::HalfAfter(limit) if answered == limit => {
                    let framed = framed(&self.message(&query).0);
                    self.stream.write_all(&framed[..framed.len() / 2]).await?;
                    return self.close().await;
                }
                ConnectionFault::Reversed(limit) => self.reversed(query, limit).await?,
                ConnectionFault::OneAtATime => {
                    if self.another_comes().await {
                        return self.close().await;
                    }
                    self.answer(&query).await?;
                }
                ConnectionFault::Endless => self.endless(&query).await?,
                ConnectionFault::LengthZero => self.stream.write_all(&[0, 0]).await?,
                ConnectionFault::LengthLie => {
                    self.stream.write_all(&[0xff, 0xff]).await?;
                    self.stream.write_all(&self.message(&query).0).await?;
                }
                ConnectionFault::CloseWhenTooLarge if self.message(&query).1 => {
                    return self.close().await;
                }
                _ => self.answer(&query).await?,
            }
            answered += 1;
            if self.fault == ConnectionFault::CloseAfter(answered) {
                return self.close().await;
            }
        }
        Ok(())
    }

    /// The next question; `None` when the client has closed, or has sent what is none.
    async fn query(&mut self) -> io::Result<Option<Query>> {
        let mut len = [0; 2];
        if self.stream.read(&mut len[..1]).await? == 0 {
            return Ok(None);
        }
        self.stream.read_exact(&mut len[1..]).await?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(len))];
        self.stream.read_exact(&mut message).await?;
        let query = Query::read(&message).ok();
        if let Some(query) = &query {
            lock(&self.state.queries).count(&query.name, query.rtype);
        }
        Ok(query)
    }

    /// The message for a question, and whether the honest answer would not have fit.
    fn message(&self, query: &Query) -> (Vec<u8>, bool) {
        let zone = Arc::clone(&lock(&self.state.zone));
        let answer = zone.answer(&query.name, query.rtype);
        let truncated = answer.truncated;
        (spoilt(self.plan.fault_of(&query.name), query, answer, zone.origin()), truncated)
    }

    async fn answer(&mut self, query: &Query) -> io::Result<()> {
        let framed = framed(&self.message(query).0);
        let ConnectionFault::Drip(interval) = self.fault else {
            return self.stream.write_all(&framed).await;
        };
        for octet in framed {
            self.stream.write_all(&[octet]).await?;
            sleep(interval).await;
        }
        Ok(())
    }

    async fn reversed(&mut self, first: Query, limit: usize) -> io::Result<()> {
        let mut queries = vec![first];
        while queries.len() < limit && self.another_comes().await {
            match self.query().await? {
                Some(query) => queries.push(query),
                None => break,
            }
        }
        for query in queries.iter().rev() {
            self.answer(query).await?;
        }
        Ok(())
    }

    async fn endless(&mut self, query: &Query) -> io::Result<()> {
        for number in 0..MAX_ENDLESS {
            let other = Query {
                id: query.id.wrapping_add(number as u16).wrapping_add(1),
                name: format!("{number}.{}", query.name),
                ..query.clone()
            };
            let message = self.message(&other).0;
            self.stream.write_all(&framed(&message)).await?;
        }
        Ok(())
    }

    /// Whether another question, or the end of the connection, comes within a short while.
    async fn another_comes(&mut self) -> bool {
        timeout(QUIET, self.stream.peek(&mut [0])).await.is_ok()
    }

    /// Closes so that what was sent arrives: unread questions would turn the close into a reset.
    async fn close(mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        while self.stream.read(&mut [0; 512]).await? > 0 {}
        Ok(())
    }

    /// Closes so that what was sent may be lost.
    fn reset(self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    let len = u16::try_from(message.len()).expect("the length prefix has 16 bits");
    let mut out = len.to_be_bytes().to_vec();
    out.extend_from_slice(message);
    out
}

/// The answer as a fault makes it.
fn spoilt(fault: Option<MessageFault>, query: &Query, answer: Answer, origin: &str) -> Vec<u8> {
    let code = |rcode| Answer { rcode, truncated: false, records: Vec::new() };
    let asked_as = |query: Query| query.reply(&answer, origin);
    let other = || format!("other.{origin}");
    let mut whole = query.reply(&answer, origin);
    match fault {
        None => whole,
        Some(MessageFault::NeedsEdns) if query.edns => whole,
        Some(MessageFault::NeedsEdns) => query.reply(&code(rcode::FORMERR), origin),
        Some(MessageFault::Rcode(rcode)) => query.reply(&code(rcode), origin),
        Some(MessageFault::HeaderOnly(rcode)) => {
            wire::header(query.id, QR | u16::from(rcode), [0; 4])
        }
        Some(MessageFault::WrongId) => asked_as(Query { id: query.id ^ 0x5555, ..query.clone() }),
        Some(MessageFault::WrongQuestion) => asked_as(Query { name: other(), ..query.clone() }),
        Some(MessageFault::WrongType) => {
            asked_as(Query { rtype: query.rtype ^ 1, ..query.clone() })
        }
        Some(MessageFault::WrongClass) => asked_as(Query { class: CLASS_CH, ..query.clone() }),
        Some(MessageFault::WrongOwner) => {
            let records = answer.records.iter().map(|(_, data)| (other(), data.clone())).collect();
            query.reply(&Answer { records, ..answer }, origin)
        }
        Some(MessageFault::NotAResponse) => with_flags(whole, |flags| flags & !QR),
        Some(MessageFault::Truncated) => with_flags(whole, |flags| flags | TC),
        Some(MessageFault::Opcode(opcode)) => {
            with_flags(whole, |flags| flags & !OPCODE | u16::from(opcode & 0xf) << 11)
        }
        Some(MessageFault::Short(octets)) => {
            whole.truncate(octets);
            whole
        }
        Some(MessageFault::Trailing(octets)) => {
            whole.resize((whole.len() + octets).min(usize::from(u16::MAX)), 0);
            whole
        }
        Some(MessageFault::Count(count)) => {
            whole[6..8].copy_from_slice(&count.to_be_bytes());
            whole
        }
        Some(MessageFault::PointerLoop) => {
            let mut message = question_with(query, 1);
            let here = 0xc000 | u16::try_from(message.len()).expect("a question is short");
            message.extend_from_slice(&here.to_be_bytes());
            wire::push_record(&mut message, query.rtype, query.class, 0, &[]);
            message
        }
        Some(MessageFault::TinyRecords) => {
            let room = usize::from(u16::MAX) - question_with(query, 0).len();
            let count = room / 11;
            let mut message = question_with(query, count as u16);
            for _ in 0..count {
                message.push(0);
                wire::push_record(&mut message, query.rtype, query.class, 0, &[]);
            }
            message
        }
    }
}

/// Header and question of a response with so many answers to follow.
fn question_with(query: &Query, answers: u16) -> Vec<u8> {
    let mut out = wire::header(query.id, QR, [1, answers, 0, 0]);
    wire::push_question(&mut out, &query.name, query.rtype, query.class);
    out
}

fn with_flags(mut message: Vec<u8>, change: impl Fn(u16) -> u16) -> Vec<u8> {
    let flags = change(u16::from_be_bytes([message[2], message[3]]));
    message[2..4].copy_from_slice(&flags.to_be_bytes());
    message
}

#[cfg(test)]
mod tests;
