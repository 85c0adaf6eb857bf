//! The networks that no block table may touch, whatever the lists say.
//!
//! Computed before the pledge: getifaddrs(3) reads the routing table. The snapshot is renewed
//! each time the helper is started anew.

use std::fs;
use std::net::IpAddr;

use config::{Config, Host, Server};
use imsg::{Protected, Reason, interface};
use prefix::Prefix;

use crate::failure::{Failure, On as _};

/// Where the resolver finds its nameservers.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The protected networks of this host under this configuration.
///
/// # Errors
/// When the interfaces cannot be listed: without their networks a list could lock everybody out.
pub fn networks(config: &Config) -> Result<Vec<Protected>, Failure> {
    // whatever a comment in it is written in must not cost the nameservers their protection
    let resolv_conf = fs::read(RESOLV_CONF).unwrap_or_default();
    networks_with(config, &String::from_utf8_lossy(&resolv_conf))
}

fn networks_with(config: &Config, resolv_conf: &str) -> Result<Vec<Protected>, Failure> {
    let protect = |net, reason| Protected { net, reason, name: String::new() };
    // tables have IPv4 as IPv4, however resolv.conf writes it
    let host = |reason| move |addr: IpAddr| protect(Prefix::host(addr.to_canonical()), reason);
    let reserved = prefix::reserved(config.guard.block_private);
    let mut all: Vec<_> = reserved.map(|(net, _)| protect(net, Reason::Reserved)).collect();
    let found = interface::networks().on("getifaddrs")?;
    let of_interface = |(net, name)| Protected { name, ..protect(net, Reason::Interface) };
    all.extend(found.into_iter().map(of_interface));
    let servers = config.policy.servers.iter().filter_map(Server::address);
    all.extend(servers.map(host(Reason::Server)));
    let upload = config.https.proxy.iter().map(|proxy| &proxy.host).chain([&config.log.url.host]);
    all.extend(upload.filter_map(Host::address).map(host(Reason::Upload)));
    all.extend(nameservers(resolv_conf).map(host(Reason::Nameserver)));
    all.extend(config.guard.never_block.iter().map(|net| protect(*net, Reason::NeverBlock)));
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

#[cfg(test)]
mod tests;
