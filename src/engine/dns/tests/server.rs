//! A small DNS/TCP server on the loopback interface with all the manners that a server may have.
//!
//! Written on octets alone, so that it shares no code with what it tests.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub const A: u16 = 1;
pub const PTR: u16 = 12;
pub const APL: u16 = 42;

/// How the server behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// One answer after the other.
    InOrder,
    /// All that arrived together, the last first.
    Reversed,
    /// Closes when a second query comes before the first is answered.
    ClosesOnSecond,
    /// Never answers what came while it was busy with another query.
    LosesSecond,
    /// Answers a query that came while it was busy with the id of the first.
    ConfusesSecond,
    /// Closes after so many answers.
    CloseAfter(usize),
    /// Resets the connection at the first query.
    Reset,
    /// Closes in the midst of an answer.
    Half,
    /// Sends an answer octet by octet, slowly.
    Dribble,
    /// Reads and never answers.
    Silent,
    /// Answers with another id.
    WrongId,
    /// Answers another question.
    WrongQuestion,
    /// Sends the query back.
    Echo,
    /// TC and nothing else.
    Truncated,
    /// Says so many octets come, and closes.
    Announces(u16),
    /// Answers that nobody asked for, one after the other.
    Endless,
    /// This response code.
    Rcode(u8),
    /// FORMERR unless there is an OPT record.
    WantsOpt,
    /// Every APL record is malformed.
    BadApl,
}

/// The records of a zone by name and type.
#[derive(Clone, Debug, Default)]
pub struct Zone(HashMap<String, HashMap<u16, Vec<Vec<u8>>>>);

impl Zone {
    pub fn apl(mut self, name: &str, third_octets: core::ops::Range<u16>) -> Self {
        let items = third_octets.flat_map(|n| {
            let [high, low] = n.to_be_bytes();
            [0, 1, 24, 3, 10, high, low]
        });
        self.add(name, APL, items.collect());
        self
    }

    pub fn ptr(mut self, name: &str, target: &str) -> Self {
        let mut rdata = Vec::new();
        for label in target.split('.') {
            rdata.push(label.len() as u8);
            rdata.extend(label.as_bytes());
        }
        rdata.push(0);
        self.add(name, PTR, rdata);
        self
    }

    pub fn a(mut self, name: &str, last: u8) -> Self {
        self.add(name, A, vec![10, 0, 0, last]);
        self
    }

    /// A list of so many parts with one prefix each.
    pub fn index(self, list: &str, parts: u16) -> Self {
        (0..parts).fold(self, |zone, n| {
            let part = format!("{n}.{list}");
            zone.ptr(list, &part).apl(&part, n..n + 1)
        })
    }

    fn add(&mut self, name: &str, rtype: u16, rdata: Vec<u8>) {
        self.0.entry(name.to_owned()).or_default().entry(rtype).or_default().push(rdata);
    }
}

/// What the server saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub connections: AtomicUsize,
    pub queries: AtomicUsize,
    /// Most queries that waited at the same time.
    pub peak: AtomicUsize,
    /// The names and types that were asked.
    pub questions: Mutex<Vec<(String, u16)>>,
}

pub struct TestServer {
    pub addr: SocketAddr,
    pub seen: Arc<Seen>,
    task: JoinHandle<()>,
}

impl TestServer {
    pub async fn start(zone: Zone, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let task = tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    if seen.connections.fetch_add(1, Ordering::Relaxed) > 2000 {
                        break;
                    }
                    tokio::spawn(converse(stream, zone.clone(), manner, Arc::clone(&seen)));
                }
            }
        });
        Self { addr, seen, task }
    }

    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::Relaxed)
    }

    pub fn queries(&self) -> usize {
        self.seen.queries.load(Ordering::Relaxed)
    }

    pub fn peak(&self) -> usize {
        self.seen.peak.load(Ordering::Relaxed)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn converse(mut stream: TcpStream, zone: Zone, manner: Manner, seen: Arc<Seen>) {
    // A client that goes away is no failure of the server.
    let _ = serve(&mut stream, &zone, manner, &seen).await;
}

/// Long enough for queries that were sent together to arrive.
const BUSY: Duration = Duration::from_millis(50);

async fn serve(stream: &mut TcpStream, zone: &Zone, manner: Manner, seen: &Seen) -> io::Result<()> {
    let mut answers = 0;
    loop {
        let mut queries = vec![read_query(stream, seen).await?];
        if matches!(
            manner,
            Manner::Reversed
                | Manner::ClosesOnSecond
                | Manner::LosesSecond
                | Manner::ConfusesSecond
        ) {
            while let Ok(query) = timeout(BUSY, read_query(stream, seen)).await {
                queries.push(query?);
            }
        }
        seen.peak.fetch_max(queries.len(), Ordering::Relaxed);
        match manner {
            Manner::Reversed => queries.reverse(),
            Manner::ClosesOnSecond if queries.len() > 1 => return Ok(()),
            Manner::LosesSecond => queries.truncate(1),
            Manner::ConfusesSecond => {
                let first = [queries[0][0], queries[0][1]];
                queries.iter_mut().for_each(|query| query[..2].copy_from_slice(&first));
            }
            Manner::Reset => {
                stream.set_zero_linger()?;
                return Ok(());
            }
            Manner::Announces(octets) => {
                stream.write_all(&octets.to_be_bytes()).await?;
                return Ok(());
            }
            Manner::Silent => continue,
            _ => {}
        }
        for query in queries {
            let mut message = answer(&query, zone, manner);
            match manner {
                Manner::Half => {
                    let octets = framed(&message);
                    stream.write_all(&octets[..octets.len() / 2]).await?;
                    return Ok(());
                }
                Manner::Dribble => {
                    for octet in framed(&message) {
                        stream.write_all(&[octet]).await?;
                        sleep(Duration::from_millis(20)).await;
                    }
                }
                Manner::Endless => loop {
                    message[0] = message[0].wrapping_add(1);
                    stream.write_all(&framed(&message)).await?;
                },
                _ => stream.write_all(&framed(&message)).await?,
            }
            answers += 1;
            if manner == Manner::CloseAfter(answers) {
                return Ok(());
            }
        }
    }
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

async fn read_query(stream: &mut TcpStream, seen: &Seen) -> io::Result<Vec<u8>> {
    let len = stream.read_u16().await?;
    let mut query = vec![0; len.into()];
    stream.read_exact(&mut query).await?;
    seen.queries.fetch_add(1, Ordering::Relaxed);
    let (name, rtype, _) = question(&query);
    seen.questions.lock().unwrap().push((name, rtype));
    Ok(query)
}

/// Name, type and the offset behind the question.
fn question(query: &[u8]) -> (String, u16, usize) {
    let mut labels = Vec::new();
    let mut at = 12;
    while query[at] != 0 {
        let end = at + 1 + query[at] as usize;
        labels.push(String::from_utf8(query[at + 1..end].to_vec()).unwrap());
        at = end;
    }
    (labels.join("."), u16::from_be_bytes([query[at + 1], query[at + 2]]), at + 5)
}

fn answer(query: &[u8], zone: &Zone, manner: Manner) -> Vec<u8> {
    let (name, rtype, end) = question(query);
    let mut message = query[..end].to_vec();
    if manner == Manner::Echo {
        return message;
    }
    message[2..12].copy_from_slice(&[0x85, 0x80, 0, 1, 0, 0, 0, 0, 0, 0]);
    match manner {
        Manner::WrongId => message[0] ^= 0x80,
        Manner::WrongQuestion => message[13] ^= 1,
        Manner::Truncated => message[2] |= 2,
        Manner::WantsOpt if query[11] == 0 => message[3] |= 1,
        Manner::Rcode(rcode) => message[3] |= rcode,
        _ => match zone.0.get(&name) {
            None => message[3] |= 3,
            Some(types) => {
                for rdata in types.get(&rtype).into_iter().flatten() {
                    message[7] = message[7].wrapping_add(1);
                    message[6] += u8::from(message[7] == 0);
                    message.extend([0xc0, 12]);
                    message.extend(rtype.to_be_bytes());
                    message.extend([0, 1, 0, 0, 14, 16]);
                    message.extend((rdata.len() as u16).to_be_bytes());
                    message.extend(rdata);
                    if manner == Manner::BadApl && rtype == APL {
                        let last = message.len() - 1;
                        message[last - 3] = 5;
                    }
                }
            }
        },
    }
    message
}
