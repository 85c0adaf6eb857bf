//! The control socket: one connection, one request, the replies to it.

use core::fmt;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use control::{Reply, Request};

/// Longest line of an answer in octets. The engine's longest hold
/// [`control::PREFIXES_A_REPLY`] prefixes or the text of `metrics`.
const MAX_LINE: u64 = 1 << 20;
/// Longest answer in octets where it is about the whole of a table: room for the twenty million
/// IPv4 prefixes that `max_entries` allows at most.
const MAX_TABLE_ANSWER: u64 = 512 << 20;
/// Longest answer in octets where it is about anything else.
const MAX_ANSWER: u64 = 16 << 20;
/// How long the engine may be silent. It answers everything from memory but what
/// [`patience`] knows.
const SILENCE: Duration = Duration::from_secs(30);

/// What to do where the answer has another form: programs were replaced, and the daemon was not.
pub const OTHER_VERSION: &str =
    "does another version of threatstopd still run? rcctl restart threatstopd";

/// What can go wrong between the tool and the engine.
#[derive(Debug)]
pub enum ClientError {
    /// pledge(2) or unveil(2) failed.
    Sandbox(String),
    /// There is nobody at the socket, or we may not talk to it.
    Connect(PathBuf, io::Error),
    /// No socket has such a path, and why.
    Path(String),
    /// The connection failed.
    Io(io::Error),
    /// The engine said nothing for thirty seconds.
    Silent,
    /// The engine closed the connection in the middle of the answer.
    Closed,
    /// A line, or the whole answer, is longer than any answer can be.
    TooLong,
    /// A line is not one of [`Reply`].
    Form(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sandbox(why) | Self::Path(why) => f.write_str(why),
            Self::Connect(socket, error) => {
                write!(f, "{}: {}", socket.display(), reason(error))?;
                match error.kind() {
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                        f.write_str(" (is threatstopd running? rcctl check threatstopd)")
                    }
                    io::ErrorKind::PermissionDenied => {
                        f.write_str(" (only root and the members of wheel may connect)")
                    }
                    _ => Ok(()),
                }
            }
            Self::Io(error) => f.write_str(&reason(error)),
            Self::Silent => {
                write!(f, "no answer within {} seconds (see /var/log/daemon)", SILENCE.as_secs())
            }
            Self::Closed => f.write_str(
                "threatstopd closed the connection before the answer was complete \
                 (see /var/log/daemon)",
            ),
            Self::TooLong => f.write_str("the answer is too long; is this threatstopd's socket?"),
            Self::Form(why) => {
                write!(f, "the answer is not in form: {why}; {OTHER_VERSION}")
            }
        }
    }
}

impl std::error::Error for ClientError {}

impl From<serde_json::Error> for ClientError {
    fn from(error: serde_json::Error) -> Self {
        Self::Form(error.to_string())
    }
}

/// The words of strerror(3), without the number that the standard library puts behind them.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match error.raw_os_error() {
        Some(errno) => text.trim_end_matches(&format!(" (os error {errno})")).to_owned(),
        None => text,
    }
}

/// A connection over which a request has been sent.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<UnixStream>,
    line: Vec<u8>,
    /// Octets that the answer may still have.
    left: u64,
}

impl Client {
    /// Connects, gives up every right but that of using what is open, and sends the request.
    ///
    /// # Errors
    /// [`ClientError::Path`], [`ClientError::Connect`], [`ClientError::Sandbox`] and
    /// [`ClientError::Io`].
    pub fn ask(socket: &Path, request: &Request) -> Result<Self, ClientError> {
        confine(socket)?;
        let client = Self::again(socket, request)?;
        // After a reload another engine has to be found at the socket.
        if !matches!(request, Request::Reload { .. }) {
            pledge("stdio")?;
        }
        Ok(client)
    }

    /// Connects and sends the request, under the promises of [`confine`].
    ///
    /// # Errors
    /// [`ClientError::Path`], [`ClientError::Connect`] and [`ClientError::Io`].
    pub fn again(socket: &Path, request: &Request) -> Result<Self, ClientError> {
        config::check_socket(socket).map_err(ClientError::Path)?;
        let stream = UnixStream::connect(socket)
            .map_err(|error| ClientError::Connect(socket.to_owned(), error))?;
        let (silence, left) = patience(request);
        // SO_RCVTIMEO is not in "stdio"
        stream.set_read_timeout(silence).map_err(ClientError::Io)?;
        stream.set_write_timeout(Some(SILENCE)).map_err(ClientError::Io)?;
        Self::send(stream, request, left)
    }

    /// Waits, after the answer to [`Request::Reload`], until this engine has ended and the next
    /// one answers at `socket`: whatever is asked in between would get no answer. Gives the state
    /// of the next one.
    ///
    /// # Errors
    /// All of [`ClientError`].
    pub fn outlive(mut self, socket: &Path) -> Result<Reply, ClientError> {
        match self.next() {
            Err(ClientError::Closed) => {}
            Err(error) => return Err(error),
            Ok(_) => return Err(ClientError::Form("something stands behind its end".into())),
        }
        let asked = Instant::now();
        loop {
            match Self::again(socket, &Request::Status {}).and_then(|mut next| next.next()) {
                Err(error) if asked.elapsed() > SILENCE => return Err(error),
                // nobody listens, or an engine that ends has taken the connection yet
                Err(_) => thread::sleep(Duration::from_millis(20)),
                answer => return answer,
            }
        }
    }

    fn send(mut stream: UnixStream, request: &Request, left: u64) -> Result<Self, ClientError> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        match stream.write_all(&line) {
            // An engine that will not listen may still have said why.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed(error)),
            _ => Ok(Self { stream: BufReader::new(stream), line, left }),
        }
    }

    /// The next line of the answer. After `done` or `error` nothing more comes.
    ///
    /// # Errors
    /// All of [`ClientError`] but `Path`, `Connect` and `Sandbox`.
    pub fn next(&mut self) -> Result<Reply, ClientError> {
        self.line.clear();
        let most = MAX_LINE.min(self.left);
        let read = self.stream.by_ref().take(most).read_until(b'\n', &mut self.line);
        let octets = read.map_err(failed)? as u64;
        self.left -= octets;
        match self.line.last() {
            Some(b'\n') => Ok(serde_json::from_slice(&self.line)?),
            _ if octets == most => Err(ClientError::TooLong),
            _ => Err(ClientError::Closed),
        }
    }
}

/// How long the engine may be silent, and how much it may say.
fn patience(request: &Request) -> (Option<Duration>, u64) {
    match request {
        // These wait for servers, for which the engine has time limits of its own.
        Request::Update { .. } => (None, MAX_TABLE_ANSWER),
        Request::Upload { .. } | Request::Test {} => (None, MAX_ANSWER),
        // and these for the run that publishes
        Request::Block { .. } | Request::Allow { .. } | Request::Forget { .. } => {
            (None, MAX_ANSWER)
        }
        // until something happens
        Request::Watch { .. } => (None, u64::MAX),
        Request::Show { .. } | Request::Table { .. } | Request::Export { .. } => {
            (Some(SILENCE), MAX_TABLE_ANSWER)
        }
        _ => (Some(SILENCE), MAX_ANSWER),
    }
}

/// Gives up every right but that of connecting to the socket, any number of times.
///
/// # Errors
/// [`ClientError::Connect`] and [`ClientError::Sandbox`].
pub fn confine(socket: &Path) -> Result<(), ClientError> {
    match unveil::unveil(socket.as_os_str().as_bytes(), "w") {
        Ok(()) | Err(unveil::Error::NotSupported) => {}
        Err(unveil::Error::Os(errno)) => {
            let error = io::Error::from_raw_os_error(errno);
            return Err(ClientError::Connect(socket.to_owned(), error));
        }
        Err(error) => return Err(ClientError::Sandbox(error.to_string())),
    }
    pledge("stdio unix")
}

/// Gives up every right but the promises of pledge(2); does nothing on other systems.
///
/// # Errors
/// [`ClientError::Sandbox`].
pub fn pledge(promises: &str) -> Result<(), ClientError> {
    sandbox::know_processor();
    let pledged = pledge::pledge(promises, None).or_else(pledge::Error::ignore_platform);
    pledged.map_err(|error| ClientError::Sandbox(error.to_string()))
}

/// What an error of the connected socket means.
fn failed(error: io::Error) -> ClientError {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => ClientError::Silent,
        io::ErrorKind::ConnectionReset => ClientError::Closed,
        _ => ClientError::Io(error),
    }
}

#[cfg(test)]
mod tests;
