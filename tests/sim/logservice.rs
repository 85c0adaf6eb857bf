//! The simulated log service: HTTPS on 127.0.0.1, as good or as bad as a case wants it.
//!
//! Whatever it answers, it keeps what was sent, so that a case can hold that against the log.
//!
//! * In: how a case wants it to behave.
//! * Out: answers over HTTPS, and every upload as it came.
//! * Never: judge what was sent: that is for the case.

mod behaviour;
mod certificates;
mod http;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub use behaviour::Behaviour;
pub use certificates::{Identity, pem_files, server};
pub use http::{Upload, read_request};

/// How long a client may be silent.
const SILENCE: Duration = Duration::from_secs(120);

#[derive(Debug)]
struct Shared {
    behaviour: Mutex<Behaviour>,
    uploads: Mutex<Vec<Upload>>,
    arrived: Condvar,
    stop: AtomicBool,
}

/// The service; stops when dropped.
#[derive(Debug)]
pub struct LogService {
    addr: SocketAddr,
    ca: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl LogService {
    /// Starts it with a good certificate.
    pub fn start() -> Self {
        Self::with(Identity::Good)
    }

    /// Starts it with another.
    pub fn with(identity: Identity) -> Self {
        let (config, ca) = certificates::server(identity);
        Self::serve(Some(Arc::new(config)), ca)
    }

    /// Starts it without TLS, as a handler behind a real web server.
    pub fn behind_a_server() -> Self {
        Self::serve(None, String::new())
    }

    fn serve(config: Option<Arc<ServerConfig>>, ca: String) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind a port");
        let addr = listener.local_addr().expect("address of a bound socket");
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(Behaviour::Confirm),
            uploads: Mutex::default(),
            arrived: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let inner = Arc::clone(&shared);
        let thread = std::thread::spawn(move || accept(&listener, config.as_ref(), &inner));
        Self { addr, ca, shared, thread: Some(thread) }
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The URL of uploads.
    pub fn url(&self) -> String {
        format!("https://{}/cgi-bin/logupload.pl", self.addr)
    }

    /// The certificate of its authority, in PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// Changes what it answers from here on.
    pub fn set(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap_or_else(PoisonError::into_inner) = behaviour;
    }

    /// The uploads so far, confirmed or not.
    pub fn uploads(&self) -> Vec<Upload> {
        self.locked().clone()
    }

    /// Hands out the uploads so far, and forgets them.
    pub fn take(&self) -> Vec<Upload> {
        std::mem::take(&mut self.locked())
    }

    /// Waits until so many uploads have come.
    pub fn wait_for(&self, count: usize, within: Duration) -> Vec<Upload> {
        let deadline = Instant::now() + within;
        let mut uploads = self.locked();
        while uploads.len() < count {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} of {count} uploads in {within:?}", uploads.len());
            let waited = self.shared.arrived.wait_timeout(uploads, left);
            uploads = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        uploads.clone()
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Upload>> {
        self.shared.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for LogService {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        // accept(2) has to see it
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, config: Option<&Arc<ServerConfig>>, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(mut stream) = stream else { continue };
        let (config, shared) = (config.cloned(), Arc::clone(shared));
        std::thread::spawn(move || {
            let _ = stream.set_read_timeout(Some(SILENCE));
            let _ = stream.set_write_timeout(Some(SILENCE));
            let socket = stream.try_clone().expect("a second handle of a socket");
            // A client that goes away in the middle is its own business.
            let Some(config) = config else {
                let _ = attend(&mut stream, &socket, &shared);
                return;
            };
            let connection = ServerConnection::new(config).expect("a connection for a good config");
            let mut tls = StreamOwned::new(connection, stream);
            let _ = attend(&mut tls, &socket, &shared);
            // so that the client sees an end that is no truncation
            tls.conn.send_close_notify();
            let _ = tls.flush();
        });
    }
}

fn attend(
    stream: &mut (impl Read + Write),
    socket: &TcpStream,
    shared: &Shared,
) -> std::io::Result<()> {
    let behaviour = shared.behaviour.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Behaviour::Drop(octets) = behaviour {
        std::io::copy(&mut stream.take(octets as u64), &mut std::io::sink())?;
        // without a farewell
        return socket.shutdown(Shutdown::Both);
    }
    let mut upload = read_request(stream)?;
    upload.confirmed = behaviour.confirms();
    let answer = http::answer(&behaviour, &upload);
    if upload.method == "POST" {
        shared.uploads.lock().unwrap_or_else(PoisonError::into_inner).push(upload);
        shared.arrived.notify_all();
    }
    http::send(stream, &behaviour, &answer)
}
