//! Answers whose end is that of the connection.
//!
//! Where neither a length nor chunks say where a body ends, it is whole only if the server says in TLS
//! that it closes (RFC 9112, section 9.8): else somebody on the way can cut a list where he likes. ureq
//! takes any end for that of the body.

use std::error::Error as StdError;
use std::{fmt, io};

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Puts [`Whole`] on top of TLS, for lists.
#[derive(Clone, Copy, Debug)]
pub struct WholeAnswers {
    /// Whether a connection that breaks is an error; else it is an end as any other.
    pub wanted: bool,
}

impl<In: Transport> Connector<In> for WholeAnswers {
    type Out = Whole<In>;

    fn connect(
        &self,
        _: &ConnectionDetails,
        connection: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(connection.map(|below| Whole { below, wanted: self.wanted }))
    }
}

/// A connection that ends or breaks, which are two things.
#[derive(Debug)]
pub struct Whole<T> {
    below: T,
    wanted: bool,
}

impl<T: Transport> Transport for Whole<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.below.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.below.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        match self.below.await_input(timeout) {
            Err(Error::Io(error)) if self.wanted && is_end(error.kind()) => {
                Err(Error::Io(io::Error::other(Broken(error.kind()))))
            }
            came => came,
        }
    }

    fn is_open(&mut self) -> bool {
        self.below.is_open()
    }

    fn is_tls(&self) -> bool {
        self.below.is_tls()
    }
}

/// Whether ureq takes it for the end of a body.
fn is_end(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, ConnectionAborted | ConnectionReset | UnexpectedEof)
}

/// How a connection broke.
#[derive(Clone, Copy, Debug)]
pub struct Broken(pub io::ErrorKind);

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection broke")
    }
}

impl StdError for Broken {}

#[cfg(test)]
mod tests {
    use ureq::Timeout;
    use ureq::unversioned::transport::time::Duration;

    use super::super::bare::Bare;
    use super::*;

    /// Fails when ureq may take a connection that breaks for the end of a body.
    #[test]
    fn what_breaks_is_no_end() {
        use io::ErrorKind::{ConnectionAborted, ConnectionReset, UnexpectedEof};
        for kind in [ConnectionAborted, ConnectionReset, UnexpectedEof] {
            let below = Bare::new(Some(kind));
            let mut whole = Whole { below, wanted: true };
            let timeout = NextTimeout {
                after: Duration::NotHappening,
                reason: Timeout::RecvBody,
                ..NextTimeout::default()
            };
            let Err(Error::Io(error)) = whole.await_input(timeout) else {
                panic!("{kind}: no error");
            };
            assert!(!is_end(error.kind()), "{kind}");
        }
    }
}
