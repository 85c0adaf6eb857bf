//! One look-up of a name.

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::net::lookup_host;

/// How long a look-up may take.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// Most addresses of a name: who answers for it cannot lift much out of the lists.
pub const MAX_ADDRESSES: usize = 8;

/// getaddrinfo(3), which takes the promise "dns", on a thread of its own.
///
/// # Errors
/// When there is no such name, or nobody answers.
pub async fn resolve(name: &str) -> io::Result<Vec<IpAddr>> {
    let found = lookup_host((name, 0)).await?;
    Ok(found.map(|addr| addr.ip()).collect())
}

/// Each address once and in order, since resolvers change the order on purpose.
pub fn canonical(found: &[IpAddr]) -> BTreeSet<IpAddr> {
    found.iter().map(IpAddr::to_canonical).collect()
}

/// Addresses as messages show them.
pub fn listed(addresses: &[IpAddr]) -> String {
    match addresses {
        [] => "no address".into(),
        all => all.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", "),
    }
}
