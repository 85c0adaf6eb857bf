use super::*;
use crate::item::items;

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The vectors of PowerDNS (test-dnsrecords_cc.cc), which production very probably runs.
#[test]
fn known_vectors() {
    for (text, expected) in [
        ("10.0.0.0/32", "000120010a"),
        ("10.1.1.1/32", "000120040a010101"),
        ("10.1.1.0/24", "000118030a0101"),
        ("!10.1.1.1/32", "000120840a010101"),
        ("2001:db8::/32", "0002200420010db8"),
        ("2001::1/128", "0002801020010000000000000000000000000001"),
        ("", ""),
        ("10.0.0.0/32 100::/8", "000120010a0002080101"),
    ] {
        let list = items(text);
        assert_eq!(hex(&rdata(&list)), expected, "{text}");
        assert_eq!(read(&rdata(&list)), Ok(list), "{text}");
    }
}

#[test]
fn padded_items_read_the_same() {
    let list = items("10.0.0.0/32 5.0.0.0/8 2a00::/32 !5.1.0.0/16");
    assert_eq!(hex(&padded_rdata(&list[..2])), "000120040a0000000001080405000000");
    assert_eq!(read(&padded_rdata(&list)), Ok(list));
}

#[test]
fn broken_records_are_told_apart() {
    for (rdata, why) in [
        (&[0, 1, 32][..], "item of 3 octets"),
        (&[0, 1, 32, 4, 10][..], "AFDLENGTH 4 with 1 octets left"),
        (&[0, 1, 32, 5, 1, 2, 3, 4, 5][..], "AFDLENGTH 5 for 4 octets"),
        (&[0, 1, 33, 1, 10][..], "prefix length 33 of 10.0.0.0"),
        (&[0, 2, 129, 0][..], "prefix length 129 of ::"),
        (&[0, 3, 0, 0][..], "address family 3"),
    ] {
        assert_eq!(read(rdata), Err(why.to_string()));
    }
}
