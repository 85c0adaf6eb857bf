use std::path::Path;

use super::*;

#[test]
fn the_nameservers_of_resolv_conf() {
    let found = |text| {
        let found: Vec<String> = nameservers(text).map(|addr| addr.to_string()).collect();
        found.join(" ")
    };
    // as resolvd(8) and people write it
    let text = "# Generated\n\
                nameserver 192.0.2.1 # resolvd: em0\n\
                nameserver\t2001:db8::53\n\
                \x20 nameserver   192.0.2.2   \n\
                nameserver 192.0.2.3#no blank\n\
                nameserver 192.0.2.4;nor here\n\
                nameserver fe80::1%em0\n\
                lookup file bind\n\
                search example.com\n\
                #nameserver 192.0.2.9\n\
                ; nameserver 192.0.2.10\n\
                nameservers 192.0.2.11\n\
                nameserver\n\
                nameserver router.example.com\n\
                nameserver 192.0.2\n";
    assert_eq!(found(text), "192.0.2.1 2001:db8::53 192.0.2.2 192.0.2.3 192.0.2.4 fe80::1");
    assert_eq!(found("nameserver 192.0.2.1\r\nnameserver 192.0.2.2"), "192.0.2.1 192.0.2.2");
    assert_eq!(found(""), "");
    // the resolver of OpenBSD takes octets as they are, and so must this
    let latin1 = String::from_utf8_lossy(b"# B\xfcro\nnameserver 192.0.2.1\n").into_owned();
    assert_eq!(nameservers(&latin1).count(), 1);
}

#[test]
fn all_that_the_configuration_names_is_protected() {
    let text = "device_id = \"tdid_abcd1234\"\n\
                [policy]\nservers = [\"198.51.100.1\", \"198.51.100.2:5353\", \
                \"[2001:db8::3]:53\", \"dns.example.com\"]\n\
                [guard]\nnever_block = [\"203.0.113.0/25\"]\n\
                [log]\nurl = \"https://198.51.100.4/x\"\n[https]\nproxy = \"http://u:p@198.51.100.5:8080\"\n";
    let config = Config::parse(text, Path::new("test.toml")).unwrap();
    let all = networks_with(&config, "nameserver 198.51.100.6\nnameserver ::ffff:198.51.100.7\n");
    let all = all.unwrap();
    let reason = |net: &str| {
        let net: Prefix = net.parse().unwrap();
        let found = all.iter().find(|protected| protected.net == net);
        found.map(|protected| protected.reason)
    };
    for (net, expected) in [
        ("198.51.100.1", Reason::Server),
        ("198.51.100.2", Reason::Server),
        ("2001:db8::3", Reason::Server),
        ("198.51.100.4", Reason::Upload),
        ("198.51.100.5", Reason::Upload),
        ("198.51.100.6", Reason::Nameserver),
        ("198.51.100.7", Reason::Nameserver),
        ("203.0.113.0/25", Reason::NeverBlock),
        ("10.0.0.0/8", Reason::Reserved),
        ("127.0.0.0/8", Reason::Reserved),
        ("ff00::/8", Reason::Reserved),
    ] {
        assert_eq!(reason(net), Some(expected), "{net}");
    }
    // whatever host this is, it has the loopback interface
    let loopback = |protected: &&Protected| {
        protected.reason == Reason::Interface && protected.name.starts_with("lo")
    };
    assert!(all.iter().any(|protected| loopback(&protected)), "{all:?}");
    assert!(all.iter().all(|protected| protected.net.len() > 0), "{all:?}");
}

#[test]
fn with_block_private_the_private_networks_are_left_to_the_lists() {
    let text = "device_id = \"tdid_abcd1234\"\n[guard]\nblock_private = true\n";
    let config = Config::parse(text, Path::new("test.toml")).unwrap();
    let all = networks(&config).unwrap();
    let reserved = |net: &str| {
        let net: Prefix = net.parse().unwrap();
        all.iter().any(|p| p.net == net && p.reason == Reason::Reserved)
    };
    assert!(!reserved("10.0.0.0/8") && !reserved("fc00::/7"));
    assert!(reserved("127.0.0.0/8") && reserved("fe80::/10"));
}

/// What the resolver of this host asks is in the shield of a start.
#[test]
fn the_nameservers_of_this_host_are_protected() {
    let config = Config::parse("device_id = \"tdid_abcd1234\"\n", Path::new("test.toml")).unwrap();
    let text = fs::read(RESOLV_CONF).unwrap_or_default();
    let all = networks(&config).unwrap();
    for addr in nameservers(&String::from_utf8_lossy(&text)) {
        let net = Prefix::host(addr.to_canonical());
        let found = all.iter().any(|one| one.net == net && one.reason == Reason::Nameserver);
        assert!(found, "{addr}");
    }
}
