//! As much of HTTP/1.1 as an upload needs, and some of what it should not meet.

use std::io::{self, Read, Write};

use super::behaviour::Behaviour;

/// More than any slice with its form.
const MOST: usize = 8 << 20;
/// The sentence of the service.
const SENTENCE: &str = "Log file uploaded successfully for ";

/// What is said to a body that is too large.
const TOO_LARGE: &str = "too large\n";

/// A request that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Fields of the head, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// Whether the answer to it says that it was taken.
    pub confirmed: bool,
}

impl Upload {
    /// A field of the head.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    /// The id of the slice, without its quotes.
    pub fn id(&self) -> &str {
        self.header("idempotency-key").expect("a slice has an id").trim_matches('"')
    }

    /// The parts of the form: name, file name and content.
    pub fn parts(&self) -> Vec<(String, Option<String>, Vec<u8>)> {
        let kind = self.header("content-type").unwrap_or_default();
        let (_, boundary) = kind.split_once("boundary=").expect("a form has a boundary");
        let open = format!("--{boundary}\r\n");
        let between = format!("\r\n--{boundary}\r\n");
        let close = format!("\r\n--{boundary}--\r\n");
        let body = self.body.strip_prefix(open.as_bytes()).expect("a form begins with a boundary");
        let body = body.strip_suffix(close.as_bytes()).expect("a form ends with a boundary");
        split(body, between.as_bytes()).into_iter().map(part).collect()
    }

    /// The text of the log, unpacked when it is gzip.
    pub fn text(&self) -> String {
        let log = match self.header("content-type").unwrap_or_default() {
            kind if kind.starts_with("multipart/") => {
                let file = self.parts().into_iter().find(|(_, file, _)| file.is_some());
                file.expect("a part is a file").2
            }
            _ => self.body.clone(),
        };
        if !log.starts_with(&[0x1f, 0x8b]) {
            return String::from_utf8(log).expect("the log is text");
        }
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*log).read_to_string(&mut text).expect("the log is gzip");
        text
    }
}

fn split<'a>(octets: &'a [u8], at: &[u8]) -> Vec<&'a [u8]> {
    match octets.windows(at.len()).position(|window| window == at) {
        None => vec![octets],
        Some(found) => {
            let mut parts = vec![&octets[..found]];
            parts.extend(split(&octets[found + at.len()..], at));
            parts
        }
    }
}

fn part(octets: &[u8]) -> (String, Option<String>, Vec<u8>) {
    let parts = split(octets, b"\r\n\r\n");
    let head = String::from_utf8_lossy(parts[0]).into_owned();
    let value = |name: &str| {
        let (_, rest) = head.split_once(&format!("; {name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let content = &octets[parts[0].len() + 4..];
    (value("name").expect("a part has a name"), value("filename"), content.to_vec())
}

/// Reads one request with a body of a given length.
///
/// # Errors
/// When the client goes away, or sends something else.
pub fn read_request(stream: &mut impl Read) -> io::Result<Upload> {
    let wrong = |why: &str| io::Error::new(io::ErrorKind::InvalidData, why.to_owned());
    let mut head = Vec::new();
    let mut octet = [0];
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut octet)?;
        head.push(octet[0]);
        if head.len() > 1 << 16 {
            return Err(wrong("a head without end"));
        }
    }
    let head = String::from_utf8(head).map_err(|_| wrong("a head that is no text"))?;
    let mut lines = head.lines();
    let mut words = lines.next().unwrap_or_default().split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut upload =
        Upload { method: method.to_owned(), path: path.to_owned(), headers, ..Upload::default() };
    let length = upload.header("content-length").map_or(Ok(0), str::parse);
    let length: usize = length.map_err(|_| wrong("a length that is no number"))?;
    if length > MOST {
        return Err(wrong("too long"));
    }
    upload.body.resize(length, 0);
    stream.read_exact(&mut upload.body)?;
    Ok(upload)
}

/// The body of the answer.
pub fn answer(behaviour: &Behaviour, upload: &Upload) -> String {
    match behaviour {
        Behaviour::Say(_, _, body) => (*body).to_owned(),
        Behaviour::AtMost(octets) if upload.body.len() > *octets => TOO_LARGE.to_owned(),
        _ if upload.path.starts_with("/cgi-bin/validip.pl") => {
            "Your IP address: 127.0.0.1\nAddress is in the list of authorized hosts\n".to_owned()
        }
        _ if upload.method != "POST" => "nothing here\n".to_owned(),
        _ => {
            let text = String::from_utf8_lossy(&upload.body);
            let found = text.find("tdid_").map(|at| &text[at..]).unwrap_or_default();
            let id: String =
                found.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            format!("<html>{SENTENCE}{id}</html>\n")
        }
    }
}

/// Sends the answer in the way of the behaviour.
///
/// # Errors
/// When the client goes away.
pub fn send(stream: &mut impl Write, behaviour: &Behaviour, body: &str) -> io::Result<()> {
    let plain = |status: u16, more: &str| {
        format!(
            "HTTP/1.1 {status} Whatever\r\nContent-Type: text/html\r\n{more}Content-Length: \
             {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let text = match behaviour {
        Behaviour::AtMost(_) if body == TOO_LARGE => plain(413, ""),
        Behaviour::Confirm | Behaviour::Drop(_) | Behaviour::AtMost(_) => plain(200, ""),
        Behaviour::Say(status, more, _) => plain(*status, more),
        Behaviour::Continue => {
            let interim = "HTTP/1.1 100 Continue\r\n\r\n";
            format!("{interim}{interim}{}", plain(200, ""))
        }
        Behaviour::Chunks => {
            let (one, two) = body.split_at(7);
            format!(
                "{chunked}{:x};name=value\r\n{one}\r\n{:X}\r\n{two}\r\n0\r\nTrailer: x\r\n\r\n",
                one.len(),
                two.len()
            )
        }
        Behaviour::ChunkedGarbage => format!("{chunked}zz\r\n{body}\r\n"),
        Behaviour::Endless(most) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")?;
            let line = [b'x'; 8192];
            for _ in 0..most / line.len() {
                stream.write_all(&line)?;
            }
            return stream.flush();
        }
    };
    stream.write_all(text.as_bytes())?;
    stream.flush()
}
