//! The way to web servers: HTTPS on a thread of its own, so that nothing that a server or a
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

type Job = (Call, oneshot::Sender<Result<Answer, String>>);

/// The way to the thread.
pub struct Https {
    jobs: mpsc::Sender<Job>,
}

impl Https {
    /// Starts the thread.
    ///
    /// # Errors
    /// When there can be no more threads, or the proxy is not one.
    pub fn start(config: &Config, roots: Roots) -> Result<Self, String> {
        let client = Client::new(config.https.proxy.as_ref(), roots, Limits::default())?;
        let (jobs, inbox) = mpsc::channel::<Job>();
        let serve = move || {
            for (call, reply) in inbox {
                // who asked may have lost interest
                let _ = reply.send(client.call(&call));
            }
        };
        let thread = std::thread::Builder::new().name("https".into());
        thread.spawn(serve).map_err(|error| words::no_thread(&error))?;
        Ok(Self { jobs })
    }

    /// Asks a web server and waits for the beginning of its answer.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn call(&self, call: Call) -> Result<Answer, String> {
        let (reply, answer) = oneshot::channel();
        self.jobs.send((call, reply)).map_err(|_| GONE)?;
        answer.await.map_err(|_| GONE)?
    }
}

/// Bodies of lists that come at once.
const AT_ONCE: usize = 2;
/// What is said when a thread has ended.
const GONE: &str = "the thread for HTTPS is gone: restart threatstopd";

type Work = Box<dyn FnOnce(&Client) + Send>;

/// The way to the threads that fetch lists.
pub struct Fetchers {
    work: mpsc::Sender<Work>,
}

impl Fetchers {
    /// Starts the threads.
    ///
    /// # Errors
    /// When there can be no more threads, or the proxy is not one.
    pub fn start(config: &Config, roots: &Roots) -> Result<Self, String> {
        let (work, inbox) = mpsc::channel::<Work>();
        let inbox = Arc::new(Mutex::new(inbox));
        for _ in 0..AT_ONCE {
            let proxy = config.https.proxy.as_ref();
            let client = Client::new(proxy, roots.clone(), Limits::of_lists())?;
            let inbox = Arc::clone(&inbox);
            let serve = move || {
                loop {
                    let next = inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(work) = next else { return };
                    work(&client);
                }
            };
            let thread = std::thread::Builder::new().name("https feed".into());
            thread.spawn(serve).map_err(|error| words::no_thread(&error))?;
        }
        Ok(Self { work })
    }

    /// Has one of them do something.
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
}
