//! How the service behaves.

/// What the service answers to an upload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// The sentence, for the device that sent the log.
    Confirm,
    /// A status, further fields of the head, and a body.
    Say(u16, &'static str, &'static str),
    /// The sentence for bodies of at most so many octets; 413 for others.
    AtMost(usize),
    /// "100 Continue" twice, then the sentence.
    Continue,
    /// The sentence in chunks with extensions and a trailer.
    Chunks,
    /// A chunk whose length is none.
    ChunkedGarbage,
    /// A body that never ends, of at most so many octets.
    Endless(usize),
    /// Nothing: the connection is closed after so many octets of the request.
    Drop(usize),
}

impl Behaviour {
    /// Whether the answer has the sentence.
    pub(super) fn confirms(&self) -> bool {
        matches!(self, Self::Confirm | Self::Continue | Self::Chunks)
    }
}
