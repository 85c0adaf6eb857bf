//! The text of one entry: an address, a prefix or a range of addresses.

use core::net::Ipv6Addr;

use policy::{cover_len, push_cover};
use prefix::{Address, Items, Net, Prefix, Range, read_decimal, read_v4};

/// What a line or field names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A prefix.
    Net(Prefix),
    /// A range of IPv4 addresses.
    Range4(Range<u32>),
    /// A range of IPv6 addresses.
    Range6(Range<u128>),
}

/// From this length on host bits are cleared; a wider prefix with host bits set is no entry, since
/// what was meant by it is too much to guess.
const MASKED_V4: u8 = 16;
/// The same for IPv6.
const MASKED_V6: u8 = 48;

impl Entry {
    /// Reads an address, `address/length`, `address/netmask`, `a.b.c/24` or `first-last`.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let Some((addr, rest)) = read_v4(text) else {
            return v4_short(text).or_else(|| v6_entry(text));
        };
        match rest.split_first() {
            None => Some(Self::Net(Net::host(addr).into())),
            Some((b'/', len)) => net(addr, v4_length(len)?, MASKED_V4).map(Self::Net),
            Some((b'-', last)) => Range::new(addr, v4_alone(last)?).map(Self::Range4),
            Some(_) => None,
        }
    }

    /// Reads a range whose two ends are texts of their own.
    pub(crate) fn range(first: &[u8], last: &[u8]) -> Option<Self> {
        if let Some(first) = v4_alone(first) {
            return Range::new(first, v4_alone(last)?).map(Self::Range4);
        }
        Range::new(v6(first)?, v6(last)?).map(Self::Range6)
    }

    /// Reads the three columns of DShield's lists: first address, last address, length of the
    /// prefix; `None` unless all three say the same.
    pub(crate) fn columns(first: &[u8], last: &[u8], len: &[u8]) -> Option<Self> {
        let net = Net::new(v4_alone(first)?, number(len, u32::BITS)?)?;
        (net.last() == v4_alone(last)?).then_some(Self::Net(net.into()))
    }

    /// Number of prefixes that it makes.
    pub(crate) fn prefixes(self) -> usize {
        match self {
            Self::Net(_) => 1,
            Self::Range4(range) => cover_len(range).into(),
            Self::Range6(range) => cover_len(range).into(),
        }
    }

    /// Adds the prefixes.
    pub(crate) fn push(self, items: &mut Items) {
        match self {
            Self::Net(prefix) => items.push(prefix, false),
            Self::Range4(range) => push_range(range, items),
            Self::Range6(range) => push_range(range, items),
        }
    }
}

fn push_range<A: Address>(range: Range<A>, items: &mut Items)
where
    Prefix: From<Net<A>>,
{
    let mut nets = Vec::new();
    push_cover(range, &mut nets);
    nets.into_iter().for_each(|net| items.push(net.into(), false));
}

fn net<A: Address>(addr: A, len: u8, masked: u8) -> Option<Prefix>
where
    Prefix: From<Net<A>>,
{
    let net = if len >= masked { Net::masked(addr, len) } else { Net::new(addr, len) };
    net.map(Prefix::from)
}

/// A number of up to three digits alone, not above `most`.
fn number(text: &[u8], most: u32) -> Option<u8> {
    let (value, rest) = read_decimal(text)?;
    (rest.is_empty() && u32::from(value) <= most).then_some(value)
}

fn v4_alone(text: &[u8]) -> Option<u32> {
    read_v4(text).filter(|(_, rest)| rest.is_empty()).map(|(addr, _)| addr)
}

/// A length or a netmask.
fn v4_length(text: &[u8]) -> Option<u8> {
    if let Some(len) = number(text, u32::BITS) {
        return Some(len);
    }
    let mask = v4_alone(text)?;
    (mask.leading_ones() + mask.trailing_zeros() >= u32::BITS)
        .then(|| u8::try_from(mask.leading_ones()).ok())?
}

/// `a.b.c/24`.
fn v4_short(text: &[u8]) -> Option<Entry> {
    let (mut whole, short) = ([0; 16], text.strip_suffix(b"/24")?);
    let room = whole.get_mut(..short.len() + 2)?;
    room[..short.len()].copy_from_slice(short);
    room[short.len()..].copy_from_slice(b".0");
    Some(Entry::Net(Net::new(v4_alone(room)?, 24)?.into()))
}

fn v6(text: &[u8]) -> Option<u128> {
    str::from_utf8(text).ok()?.parse().ok().map(Ipv6Addr::to_bits)
}

fn v6_entry(text: &[u8]) -> Option<Entry> {
    let cut = text.iter().position(|octet| matches!(octet, b'/' | b'-'));
    let Some(cut) = cut else { return Some(Entry::Net(Net::host(v6(text)?).into())) };
    let (addr, rest) = (v6(&text[..cut])?, &text[cut + 1..]);
    match text[cut] {
        b'/' => net(addr, number(rest, u128::BITS)?, MASKED_V6).map(Entry::Net),
        _ => Range::new(addr, v6(rest)?).map(Entry::Range6),
    }
}

/// Whether a text has the form of a host name (RFC 1123, and `_`): labels with dots between them, of
/// which the last begins with a letter. Nobody looks whether there is such a host.
pub(crate) fn is_name(text: &[u8]) -> bool {
    let text = text.strip_suffix(b".").unwrap_or(text);
    let label = |label: &[u8]| {
        (1..=63).contains(&label.len())
            && label.iter().all(|octet| octet.is_ascii_alphanumeric() || b"-_".contains(octet))
    };
    let last = text.rsplit(|octet| *octet == b'.').next();
    text.len() <= 253
        && text.contains(&b'.')
        && text.split(|octet| *octet == b'.').all(label)
        && last.is_some_and(|label| label.len() > 1 && label[0].is_ascii_alphabetic())
}
