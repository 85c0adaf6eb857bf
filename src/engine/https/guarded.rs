//! Names resolved once, and looked at before anybody connects.
//!
//! Whoever serves a list may say where else it is. Without a look at the address that would be a
//! way to have this host ask its own network: so what begins on the Internet stays there.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prefix::{Prefix, Shield};
use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// The addresses of the hosts that a request had to do with, as they were looked up; none where a proxy
/// looks them up.
pub type Met = Arc<Mutex<BTreeSet<IpAddr>>>;

/// The resolver of one request and of where it is redirected to.
#[derive(Clone, Debug)]
pub struct Guarded(Arc<State>);

#[derive(Debug)]
struct State {
    /// The networks of this host.
    own: Shield,
    /// Where the hosts are.
    met: Met,
    /// Whether it is a proxy that is resolved, which stands where its administrator wants it.
    proxy: bool,
    /// Whether all that has been resolved is global.
    global: AtomicBool,
    /// Whether nothing else may be.
    bound: AtomicBool,
}

impl Guarded {
    /// For one request of a host with these networks of its own.
    pub fn new(own: Shield, proxy: bool, met: Met) -> Self {
        let (global, bound) = (AtomicBool::new(true), AtomicBool::new(false));
        Self(Arc::new(State { own, met, proxy, global, bound }))
    }

    /// From now on names are those of redirects: of what was global so far, nothing else may come.
    pub fn bind(&self) {
        let global = self.0.global.load(Ordering::Relaxed);
        self.0.bound.store(global, Ordering::Relaxed);
    }
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let found = DefaultResolver::default().resolve(uri, config, timeout)?;
        let state = &*self.0;
        if !state.proxy && !found.iter().all(|addr| is_global(addr.ip(), &state.own)) {
            if state.bound.load(Ordering::Relaxed) {
                return Err(Error::HostNotFound);
            }
            state.global.store(false, Ordering::Relaxed);
        }
        if !state.proxy {
            let mut met = state.met.lock().unwrap_or_else(PoisonError::into_inner);
            met.extend(found.iter().map(|addr| addr.ip().to_canonical()));
        }
        Ok(found)
    }
}

/// Whether an address is one of the Internet, and none of this host's networks.
fn is_global(addr: IpAddr, own: &Shield) -> bool {
    let addr = addr.to_canonical();
    let unicast = match addr {
        IpAddr::V4(_) => true,
        IpAddr::V6(addr) => addr.to_bits() >> 125 == 1,
    };
    let reserved = |(net, _): (Prefix, _)| net.contains(addr);
    unicast && !own.contains(addr) && !prefix::reserved(false).any(reserved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_the_internet() {
        let own: Shield = ["198.18.5.0/24".parse().unwrap()].into_iter().collect();
        for addr in ["9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9"] {
            assert!(is_global(addr.parse().unwrap(), &own), "{addr}");
        }
        for addr in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "198.18.5.9",
            "::1",
            "::",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "64:ff9b::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_global(addr.parse().unwrap(), &own), "{addr}");
        }
    }
}
