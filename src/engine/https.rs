//! The way to web servers: HTTPS on threads of its own, so that nothing that a server or a
//! resolver does holds up the rest.
//!
//! ```text
//! client ── tunnel (CONNECT) ── TCP ── early (answers before the end of a body) ── TLS
//! ```
//!
//! Certificates are checked against `https.ca_file` and nothing else, which is read before the
//! sandbox closes. Names are resolved by getaddrinfo(3), anew for each attempt: on OpenBSD that
//! takes the promises "dns" and "inet", connecting takes "inet", and the threads "stdio".

mod client;
mod early;
mod fetch;
mod guarded;
mod redirect;
mod retry_after;
mod roots;
mod tunnel;
mod words;

use std::sync::{Arc, Mutex, PoisonError, mpsc};

use config::Config;
use tokio::sync::oneshot;

use client::Limits;
pub use client::{Answer, Call, Client, Headers};
pub use fetch::{Failed, Fetch, Fetched, Validators};
pub use retry_after::retry_after;
pub use roots::{Roots, read_roots};

/// Bodies of lists that come at once.
const LISTS_AT_ONCE: usize = 2;
/// What is said when a thread has ended.
const GONE: &str = "the thread for HTTPS is gone: restart threatstopd";

type Work = Box<dyn FnOnce(&Client) + Send>;

/// The way to threads that wait for web servers.
pub struct Https {
    work: mpsc::Sender<Work>,
}

impl Https {
    /// Starts a thread for calls, one after the other.
    ///
    /// # Errors
    /// When there can be no more threads, or the proxy is not one.
    pub fn start(config: &Config, roots: &Roots) -> Result<Self, String> {
        Self::threads(config, roots, Limits::default(), ("https", 1))
    }

    /// Starts the threads that fetch lists.
    ///
    /// # Errors
    /// As [`Https::start`].
    pub fn for_lists(config: &Config, roots: &Roots) -> Result<Self, String> {
        Self::threads(config, roots, Limits::of_lists(), ("https feed", LISTS_AT_ONCE))
    }

    fn threads(
        config: &Config,
        roots: &Roots,
        limits: Limits,
        (name, count): (&str, usize),
    ) -> Result<Self, String> {
        let (work, inbox) = mpsc::channel::<Work>();
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..count {
            let client = Client::new(config.https.proxy.as_ref(), roots.clone(), limits)?;
            let inbox = Arc::clone(&inbox);
            let serve = move || {
                loop {
                    let next = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(work) = next else { return };
                    work(&client);
                }
            };
            let thread = std::thread::Builder::new().name(name.into());
            thread.spawn(serve).map_err(|error| words::no_thread(&error))?;
        }
        Ok(Self { work })
    }

    /// Has a thread do something.
    ///
    /// # Errors
    /// When they are gone.
    pub async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Client) -> T + Send + 'static,
    ) -> Result<T, String> {
        let (reply, answer) = oneshot::channel();
        let work = move |client: &Client| {
            // who asked may have lost interest
            let _ = reply.send(work(client));
        };
        self.work.send(Box::new(work)).map_err(|_| GONE)?;
        answer.await.map_err(|_| GONE.into())
    }

    /// Asks a web server and waits for the beginning of its answer.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn call(&self, call: Call) -> Result<Answer, String> {
        self.with(move |client| client.call(&call)).await?
    }
}
