//! Addresses and numbers as text.

use core::net::{Ipv4Addr, Ipv6Addr};
use std::io::Write as _;

/// Appends a dotted quad.
pub(crate) fn write_v4(addr: Ipv4Addr, out: &mut Vec<u8>) {
    // Table files have hundreds of thousands of these; the formatting machinery costs ten times
    // as much.
    for (index, octet) in addr.octets().into_iter().enumerate() {
        if index > 0 {
            out.push(b'.');
        }
        write_decimal(octet, out);
    }
}

/// Appends a number.
pub(crate) fn write_decimal(value: u8, out: &mut Vec<u8>) {
    if value >= 100 {
        out.push(b'0' + value / 100);
    }
    if value >= 10 {
        out.push(b'0' + value / 10 % 10);
    }
    out.push(b'0' + value % 10);
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
