//! How often a client has looked up a name or has begun a connection: what it has from before, it does
//! not count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ureq::Error;
use ureq::unversioned::transport::{ConnectionDetails, Connector};

/// The count, which its copies share; the first in the way to a server.
#[derive(Clone, Debug, Default)]
pub struct Begun(Arc<AtomicU64>);

impl Begun {
    /// Counts one more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many so far.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Connector for Begun {
    type Out = ();

    fn connect(&self, _: &ConnectionDetails, below: Option<()>) -> Result<Option<()>, Error> {
        self.add();
        Ok(below)
    }
}
