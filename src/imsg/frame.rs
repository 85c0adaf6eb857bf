//! The frame of a message: header, size, descriptor flag.

use core::fmt;
use std::io;
use std::os::fd::OwnedFd;

/// Largest message, header included (`MAX_IMSGSIZE` of imsg.h).
pub const MAX_IMSGSIZE: usize = 16384;
/// Octets of the header: type, len, peerid, pid.
pub(crate) const HEADER: usize = 16;
/// Largest payload.
pub const MAX_PAYLOAD: usize = MAX_IMSGSIZE - HEADER;
/// Top bit of `len`: a descriptor belongs to this message (`IMSG_FD_MARK` of imsg.h).
const FD_MARK: u32 = 0x8000_0000;

/// A message as it came: its type, the number of the request that it answers, its payload.
#[derive(Debug)]
pub struct Frame {
    /// Which message it is.
    pub kind: u32,
    /// The number that a request carries and its answers repeat.
    pub peerid: u32,
    /// The payload, at most [`MAX_PAYLOAD`] octets.
    pub payload: Vec<u8>,
    /// The descriptor that came with it.
    pub fd: Option<OwnedFd>,
}

/// What is wrong with a message. The sender is broken or hostile: the channel is to be closed.
#[derive(Debug)]
pub enum ImsgError {
    /// The length in the header is below the header's own or above [`MAX_IMSGSIZE`].
    Length(u32),
    /// No message has this type.
    Kind(u32),
    /// The payload of a message of this type has another size, or a field is out of its range.
    Payload(u32),
    /// The header announces a descriptor and none came, or one came with a message that has none.
    Descriptor(u32),
    /// The first message is no greeting.
    Greeting,
    /// The greeting is of another version.
    Version,
    /// More waits to be sent than the other side may make us keep.
    Overflow,
    /// The socket failed.
    Io(io::Error),
}

impl fmt::Display for ImsgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length(len) => write!(f, "message of {len} octets"),
            Self::Kind(kind) => write!(f, "message of unknown type {kind}"),
            Self::Payload(kind) => write!(f, "message of type {kind}: payload not in form"),
            Self::Descriptor(kind) => {
                write!(f, "message of type {kind}: descriptor missing or not asked for")
            }
            Self::Greeting => f.write_str("a request before the greeting"),
            Self::Version => f.write_str("it speaks another version of the protocol"),
            Self::Overflow => f.write_str("the other process does not read its messages"),
            Self::Io(error) => write!(f, "socket: {error}"),
        }
    }
}

impl std::error::Error for ImsgError {}

impl From<io::Error> for ImsgError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The header of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Which message it is.
    pub kind: u32,
    /// Octets of the message, header included.
    pub len: usize,
    /// The number of the request.
    pub peerid: u32,
    /// Whether a descriptor belongs to it.
    pub has_fd: bool,
}

impl Header {
    /// Reads a header; `None` while fewer than its sixteen octets are there.
    ///
    /// # Errors
    /// When its length is none that a message can have.
    pub fn read(octets: &[u8]) -> Result<Option<Self>, ImsgError> {
        let Some(head) = octets.first_chunk::<HEADER>() else { return Ok(None) };
        let word =
            |at: usize| u32::from_ne_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let len = word(4) & !FD_MARK;
        if !(HEADER..=MAX_IMSGSIZE).contains(&(len as usize)) {
            return Err(ImsgError::Length(len));
        }
        let has_fd = word(4) & FD_MARK != 0;
        Ok(Some(Self { kind: word(0), len: len as usize, peerid: word(8), has_fd }))
    }

    /// Appends the header.
    pub fn write(self, out: &mut Vec<u8>) {
        let mark = if self.has_fd { FD_MARK } else { 0 };
        for word in [self.kind, self.len as u32 | mark, self.peerid, std::process::id()] {
            out.extend_from_slice(&word.to_ne_bytes());
        }
    }
}
