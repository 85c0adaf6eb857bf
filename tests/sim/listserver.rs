//! A web server with lists: HTTPS on 127.0.0.1, as good or as bad as a case wants it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

use super::logservice::{Identity, Upload, read_request, server};

/// How long a client may be silent.
const SILENCE: Duration = Duration::from_secs(120);

/// What is behind a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Page {
    /// A list with an ETag, of which the server says that it has not changed when that is asked.
    List {
        /// The text.
        text: String,
        /// The tag, with its quotes.
        etag: String,
    },
    /// The same in gzip, and said to be that where the second is true.
    Gzip(String, bool),
    /// A status, further fields of the head, and a body.
    Say(u16, String, String),
    /// A list whose length is said to be longer than it is.
    Cut(String),
    /// A list of which only the end of the connection says where it ends: where the second is true,
    /// it is said in TLS as well (close_notify), and else the connection is closed without a word.
    Unsized(String, bool),
    /// A list that comes octet by octet, each by itself.
    Octets(String),
    /// A body of this text again and again, until the client has enough of it.
    Endless(String),
    /// In gzip and said to be that, a text so many times.
    Bomb(String, usize),
    /// These octets in place of an answer, all at once.
    Raw(String),
}

/// What becomes of a connection over which something has been answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manners {
    /// The client may ask again.
    #[default]
    Keeps,
    /// It is closed, which nobody has said before.
    Closes,
    /// It is closed when the client asks again.
    HangsUp,
}

#[derive(Debug)]
struct Shared {
    pages: Mutex<BTreeMap<String, Page>>,
    requests: Mutex<Vec<Upload>>,
    manners: Mutex<Manners>,
    /// Connections that had to begin with all of TLS, and those that had not.
    handshakes: Mutex<[usize; 2]>,
    /// Connections that are open.
    open: AtomicUsize,
    /// The paths of which nothing comes yet.
    held: Mutex<BTreeSet<String>>,
    released: Condvar,
    stop: AtomicBool,
}

/// The server; stops when dropped.
#[derive(Debug)]
pub struct ListServer {
    addr: SocketAddr,
    ca: String,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl ListServer {
    /// Starts it, without a page, with a certificate of 127.0.0.1 and localhost.
    pub fn start() -> Self {
        let (config, ca) = server(Identity::Good);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind a port");
        let addr = listener.local_addr().expect("address of a bound socket");
        let shared = Arc::new(Shared {
            pages: Mutex::default(),
            requests: Mutex::default(),
            manners: Mutex::default(),
            handshakes: Mutex::default(),
            open: AtomicUsize::new(0),
            held: Mutex::default(),
            released: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let (inner, config) = (Arc::clone(&shared), Arc::new(config));
        let thread = std::thread::spawn(move || accept(&listener, &config, &inner));
        Self { addr, ca, shared, thread: Some(thread) }
    }

    /// The URL of a path, by the name of its host.
    pub fn url(&self, path: &str) -> String {
        format!("https://localhost:{}{path}", self.addr.port())
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The certificate of its authority, in PEM.
    pub fn ca(&self) -> &str {
        &self.ca
    }

    /// Puts something behind a path.
    pub fn set(&self, path: &str, page: Page) {
        let mut pages = self.shared.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert(path.to_owned(), page);
    }

    /// Puts a list behind a path, whose tag is the number of its octets.
    pub fn serve(&self, path: &str, text: &str) {
        let etag = format!("\"{}\"", text.len());
        self.set(path, Page::List { text: text.to_owned(), etag });
    }

    /// Says of the list behind a path that it comes, and keeps it back until the path is released: a
    /// client waits longer for a body than for an answer.
    pub fn hold(&self, path: &str) {
        let mut held = self.shared.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(path.to_owned());
    }

    /// Sends the list behind a path to those who ask for it, and to those who have asked.
    pub fn release(&self, path: &str) {
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
        self.shared.released.notify_all();
    }

    /// Says what becomes of connections from here on.
    pub fn behave(&self, manners: Manners) {
        *self.shared.manners.lock().unwrap_or_else(PoisonError::into_inner) = manners;
    }

    /// How many connections with a request there were for which the server had to prove who it is, and how
    /// many of somebody who has met it before.
    pub fn handshakes(&self) -> [usize; 2] {
        *self.shared.handshakes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections are open.
    pub fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// Hands out the requests so far, and forgets them.
    pub fn take(&self) -> Vec<Upload> {
        std::mem::take(&mut self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for ListServer {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.held.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.shared.released.notify_all();
        // accept(2) has to see it
        let _ = TcpStream::connect(self.addr);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn accept(listener: &TcpListener, config: &Arc<ServerConfig>, shared: &Arc<Shared>) {
    for stream in listener.incoming() {
        if shared.stop.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let (config, shared) = (Arc::clone(config), Arc::clone(shared));
        shared.open.fetch_add(1, Ordering::SeqCst);
        std::thread::spawn(move || {
            // the rest of an answer does not wait for a word of who has its beginning
            let _ = stream.set_nodelay(true);
            let _ = stream.set_read_timeout(Some(SILENCE));
            let _ = stream.set_write_timeout(Some(SILENCE));
            let connection = ServerConnection::new(config).expect("a connection for a good config");
            let mut tls = StreamOwned::new(connection, stream);
            // A client that goes away in the middle is its own business.
            let _ = attend(&mut tls, &shared);
            tls.conn.send_close_notify();
            let _ = tls.flush();
            shared.open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

/// Answers what comes over a connection.
fn attend(
    stream: &mut StreamOwned<ServerConnection, TcpStream>,
    shared: &Shared,
) -> io::Result<()> {
    for is_first in std::iter::once(true).chain(std::iter::repeat(false)) {
        let request = read_request(stream)?;
        if is_first {
            let is_known = stream.conn.handshake_kind() == Some(HandshakeKind::Resumed);
            let mut handshakes = shared.handshakes.lock().unwrap_or_else(PoisonError::into_inner);
            handshakes[usize::from(is_known)] += 1;
        }
        let manners = *shared.manners.lock().unwrap_or_else(PoisonError::into_inner);
        let hangs_up = manners == Manners::HangsUp && !is_first;
        if hangs_up || shared.stop.load(Ordering::SeqCst) {
            break;
        }
        let goes_on = answer(stream, shared, request)?;
        if !goes_on || manners == Manners::Closes {
            break;
        }
    }
    Ok(())
}

/// Answers a request, and says whether the connection can go on.
fn answer(
    stream: &mut StreamOwned<ServerConnection, TcpStream>,
    shared: &Shared,
    request: Upload,
) -> io::Result<bool> {
    let path = request.path.clone();
    let known = request.header("if-none-match").unwrap_or_default().to_owned();
    shared.requests.lock().unwrap_or_else(PoisonError::into_inner).push(request);
    let pages = shared.pages.lock().unwrap_or_else(PoisonError::into_inner);
    let page = pages.get(&path).cloned();
    drop(pages);
    let mut say = |status: u16, fields: &str, body: &[u8], length: usize| {
        let head = format!("HTTP/1.1 {status} X\r\n{fields}Content-Length: {length}\r\n\r\n");
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        stream.flush()
    };
    match page {
        None => say(404, "", b"", 0)?,
        Some(Page::List { etag, .. }) if etag == known => {
            say(304, &format!("ETag: {etag}\r\n"), b"", 0)?;
        }
        Some(Page::List { text, etag }) => {
            say(200, &format!("ETag: {etag}\r\n"), b"", text.len())?;
            let held = shared.held.lock().unwrap_or_else(PoisonError::into_inner);
            let waits = |held: &mut BTreeSet<String>| held.contains(&path);
            drop(shared.released.wait_while(held, waits).unwrap_or_else(PoisonError::into_inner));
            stream.write_all(text.as_bytes())?;
            stream.flush()?;
        }
        Some(Page::Gzip(text, said)) => {
            let body = gzip(text.as_bytes())?;
            let fields = if said { "Content-Encoding: gzip\r\n" } else { "" };
            say(200, fields, &body, body.len())?;
        }
        Some(Page::Say(status, fields, body)) => {
            say(status, &fields, body.as_bytes(), body.len())?;
        }
        Some(Page::Cut(text)) => {
            say(200, "", text.as_bytes(), text.len() + 100)?;
            return Ok(false);
        }
        Some(Page::Unsized(text, said)) => {
            stream.write_all(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n")?;
            stream.write_all(text.as_bytes())?;
            stream.flush()?;
            if !said {
                stream.sock.shutdown(Shutdown::Both)?;
            }
            return Ok(false);
        }
        Some(Page::Octets(text)) => {
            say(200, "", b"", text.len())?;
            for octet in text.as_bytes().chunks(1) {
                stream.write_all(octet)?;
                stream.flush()?;
            }
        }
        Some(Page::Endless(text)) => {
            stream.write_all(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n")?;
            let text = text.repeat((64 << 10) / text.len() + 1);
            while !shared.stop.load(Ordering::SeqCst) {
                stream.write_all(text.as_bytes())?;
            }
            return Ok(false);
        }
        Some(Page::Bomb(text, times)) => {
            // one member after another (RFC 1952, section 2.2)
            let body = gzip(text.as_bytes())?.repeat(times);
            say(200, "Content-Encoding: gzip\r\n", &body, body.len())?;
        }
        Some(Page::Raw(octets)) => {
            stream.write_all(octets.as_bytes())?;
            stream.flush()?;
        }
    }
    Ok(true)
}

fn gzip(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text)?;
    encoder.finish()
}
