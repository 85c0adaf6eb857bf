use super::*;

fn read(strings: &[&str]) -> Option<(Vec<String>, Counts)> {
    let mut items = Items::default();
    let strings: Vec<&[u8]> = strings.iter().map(|s| s.as_bytes()).collect();
    let counts = prefixes(&strings, &mut items);
    let text = items.v4.iter().map(|item| item.net().to_string());
    let text = text.chain(items.v6.iter().map(|item| item.net().to_string())).collect();
    assert!(counts.is_some() || items.is_empty());
    counts.map(|counts| (text, counts))
}

fn texts(strings: &[&str]) -> Vec<String> {
    read(strings).unwrap().0
}

#[test]
fn prefixes_apart_by_blanks_commas_or_strings() {
    assert_eq!(
        texts(&["1.2.3.0/24 5.6.7.8,2001:db8::/32"]),
        ["1.2.3.0/24", "5.6.7.8", "2001:db8::/32"]
    );
    assert_eq!(texts(&["1.2.3.0/24", "5.6.7.8"]), ["1.2.3.0/24", "5.6.7.8"]);
}

#[test]
fn a_prefix_cut_between_two_strings_is_joined() {
    assert_eq!(texts(&["9.9.9.9 1.2.3.", "0/24"]), ["9.9.9.9", "1.2.3.0/24"]);
    assert_eq!(texts(&["1.2.3.0/2", "4 5.6.7.8"]), ["1.2.3.0/24", "5.6.7.8"]);
}

#[test]
fn host_bits_are_cleared_and_counted() {
    let (texts, counts) = read(&["10.1.2.3/8"]).unwrap();
    assert_eq!((texts, counts.host_bits, counts.items), (vec!["10.0.0.0/8".to_owned()], 1, 1));
}

#[test]
fn anything_else_is_no_list() {
    for strings in [
        &["v=spf1 ip4:1.2.3.4 -all"][..],
        &["1.2.3.4 example.com"],
        &["1.2.3.4 !5.6.7.8"],
        &["1.2.3.4/33"],
        &["1.2.3"],
        &[""],
        &[],
        &[" , "],
    ] {
        assert_eq!(read(strings), None, "{strings:?}");
    }
}

#[test]
fn character_strings() {
    assert_eq!(strings(b"\x02ab\x00\x01c"), Some(vec![&b"ab"[..], b"", b"c"]));
    assert_eq!(strings(b""), Some(vec![]));
    assert_eq!(strings(b"\x03ab"), None);
}
