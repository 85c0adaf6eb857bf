//! Networks that no list may block on any host, whoever runs it.
//!
//! Of the special-purpose registries (RFC 6890) these are the networks without which a host loses
//! itself, its link, its site or the service. The others (documentation, benchmarking, 6to4,
//! Teredo, NAT64, the rest of 240.0.0.0/4) are left to the lists: those of bogons name them with
//! good reason, and a site that uses one has it on an interface or in `never_block`.

use crate::net::{Net, Prefix};

const V4: [(u32, u8, &str); 7] = [
    (0x0000_0000, 8, "this network, RFC 1122"),
    (0x7f00_0000, 8, "loopback, RFC 1122"),
    (0xa9fe_0000, 16, "link-local, RFC 3927"),
    (0xe000_0000, 4, "multicast, RFC 5771"),
    (0xffff_ffff, 32, "broadcast, RFC 919"),
    (0xc07c_8100, 24, "ThreatSTOP policy service"),
    (0xcc44_63d0, 28, "ThreatSTOP log service"),
];

const V4_PRIVATE: [(u32, u8, &str); 4] = [
    (0x0a00_0000, 8, "private, RFC 1918"),
    (0xac10_0000, 12, "private, RFC 1918"),
    (0xc0a8_0000, 16, "private, RFC 1918"),
    (0x6440_0000, 10, "shared address space, RFC 6598"),
];

const V6: [(u128, u8, &str); 4] = [
    // the source of duplicate address detection (RFC 4862), as 0.0.0.0 is that of DHCP
    (0, 128, "unspecified, RFC 4291"),
    (1, 128, "loopback, RFC 4291"),
    (0xfe80 << 112, 10, "link-local, RFC 4291"),
    // IPv6 has no broadcast: neighbour discovery lives on multicast
    (0xff00 << 112, 8, "multicast, RFC 4291"),
];

const V6_PRIVATE: [(u128, u8, &str); 1] = [(0xfc00 << 112, 7, "unique local, RFC 4193")];

/// The fixed protected networks and why each is protected.
///
/// With `block_private` those of RFC 1918, 6598 and 4193 are left out, so that lists may block
/// them.
pub fn reserved(block_private: bool) -> impl Iterator<Item = (Prefix, &'static str)> {
    let v4 = V4.iter().chain(if block_private { &[][..] } else { &V4_PRIVATE });
    let v6 = V6.iter().chain(if block_private { &[][..] } else { &V6_PRIVATE });
    let v4 = v4.filter_map(|&(addr, len, why)| Some((Net::new(addr, len)?.into(), why)));
    v4.chain(v6.filter_map(|&(addr, len, why)| Some((Net::new(addr, len)?.into(), why))))
}

#[cfg(test)]
mod tests;
