//! The text of prefixes, as table files and `threatstopctl show` have it.
//!
//! Single hosts are written without `/32` and `/128`, IPv6 by RFC 5952.

use core::fmt;
use core::net::{AddrParseError, IpAddr};
use core::str::FromStr;

use crate::digits::{read_decimal, read_v4, write_decimal, write_v4, write_v6};
use crate::net::{Address, Net, Prefix};
use crate::set::PrefixSet;

/// Why a text is not a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParseError {
    /// The part before the `/` is not an address.
    Address(AddrParseError),
    /// The part after the `/` is not a number in range of the family.
    Length,
    /// Host bits are set; the prefix that was probably meant is given.
    HostBits(Prefix),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(_) => f.write_str("not a numeric IP address"),
            Self::Length => f.write_str("the prefix length is not a number from 0 to 32 or 128"),
            Self::HostBits(meant) => write!(f, "host bits are set; the network is {meant}"),
        }
    }
}

impl std::error::Error for ParseError {}

impl FromStr for Prefix {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let (addr, len) = match text.split_once('/') {
            Some((addr, len)) => (addr, Some(len)),
            None => (text, None),
        };
        let addr: IpAddr = addr.parse().map_err(ParseError::Address)?;
        let Some(len) = len else { return Ok(Self::host(addr)) };
        // u8::from_str would take "+8" and "008" too, which pfctl reads differently or not at all
        if len.is_empty()
            || len.len() > 3
            || !len.bytes().all(|b| b.is_ascii_digit())
            || (len.len() > 1 && len.starts_with('0'))
        {
            return Err(ParseError::Length);
        }
        let len: u8 = len.parse().map_err(|_| ParseError::Length)?;
        let masked = Self::masked(addr, len).ok_or(ParseError::Length)?;
        if masked.addr() == addr { Ok(masked) } else { Err(ParseError::HostBits(masked)) }
    }
}

/// Appends a line of a table file: an address, and its length unless it is a single host.
#[inline]
pub fn write_line(prefix: Prefix, out: &mut Vec<u8>) {
    let (len, bits) = match prefix {
        Prefix::V4(net) => {
            write_v4(net.addr(), out);
            (net.len(), u32::BITS)
        }
        Prefix::V6(net) => {
            write_v6(net.addr(), out);
            (net.len(), u128::BITS)
        }
    };
    if u32::from(len) < bits {
        out.push(b'/');
        write_decimal(len, out);
    }
    out.push(b'\n');
}

/// The prefix in the first line of the text of a table file, and the lines behind it; `None` for what
/// [`write_line`] does not write behind `last`, where a set is ascending and disjoint.
pub fn read_line<'a>(text: &'a [u8], last: Option<&Prefix>) -> Option<(Prefix, &'a [u8])> {
    let (prefix, rest) = match read_v4(text) {
        Some((addr, [b'\n', rest @ ..])) => (Net::host(addr).into(), rest),
        Some((addr, rest)) => {
            let (len, rest) = read_decimal(rest.strip_prefix(b"/")?)?;
            (Net::new(addr, len).filter(|_| len < 32)?.into(), rest.strip_prefix(b"\n")?)
        }
        // what is rare is written again and compared
        None => {
            let (line, _) = text.split_at(text.iter().position(|octet| *octet == b'\n')?);
            let (prefix, mut canonical) = (str::from_utf8(line).ok()?.parse().ok()?, Vec::new());
            write_line(prefix, &mut canonical);
            (prefix, text.strip_prefix(&canonical[..])?)
        }
    };
    prefix.follows(last).then_some((prefix, rest))
}

/// Appends a whole set, one prefix a line, IPv4 first: the text of a table file.
pub fn write_set(set: &PrefixSet, out: &mut Vec<u8>) {
    set.iter().for_each(|prefix| write_line(prefix, out));
}

impl<A: Address> fmt::Display for Net<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len() < A::BITS {
            write!(f, "{}/{}", self.addr().to_ip(), self.len())
        } else {
            write!(f, "{}", self.addr().to_ip())
        }
    }
}

impl<A: Address> fmt::Debug for Net<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(net) => fmt::Display::fmt(net, f),
            Self::V6(net) => fmt::Display::fmt(net, f),
        }
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
