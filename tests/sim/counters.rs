//! What a service was asked.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Counts of a service since it was started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Queries {
    asked: BTreeMap<(String, u16), u64>,
    peers: BTreeSet<SocketAddr>,
}

impl Queries {
    /// Questions of all kinds.
    pub fn total(&self) -> u64 {
        self.asked.values().sum()
    }

    /// Questions for a name, in lower case, and a type.
    pub fn of(&self, name: &str, rtype: u16) -> u64 {
        self.asked.get(&(name.to_string(), rtype)).copied().unwrap_or(0)
    }

    /// Connections over which questions came (hostile service: all that were accepted).
    pub fn connections(&self) -> usize {
        self.peers.len()
    }

    pub(super) fn count_peer(&mut self, peer: SocketAddr) -> usize {
        self.peers.insert(peer);
        self.peers.len()
    }

    pub(super) fn count(&mut self, name: &str, rtype: u16) {
        *self.asked.entry((name.to_ascii_lowercase(), rtype)).or_default() += 1;
    }
}

/// Locks what a panic elsewhere cannot have left half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
