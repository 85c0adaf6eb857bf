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
mod redirect;
mod roots;
mod tunnel;
mod words;

use std::sync::mpsc;

use config::Config;
use tokio::sync::oneshot;

pub use client::{Answer, Call, Headers};
use client::{Client, Limits};
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
        const GONE: &str = "the thread for HTTPS is gone: restart threatstopd";
        let (reply, answer) = oneshot::channel();
        self.jobs.send((call, reply)).map_err(|_| GONE)?;
        answer.await.map_err(|_| GONE)?
    }
}
