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
mod tls;
mod tunnel;
mod words;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use config::Config;
use tokio::sync::oneshot;

use client::Limits;
pub use client::{Answer, Call, Client, Headers};
pub use fetch::{Failed, Fetch, Fetched, Validators};
pub use guarded::Met;
pub use retry_after::retry_after;
pub use roots::{Roots, read_roots};

/// Bodies of lists that come at once.
const LISTS_AT_ONCE: usize = 2;
/// What takes longer makes room for others, which do not wait for a slow server,
const SLOW: Duration = Duration::from_secs(10);
/// as long as no more than so many are slow: each may take 64 MiB of the disk.
const SLOW_AT_ONCE: usize = 6;
/// What is said when a thread has ended.
const GONE: &str = "the thread for HTTPS is gone: restart threatstopd";

type Work = Box<dyn FnOnce(&Client) + Send>;

/// The way to threads that wait for web servers.
pub struct Https {
    work: mpsc::Sender<Work>,
}

/// What the threads share.
struct Shared {
    name: &'static str,
    client: Client,
    inbox: Mutex<mpsc::Receiver<Work>>,
    /// How many threads there are, and how many there may be: of those whose work is quick, and of all.
    threads: AtomicUsize,
    quick: usize,
    most: usize,
}

impl Https {
    /// Starts a thread for calls, one after the other.
    ///
    /// # Errors
    /// When there can be no more threads, or the proxy is not one.
    pub fn start(config: &Config, roots: &Roots) -> Result<Self, String> {
        Self::threads(config, roots, Limits::default(), ("https", 1, 0))
    }

    /// Starts the threads that fetch lists.
    ///
    /// # Errors
    /// As [`Https::start`].
    pub fn for_lists(config: &Config, roots: &Roots) -> Result<Self, String> {
        let counts = ("https feed", LISTS_AT_ONCE, SLOW_AT_ONCE);
        Self::threads(config, roots, Limits::of_lists(), counts)
    }

    fn threads(
        config: &Config,
        roots: &Roots,
        limits: Limits,
        (name, quick, slow): (&'static str, usize, usize),
    ) -> Result<Self, String> {
        let (work, inbox) = mpsc::channel::<Work>();
        let client = Client::new(config.https.proxy.as_ref(), roots.clone(), limits)?;
        let (inbox, threads) = (Mutex::new(inbox), AtomicUsize::new(0));
        let shared = Shared { name, client, inbox, threads, quick, most: quick + slow };
        let shared = Arc::new(shared);
        for _ in 0..quick {
            one_more(&shared).map_err(|error| words::no_thread(&error))?;
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

/// Starts a thread that does what comes; false where there may be no other.
fn one_more(shared: &Arc<Shared>) -> io::Result<bool> {
    let forget = || shared.threads.fetch_sub(1, Ordering::SeqCst);
    if shared.threads.fetch_add(1, Ordering::SeqCst) >= shared.most {
        forget();
        return Ok(false);
    }
    let inner = Arc::clone(shared);
    let started = thread::Builder::new().name(shared.name.into()).spawn(move || serve(&inner));
    started.map(|_| true).inspect_err(|_| {
        forget();
    })
}

/// Does what comes until nobody wants anything any more, or another thread has taken the place of this
/// one while its work was slow.
fn serve(shared: &Arc<Shared>) {
    let is_replaced = AtomicBool::new(false);
    while !is_replaced.load(Ordering::SeqCst) {
        let next = shared.inbox.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(work) = next else { return };
        let (done, running) = mpsc::channel::<()>();
        thread::scope(|scope| {
            let relief = || {
                let running = running;
                if running.recv_timeout(SLOW) == Err(mpsc::RecvTimeoutError::Timeout) {
                    // without another thread the others wait, as they would have to
                    let replaced = one_more(shared).unwrap_or_default();
                    is_replaced.store(replaced, Ordering::SeqCst);
                }
            };
            let name = format!("{} relief", shared.name);
            if shared.most > shared.quick {
                let _ = thread::Builder::new().name(name).spawn_scoped(scope, relief);
            }
            work(&shared.client);
            drop(done);
        });
    }
    shared.threads.fetch_sub(1, Ordering::SeqCst);
}
