use ureq::Timeout;
use ureq::unversioned::transport::time;

use super::*;

/// Looks up a host.
fn resolve(guarded: &Guarded, host: &str) -> Result<ResolvedSocketAddrs, Error> {
    let uri: Uri = format!("https://{host}/").parse().unwrap();
    let after = time::Duration::NotHappening;
    let timeout = NextTimeout { after, reason: Timeout::Resolve, ..NextTimeout::default() };
    guarded.resolve(&uri, &ureq::config::Config::default(), timeout)
}

/// Ask a server of this host for a list and be redirected to another one of this host; then a server of the
/// Internet. Check that the first is followed and the second is not, also when both addresses are known.
#[test]
fn what_is_known_is_looked_at_again() {
    let begun = Begun::default();
    let guarded = Guarded::new(Shield::default(), false, begun.clone());
    for round in 0..2 {
        let met = Met::default();
        guarded.begin(Met::clone(&met));
        assert!(resolve(&guarded, "127.0.0.1:8443").is_ok());
        guarded.bind();
        assert!(resolve(&guarded, "10.0.0.1").is_ok());
        assert_eq!(met.lock().unwrap().len(), 2, "round {round}");
        assert_eq!(begun.count(), 2, "nothing is looked up twice");
    }
    for _ in 0..2 {
        guarded.begin(Met::default());
        assert!(resolve(&guarded, "9.9.9.9").is_ok());
        guarded.bind();
        assert!(resolve(&guarded, "10.0.0.1").is_err());
        assert!(resolve(&guarded, "149.112.112.112").is_ok());
    }
    guarded.begin(Met::default());
    assert!(resolve(&guarded, "10.0.0.1").is_ok(), "what is configured may be anywhere");
}

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
