//! The hosts that the engine connects to by name.

use std::collections::BTreeMap;

use config::{Config, Host, Server};

/// Each name of this configuration with what it is, such as `log server`: policy servers, the log
/// server where there are uploads, and the proxy.
pub fn named(config: &Config) -> BTreeMap<String, &'static str> {
    let log = config.uploads().then_some(("log server", &config.log.url.host));
    let proxy = config.https.proxy.as_ref().map(|proxy| ("proxy", &proxy.host));
    let web = [log, proxy].into_iter().flatten().filter_map(|(what, host)| match host {
        Host::Name(name) => Some((name.as_str().to_owned(), what)),
        _ => None,
    });
    let servers = config.policy.servers.iter().filter_map(|server| match server {
        Server::Name(name) | Server::NamePort(name, _) => {
            Some((name.as_str().to_owned(), "policy server"))
        }
        _ => None,
    });
    web.chain(servers).collect()
}
