//! Networks that no list may block on any host, whoever runs it.
//!
//! Of the special-purpose registries (RFC 6890) these are the networks without which a host loses
//! itself, its link, its site or the service, and those that are reserved and never routed: nobody
//! is ever met there, so that an entry does nothing but cost room, and lists name them in whatever
//! width. The others (documentation, benchmarking, 6to4, Teredo) are left to the lists: those of
//! bogons name them with good reason, and a site that uses one has it on an interface or in
//! `never_block`.

use crate::net::{Address, Net, Prefix};

type Row<A> = (A, u8, &'static str);

/// What is met on the own host or link alone, or nowhere.
const V4_UNROUTED: [Row<u32>; 6] = [
    (0x0000_0000, 8, "this network, RFC 1122"),
    (0x7f00_0000, 8, "loopback, RFC 1122"),
    (0xa9fe_0000, 16, "link-local, RFC 3927"),
    (0xe000_0000, 4, "multicast, RFC 5771"),
    (0xf000_0000, 4, "reserved, RFC 1112"),
    (0xffff_ffff, 32, "broadcast, RFC 919"),
];

const V4_SERVICE: [Row<u32>; 2] =
    [(0xc07c_8100, 24, "ThreatSTOP policy service"), (0xcc44_63d0, 28, "ThreatSTOP log service")];

const V4_PRIVATE: [Row<u32>; 4] = [
    (0x0a00_0000, 8, "private, RFC 1918"),
    (0xac10_0000, 12, "private, RFC 1918"),
    (0xc0a8_0000, 16, "private, RFC 1918"),
    (0x6440_0000, 10, "shared address space, RFC 6598"),
];

const IETF: &str = "reserved by the IETF, RFC 4291";

/// All but 2000::/3, which is all that IANA gives out, and fc00::/7 (IANA IPv6 address space
/// registry).
const V6_UNROUTED: [Row<u128>; 19] = [
    (0, 8, IETF),
    // the source of duplicate address detection (RFC 4862), as 0.0.0.0 is that of DHCP
    (0, 128, "unspecified, RFC 4291"),
    (1, 128, "loopback, RFC 4291"),
    // IPv4 never travels in this form, and what stands for IPv4 in it has become IPv4
    (0xffff << 32, 96, "IPv4-mapped, RFC 4291"),
    (0x0100 << 112, 8, IETF),
    (0x0200 << 112, 7, IETF),
    (0x0400 << 112, 6, IETF),
    (0x0800 << 112, 5, IETF),
    (0x1000 << 112, 4, IETF),
    (0x4000 << 112, 2, IETF),
    (0x8000 << 112, 2, IETF),
    (0xc000 << 112, 3, IETF),
    (0xe000 << 112, 4, IETF),
    (0xf000 << 112, 5, IETF),
    (0xf800 << 112, 6, IETF),
    (0xfe00 << 112, 9, IETF),
    (0xfe80 << 112, 10, "link-local, RFC 4291"),
    (0xfec0 << 112, 10, "site-local, RFC 3879"),
    // IPv6 has no broadcast: neighbour discovery lives on multicast
    (0xff00 << 112, 8, "multicast, RFC 4291"),
];

const V6_PRIVATE: [Row<u128>; 1] = [(0xfc00 << 112, 7, "unique local, RFC 4193")];

fn nets<A: Address>(rows: &'static [Row<A>]) -> impl Iterator<Item = (Prefix, &'static str)>
where
    Prefix: From<Net<A>>,
{
    rows.iter().filter_map(|&(addr, len, why)| Some((Net::new(addr, len)?.into(), why)))
}

/// What is reserved and never routed, and why: no list means it, block or allow.
pub fn unrouted() -> impl Iterator<Item = (Prefix, &'static str)> {
    nets(&V4_UNROUTED).chain(nets(&V6_UNROUTED))
}

/// What each site uses as it likes, and why: RFC 1918, 6598 and 4193.
pub fn private() -> impl Iterator<Item = (Prefix, &'static str)> {
    nets(&V4_PRIVATE).chain(nets(&V6_PRIVATE))
}

/// The fixed protected networks and why each is protected.
///
/// With `block_private` those of [`private`] are left out, so that lists may block them.
pub fn reserved(block_private: bool) -> impl Iterator<Item = (Prefix, &'static str)> {
    let private = private().filter(move |_| !block_private);
    unrouted().chain(nets(&V4_SERVICE)).chain(private)
}

#[cfg(test)]
mod tests;
