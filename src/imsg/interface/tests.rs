use super::*;

fn read(family: i32, octets: &[u8]) -> Option<String> {
    address(family, octets).map(|addr| addr.to_string())
}

/// Socket addresses as OpenBSD hands them out: length, family, port, address.
#[test]
fn a_netmask_without_a_family_and_cut_short_is_read() {
    let (inet, inet6) = (libc::AF_INET, libc::AF_INET6);
    for (family, octets, expected) in [
        (inet, &[16, 2, 0, 0, 192, 0, 2, 77, 0, 0, 0, 0, 0, 0, 0, 0][..], "192.0.2.77"),
        (inet, &[16, 0, 0, 0, 255, 255, 240, 0, 0, 0, 0, 0, 0, 0, 0, 0], "255.255.240.0"),
        (inet, &[7, 0, 0, 0, 255, 255, 240], "255.255.240.0"),
        (inet, &[8, 0, 0, 0, 255, 255, 255, 252], "255.255.255.252"),
        // of 0.0.0.0 nothing is left
        (inet, &[], "0.0.0.0"),
        (inet6, &[14, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255], "ffff:ffff:ffff::"),
        (inet6, &[], "::"),
    ] {
        assert_eq!(read(family, octets).as_deref(), Some(expected), "{octets:?}");
    }
    let mut whole = [0; 28];
    whole[8..24].fill(255);
    assert_eq!(read(inet6, &whole).unwrap(), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    // link-layer addresses among them
    assert_eq!(read(17, &whole), None);
}

#[test]
fn the_loopback_interface_of_this_host() {
    let all = interfaces().unwrap();
    let found = all.iter().find(|one| one.addr == IpAddr::from([127, 0, 0, 1])).unwrap();
    assert!(found.name.starts_with("lo"), "{all:?}");
    assert_eq!((found.mask, found.peer), (Some(IpAddr::from([255, 0, 0, 0])), None));
}

/// What getifaddrs(3) of OpenBSD leaves of the netmask 255.0.0.0: as many octets as it has to have, in
/// memory that ends there.
#[test]
fn no_more_is_read_than_is_there() {
    // SAFETY: the pointer is null, or to octets that are as long as a family is, or longer.
    unsafe {
        assert_eq!(family(std::ptr::null()), None);
        assert_eq!(octets(libc::AF_INET, std::ptr::null()), None);
        #[cfg(target_os = "linux")]
        let short = Box::new(libc::AF_INET as u16);
        #[cfg(not(target_os = "linux"))]
        let short = Box::new(u16::from_ne_bytes([2, libc::AF_INET as u8]));
        let short: *const u16 = &raw const *short;
        assert_eq!(family(short.cast()), Some(libc::AF_INET));
        assert_eq!(octets(17, short.cast()).map(|octets| octets.len()), Some(2));
    }
}

fn net(addr: &str, mask: Option<&str>) -> String {
    network(addr.parse().unwrap(), mask.map(|mask| mask.parse().unwrap())).to_string()
}

#[test]
fn the_network_of_an_interface() {
    for (addr, mask, expected) in [
        ("192.0.2.77", "255.255.255.0", "192.0.2.0/24"),
        ("192.0.2.77", "255.255.255.255", "192.0.2.77"),
        ("10.1.2.3", "255.0.0.0", "10.0.0.0/8"),
        ("192.0.2.77", "255.255.255.254", "192.0.2.76/31"),
        // one that does not begin with ones throughout is taken by those it begins with
        ("192.0.2.77", "255.255.0.255", "192.0.0.0/16"),
        ("2001:db8::7", "ffff:ffff:ffff:ffff::", "2001:db8::/64"),
        ("2001:db8::7", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8::7"),
        ("fe80::1", "ffff:ffff:ffff:ffff::", "fe80::/64"),
    ] {
        assert_eq!(net(addr, Some(mask)), expected, "{addr} {mask}");
    }
}

#[test]
fn a_mask_that_cannot_be_true_protects_the_address_alone() {
    for (addr, mask) in [
        ("192.0.2.77", "0.0.0.0"),
        ("192.0.2.77", "254.0.0.0"),
        ("2001:db8::7", "::"),
        ("2001:db8::7", "fffe::"),
    ] {
        assert_eq!(net(addr, Some(mask)), addr);
    }
}

#[test]
fn a_mask_that_is_missing_is_that_of_an_ordinary_network() {
    assert_eq!(net("192.0.2.77", None), "192.0.2.0/24");
    assert_eq!(net("2001:db8::7", None), "2001:db8::/64");
    assert_eq!(net("192.0.2.77", Some("ffff::")), "192.0.2.0/24");
}
