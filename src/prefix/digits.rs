//! Addresses and numbers as text.

use core::net::Ipv6Addr;
use std::io::Write as _;

/// The numbers from 0 to 255, each with a dot behind it, the first digit in the low octet, and how
/// many bits that are: what dotted quads are put together of.
pub const DOTTED: [(u32, u32); 256] = {
    let (mut all, mut value) = ([(0, 0); 256], 0);
    while value < all.len() {
        let digits = 1 + (value >= 10) as usize + (value >= 100) as usize;
        let (mut text, mut at) = ([0; 4], 0);
        while at < digits {
            text[at] = b'0' + (value / [1, 10, 100][digits - 1 - at] % 10) as u8;
            at += 1;
        }
        text[digits] = b'.';
        all[value] = (u32::from_le_bytes(text), 8 * (digits as u32 + 1));
        value += 1;
    }
    all
};

/// Appends the first `len` of some octets. A copy of constant size of which only a part counts is one
/// store.
#[inline]
fn begin<const N: usize>(octets: [u8; N], len: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&octets);
    out.truncate(out.len() - N + len);
}

/// Appends a dotted quad.
#[inline]
pub(crate) fn write_v4(addr: u32, out: &mut Vec<u8>) {
    // Table files have hundreds of thousands of these, which take several times as long to be formatted.
    // Each half is put together in a number: what goes to memory in pieces and is read at once has the
    // processor wait.
    let [a, b, c, d] = addr.to_be_bytes();
    for [first, second] in [[a, b], [c, d]] {
        let ((first, bits), (second, more)) = (DOTTED[first as usize], DOTTED[second as usize]);
        let text = u64::from(first) | u64::from(second) << bits;
        begin(text.to_le_bytes(), (bits + more) as usize / 8, out);
    }
    out.pop();
}

/// Appends a number.
#[inline]
pub(crate) fn write_decimal(value: u8, out: &mut Vec<u8>) {
    let (text, bits) = DOTTED[usize::from(value)];
    begin(text.to_le_bytes(), bits as usize / 8 - 1, out);
}

/// The number from 0 to 255 at the beginning of a text, without leading zeros, and what comes behind
/// its digits.
#[inline]
pub fn read_decimal(text: &[u8]) -> Option<(u8, &[u8])> {
    let Some((first @ b'0'..=b'9', mut rest)) = text.split_first() else { return None };
    let mut value = first - b'0';
    while let Some((next @ b'0'..=b'9', behind)) = rest.split_first() {
        let tens = value.checked_mul(10).filter(|tens| *tens > 0)?;
        (value, rest) = (tens.checked_add(next - b'0')?, behind);
    }
    Some((value, rest))
}

/// The dotted quad at the beginning of a text, and what comes behind it. The forms of inet_aton(3)
/// are none of these, nor are numbers with leading zeros: readers disagree on what they mean.
#[inline]
pub fn read_v4(text: &[u8]) -> Option<(u32, &[u8])> {
    let (first, mut rest) = read_decimal(text)?;
    let mut addr = u32::from(first);
    for _ in 0..3 {
        let (octet, behind) = read_decimal(rest.strip_prefix(b".")?)?;
        (addr, rest) = (addr << 8 | u32::from(octet), behind);
    }
    Some((addr, rest))
}

/// Appends an IPv6 address by RFC 5952.
pub(crate) fn write_v6(addr: u128, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{}", Ipv6Addr::from_bits(addr));
}
