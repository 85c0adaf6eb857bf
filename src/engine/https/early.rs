//! Answers that come before the body of a request is sent.
//!
//! A server that refuses a request by its head (413, 401, 429 …) may answer and close at once;
//! what is sent then fails, and the answer waits to be read (RFC 9112, section 9.5). So a send
//! that fails because the other end is gone counts as sent, and what comes afterwards decides: an
//! answer, or the reason for which the send failed.

use std::io;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Puts [`Early`] between the connection and TLS.
#[derive(Debug)]
pub struct EarlyAnswers;

impl<In: Transport> Connector<In> for EarlyAnswers {
    type Out = Early<In>;

    fn connect(
        &self,
        _: &ConnectionDetails,
        connection: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(connection.map(|below| Early { below, gone: None, answered: false }))
    }
}

/// A connection whose other end may be gone before all is sent.
#[derive(Debug)]
pub struct Early<T> {
    below: T,
    /// Why sending failed: nothing is sent any more.
    gone: Option<io::ErrorKind>,
    /// Something came since.
    answered: bool,
}

impl<T: Transport> Transport for Early<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.below.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        if self.gone.is_some() {
            return Ok(());
        }
        match self.below.transmit_output(amount, timeout) {
            Err(Error::Io(error)) if is_gone(error.kind()) => {
                self.gone = Some(error.kind());
                Ok(())
            }
            sent => sent,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let came = self.below.await_input(timeout);
        match (self.gone, came) {
            (Some(_), Ok(true)) => {
                self.answered = true;
                Ok(true)
            }
            // an end without an answer: the reason is the one of before
            (Some(why), Ok(false) | Err(Error::Io(_))) if !self.answered => {
                Err(Error::Io(io::Error::from(why)))
            }
            (_, came) => came,
        }
    }

    /// Whether it may be used for another request: not where octets of TLS have come that nobody has
    /// asked for, which the layers above see only once they are whole.
    fn is_open(&mut self) -> bool {
        self.gone.is_none() && self.below.buffers().input().is_empty() && self.below.is_open()
    }

    fn is_tls(&self) -> bool {
        self.below.is_tls()
    }
}

/// Whether that says that nobody reads any more.
fn is_gone(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
}

#[cfg(test)]
mod tests {
    use super::super::bare::Bare;
    use super::*;

    /// Fails when what a server sends behind an answer may become the answer to another request.
    #[test]
    fn what_nobody_asked_for_ends_a_connection() {
        let below = Bare::new(None);
        let mut early = Early { below, gone: None, answered: false };
        assert!(early.is_open());
        early.below.buffers.input_append_buf();
        early.below.buffers.input_appended(7);
        assert!(!early.is_open());
    }
}
