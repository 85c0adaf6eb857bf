use super::*;

fn covered(addr: &str, block_private: bool) -> bool {
    let addr = addr.parse().unwrap();
    reserved(block_private).any(|(net, _)| net.contains(addr))
}

#[test]
fn every_row_is_a_canonical_prefix() {
    // a row with host bits would be dropped silently
    let unrouted = V4_UNROUTED.len() + V6_UNROUTED.len();
    let private = V4_PRIVATE.len() + V6_PRIVATE.len();
    assert_eq!(super::unrouted().count(), unrouted);
    assert_eq!(super::private().count(), private);
    assert_eq!(reserved(true).count(), unrouted + V4_SERVICE.len());
    assert_eq!(reserved(false).count(), unrouted + V4_SERVICE.len() + private);
    assert!(reserved(false).all(|(_, why)| !why.is_empty()));
}

#[test]
fn what_cuts_a_host_off_is_protected() {
    for addr in "0.0.0.0 0.255.255.255 127.0.0.1 169.254.1.1 224.0.0.18 239.255.255.255 \
         255.255.255.255 192.124.129.42 204.68.99.208 204.68.99.223 :: ::1 fe80::1 \
         ff02::1"
        .split_whitespace()
    {
        assert!(covered(addr, false) && covered(addr, true), "{addr}");
    }
}

#[test]
fn private_networks_are_protected_unless_wanted() {
    for addr in "10.0.0.0 10.255.255.255 172.16.0.1 172.31.255.255 192.168.0.1 100.64.0.1 \
         100.127.255.255 fc00::1 fdff::1"
        .split_whitespace()
    {
        assert!(covered(addr, false), "{addr}");
        assert!(!covered(addr, true), "{addr}");
    }
}

#[test]
fn what_is_never_routed_is_protected_to_its_edges() {
    for addr in "240.0.0.0 255.255.255.254 ::2 ::ffff:1.2.3.4 64:ff9b::1 ff:: 100::1 1fff:: \
         4000:: 8000::1 bfff:: c000:: dfff:: e000:: f7ff:: fbff::1 fe00:: fe7f:: fec0::1 feff::"
        .split_whitespace()
    {
        assert!(covered(addr, false) && covered(addr, true), "{addr}");
    }
}

/// Outside of 2000::/3 and fc00::/7 each address of IPv6 is in one of the rows, and nothing within
/// 2000::/3 is.
#[test]
fn ipv6_is_reserved_but_for_what_is_given_out() {
    for first in 0..=u16::MAX {
        let addr = std::net::Ipv6Addr::from_bits(u128::from(first) << 112).to_string();
        assert_eq!(covered(&addr, false), first >> 13 != 1, "{addr}");
        assert_eq!(covered(&addr, true), first >> 13 != 1 && first >> 9 != 0xfc00 >> 9, "{addr}");
    }
}

#[test]
fn neighbours_and_bogons_stay_blockable() {
    for addr in "1.0.0.0 126.255.255.255 128.0.0.0 9.255.255.255 11.0.0.0 172.15.255.255 \
         172.32.0.0 192.167.255.255 192.169.0.0 100.63.255.255 100.128.0.0 \
         192.124.128.255 192.124.130.0 204.68.99.207 204.68.99.224 192.0.2.1 198.18.0.1 \
         223.255.255.255 2000:: 2001:db8::1 3fff::1"
        .split_whitespace()
    {
        assert!(!covered(addr, false), "{addr}");
    }
}
