//! The networks that no block table may touch, whatever the lists say.
//!
//! Computed before the pledge: getifaddrs(3) reads the routing table. The snapshot is renewed
//! each time the helper executes itself anew.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use config::{Config, Host, Server};
use imsg::{Protected, Reason};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;
use prefix::{Net, Prefix};

/// Where the resolver finds its nameservers.
const RESOLV_CONF: &str = "/etc/resolv.conf";
/// Interface networks wider than this are protected by the interface's own address alone: a mask
/// of 0 would make the whole address space untouchable. IPv4 and IPv6.
const WIDEST: (u8, u8) = (8, 16);

/// The protected networks of this host under this configuration.
///
/// # Errors
/// When the interfaces cannot be listed: without their networks a list could lock everybody out.
pub fn networks(config: &Config) -> Result<Vec<Protected>, String> {
    let mut all = Vec::new();
    let mut add = |net, reason, name: &str| {
        all.push(Protected { net, reason, name: name.to_owned() });
    };
    for (net, _) in prefix::reserved(config.guard.block_private) {
        add(net, Reason::Reserved, "");
    }
    for net in interfaces()? {
        add(net.0, Reason::Interface, &net.1);
    }
    for addr in config.policy.servers.iter().filter_map(Server::address) {
        add(Prefix::host(addr), Reason::Server, "");
    }
    let hosts = config.log.proxy.iter().map(|proxy| &proxy.host).chain([&config.log.url.host]);
    for addr in hosts.filter_map(Host::address) {
        add(Prefix::host(addr), Reason::Upload, "");
    }
    // whatever a comment in it is written in must not cost the nameservers their protection
    let resolv_conf = fs::read(RESOLV_CONF).unwrap_or_default();
    for addr in nameservers(&String::from_utf8_lossy(&resolv_conf)) {
        add(Prefix::host(addr), Reason::Nameserver, "");
    }
    for net in &config.guard.never_block {
        add(*net, Reason::NeverBlock, "");
    }
    Ok(all)
}

/// The addresses of `nameserver` lines, resolv.conf(5).
fn nameservers(text: &str) -> impl Iterator<Item = IpAddr> + '_ {
    text.lines().filter_map(|line| {
        let line = line.split(['#', ';']).next()?;
        let mut words = line.split_ascii_whitespace();
        let address = words.next().filter(|&word| word == "nameserver").and(words.next())?;
        // a scope belongs to the interface, and the networks of interfaces are protected as such
        address.split('%').next()?.parse().ok()
    })
}

/// The networks of all interfaces, and the other ends of point-to-point ones.
fn interfaces() -> Result<Vec<(Prefix, String)>, String> {
    let list = getifaddrs().map_err(|errno| format!("getifaddrs: {}", errno.desc()))?;
    let mut found = Vec::new();
    for interface in list {
        let name = interface.interface_name;
        if let Some(addr) = interface.address.as_ref().and_then(ip) {
            let mask = interface.netmask.as_ref().and_then(ip);
            found.push((network(addr, mask), name.clone()));
        }
        if interface.flags.contains(InterfaceFlags::IFF_POINTOPOINT)
            && let Some(peer) = interface.destination.as_ref().and_then(ip)
        {
            found.push((Prefix::host(peer), name));
        }
    }
    Ok(found)
}

fn ip(addr: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = addr.as_sockaddr_in() {
        return Some(v4.ip().into());
    }
    addr.as_sockaddr_in6().map(|v6| v6.ip().into())
}

/// The network of an address under its mask.
///
/// A mask wider than any real network is not believed. One that is missing is taken to be that of
/// an ordinary network: better too much than to lock out the neighbours.
fn network(addr: IpAddr, mask: Option<IpAddr>) -> Prefix {
    let net = match (addr, mask) {
        (IpAddr::V4(addr), Some(IpAddr::V4(mask))) => v4(addr, mask.to_bits().leading_ones()),
        (IpAddr::V6(addr), Some(IpAddr::V6(mask))) => v6(addr, mask.to_bits().leading_ones()),
        (IpAddr::V4(addr), _) => v4(addr, 24),
        (IpAddr::V6(addr), _) => v6(addr, 64),
    };
    net.unwrap_or_else(|| Prefix::host(addr))
}

fn v4(addr: Ipv4Addr, len: u32) -> Option<Prefix> {
    Net::masked(addr.to_bits(), len as u8).filter(|net| net.len() >= WIDEST.0).map(Prefix::V4)
}

fn v6(addr: Ipv6Addr, len: u32) -> Option<Prefix> {
    Net::masked(addr.to_bits(), len as u8).filter(|net| net.len() >= WIDEST.1).map(Prefix::V6)
}

#[cfg(test)]
mod tests;
