use super::*;

fn network(net: &str, reason: Reason) -> Protected {
    Protected { net: net.parse().unwrap(), reason, name: String::new() }
}

fn named(text: &str) -> Vec<Named> {
    let one = |word: &str| {
        let (name, net) = word.split_once(':').unwrap();
        (net.parse().unwrap(), name.to_owned())
    };
    text.split_whitespace().map(one).collect()
}

fn known() -> Interfaces {
    Interfaces::new(&[
        network("192.0.2.0/24", Reason::Interface),
        network("127.0.0.0/8", Reason::Interface),
        network("192.0.2.0/24", Reason::Interface),
        network("10.0.0.0/8", Reason::Reserved),
    ])
}

#[test]
fn the_same_networks_are_no_change_whatever_carries_them() {
    let known = known();
    for same in
        ["lo0:127.0.0.0/8 em0:192.0.2.0/24", "em1:192.0.2.0/24 lo0:127.0.0.0/8 em0:192.0.2.0/24"]
    {
        assert_eq!(known.compare(named(same)), None, "{same}");
        assert!(known.protected().is_empty());
    }
}

#[test]
fn what_came_is_protected_at_once_and_what_went_is_told() {
    let known = known();
    let now = "lo0:127.0.0.0/8 pppoe0:198.51.100.7 pppoe0:203.0.113.1 pppoe1:203.0.113.1";
    assert_eq!(
        known.compare(named(now)).unwrap(),
        "pppoe0 has 198.51.100.7 now, pppoe0 has 203.0.113.1 now, 192.0.2.0/24 is gone"
    );
    let protected: Vec<String> =
        known.protected().iter().map(|one| format!("{}: {}", one.net, one.reason)).collect();
    assert_eq!(
        protected,
        ["198.51.100.7: network of interface pppoe0", "203.0.113.1: network of interface pppoe0"]
    );
    // what an interface has and the table of reserved networks as well is new all the same: a list
    // that block_private lets through must not have it
    assert!(known.compare(named("em0:10.0.0.0/8 em0:192.0.2.0/24 lo0:127.0.0.0/8")).is_some());
    // and back again
    assert_eq!(known.compare(named("lo0:127.0.0.0/8 em0:192.0.2.0/24")), None);
    assert!(known.protected().is_empty());
}

#[test]
fn many_changes_are_told_in_few_words() {
    let now: Vec<Named> = (0..200u32)
        .map(|n| (Prefix::host(std::net::Ipv4Addr::from_bits(n).into()), format!("tun{n}")))
        .collect();
    let words = known().compare(now).unwrap();
    assert!(words.ends_with("tun2 has 0.0.0.2 now, and 199 more"), "{words}");
}

/// Fails when interfaces that cannot be looked at fill the log, or when nobody hears of it the next time.
#[test]
fn what_cannot_be_seen_is_told_once_a_day() {
    let known = known();
    assert_eq!(known.seen(Err("no memory"), 1000), None);
    assert!(!known.told.is_news(SEEN, "no memory", 1060));
    let now = named("em0:192.0.2.0/24");
    assert_eq!(known.seen(Ok(now.clone()), 1120), Some(now));
    assert!(!known.told.knows(SEEN));
}
