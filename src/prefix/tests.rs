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
fn a_set_refuses_disorder_and_overlap() {
    assert!(PrefixSet::new(vec![net4("1.0.0.0/8"), net4("1.2.0.0/16")], vec![]).is_err());
    assert!(PrefixSet::new(vec![net4("2.0.0.0/8"), net4("1.0.0.0/8")], vec![]).is_err());
    let set = PrefixSet::new(vec![net4("1.0.0.0/8"), net4("2.0.0.0/8")], vec![]).unwrap();
    assert_eq!(set.find("1.2.3.4".parse().unwrap()), Some(net4("1.0.0.0/8").into()));
    assert_eq!(set.find("3.0.0.0".parse().unwrap()), None);
    assert_eq!(set.find("::1".parse().unwrap()), None);
}

fn line(net: Prefix) -> String {
    let mut out = Vec::new();
    write_line(net, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn each_octet_and_each_length_has_its_text() {
    for octet in 0..=u8::MAX {
        for place in 0..4 {
            let mut quad = [7; 4];
            quad[place] = octet;
            let [a, b, c, d] = quad;
            assert_eq!(line(Prefix::host(quad.into())), format!("{a}.{b}.{c}.{d}\n"));
        }
    }
    for len in 0..=128 {
        let net = Prefix::from(Net::<u128>::masked(0, len).unwrap());
        assert_eq!(line(net), if len < 128 { format!("::/{len}\n") } else { "::\n".into() });
    }
}

proptest! {
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
        let packed = octets.chunks(Prefix6::PACKED);
        let back: Vec<Prefix6> = packed.map(|packed| Net::unpack(packed).unwrap()).collect();
        prop_assert_eq!(back, nets);
    }

    #[test]
    fn unpacking_any_octets_never_panics(octets: Vec<u8>) {
        let net = Prefix4::unpack(&octets);
        prop_assert!(net.is_none() || octets.len() == 5 && octets[4] <= 32);
    }

    #[test]
    fn parsing_any_text_never_panics(text in ".{0,60}") {
        let _ = text.parse::<Prefix>();
    }

    #[test]
    fn fast_text_equals_display(addr: u128, len in 0u8..=128) {
        let v4 = Net::<u32>::masked(addr as u32, len % 33).map(Prefix::from);
        let v6 = Net::<u128>::masked(addr, len).map(Prefix::from);
        for net in [v4.unwrap(), v6.unwrap()] {
            prop_assert_eq!(line(net), format!("{net}\n"));
        }
    }

    /// Read as it would be slowly: the line of a prefix that is written just so.
    #[test]
    fn a_line_is_read_if_it_is_written_so(
        line in prop_oneof![
            "(0|1|9|10|99|100|199|25[0-7]|01|256|1000|)(\\.(0|00|7|64|128|255)){2,4}(/(0|08|8|9|24|31|32|33|256|1000|))?\n?.?",
            "[0-9a-f:./]{0,20}\n?",
        ],
        addr: u128,
        len in 0u8..=128,
    ) {
        let nets = [
            Net::<u32>::masked(addr as u32, len % 33).map(Prefix::from),
            Net::<u128>::masked(addr, len).map(Prefix::from),
        ];
        let canonical = nets.into_iter().flatten().map(|net| {
            let mut line = Vec::new();
            write_line(net, &mut line);
            line
        });
        for line in canonical.chain([line.into_bytes()]) {
            let end = line.iter().position(|octet| *octet == b'\n').map_or(line.len(), |at| at + 1);
            let (first, behind) = line.split_at(end);
            let slow = std::str::from_utf8(first).ok().and_then(|text| {
                let net: Prefix = text.strip_suffix('\n')?.parse().ok()?;
                let mut written = Vec::new();
                write_line(net, &mut written);
                (written == first).then_some((net, behind))
            });
            prop_assert_eq!(read_line(&line, None), slow);
        }
    }
}
