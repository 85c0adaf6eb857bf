//! Names resolved once, and looked at before anybody connects.
//!
//! Whoever serves a list may say where else it is. Without a look at the address that would be a
//! way to have this host ask its own network: so what begins on the Internet stays there. A connection
//! that is kept leads to where its name was when it was made: so a name stays there as long, and is looked
//! at again for each request.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prefix::{Prefix, Shield};
use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::begun::Begun;

/// The addresses of the hosts that a request had to do with, as they were looked up; none where a proxy
/// looks them up.
pub type Met = Arc<Mutex<BTreeSet<IpAddr>>>;

/// The resolver of the requests to one server, one after the other, and of where each is redirected to.
#[derive(Clone, Debug)]
pub struct Guarded(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The networks of this host.
    own: Shield,
    /// Whether it is a proxy that is resolved, which stands where its administrator wants it.
    proxy: bool,
    /// Counts what is looked up.
    begun: Begun,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Where hosts and ports are that have been looked up.
    known: BTreeMap<String, ResolvedSocketAddrs>,
    /// Where the hosts of this request are.
    met: Met,
    /// Whether something of this request is not global.
    private: bool,
    /// Whether nothing else than what is global may come any more.
    bound: bool,
}

impl Guarded {
    /// For a host with these networks of its own; what is looked up is counted.
    pub fn new(own: Shield, proxy: bool, begun: Begun) -> Self {
        Self(Arc::new(Inner { own, proxy, begun, state: Mutex::default() }))
    }

    /// A request begins, which takes the addresses of its hosts.
    pub fn begin(&self, met: Met) {
        let mut state = self.locked();
        (state.met, state.private, state.bound) = (met, false, false);
    }

    /// From now on names are those of redirects: of what was global so far, nothing else may come.
    pub fn bind(&self) {
        let mut state = self.locked();
        state.bound = !state.private;
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &ureq::config::Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let name = uri.authority().map(ToString::to_string).unwrap_or_default();
        let known = self.locked().known.get(&name).cloned();
        let found = match known {
            Some(found) => found,
            None => {
                self.0.begun.add();
                DefaultResolver::default().resolve(uri, config, timeout)?
            }
        };
        let mut state = self.locked();
        if !self.0.proxy {
            if !found.iter().all(|addr| is_global(addr.ip(), &self.0.own)) {
                if state.bound {
                    return Err(Error::HostNotFound);
                }
                state.private = true;
            }
            let mut met = state.met.lock().unwrap_or_else(PoisonError::into_inner);
            met.extend(found.iter().map(|addr| addr.ip().to_canonical()));
        }
        state.known.insert(name, found.clone());
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
mod tests;
