//! Addresses and numbers as text.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::io::Write as _;

/// The numbers from 0 to 255, each with a dot behind it, the first digit in the low octet.
const DOTTED: [u32; 256] = {
    let (mut all, mut value) = ([0; 256], 0);
    while value < all.len() {
        let digits = digits(value as u8);
        let (mut text, mut at) = ([0; 4], 0);
        while at < digits {
            text[at] = b'0' + (value / [1, 10, 100][digits - 1 - at] % 10) as u8;
            at += 1;
        }
        text[digits] = b'.';
        all[value] = u32::from_le_bytes(text);
        value += 1;
    }
    all
};

const fn digits(value: u8) -> usize {
    1 + (value >= 10) as usize + (value >= 100) as usize
}

/// Appends a dotted quad.
pub(crate) fn write_v4(addr: Ipv4Addr, out: &mut Vec<u8>) {
    // Table files have hundreds of thousands of these, which take several times as long to be formatted.
    // The text is put together in a number: what goes to memory in pieces and is read at once has the
    // processor wait.
    let (mut text, mut end) = (0_u128, 0);
    for octet in addr.octets() {
        text |= u128::from(DOTTED[usize::from(octet)]) << (8 * end);
        end += digits(octet) + 1;
    }
    let end = out.len() + end - 1;
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(end);
}

/// Appends a number.
pub(crate) fn write_decimal(value: u8, out: &mut Vec<u8>) {
    let end = out.len() + digits(value);
    out.extend_from_slice(&DOTTED[usize::from(value)].to_le_bytes());
    out.truncate(end);
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
pub(crate) fn write_v6(addr: Ipv6Addr, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{addr}");
}
