//! A raw DNS client over TCP, to see what a server really sends.

use std::collections::{BTreeSet, VecDeque};
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::apl;
use super::data::rtype;
use super::wire::{Query, Reply};
use super::zone::rcode;
use crate::item::Item;

/// How long the client waits for a connection, and for each part of an answer.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Names of one list at most, as in the program's own bounds.
const MAX_NAMES: usize = 1024;

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    next_id: u16,
}

impl Client {
    /// Connects to a server.
    pub fn connect(addr: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&addr, TIMEOUT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, next_id: 1 })
    }

    /// Waits so long for each part of an answer instead of a minute.
    pub fn set_patience(&self, patience: Duration) -> io::Result<()> {
        self.stream.set_read_timeout(Some(patience))
    }

    /// Sends a question and returns its identifier.
    pub fn send(&mut self, name: &str, rtype: u16) -> io::Result<u16> {
        let id = self.next_id;
        self.next_id = self.next_id.wrapping_add(1);
        self.send_query(&Query::new(id, name, rtype))?;
        Ok(id)
    }

    /// Sends a question as it is given.
    pub fn send_query(&mut self, query: &Query) -> io::Result<()> {
        let message = query.encode();
        let len = u16::try_from(message.len()).map_err(io::Error::other)?;
        let mut framed = len.to_be_bytes().to_vec();
        framed.extend_from_slice(&message);
        self.stream.write_all(&framed)
    }

    /// The next message, whatever it is; `UnexpectedEof` when the server closed.
    pub fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut len = [0; 2];
        self.stream.read_exact(&mut len)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(len))];
        self.stream.read_exact(&mut message)?;
        Ok(message)
    }

    /// Asks one question; the answer must be its own.
    pub fn ask(&mut self, name: &str, rtype: u16) -> Result<Reply, String> {
        let id = self.send(name, rtype).map_err(|why| format!("{name}: {why}"))?;
        let message = self.receive().map_err(|why| format!("{name}: {why}"))?;
        let reply = Reply::read(&message).map_err(|why| format!("{name}: {why}"))?;
        let (echo, echo_rtype, _) = &reply.question;
        if reply.id != id || !echo.eq_ignore_ascii_case(name) || *echo_rtype != rtype {
            return Err(format!("{name}: answer to {} of {echo} {echo_rtype}", reply.id));
        }
        Ok(reply)
    }

    /// Reads a list: at each name APL and PTR, the union of all that is found. A plain reading of
    /// what the layouts have in common; one question at a time.
    pub fn fetch(&mut self, list: &str) -> Result<Vec<Item>, String> {
        let mut seen = BTreeSet::from([list.to_string()]);
        let mut work = VecDeque::from([list.to_string()]);
        let mut items = Vec::new();
        while let Some(name) = work.pop_front() {
            for asked in [rtype::PTR, rtype::APL] {
                let reply = self.ask(&name, asked)?;
                if reply.rcode() != rcode::NOERROR || reply.truncated() {
                    return Err(format!("{name}: flags {:#06x}", reply.flags));
                }
                for record in reply.answers.iter().filter(|record| record.rtype == asked) {
                    match &record.target {
                        Some(target) if seen.insert(target.clone()) => {
                            work.push_back(target.clone());
                        }
                        Some(_) => {}
                        None => items.extend(apl::read(&record.rdata)?),
                    }
                }
            }
            if seen.len() > MAX_NAMES {
                return Err(format!("{list}: more than {MAX_NAMES} names"));
            }
        }
        Ok(items)
    }
}
