//! The request of an upload, by `[log.request]`.

use std::io::Write as _;

use config::{Config, DeviceId, Method};
use flate2::{Compression, GzBuilder};

use super::spool::{Head, Slice};
use crate::https::Headers;

/// A request but for its URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Fields of the head, in order.
    pub headers: Headers,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    /// Makes the request for a slice: the same octets each time.
    pub fn new(config: &Config, device: &DeviceId, slice: &Slice) -> Self {
        let layout = &config.log.request;
        let id = &slice.head.id;
        let time = time(slice);
        // As a structured field: a string in quotes (RFC 8941, section 3.3.3).
        let key = ("Idempotency-Key", format!("\"{id}\""));
        let log = if layout.gzip { compressed(&slice.text) } else { slice.text.clone() };
        match layout.method {
            Method::Raw => {
                let mut headers = vec![("Content-Type", "text/plain".to_owned())];
                if layout.gzip {
                    headers.push(("Content-Encoding", "gzip".to_owned()));
                }
                headers.push(key);
                Self { headers, body: log }
            }
            Method::Multipart => {
                let boundary = boundary(id, &log);
                let kind = format!("multipart/form-data; boundary={boundary}");
                let body = form(config, device, &boundary, &time, &log);
                Self { headers: vec![("Content-Type", kind), key], body }
            }
        }
    }

    /// The request as text for people: its head, then its body as far as that is text.
    pub fn lines(&self, config: &Config) -> Vec<String> {
        let url = &config.log.url;
        let host = match url.port {
            443 => url.host.to_string(),
            port => format!("{}:{port}", url.host),
        };
        let mut lines = vec![format!("POST {} HTTP/1.1", url.path), format!("Host: {host}")];
        lines.extend(self.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.push(format!("Content-Length: {}", self.body.len()));
        lines.push(String::new());
        match std::str::from_utf8(&self.body) {
            Ok(text) => lines.extend(text.lines().map(ToOwned::to_owned)),
            Err(_) => lines.push(format!("({} octets that are not text)", self.body.len())),
        }
        lines
    }
}

/// What `{time}` stands for: when the slice begins, and its number, so that two slices never have
/// the same name and the same slice always has.
fn time(slice: &Slice) -> String {
    let Head { first, sequence, part, .. } = &slice.head;
    format!("{}-{sequence}{part}", crate::clock::compact((*first).into()))
}

/// gzip without a name or a time in its head: repeats are alike.
fn compressed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzBuilder::new().write(Vec::new(), Compression::default());
    // writing to memory does not fail; an empty log would be refused by the server and kept here
    let written = encoder.write_all(text).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// A boundary that does not occur in the log (RFC 2046, section 5.1.1).
fn boundary(id: &str, log: &[u8]) -> String {
    let mut boundary = format!("threatstopd-{}", id.rsplit('-').next().unwrap_or_default());
    while log.windows(boundary.len()).any(|part| part == boundary.as_bytes()) {
        boundary.push('x');
    }
    boundary
}

/// The body of multipart/form-data (RFC 7578).
fn form(config: &Config, device: &DeviceId, boundary: &str, time: &str, log: &[u8]) -> Vec<u8> {
    let layout = &config.log.request;
    let mut body = Vec::with_capacity(log.len() + 1024);
    let mut field = |name: &str, value: &str| {
        body.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .as_bytes(),
        );
    };
    if let Some(name) = &layout.device_field {
        field(name.as_str(), device.as_str());
    }
    for (name, value) in &layout.fields {
        field(name.as_str(), &value.fill(device, time));
    }
    let name = layout.file_field.as_str();
    // quotes as browsers do (WHATWG HTML, multipart/form-data encoding algorithm)
    let file = layout.file_name.fill(device, time).replace('"', "%22");
    let kind = if layout.gzip { "application/gzip" } else { "text/plain" };
    body.extend_from_slice(
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"; \
             filename=\"{file}\"\r\nContent-Type: {kind}\r\n\r\n"
        )
        .as_bytes(),
    );
    body.extend_from_slice(log);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

#[cfg(test)]
mod tests;
