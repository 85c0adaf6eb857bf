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

/// Appends an IPv6 address by RFC 5952.
pub(crate) fn write_v6(addr: Ipv6Addr, out: &mut Vec<u8>) {
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{addr}");
}
