use std::io::ErrorKind::{self, ConnectionRefused, ConnectionReset, InvalidInput};
use std::time::Duration;

use ureq::Timeout;

use super::*;

const SECOND: time::Duration = time::Duration::from_secs(1);

fn addrs(count: u16) -> Vec<SocketAddr> {
    (1..=count).map(|port| SocketAddr::from(([127, 0, 0, 1], port))).collect()
}

fn within(after: time::Duration) -> NextTimeout {
    NextTimeout { after, reason: Timeout::Global, ..NextTimeout::default() }
}

/// Which address was the last that was tried, and what became of it; of those before, these errors.
fn tried(errors: &[ErrorKind], count: u16) -> (u16, Result<(), ErrorKind>) {
    let mut last = 0;
    let done = first(&addrs(count), within(SECOND), |addr, _| {
        last = addr.port();
        errors.get(usize::from(last) - 1).map_or(Ok(()), |kind| Err(Error::Io((*kind).into())))
    });
    let kind = |error| match error {
        Error::Io(error) => error.kind(),
        other => panic!("{other:?}"),
    };
    (last, done.map_err(kind))
}

/// Fails when one address that pf blocks is the end where another would do.
#[test]
fn any_address_will_do() {
    for kind in [PermissionDenied, ConnectionRefused, NetworkUnreachable, InvalidInput] {
        assert_eq!(tried(&[kind], 2), (2, Ok(())));
        assert_eq!(tried(&[kind, kind], 4), (3, Ok(())));
        assert_eq!(tried(&[kind; 3], 3), (3, Err(kind)));
    }
}

/// Fails when pf is blamed for a server that is down, where it blocks one family alone, or a missing way
/// for what pf blocks, where the host has one family alone.
#[test]
fn what_says_most_is_told_before_the_last() {
    let (blocked, refused, broken) = (PermissionDenied, ConnectionRefused, ConnectionReset);
    for far in [NetworkUnreachable, HostUnreachable, AddrNotAvailable] {
        assert_eq!(tried(&[far, blocked], 2), (2, Err(blocked)));
        assert_eq!(tried(&[blocked, far], 2), (2, Err(blocked)));
        assert_eq!(tried(&[refused, far], 2), (2, Err(refused)));
        assert_eq!(tried(&[far, refused, blocked, far], 4), (4, Err(refused)));
    }
    assert_eq!(tried(&[blocked, refused], 2), (2, Err(refused)));
    assert_eq!(tried(&[refused, blocked], 2), (2, Err(refused)));
    assert_eq!(tried(&[refused, blocked, broken], 3), (3, Err(broken)));
}

/// Each has time, whatever the ones before have taken of it, and all together no more than there is.
#[test]
fn an_address_leaves_time_to_those_behind_it() {
    let all = Duration::from_secs(1000);
    let mut shares = Vec::new();
    let done: Result<(), _> = first(&addrs(4), within(time::Duration::Exact(all)), |_, timeout| {
        shares.push(*timeout.after);
        Err(Error::Timeout(Timeout::Connect))
    });
    assert!(matches!(done, Err(Error::Timeout(Timeout::Connect))));
    for (share, part) in shares.iter().zip([2, 2, 2, 1]) {
        assert!(*share <= all / part, "{shares:?}");
        assert!(*share > Duration::from_secs(100), "{shares:?}");
    }
    assert!(shares[3] > shares[2]);
    let mut count = 0;
    let done: Result<(), _> =
        first(&addrs(4), within(time::Duration::Exact(Duration::ZERO)), |_, _| {
            count += 1;
            Err(Error::Timeout(Timeout::Connect))
        });
    assert!(matches!(done, Err(Error::Timeout(Timeout::Global))));
    assert_eq!(count, 0, "nobody would wait for its end");
    let done = first(&addrs(1), within(time::Duration::NotHappening), |_, timeout| {
        Ok(timeout.after.is_not_happening())
    });
    assert!(matches!(done, Ok(true)));
}
