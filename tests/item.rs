//! One item of a list, as the tests see it.
//!
//! Deliberately not the crate `prefix`: what the tests expect must not come from the code under
//! test.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A prefix of either family, or with `negated` a hole (the `!` of RFC 3123, section 5).
///
/// The order is that of a table file: IPv4 first, then ascending by address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// The address; host bits are kept as given.
    pub addr: IpAddr,
    /// The length in bits, at most 32 or 128.
    pub len: u8,
    /// Whether the item excludes the prefix.
    pub negated: bool,
}

impl Item {
    /// An IPv4 item.
    pub fn v4(addr: impl Into<Ipv4Addr>, len: u8) -> Self {
        Self { addr: IpAddr::V4(addr.into()), len, negated: false }
    }

    /// An IPv6 item.
    pub fn v6(addr: impl Into<Ipv6Addr>, len: u8) -> Self {
        Self { addr: IpAddr::V6(addr.into()), len, negated: false }
    }

    /// 32 or 128.
    pub fn max_len(self) -> u8 {
        if self.addr.is_ipv4() { 32 } else { 128 }
    }
}

/// As in a table file: a host without its length, `!` before an excluded prefix.
impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negated {
            f.write_str("!")?;
        }
        write!(f, "{}", self.addr)?;
        if self.len < self.max_len() {
            write!(f, "/{}", self.len)?;
        }
        Ok(())
    }
}

impl FromStr for Item {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (negated, rest) = match text.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (addr, len) = match rest.split_once('/') {
            Some((addr, len)) => (addr, Some(len)),
            None => (rest, None),
        };
        let addr: IpAddr = addr.parse().map_err(|why| format!("{text}: {why}"))?;
        let mut item = Self { addr, len: 0, negated };
        item.len = match len {
            Some(len) => len.parse().map_err(|why| format!("{text}: {why}"))?,
            None => item.max_len(),
        };
        if item.len > item.max_len() {
            return Err(format!("{text}: length above {}", item.max_len()));
        }
        Ok(item)
    }
}

/// Items from their text, separated by blanks; panics with the text that is wrong.
pub fn items(text: &str) -> Vec<Item> {
    text.split_whitespace().map(|word| word.parse().unwrap_or_else(|why| panic!("{why}"))).collect()
}

/// The text of a table file (`NAME.pftable`): one item a line.
pub fn table_text(items: &[Item]) -> String {
    items.iter().map(|item| format!("{item}\n")).collect()
}
