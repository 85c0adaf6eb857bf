//! One request of HTTP/1.1 (RFC 9112), read to its end and within bounds.

use std::io::{self, Read, Write};

use crate::client::reason;
use crate::printable::printable;

/// Octets of the head.
const HEAD: usize = 64 << 10;
/// Octets of the body.
const BODY: usize = 64 << 20;

/// A request that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Fields of the head in order, names as they were given.
    pub fields: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// A field of the head, whatever the case of its name; empty when it is not there.
    pub fn field(&self, name: &str) -> &str {
        let found = self.fields.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    }
}

/// Reads a request; says "100 Continue" to a client that waits for it.
///
/// # Errors
/// When the client goes away, is too long, or says something else than HTTP.
pub fn receive(stream: &mut (impl Read + Write)) -> Result<Request, String> {
    let mut octets = Octets { stream, buffer: Vec::new() };
    octets.more()?;
    // TLS has no line ends to wait for
    if octets.buffer.first() == Some(&0x16) {
        return Err("the client speaks TLS: give it a URL that begins with http://".into());
    }
    let head = octets.until(b"\r\n\r\n", HEAD)?;
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.split("\r\n");
    let mut words = lines.next().unwrap_or_default().split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    let (method, path, version) = (word(), word(), word());
    if !version.starts_with("HTTP/1.") {
        return Err("a connection without HTTP".into());
    }
    let fields = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
        .collect();
    let mut request = Request { method, path, fields, body: Vec::new() };
    if request.field("expect").eq_ignore_ascii_case("100-continue") {
        let going_on = b"HTTP/1.1 100 Continue\r\n\r\n";
        octets.stream.write_all(going_on).map_err(|error| reason(&error))?;
    }
    request.body = if request.field("transfer-encoding").eq_ignore_ascii_case("chunked") {
        octets.chunks()?
    } else {
        let length = request.field("content-length");
        let length = if length.is_empty() { "0" } else { length };
        let length =
            length.parse().map_err(|_| format!("Content-Length: {}", printable(length)))?;
        octets.exactly(length)?
    };
    Ok(request)
}

/// Sends an answer and ends the connection.
///
/// # Errors
/// When the client is gone.
pub fn answer(stream: &mut impl Write, status: &str, body: &str) -> io::Result<()> {
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{body}"
    )?;
    stream.flush()
}

/// What comes, with what has come and was not used yet.
struct Octets<'a, S> {
    stream: &'a mut S,
    buffer: Vec<u8>,
}

impl<S: Read> Octets<'_, S> {
    fn more(&mut self) -> Result<(), String> {
        let mut part = [0; 8192];
        match self.stream.read(&mut part) {
            Ok(0) => Err("the client went away in the middle".into()),
            Ok(count) => {
                self.buffer.extend(part.iter().take(count));
                Ok(())
            }
            Err(error) => Err(reason(&error)),
        }
    }

    /// Everything up to an end, which is taken too and left out.
    fn until(&mut self, end: &[u8], most: usize) -> Result<Vec<u8>, String> {
        let mut searched = 0;
        loop {
            let rest = self.buffer.get(searched..).unwrap_or_default();
            if let Some(found) = rest.windows(end.len()).position(|part| part == end) {
                let mut taken = self.take(searched + found + end.len());
                taken.truncate(searched + found);
                return Ok(taken);
            }
            if self.buffer.len() > most {
                return Err("too long".into());
            }
            searched = self.buffer.len().saturating_sub(end.len() - 1);
            self.more()?;
        }
    }

    fn exactly(&mut self, count: usize) -> Result<Vec<u8>, String> {
        if count > BODY {
            return Err(format!("{count} octets are too long"));
        }
        while self.buffer.len() < count {
            self.more()?;
        }
        Ok(self.take(count))
    }

    fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(count.min(self.buffer.len()));
        std::mem::replace(&mut self.buffer, rest)
    }

    /// A body in chunks (RFC 9112, section 7.1), without what they carry besides.
    fn chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let line = self.until(b"\r\n", HEAD)?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| "a chunk without a length")?;
            if size == 0 {
                while !self.until(b"\r\n", HEAD)?.is_empty() {}
                return Ok(body);
            }
            if size > BODY - body.len().min(BODY) {
                return Err("too long".into());
            }
            body.extend(self.exactly(size)?);
            if self.exactly(2)? != b"\r\n" {
                return Err("a chunk that is longer than it says".into());
            }
        }
    }
}
