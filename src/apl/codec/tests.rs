use proptest::prelude::*;

use super::*;

/// Text as in RFC 3123, section 5, without the family: `!10.0.0.0/8`.
fn item_of(text: &str) -> (Prefix, bool) {
    match text.strip_prefix('!') {
        Some(prefix) => (prefix.parse().unwrap(), true),
        None => (text.parse().unwrap(), false),
    }
}

fn items_of(texts: &[&str]) -> Items {
    let mut items = Items::default();
    for (prefix, negated) in texts.iter().map(|text| item_of(text)) {
        items.push(prefix, negated);
    }
    items
}

fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    (0..digits.len())
        .step_by(2)
        .map(|i| u8::from_str_radix(&digits[i..i + 2], 16).unwrap())
        .collect()
}

fn decoded(rdata: &[u8]) -> Result<(Items, Counts), AplError> {
    let mut items = Items::default();
    decode(rdata, &mut items).map(|counts| (items, counts))
}

#[test]
fn vectors_of_another_implementation() {
    // The pairs of text and octets that PowerDNS tests its APL records with.
    let vectors: [(&[&str], &str); 8] = [
        (&["10.0.0.0/32"], "0001 20 01 0a"),
        (&["10.1.1.1/32"], "0001 20 04 0a010101"),
        (&["10.1.1.0/24"], "0001 18 03 0a0101"),
        (&["!10.1.1.1/32"], "0001 20 84 0a010101"),
        (&["2001:db8::/32"], "0002 20 04 20010db8"),
        (&["2001::1/128"], "0002 80 10 20010000000000000000000000000001"),
        (&[], ""),
        (&["10.0.0.0/32", "100::/8"], "0001 20 01 0a 0002 08 01 01"),
    ];
    for (texts, octets) in vectors {
        let (items, counts) = decoded(&hex(octets)).unwrap();
        assert_eq!(items, items_of(texts), "{octets}");
        assert_eq!(counts, Counts { items: texts.len(), ..Counts::default() }, "{octets}");
        let mut rdata = Vec::new();
        for (prefix, negated) in texts.iter().map(|text| item_of(text)) {
            encode(prefix, negated, &mut rdata);
        }
        assert_eq!(rdata, hex(octets));
    }
}

#[test]
fn what_other_senders_do_is_understood_and_counted() {
    let (items, counts) = decoded(&hex("0001 18 04 0a010100  0001 08 04 0a010203")).unwrap();
    assert_eq!(items, items_of(&["10.1.1.0/24", "10.0.0.0/8"]));
    assert_eq!((counts.items, counts.trailing_zeros, counts.host_bits), (2, 1, 1));
    let (items, counts) =
        decoded(&hex("0003 10 7f").into_iter().chain([1; 127]).collect::<Vec<_>>()).unwrap();
    assert_eq!((items.len(), counts.items, counts.unknown_family), (0, 0, 1));
    // 0.0.0.0/0 and ::/0 need no octet of address
    assert_eq!(
        decoded(&hex("0001 00 00 0002 00 80")).unwrap().0,
        items_of(&["0.0.0.0/0", "!::/0"])
    );
}

#[test]
fn malformed_items_are_errors() {
    let ok = "0001 20 01 0a";
    for (octets, error) in [
        ("00", AplError::Short { at: 5 }),
        ("0001 20", AplError::Short { at: 5 }),
        ("0001 20 04 0a0101", AplError::Short { at: 5 }),
        ("0003 20 7f 00", AplError::Short { at: 5 }),
        ("0001 20 05 0a01010100", AplError::Length { at: 5, octets: 5 }),
        ("0002 80 11 0000000000000000000000000000000000", AplError::Length { at: 5, octets: 17 }),
        ("0001 21 01 0a", AplError::Prefix { at: 5, len: 33 }),
        ("0002 81 01 0a", AplError::Prefix { at: 5, len: 129 }),
    ] {
        assert_eq!(decoded(&hex(&format!("{ok} {octets}"))), Err(error), "{octets}");
    }
}

/// The same format read bit by bit, as slowly and plainly as possible.
fn naive(rdata: &[u8]) -> Option<Vec<(u16, u128, u8, bool)>> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < rdata.len() {
        if i + 4 > rdata.len() {
            return None;
        }
        let family = u16::from(rdata[i]) * 256 + u16::from(rdata[i + 1]);
        let (len, negated, octets) =
            (rdata[i + 2], rdata[i + 3] > 127, rdata[i + 3] as usize % 128);
        i += 4;
        if i + octets > rdata.len() {
            return None;
        }
        let bits: u8 = match family {
            1 => 32,
            2 => 128,
            _ => {
                i += octets;
                continue;
            }
        };
        if octets * 8 > bits as usize || len > bits {
            return None;
        }
        let mut addr = 0u128;
        for bit in 0..len as usize {
            let octet = if bit / 8 < octets { rdata[i + bit / 8] } else { 0 };
            if octet >> (7 - bit % 8) & 1 == 1 {
                addr += 1 << (bits as usize - 1 - bit);
            }
        }
        i += octets;
        out.push((family, addr, len, negated));
    }
    Some(out)
}

fn flat(items: &Items) -> Vec<(u16, u128, u8, bool)> {
    let v4 = items.v4.iter().map(|i| (1, u128::from(i.net().addr()), i.net().len(), i.negated));
    let v6 = items.v6.iter().map(|i| (2, i.net().addr(), i.net().len(), i.negated));
    v4.chain(v6).collect()
}

/// RDATA that is mostly right: items with believable fields, some of them out of bounds.
fn rdata() -> impl Strategy<Value = Vec<u8>> {
    let item = (
        prop_oneof![5 => Just(1u16), 3 => Just(2u16), 1 => 0u16..5],
        prop_oneof![9 => 0u8..=32, 1 => any::<u8>()],
        prop_oneof![9 => 0u8..=4, 1 => 0u8..18],
        any::<bool>(),
        prop::collection::vec(prop_oneof![2 => any::<u8>(), 1 => Just(0)], 17),
    );
    let items = prop::collection::vec(item, 0..20);
    (items, 0usize..400).prop_map(|(items, cut)| {
        let mut rdata = Vec::new();
        for (family, len, octets, negated, address) in items {
            rdata.extend(family.to_be_bytes());
            rdata.extend([len, octets | if negated { 128 } else { 0 }]);
            rdata.extend(&address[..octets as usize]);
        }
        rdata.truncate(cut);
        rdata
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn decoding_agrees_with_a_naive_reader(rdata in rdata()) {
        let expected = naive(&rdata).map(|mut items| {
            items.sort_by_key(|item| item.0);
            items
        });
        prop_assert_eq!(decoded(&rdata).ok().map(|(items, _)| flat(&items)), expected);
    }

    #[test]
    fn any_octets_never_panic(rdata: Vec<u8>) {
        let _ = decoded(&rdata);
    }

    #[test]
    fn encoded_and_back(v4: Vec<(u32, u8, bool)>, v6: Vec<(u128, u8, bool)>) {
        let mut items = Items::default();
        let mut rdata = Vec::new();
        for (addr, len, negated) in v4 {
            items.push(Net::masked(addr, len % 33).unwrap().into(), negated);
        }
        for (addr, len, negated) in v6 {
            items.push(Net::masked(addr, len % 129).unwrap().into(), negated);
        }
        for item in &items.v4 {
            encode(item.net().into(), item.negated, &mut rdata);
        }
        for item in &items.v6 {
            encode(item.net().into(), item.negated, &mut rdata);
        }
        let counts = Counts { items: items.len(), ..Counts::default() };
        prop_assert_eq!(decoded(&rdata), Ok((items, counts)));
    }
}
