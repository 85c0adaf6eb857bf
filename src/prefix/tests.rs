use proptest::prelude::*;

use super::*;

fn net4(text: &str) -> Prefix4 {
    match text.parse() {
        Ok(Prefix::V4(net)) => net,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn text_is_read_and_printed_in_the_form_of_table_files() {
    for text in
        ["1.2.3.4", "1.2.3.0/24", "0.0.0.0/0", "255.255.255.255", "2001:db8::/32", "::1", "::/0"]
    {
        assert_eq!(text.parse::<Prefix>().unwrap().to_string(), text);
    }
    assert_eq!("1.2.3.4/32".parse::<Prefix>().unwrap().to_string(), "1.2.3.4");
    assert_eq!("2001:DB8:0:0::1/128".parse::<Prefix>().unwrap().to_string(), "2001:db8::1");
}

#[test]
fn text_that_is_no_prefix_is_refused() {
    for text in
        ["", "/8", "1.2.3/24", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/+8", "1.2.3.4/08", "::/129"]
    {
        assert!(text.parse::<Prefix>().is_err(), "{text}");
    }
    assert_eq!(
        "10.1.2.3/8".parse::<Prefix>().unwrap_err().to_string(),
        "host bits are set; the network is 10.0.0.0/8"
    );
}

#[test]
fn mapped_prefixes_stand_for_ipv4_down_to_a_floor() {
    let unmapped = |text: &str, floor| match text.parse().unwrap() {
        Prefix::V6(net) => net.unmapped(floor).map(|net| net.to_string()),
        Prefix::V4(net) => panic!("{net}"),
    };
    assert_eq!(unmapped("::ffff:1.2.3.4", 8).as_deref(), Some("1.2.3.4"));
    assert_eq!(unmapped("::ffff:1.0.0.0/104", 8).as_deref(), Some("1.0.0.0/8"));
    assert_eq!(unmapped("::ffff:0:0/96", 0).as_deref(), Some("0.0.0.0/0"));
    for text in ["::ffff:0:0/103", "::ffff:0:0/96", "::fffe:0:0/95", "::/0", "::fffe:1.2.3.4"] {
        assert_eq!(unmapped(text, 8), None, "{text}");
    }
}

#[test]
fn ranges_at_the_ends_of_the_address_space() {
    assert_eq!(cover(Range::new(0u32, u32::MAX).unwrap()), [net4("0.0.0.0/0")]);
    assert_eq!(cover(Range::new(u32::MAX, u32::MAX).unwrap()), [net4("255.255.255.255")]);
    assert_eq!(cover(Range::new(0u128, u128::MAX).unwrap()).len(), 1);
    assert_eq!(cover(Range::new(1u32, u32::MAX - 1).unwrap()).len(), 62);
    assert_eq!(cover(Range::new(1u128, u128::MAX - 1).unwrap()).len(), 254);
}

#[test]
fn a_window_of_an_address() {
    assert_eq!(0x1234_5678u32.window(0), 0x1234);
    assert_eq!(0x1234_5678u32.window(12), 0x4567);
    assert_eq!(0x1234_5678u32.window(24), 0x7800);
    assert_eq!(0x1234_5678u32.window(32), 0);
    assert_eq!((0x1234_5678u128 << 64).window(36), 0x2345);
    assert_eq!(u128::MAX.window(127), 0x8000);
    assert_eq!(u128::MAX.window(255), 0);
}

#[test]
fn the_length_of_a_cover_at_the_ends_of_the_address_space() {
    assert_eq!(cover_len(Range::new(0u32, u32::MAX).unwrap()), 1);
    assert_eq!(cover_len(Range::new(u32::MAX, u32::MAX).unwrap()), 1);
    assert_eq!(cover_len(Range::new(0u128, u128::MAX).unwrap()), 1);
    assert_eq!(cover_len(Range::new(1u32, u32::MAX - 1).unwrap()), 62);
    assert_eq!(cover_len(Range::new(1u128, u128::MAX - 1).unwrap()), 254);
}

#[test]
fn a_set_refuses_disorder_and_overlap() {
    assert!(PrefixSet::new(vec![net4("1.0.0.0/8"), net4("1.2.0.0/16")], vec![]).is_err());
    assert!(PrefixSet::new(vec![net4("2.0.0.0/8"), net4("1.0.0.0/8")], vec![]).is_err());
    let set = PrefixSet::new(vec![net4("1.0.0.0/8"), net4("2.0.0.0/8")], vec![]).unwrap();
    assert_eq!(set.find("1.2.3.4".parse().unwrap()), Some(net4("1.0.0.0/8").into()));
    assert_eq!(set.find("3.0.0.0".parse().unwrap()), None);
    assert_eq!(set.find("::1".parse().unwrap()), None);
}

proptest! {
    #[test]
    fn a_cover_is_exact_ascending_and_minimal(a: u32, b: u32) {
        let range = Range::new(a.min(b), a.max(b)).unwrap();
        let nets = cover(range);
        prop_assert_eq!(usize::from(cover_len(range)), nets.len());
        prop_assert_eq!(nets[0].addr(), range.first());
        prop_assert_eq!(nets[nets.len() - 1].last(), range.last());
        for pair in nets.windows(2) {
            prop_assert_eq!(pair[0].last() + 1, pair[1].addr());
            // two siblings of equal length would have been one prefix
            let siblings = pair[0].len() == pair[1].len()
                && pair[0].addr() >> (32 - pair[0].len()) & 1 == 0;
            prop_assert!(!siblings);
        }
    }

    #[test]
    fn the_length_of_a_cover(a: u128, size: u128, shift in 0u32..128, near in 0u128..4) {
        // of all sizes, and close to whole networks
        let first = a >> shift << shift;
        let last = first.saturating_add(size >> (127 - shift)).saturating_sub(near).max(first);
        let range = Range::new(first, last).unwrap();
        prop_assert_eq!(usize::from(cover_len(range)), cover(range).len());
        let range = Range::new((first >> 96) as u32, (last >> 96) as u32).unwrap();
        prop_assert_eq!(usize::from(cover_len(range)), cover(range).len());
    }

    #[test]
    fn a_set_meets_what_has_an_address_of_it(
        raw in proptest::collection::vec((any::<u32>(), 0u8..=32), 0..20),
        (addr, len) in (any::<u32>(), 0u8..=32)
    ) {
        let mut nets: Vec<Prefix4> =
            raw.iter().map(|&(a, l)| Net::masked(a, l).unwrap()).collect();
        nets.sort_unstable();
        let mut apart: Vec<Prefix4> = Vec::new();
        for net in nets {
            if apart.last().is_none_or(|last| !last.contains(net.addr())) {
                apart.push(net);
            }
        }
        let net: Prefix4 = Net::masked(addr, len).unwrap();
        let naive = apart.iter().any(|one| one.contains(net.addr()) || net.contains(one.addr()));
        let set = PrefixSet::new(apart, Vec::new()).unwrap();
        prop_assert_eq!(set.meets(net.into()), naive);
    }

    #[test]
    fn packed_and_back(raw in proptest::collection::vec((any::<u128>(), 0u8..=128), 0..50)) {
        let nets: Vec<Prefix6> = raw.iter().map(|&(a, l)| Net::masked(a, l).unwrap()).collect();
        let mut octets = Vec::new();
        pack(&nets, &mut octets);
        let back: Vec<Prefix6> = unpack(&octets).unwrap().map(Result::unwrap).collect();
        prop_assert_eq!(back, nets);
    }

    #[test]
    fn unpacking_any_octets_never_panics(octets: Vec<u8>) {
        if let Ok(nets) = unpack::<u32>(&octets) {
            nets.for_each(drop);
        }
    }

    #[test]
    fn parsing_any_text_never_panics(text in ".{0,60}") {
        let _ = text.parse::<Prefix>();
    }

    #[test]
    fn fast_text_equals_display(addr: u32, len in 0u8..=32) {
        let net = Net::masked(addr, len).unwrap();
        let mut out = Vec::new();
        write_net(net, &mut out);
        prop_assert_eq!(String::from_utf8(out).unwrap(), net.to_string());
    }
}
