//! One TCP connection to a server, and the raw messages on it.
//!
//! hickory-net frames the messages. Its multiplexer is not used: it parses what comes and drops
//! what it cannot parse, an empty APL record among them, so that a list would seem to time out.

use core::net::SocketAddr;
use core::time::Duration;
use std::io;

use futures_util::StreamExt;
use hickory_net::proto::op::SerialMessage;
use hickory_net::runtime::{RuntimeProvider, TokioRuntimeProvider};
use hickory_net::tcp::TcpStream;
use hickory_net::{BufDnsStreamHandle, DnsStreamHandle};
use tokio::time::{Instant, timeout_at};

use super::error::AttemptError;

/// Most queries on one connection that wait for their answers. The queue of hickory-net holds as
/// many, and they are sent only while an answer is waited for.
pub const WINDOW: usize = 32;

/// A connection to a server.
pub struct Connection {
    stream: TcpStream<<TokioRuntimeProvider as RuntimeProvider>::Tcp>,
    handle: BufDnsStreamHandle,
    addr: SocketAddr,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// [`AttemptError::Connect`], also when `limit` is over.
    pub async fn open(addr: SocketAddr, limit: Duration) -> Result<Self, AttemptError> {
        let socket = TokioRuntimeProvider::new()
            .connect_tcp(addr, None, Some(limit))
            .await
            .map_err(AttemptError::Connect)?;
        let (stream, handle) = TcpStream::from_stream_with_buffer_size(socket, addr, WINDOW);
        Ok(Self { stream, handle, addr })
    }

    /// Queues a message without its length prefix; at most [`WINDOW`] until the next answer.
    ///
    /// # Errors
    /// [`AttemptError::Closed`] when the queue is full or gone.
    pub fn send(&mut self, message: Vec<u8>) -> Result<(), AttemptError> {
        self.handle
            .send(SerialMessage::new(message, self.addr))
            .map_err(|error| AttemptError::Closed(Some(io::Error::other(error.to_string()))))
    }

    /// Sends what is queued and waits for the next message.
    ///
    /// # Errors
    /// [`AttemptError::Closed`] when the connection ends, [`AttemptError::Timeout`] when no message
    /// is complete at the deadline.
    pub async fn receive(&mut self, deadline: Instant) -> Result<Vec<u8>, AttemptError> {
        match timeout_at(deadline, self.stream.next()).await {
            Err(_) => Err(AttemptError::Timeout),
            Ok(None) => Err(AttemptError::Closed(None)),
            Ok(Some(Err(error))) => Err(AttemptError::Closed(Some(error))),
            Ok(Some(Ok(message))) => Ok(message.into_parts().0),
        }
    }
}
