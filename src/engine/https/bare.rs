//! A connection to nobody, for tests.

use std::io;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, Transport};

/// A connection that takes what is sent, and ends when something is waited for.
#[derive(Debug)]
pub struct Bare {
    /// What has come, and what is to be sent.
    pub buffers: LazyBuffers,
    /// How it breaks, if it does not just end.
    pub breaks: Option<io::ErrorKind>,
}

impl Bare {
    /// One over which nothing has come, and which ends so.
    pub fn new(breaks: Option<io::ErrorKind>) -> Self {
        Self { buffers: LazyBuffers::new(64, 64), breaks }
    }
}

impl Transport for Bare {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), Error> {
        Ok(())
    }

    fn await_input(&mut self, _: NextTimeout) -> Result<bool, Error> {
        self.breaks.map_or(Ok(false), |kind| Err(Error::Io(kind.into())))
    }

    fn is_open(&mut self) -> bool {
        true
    }
}
