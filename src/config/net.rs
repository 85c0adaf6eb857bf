//! Addresses, and where to connect: servers, URLs, the proxy.

use core::fmt;
use core::net::{IpAddr, SocketAddr};

use prefix::Prefix;

use crate::names::DomainName;
use crate::text::{Invalid, Text, from_str};

#[cfg(test)]
mod tests;

impl Text for IpAddr {
    const WHAT: &'static str = "an IP address";

    fn parse(text: &str) -> Result<Self, Invalid> {
        let addr = text.parse().map_err(|_| Invalid::new(text, "not a numeric IP address"))?;
        not_mapped(addr, text)
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Text for Prefix {
    const WHAT: &'static str = "a prefix";

    fn parse(text: &str) -> Result<Self, Invalid> {
        let prefix: Self =
            text.parse().map_err(|error: prefix::ParseError| Invalid::new(text, error))?;
        not_mapped(prefix.addr(), text)?;
        Ok(prefix)
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// IPv4 addresses in IPv6 clothes (RFC 4291, section 2.5.5.2) are unwrapped when they come in
/// lists, so here they could only be a rule that never applies.
fn not_mapped(addr: IpAddr, text: &str) -> Result<IpAddr, Invalid> {
    match addr {
        IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some() => {
            Err(Invalid::new(text, "IPv4 within IPv6; write the IPv4 address"))
        }
        _ => Ok(addr),
    }
}

/// A host: an address or a name to resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Host {
    /// A numeric address.
    Address(IpAddr),
    /// A name for the system's resolver.
    Name(DomainName),
}

impl Host {
    /// The address, when it is given as one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(addr) => Some(*addr),
            Self::Name(_) => None,
        }
    }

    /// The host of a URL or an authority: an IPv6 address stands in brackets (RFC 3986, 3.2.2).
    fn parse(text: &str) -> Option<Self> {
        let addr = match text.strip_prefix('[') {
            Some(rest) => Some(IpAddr::V6(rest.strip_suffix(']')?.parse().ok()?)),
            None => text.parse().ok().filter(IpAddr::is_ipv4),
        };
        match addr {
            Some(addr) => connectable(addr, text).ok().map(Self::Address),
            None => DomainName::parse(text).ok().map(Self::Name),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(IpAddr::V6(addr)) => write!(f, "[{addr}]"),
            Self::Address(addr) => write!(f, "{addr}"),
            Self::Name(name) => write!(f, "{name}"),
        }
    }
}

/// Refuses addresses to which no TCP connection can be made.
fn connectable(addr: IpAddr, text: &str) -> Result<IpAddr, Invalid> {
    let broadcast = matches!(addr, IpAddr::V4(v4) if v4.is_broadcast());
    if addr.is_unspecified() || addr.is_multicast() || broadcast {
        return Err(Invalid::new(text, "not the address of one host"));
    }
    not_mapped(addr, text)
}

/// A port from its digits; 0 is none.
fn port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|octet| octet.is_ascii_digit());
    text.parse().ok().filter(|&port| digits && port != 0)
}

/// A policy server. Without a port, 53 is tried and then 5353.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Server {
    /// `192.0.2.1` or `2001:db8::1`
    Address(IpAddr),
    /// `192.0.2.1:5353` or `[2001:db8::1]:5353`
    AddressPort(SocketAddr),
    /// `dns.example.com`
    Name(DomainName),
    /// `dns.example.com:5353`
    NamePort(DomainName, u16),
}

impl Server {
    /// The address, when it is given as one.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Address(addr) => Some(*addr),
            Self::AddressPort(addr) => Some(addr.ip()),
            Self::Name(_) | Self::NamePort(..) => None,
        }
    }
}

impl Text for Server {
    const WHAT: &'static str = "a server: address, address:port, [v6]:port, name or name:port";

    fn parse(text: &str) -> Result<Self, Invalid> {
        if let Ok(addr) = text.parse() {
            return connectable(addr, text).map(Self::Address);
        }
        let invalid = || Invalid::new(text, "not an address, address:port, [v6]:port or name");
        let (host, port) = match text.rsplit_once(':') {
            Some((host, digits)) => (host, Some(port(digits).ok_or_else(invalid)?)),
            None => (text, None),
        };
        match (Host::parse(host).ok_or_else(invalid)?, port) {
            (Host::Address(addr), Some(port)) => Ok(Self::AddressPort((addr, port).into())),
            (Host::Address(_), None) => Err(invalid()),
            (Host::Name(name), Some(port)) => Ok(Self::NamePort(name, port)),
            (Host::Name(name), None) => Ok(Self::Name(name)),
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(addr) => write!(f, "{addr}"),
            Self::AddressPort(addr) => write!(f, "{addr}"),
            Self::Name(name) => write!(f, "{name}"),
            Self::NamePort(name, port) => write!(f, "{name}:{port}"),
        }
    }
}

/// A URL of https and nothing else, without user or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebUrl {
    /// The host, whose name the certificate must have.
    pub host: Host,
    /// The port, 443 unless given.
    pub port: u16,
    /// Path and query; begins with `/`.
    pub path: String,
}

/// The port of https.
const HTTPS: u16 = 443;

impl Text for WebUrl {
    const WHAT: &'static str = "a URL \"https://host[:port]/path\"";

    fn parse(text: &str) -> Result<Self, Invalid> {
        let Some(rest) = text.strip_prefix("https://") else {
            return Err(Invalid::new(text, "must begin with https://"));
        };
        if text.len() > 2048 || !rest.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'#')
        {
            return Err(Invalid::new(
                text,
                "a URL has at most 2048 visible ASCII characters and here no fragment",
            ));
        }
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        if authority.contains('@') {
            // the text may hold a password
            return Err(Invalid::hidden("no user or password can be given in the URL"));
        }
        let (host, port) = authority_of(authority)
            .ok_or_else(|| Invalid::new(text, "not https://host[:port]/path"))?;
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self { host, port: port.unwrap_or(HTTPS), path: format!("{slash}{path}") })
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// `host` or `host:port`.
fn authority_of(text: &str) -> Option<(Host, Option<u16>)> {
    match text.rsplit_once(':') {
        // the colon of an address in brackets is none of a port
        Some((host, digits)) if !digits.ends_with(']') => {
            Some((Host::parse(host)?, Some(port(digits)?)))
        }
        _ => Some((Host::parse(text)?, None)),
    }
}

impl fmt::Display for WebUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            HTTPS => write!(f, "https://{}{}", self.host, self.path),
            port => write!(f, "https://{}:{port}{}", self.host, self.path),
        }
    }
}

/// An HTTP proxy, asked to CONNECT.
///
/// It can hold a password, so it has no `Display`, and `Debug` hides that.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    /// The host.
    pub host: Host,
    /// The port.
    pub port: u16,
    /// What the proxy wants to see of us.
    pub login: Option<Login>,
}

/// User and password as they stand in a URL, that is with `%` and two hexadecimal digits for
/// octets that cannot stand there (RFC 3986, sections 2.1 and 3.2.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The user, not empty.
    pub user: String,
    /// The password, perhaps empty.
    pub password: String,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let login = if self.login.is_some() { "hidden@" } else { "" };
        write!(f, "Proxy(http://{login}{}:{})", self.host, self.port)
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(hidden)")
    }
}

impl Proxy {
    /// The whole URL with user and password, for the HTTP client and for nobody else.
    pub fn url(&self) -> String {
        match &self.login {
            Some(Login { user, password }) => {
                format!("http://{user}:{password}@{}:{}", self.host, self.port)
            }
            None => format!("http://{}:{}", self.host, self.port),
        }
    }
}

/// Characters of `userinfo` (RFC 3986, section 3.2.1), the colon aside.
fn userinfo(text: &str) -> bool {
    let mut octets = text.bytes();
    while let Some(octet) = octets.next() {
        let fine = match octet {
            b'%' => {
                let two = (octets.next(), octets.next());
                matches!(two, (Some(a), Some(b)) if a.is_ascii_hexdigit() && b.is_ascii_hexdigit())
            }
            _ => octet.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&octet),
        };
        if !fine {
            return false;
        }
    }
    true
}

impl Text for Proxy {
    const WHAT: &'static str = "a proxy \"http://[user:password@]host:port\"";

    fn parse(text: &str) -> Result<Self, Invalid> {
        let parse = || {
            let rest = text.strip_prefix("http://")?;
            let rest = rest.strip_suffix('/').unwrap_or(rest);
            let (login, authority) = match rest.rsplit_once('@') {
                Some((login, authority)) => (Some(login.split_once(':')?), authority),
                None => (None, rest),
            };
            let (host, port) = authority_of(authority)?;
            let login = match login {
                Some((user, password)) if !user.is_empty() => {
                    let fine = userinfo(user) && password.split(':').all(userinfo);
                    let login = Login { user: user.to_owned(), password: password.to_owned() };
                    fine.then_some(Some(login))?
                }
                Some(_) => return None,
                None => None,
            };
            Some(Self { host, port: port?, login })
        };
        // the text may hold a password, so it is not repeated
        parse().filter(|_| text.len() <= 1024).ok_or_else(|| {
            Invalid::hidden(
                "takes \"http://[user:password@]host:port\", other characters than letters and \
                 digits in user and password as %XX",
            )
        })
    }

    fn text(&self) -> String {
        self.url()
    }
}

from_str!(Server, WebUrl, Proxy);
