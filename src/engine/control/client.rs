//! A client's end of the conversation.

use std::io;
use std::time::Duration;

use control::{Failure, PREFIXES_A_REPLY, Reply};
use policy::Change;
use prefix::{Prefix, PrefixSet};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// How long it may take to read a reply.
const READ: Duration = Duration::from_secs(60);

/// A client: what it says, and the replies to it.
pub struct Client {
    stream: BufReader<UnixStream>,
}

impl Client {
    /// Begins a conversation.
    pub fn new(stream: UnixStream) -> Self {
        Self { stream: BufReader::new(stream) }
    }

    /// What it says: a line, or what it has said after so many octets.
    ///
    /// # Errors
    /// When it is gone.
    pub async fn line(&mut self, most: u64) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.stream).take(most).read_until(b'\n', &mut line).await?;
        Ok(line)
    }

    /// Sends one reply.
    ///
    /// # Errors
    /// When the client is gone or does not read.
    pub async fn send(&mut self, reply: &Reply) -> io::Result<()> {
        let mut line = serde_json::to_vec(reply)?;
        line.push(b'\n');
        timeout(READ, self.stream.get_mut().write_all(&line)).await?
    }

    /// Ends the conversation with what was asked for.
    ///
    /// # Errors
    /// When the client is gone or does not read.
    pub async fn done(&mut self, value: impl serde::Serialize) -> io::Result<()> {
        let value = serde_json::to_value(value)?;
        self.send(&Reply::Done(value)).await
    }

    /// Ends it with why that was not done.
    ///
    /// # Errors
    /// When the client is gone or does not read.
    pub async fn fail(&mut self, what: &str, why: impl ToString) -> io::Result<()> {
        self.send(&Reply::Error(Failure { what: what.into(), why: why.to_string() })).await
    }

    /// Sends prefixes in parts; gives their number.
    ///
    /// # Errors
    /// When the client is gone or does not read.
    pub async fn prefixes(
        &mut self,
        prefixes: impl Iterator<Item = Prefix>,
        reply: fn(Vec<String>) -> Reply,
    ) -> io::Result<u64> {
        let mut prefixes = prefixes.map(|prefix| prefix.to_string());
        let mut count = 0;
        loop {
            let part: Vec<String> = prefixes.by_ref().take(PREFIXES_A_REPLY).collect();
            if part.is_empty() {
                return Ok(count);
            }
            count += part.len() as u64;
            self.send(&reply(part)).await?;
        }
    }

    /// Sends what changes from one set to another; gives the numbers added and removed.
    ///
    /// # Errors
    /// When the client is gone or does not read.
    pub async fn difference(&mut self, old: &PrefixSet, new: &PrefixSet) -> io::Result<(u64, u64)> {
        let removed = policy::diff(old, new).filter_map(|change| match change {
            Change::Removed(net) => Some(net),
            Change::Added(_) => None,
        });
        let removed = self.prefixes(removed, Reply::Remove).await?;
        let added = policy::diff(old, new).filter_map(|change| match change {
            Change::Added(net) => Some(net),
            Change::Removed(_) => None,
        });
        Ok((self.prefixes(added, Reply::Add).await?, removed))
    }
}
