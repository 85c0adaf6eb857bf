//! The way through a proxy: CONNECT (RFC 9110, section 9.3.6).
//!
//! ureq has one, which takes 200 alone for a yes and no interim answer before it.

use std::fmt;
use std::io::Write as _;
use std::time::Instant;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ureq::http::Uri;
use ureq::unversioned::transport::{ConnectionDetails, Connector, NextTimeout, Transport, time};
use ureq::{Error, Timeout};

use super::tcp::{AnyAddress, left, to};

/// Octets of the head of an answer at most.
const MOST: usize = 16 << 10;

/// Interim answers at most.
const INTERIM: usize = 16;

/// Opens connections through a proxy, or leaves that to who comes next.
pub struct Tunnel(Option<Way>);

/// How to get to the proxy and into it.
struct Way {
    uri: Uri,
    /// The value of Proxy-Authorization; a credential.
    authorization: Option<String>,
}

impl fmt::Debug for Tunnel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // without the credential
        write!(f, "Tunnel({})", self.0.is_some())
    }
}

impl Tunnel {
    /// The way through this proxy; without one nothing is done.
    pub fn new(proxy: Option<&ureq::Proxy>) -> Self {
        Self(proxy.map(|proxy| {
            let login = proxy.username().or(proxy.password()).map(|_| {
                let [user, password] =
                    [proxy.username(), proxy.password()].map(Option::unwrap_or_default);
                BASE64_STANDARD.encode(format!("{user}:{password}"))
            });
            let authorization = login.map(|login| format!("Basic {login}"));
            Way { uri: proxy.uri().clone(), authorization }
        }))
    }
}

impl Connector for Tunnel {
    type Out = <AnyAddress as Connector>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails,
        connection: Option<()>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(way) = &self.0 else { return Ok(None) };
        let begun = Instant::now();
        let left = || left(details.timeout, begun);
        let addrs = details.resolver.resolve(&way.uri, details.config, left())?;
        let to_proxy = to(details, &way.uri, addrs, left());
        let Some(mut transport) = AnyAddress.connect(&to_proxy, connection)? else {
            return Ok(None);
        };
        let target = details.uri;
        let host = target.host().ok_or(Error::HostNotFound)?;
        let port = target.port_u16().unwrap_or(if details.needs_tls() { 443 } else { 80 });
        let mut head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
        if let Some(value) = &way.authorization {
            head += &format!("Proxy-Authorization: {value}\r\n");
        }
        head += "\r\n";
        let mut rest = head.as_bytes();
        while !rest.is_empty() {
            let written = transport.buffers().output().write(rest)?;
            transport.transmit_output(written, left())?;
            rest = rest.get(written..).unwrap_or_default();
        }
        // RFC 9110, section 15.2: interim answers may come before the one that counts
        for _ in 0..=INTERIM {
            match read_status(&mut transport, left)? {
                100..=199 => {}
                200..=299 => return Ok(Some(transport)),
                status => return Err(Error::ConnectProxyFailed(refusal(status))),
            }
        }
        Err(Error::ConnectProxyFailed(ENDLESS.into()))
    }
}

/// Reads one head of an answer and gives its status.
fn read_status(
    transport: &mut impl Transport,
    left: impl Fn() -> NextTimeout,
) -> Result<u16, Error> {
    let no_proxy = |why: &str| Error::ConnectProxyFailed(why.into());
    loop {
        let input = transport.buffers().input();
        if let Some(end) = input.windows(4).position(|octets| octets == b"\r\n\r\n") {
            let status = status(input.get(..end).unwrap_or_default());
            transport.buffers().input_consume(end + 4);
            return status.ok_or_else(|| no_proxy(NONE));
        }
        if input.len() >= MOST {
            return Err(no_proxy(ENDLESS));
        }
        if matches!(left().after, time::Duration::Exact(left) if left.is_zero()) {
            return Err(Error::Timeout(Timeout::Connect));
        }
        if !transport.await_input(left())? {
            let silent = transport.buffers().input().is_empty();
            return Err(no_proxy(if silent { "it closed without an answer" } else { NONE }));
        }
    }
}

/// What an answer is called that does not end.
const ENDLESS: &str = "its answer does not end; is https.proxy a proxy for HTTP?";
/// What an answer is called that is none of HTTP.
const NONE: &str = "its answer is none of HTTP; is https.proxy a proxy for HTTP?";

/// The status in a head's first line: `HTTP/1.1 200 Connection established`.
fn status(head: &[u8]) -> Option<u16> {
    let line = str::from_utf8(head.split(|octet| *octet == b'\r').next()?).ok()?;
    let mut words = line.split(' ');
    words.next().filter(|version| version.starts_with("HTTP/1."))?;
    let status = words.next().filter(|digits| digits.len() == 3)?;
    status.parse().ok().filter(|status| (100..600).contains(status))
}

/// What a status says that is no yes, with the way out.
fn refusal(status: u16) -> String {
    let why = match status {
        407 => "it wants a user and a password: https.proxy = \"http://user:password@host:port\"",
        401 | 403 => "it does not let this host, or this port, through: its rules have to",
        404 | 405 | 501 => "it does not know CONNECT; is https.proxy a proxy for HTTP?",
        429 | 503 => "it is busy, or forbids so many connections",
        502 => "it cannot reach the host",
        504 => "it got no answer from the host in time",
        300..=399 => "it redirects, which no tunnel can follow",
        _ => "it does not open a tunnel",
    };
    format!("HTTP status {status}: {why}")
}

#[cfg(test)]
mod tests;
