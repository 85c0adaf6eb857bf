//! Prefixes in TXT records.
//!
//! An old page of the vendor says that lists can be had as TXT, and nothing of their layout. So
//! they count only when everything in them is the text of a prefix.

use prefix::{Items, ParseError, Prefix};

use crate::codec::Counts;

/// Splits RDATA into its character strings (RFC 1035, section 3.3); `None` when it is malformed.
pub fn strings(rdata: &[u8]) -> Option<Vec<&[u8]>> {
    let mut strings = Vec::new();
    let mut rest = rdata;
    while let Some((&len, tail)) = rest.split_first() {
        let (string, tail) = tail.split_at_checked(usize::from(len))?;
        strings.push(string);
        rest = tail;
    }
    Some(strings)
}

/// Adds the prefixes of one record's strings, separated by blanks or commas; `None`, and nothing is
/// added, when there is none or something else among them.
///
/// A string has at most 255 octets, so that a long text may have been cut between two prefixes, or
/// in the midst of one as senders of long texts do (RFC 7208, section 3.3, joins without a blank).
pub fn prefixes(strings: &[&[u8]], items: &mut Items) -> Option<Counts> {
    let (prefixes, counts) = tokens(&strings.join(&b' ')).or_else(|| tokens(&strings.concat()))?;
    for prefix in prefixes {
        items.push(prefix, false);
    }
    Some(counts)
}

fn tokens(text: &[u8]) -> Option<(Vec<Prefix>, Counts)> {
    let text = core::str::from_utf8(text).ok()?;
    let mut prefixes = Vec::new();
    let mut counts = Counts::default();
    for token in text.split([' ', '\t', '\r', '\n', ',']).filter(|token| !token.is_empty()) {
        prefixes.push(match token.parse::<Prefix>() {
            Ok(prefix) => prefix,
            Err(ParseError::HostBits(masked)) => {
                counts.host_bits += 1;
                masked
            }
            Err(_) => return None,
        });
    }
    counts.items = prefixes.len();
    (!prefixes.is_empty()).then_some((prefixes, counts))
}

#[cfg(test)]
mod tests;
