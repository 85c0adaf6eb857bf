//! Addresses and numbers as text.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::io::Write as _;

/// The numbers from 0 to 255, each with dots behind it up to four octets.
const DOTTED: [[u8; 4]; 256] = {
    let (mut all, mut value) = ([[b'.'; 4]; 256], 0);
    while value < all.len() {
        let (digits, mut at) = (digits(value as u8), 0);
        while at < digits {
            all[value][at] = b'0' + (value / [1, 10, 100][digits - 1 - at] % 10) as u8;
            at += 1;
        }
        value += 1;
    }
    all
};

const fn digits(value: u8) -> usize {
    1 + (value >= 10) as usize + (value >= 100) as usize
}

/// Appends a dotted quad.
pub(crate) fn write_v4(addr: Ipv4Addr, out: &mut Vec<u8>) {
    // Table files have hundreds of thousands of these: each octet is copied with what may lie behind
    // it; to push them one by one takes twice the time, and to format them ten times.
    let (mut text, mut end) = ([0; 16], 0);
    for octet in addr.octets() {
        text[end..end + 4].copy_from_slice(&DOTTED[usize::from(octet)]);
        end += digits(octet) + 1;
    }
    out.extend_from_slice(&text[..end - 1]);
}

/// Appends a number.
pub(crate) fn write_decimal(value: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(&DOTTED[usize::from(value)][..digits(value)]);
}

/// The number from 0 to 255 at the beginning of a text, without leading zeros, and what comes behind
/// its digits.
#[inline]
pub fn read_decimal(text: &[u8]) -> Option<(u8, &[u8])> {
    let digits = text.iter().take(4).take_while(|octet| octet.is_ascii_digit()).count();
    let (number, rest) = text.split_at(digits);
    let value = number.iter().fold(0, |value, digit| value * 10 + u16::from(digit - b'0'));
    let value = u8::try_from(value).ok().filter(|_| digits == 1 || !number.starts_with(b"0"))?;
    (digits > 0).then_some((value, rest))
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
