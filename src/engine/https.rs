//! The way to web servers: HTTPS on threads of its own, so that nothing that a server or a
//! resolver does holds up the rest.
//!
//! ```text
//! queue ── turn ── client ── tunnel (CONNECT) ── tcp ── early (answers before the end of a body) ── TLS
//!           │                                                         whole (no list that was cut) ──┘
//!           └──── kept (connections to the server of the last list)
//! ```
//!
//! Certificates are checked against `https.ca_file` and nothing else, which is read before the
//! sandbox closes. Names are resolved by getaddrinfo(3), anew for each call and for each row of lists of
//! one server: on OpenBSD that takes the promises "dns" and "inet", connecting takes "inet", and the
//! threads "stdio". What they wait for ends because the thread of the engine looks at the clock.
//!
//! * In: a URL, the head and body to send, and of the configuration proxy and certificates.
//! * Out: status and beginning of an answer, or the body of a list in a file that has no name;
//!   else why not, in words.
//! * Never: verify less than `https.ca_file` asks for, hold up the event loop, show a credential
//!   to another host than its own, or follow a redirect of the Internet into the network of this
//!   host.

#[cfg(test)]
mod bare;
mod begun;
mod client;
mod early;
mod fetch;
mod guarded;
mod kept;
mod limit;
mod queue;
mod redirect;
mod retry_after;
mod roots;
mod tcp;
mod tls;
mod tunnel;
mod turn;
mod whole;
mod words;

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use config::{Config, WebUrl};
use tokio::sync::oneshot;
use tokio::time::sleep;

pub use client::{Answer, Call, Headers};
use client::{Client, Limits};
pub use fetch::{Failed, Fetch, Fetched, Validators};
pub use guarded::Met;
use kept::Kept;
use limit::{Limit, SLOW};
use queue::Queue;
pub use retry_after::retry_after;
pub use roots::{Roots, read_roots};
pub use turn::Turn;

/// Bodies of lists that come at once.
const LISTS_AT_ONCE: usize = 2;
/// No more than so many are slow, beside others that do not wait for them: each may take 64 MiB of the
/// disk.
const SLOW_AT_ONCE: usize = 6;
/// What is said when a thread has ended.
const GONE: &str = "the thread for HTTPS is gone: restart threatstopd";

/// What a thread does in its turn, or why it cannot.
type Work = Box<dyn FnOnce(Result<&mut Turn<'_>, String>) + Send>;

/// Something to do, and who wants to know that it has begun.
type Job = (Work, oneshot::Sender<Begins>);

/// Work that begins.
struct Begins {
    id: u64,
    limit: Arc<Limit>,
    /// Is gone when it ends.
    end: oneshot::Receiver<()>,
}

/// The way to threads that wait for web servers.
pub struct Https {
    shared: Arc<Shared>,
}

/// What the threads share.
struct Shared {
    name: &'static str,
    client: Client,
    queue: Queue<Job>,
    /// How many threads there are, and how many there may be.
    threads: AtomicUsize,
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
        let client = Client::new(config.https.proxy.as_ref(), roots.clone(), limits)?;
        let most = quick + slow;
        // one is left for the others
        let queue = Queue::new(most.max(2) - 1);
        let threads = AtomicUsize::new(0);
        let https = Self { shared: Arc::new(Shared { name, client, queue, threads, most }) };
        for _ in 0..quick {
            one_more(&https.shared).map_err(|error| words::no_thread(&error))?;
        }
        Ok(https)
    }

    /// Has a thread do something, where it is about a list, with what is kept of its server.
    ///
    /// # Errors
    /// When they are gone; or why the server cannot be asked now.
    pub async fn with<T: Send + 'static>(
        &self,
        list: Option<&WebUrl>,
        work: impl FnOnce(&mut Turn<'_>) -> T + Send + 'static,
    ) -> Result<T, String> {
        let (reply, answer) = oneshot::channel();
        let (begins, begun) = oneshot::channel();
        let work = move |turn: Result<&mut Turn<'_>, String>| {
            // who asked may have lost interest
            let _ = reply.send(turn.map(work));
        };
        if !self.shared.queue.push(list.map(queue::origin), (Box::new(work), begins)) {
            return Err(GONE.into());
        }
        tokio::task::spawn_local(watch(Arc::clone(&self.shared), begun));
        answer.await.unwrap_or_else(|_| Err(GONE.into()))
    }

    /// Asks a web server and waits for the beginning of its answer.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn call(&self, call: Call) -> Result<Answer, String> {
        self.with(None, move |turn| turn.call(&call)).await?
    }
}

impl Drop for Https {
    fn drop(&mut self) {
        self.shared.queue.close();
    }
}

/// Looks at the clock while something is done: has another thread come when it is slow, and ends it when
/// it is late.
async fn watch(shared: Arc<Shared>, begun: oneshot::Receiver<Begins>) {
    let Ok(Begins { id, limit, end }) = begun.await else { return };
    let slow = async {
        sleep(SLOW).await;
        // without another thread the others wait, as they would have to
        shared.queue.relieve(id, || one_more(&shared).unwrap_or_default());
        pending().await
    };
    let late = async {
        sleep(shared.client.all()).await;
        limit.expire();
        pending().await
    };
    tokio::select! {
        _ = end => {}
        () = slow => {}
        () = late => {}
    }
}

/// Starts a thread that does what comes; false where there may be no other.
fn one_more(shared: &Arc<Shared>) -> io::Result<bool> {
    let here = Here(Arc::clone(shared));
    if shared.threads.fetch_add(1, Ordering::SeqCst) >= shared.most {
        return Ok(false);
    }
    let name = shared.name.into();
    thread::Builder::new().name(name).spawn(move || serve(&here.0)).map(|_| true)
}

/// A thread is there as long as this is, however it ends; when the last is gone, nobody waits for one.
struct Here(Arc<Shared>);

impl Drop for Here {
    fn drop(&mut self) {
        if self.0.threads.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.queue.close();
        }
    }
}

/// Does what comes until nobody wants anything any more, or another thread has taken the place of this
/// one while its work was slow.
fn serve(shared: &Shared) {
    let mut kept: Option<Kept> = None;
    loop {
        kept = kept.filter(Kept::is_young);
        let next = shared.queue.poll(kept.as_ref().map(|kept| &kept.origin));
        let next = next.or_else(|| {
            kept = None;
            shared.queue.wait()
        });
        let Some(next) = next else { return };
        let (work, begins) = next.work;
        let (limit, (ends, end)) = (Arc::new(Limit::default()), oneshot::channel());
        let _ = begins.send(Begins { id: next.id, limit: Arc::clone(&limit), end });
        let is_theirs = |kept: &Kept| next.origin.as_ref() == Some(&kept.origin);
        let mut turn = Turn::new(&shared.client, &limit, kept.take().filter(is_theirs));
        work(Ok(&mut turn));
        let Turn { kept: left, silent, .. } = turn;
        kept = left;
        if let (Some(origin), Some(why)) = (&next.origin, silent) {
            // each would wait as long, and hear the same
            for (work, _) in shared.queue.give_up(origin) {
                work(Err(why.clone()));
            }
        }
        let is_replaced = shared.queue.done(next.id);
        drop(ends);
        if is_replaced {
            return;
        }
    }
}
