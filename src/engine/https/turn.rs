//! What a thread has for one piece of work.

use std::time::Instant;

use super::client::{Answer, Call, Client};
use super::kept::Kept;
use super::limit::Limit;

/// A client, a limit, and what is kept of the server that the thread was last with.
pub struct Turn<'a> {
    /// The client.
    pub client: &'a Client,
    /// The limit of the work.
    pub limit: &'a Limit,
    /// When it began.
    pub since: Instant,
    /// The connections of the work before, and of this one when it is done.
    pub kept: Option<Kept>,
    /// Why the server of this work cannot be asked for anything else now.
    pub silent: Option<String>,
}

impl<'a> Turn<'a> {
    /// For work that begins now.
    pub fn new(client: &'a Client, limit: &'a Limit, kept: Option<Kept>) -> Self {
        Self { client, limit, since: Instant::now(), kept, silent: None }
    }

    /// Makes a call, which ends in time.
    ///
    /// # Errors
    /// The host, and why there is no answer of it.
    pub fn call(&self, call: &Call) -> Result<Answer, String> {
        self.client.call(self.limit, call)
    }
}
