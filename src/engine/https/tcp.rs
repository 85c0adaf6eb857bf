//! TCP connections, to any address of a host.
//!
//! ureq goes on to the next address after some errors and ends with others. What pf blocks on its way out
//! is one of these: connect(2) fails with EACCES at once. So it would be enough that one address of a
//! server is in a table, or that a rule blocks one family.

use std::io::ErrorKind::{AddrNotAvailable, HostUnreachable, NetworkUnreachable, PermissionDenied};
use std::net::SocketAddr;
use std::time::Instant;

use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::resolver::ResolvedSocketAddrs;
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, NextTimeout, TcpConnector, Transport, time,
};

/// Connects to the first address of a host that lets it, or leaves that to who came before.
#[derive(Debug)]
pub struct AnyAddress;

impl<In: Transport> Connector<In> for AnyAddress {
    type Out = <TcpConnector as Connector<In>>::Out;

    fn connect(
        &self,
        details: &ConnectionDetails,
        connection: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let tcp = TcpConnector::default();
        if connection.is_some() {
            return tcp.connect(details, connection);
        }
        first(&details.addrs, details.timeout, |addr, timeout| {
            let mut addrs = details.resolver.empty();
            addrs.push(addr);
            tcp.connect(&to(details, details.uri, addrs, timeout), None)
        })
    }
}

/// What a connection is made by, with another end and another time for it.
pub fn to<'a>(
    details: &ConnectionDetails<'a>,
    uri: &'a Uri,
    addrs: ResolvedSocketAddrs,
    timeout: NextTimeout,
) -> ConnectionDetails<'a> {
    ConnectionDetails {
        uri,
        addrs,
        timeout,
        config: details.config,
        request_level: details.request_level,
        resolver: details.resolver,
        now: (details.current_time)(),
        current_time: details.current_time.clone(),
        run_connector: details.run_connector.clone(),
        register_shutdown: details.register_shutdown.clone(),
    }
}

/// What is left of a time that has begun.
pub fn left(timeout: NextTimeout, begun: Instant) -> NextTimeout {
    let after = match timeout.after {
        time::Duration::Exact(all) => time::Duration::Exact(all.saturating_sub(begun.elapsed())),
        endless => endless,
    };
    NextTimeout { after, ..timeout }
}

/// Tries one address after the other. Each has half of the time that is left, and the last all of it.
///
/// # Errors
/// The last of those that say most: see [`weight`].
fn first<T>(
    addrs: &[SocketAddr],
    timeout: NextTimeout,
    mut connect: impl FnMut(SocketAddr, NextTimeout) -> Result<T, Error>,
) -> Result<T, Error> {
    let begun = Instant::now();
    let mut failed = Error::HostNotFound;
    for (number, addr) in addrs.iter().enumerate() {
        let mut share = left(timeout, begun);
        if number + 1 < addrs.len() {
            share.after = share.after / 2;
        }
        // without any there would be no end
        if share.after.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        match connect(*addr, share) {
            Err(error @ (Error::Io(_) | Error::Timeout(_))) => {
                if number == 0 || weight(&error) >= weight(&failed) {
                    failed = error;
                }
            }
            done => return done,
        }
    }
    Err(failed)
}

/// How much an error says of why a server is out of reach. Least says that there is no way to an address,
/// for many hosts have one family alone; more, that pf lets nothing out to it; most is what comes from
/// where connections are let to.
fn weight(error: &Error) -> u8 {
    match error {
        Error::Io(error) => match error.kind() {
            AddrNotAvailable | HostUnreachable | NetworkUnreachable => 0,
            PermissionDenied => 1,
            _ => 2,
        },
        _ => 2,
    }
}

#[cfg(test)]
mod tests;
