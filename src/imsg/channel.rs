//! A channel over a local stream socket: what waits to go out, what came in part.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use crate::frame::{Frame, HEADER, Header, ImsgError, MAX_IMSGSIZE, MAX_PAYLOAD};
use crate::rights;

/// Octets that are read at once and kept at most (`IMSG_BUFFER` is as large in imsg.c).
const READ_BUFFER: usize = 65535;
/// Descriptors that may wait for their message: one a message, and messages are taken as they come.
const MAX_FDS: usize = 16;
/// Descriptors that may wait for another side that does not take them.
pub const MOST_WAITING: usize = 4;
/// How long to wait when the kernel was short of buffers: nothing tells when it has some again.
pub const SHORTAGE: Duration = Duration::from_millis(50);

/// What a read found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Octets came; [`Channel::next`] may have messages now.
    Data,
    /// Nothing is there at the moment.
    WouldBlock,
    /// The other side has closed.
    Closed,
}

/// What became of the octets that waited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Nothing is left.
    Sent,
    /// The socket takes no more at the moment.
    Full,
    /// The kernel is short of buffers: to be tried again after [`SHORTAGE`].
    Short,
}

struct Outgoing {
    octets: Vec<u8>,
    sent: usize,
    fd: Option<OwnedFd>,
}

/// One end of the pair of sockets, non-blocking.
pub struct Channel {
    socket: OwnedFd,
    /// Room for what is read, of which these are filled, and of these taken.
    input: Vec<u8>,
    filled: usize,
    taken: usize,
    /// Descriptors that have come and wait for their message.
    pub(crate) fds: VecDeque<OwnedFd>,
    output: VecDeque<Outgoing>,
    queued: usize,
    limit: usize,
    expected: usize,
}

impl Channel {
    /// A channel on a connected local stream socket, which must be non-blocking, that keeps at
    /// most `limit` octets waiting to be sent.
    ///
    /// It reads without room for descriptors until [`Channel::expect_fd`], as imsg(3) does until
    /// imsgbuf_allow_fdpass(3): the kernel then disposes of those that come all the same. With room
    /// it would end a process that has not pledged "recvfd" (SIGABRT), whatever the message is.
    pub fn new(socket: OwnedFd, limit: usize) -> Self {
        Self {
            socket,
            input: vec![0; READ_BUFFER],
            filled: 0,
            taken: 0,
            fds: VecDeque::new(),
            output: VecDeque::new(),
            queued: 0,
            limit,
            expected: 0,
        }
    }

    /// One more message with a descriptor may come.
    pub fn expect_fd(&mut self) {
        self.expected += 1;
    }

    /// One that might have had a descriptor has come, with it or without.
    pub fn answered_fd(&mut self) {
        self.expected = self.expected.saturating_sub(1);
    }

    /// Messages with a descriptor that wait to be sent.
    pub fn waiting_fds(&self) -> usize {
        self.output.iter().filter(|outgoing| outgoing.fd.is_some()).count()
    }

    /// Queues a message; [`Channel::flush`] sends it.
    ///
    /// # Errors
    /// [`ImsgError::Length`] for a payload over [`MAX_PAYLOAD`]; [`ImsgError::Overflow`] when the
    /// other side has left more than the limit unread, or [`MOST_WAITING`] descriptors.
    pub fn queue(
        &mut self,
        kind: u32,
        peerid: u32,
        payload: &[u8],
        fd: Option<OwnedFd>,
    ) -> Result<(), ImsgError> {
        if payload.len() > MAX_PAYLOAD {
            return Err(ImsgError::Length(payload.len() as u32));
        }
        let len = HEADER + payload.len();
        if self.queued + len > self.limit || fd.is_some() && self.waiting_fds() >= MOST_WAITING {
            return Err(ImsgError::Overflow);
        }
        self.queued += len;
        // Small messages without a descriptor share a buffer: one system call for many.
        let joinable = fd.is_none();
        let head = Header { kind, len, peerid, has_fd: fd.is_some() };
        if joinable
            && let Some(last) = self.output.back_mut()
            && last.fd.is_none()
            && last.octets.len() + len <= READ_BUFFER
        {
            head.write(&mut last.octets);
            last.octets.extend_from_slice(payload);
            return Ok(());
        }
        let mut octets = Vec::with_capacity(len);
        head.write(&mut octets);
        octets.extend_from_slice(payload);
        self.output.push_back(Outgoing { octets, sent: 0, fd });
        Ok(())
    }

    /// Octets that wait to be sent.
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// Sends as much as the socket takes.
    ///
    /// # Errors
    /// Those of sendmsg(2), the other side being gone among them.
    pub fn flush(&mut self) -> io::Result<Output> {
        while let Some(first) = self.output.front_mut() {
            let raw: Option<[RawFd; 1]> = first.fd.as_ref().map(|fd| [fd.as_raw_fd()]);
            let control: &[ControlMessage] = match &raw {
                Some(fds) => &[ControlMessage::ScmRights(fds)],
                None => &[],
            };
            let iov = [IoSlice::new(&first.octets[first.sent..])];
            let flags = MsgFlags::MSG_NOSIGNAL;
            match sendmsg::<()>(self.socket.as_raw_fd(), &iov, control, flags, None) {
                Ok(count) => {
                    // The descriptor went with the first octet; it is not ours any more.
                    first.fd = None;
                    first.sent += count;
                    self.queued -= count;
                    if first.sent == first.octets.len() {
                        self.output.pop_front();
                    }
                }
                Err(Errno::EINTR) => {}
                Err(errno) => return unsent(errno),
            }
        }
        Ok(Output::Sent)
    }

    /// Reads once from the socket.
    ///
    /// # Errors
    /// Those of recvmsg(2).
    pub fn read(&mut self) -> io::Result<Input> {
        self.input.copy_within(self.taken..self.filled, 0);
        (self.filled, self.taken) = (self.filled - self.taken, 0);
        match self.receive() {
            Ok(0) => Ok(Input::Closed),
            Ok(count) => {
                self.filled += count;
                Ok(Input::Data)
            }
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(Input::WouldBlock),
            Err(errno) => Err(errno.into()),
        }
    }

    fn receive(&mut self) -> nix::Result<usize> {
        let room = &mut self.input[self.filled..];
        if self.expected == 0 {
            return nix::unistd::read(&self.socket, room);
        }
        let (count, received) = rights::receive(&self.socket, room)?;
        // What nobody announced is closed here, as imsg(3) does.
        let room = MAX_FDS.saturating_sub(self.fds.len());
        self.fds.extend(received.into_iter().take(room));
        Ok(count)
    }

    /// Takes the next whole message from what was read.
    ///
    /// # Errors
    /// When the octets are no message; the channel is of no use afterwards.
    #[expect(clippy::should_implement_trait, reason = "it fails, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<Frame>, ImsgError> {
        let there = &self.input[self.taken..self.filled];
        let Some(head) = Header::read(there)? else { return Ok(None) };
        let Some(whole) = there.get(..head.len) else { return Ok(None) };
        let payload = whole[HEADER..].to_vec();
        let fd = if head.has_fd {
            Some(self.fds.pop_front().ok_or(ImsgError::Descriptor(head.kind))?)
        } else {
            None
        };
        self.taken += head.len;
        Ok(Some(Frame { kind: head.kind, peerid: head.peerid, payload, fd }))
    }
}

/// What an error of sendmsg(2) is to who has octets to send.
fn unsent(errno: Errno) -> io::Result<Output> {
    match errno {
        Errno::EAGAIN => Ok(Output::Full),
        // a socket counts as writable then: who waits for that alone would never sleep
        // EMFILE: too many descriptors are on their way in the whole system (OpenBSD's
        // unp_internalize() says it, with maxfiles / 10 for everybody together)
        Errno::ENOBUFS | Errno::ENOMEM | Errno::ETOOMANYREFS | Errno::EMFILE => Ok(Output::Short),
        errno => Err(errno.into()),
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsRawFd for Channel {
    fn as_raw_fd(&self) -> RawFd {
        self.socket.as_raw_fd()
    }
}

const _: () = assert!(MAX_IMSGSIZE < READ_BUFFER);

#[cfg(test)]
mod tests;
