use proptest::prelude::*;

use super::*;

fn nets(text: &str) -> Vec<String> {
    let items = parse_local("FILE", text.as_bytes()).unwrap();
    assert!(items.v4.iter().all(|item| !item.negated) && items.v6.iter().all(|item| !item.negated));
    let v4 = items.v4.iter().map(|item| item.net().to_string());
    v4.chain(items.v6.iter().map(|item| item.net().to_string())).collect()
}

fn error(text: &[u8]) -> String {
    parse_local("/etc/threatstop.block", text).unwrap_err().to_string()
}

#[test]
fn prefixes_comments_and_blank_lines() {
    assert_eq!(
        nets("# mine\n\n1.2.3.4\t# a host\r\n  10.0.0.0/8  \r\n\r\n2001:DB8::/32\n#9.9.9.9\n::1"),
        ["1.2.3.4", "10.0.0.0/8", "2001:db8::/32", "::1"]
    );
    assert_eq!(nets(""), [""; 0]);
    assert_eq!(nets("\n"), [""; 0]);
}

#[test]
fn errors_name_file_and_line() {
    assert_eq!(
        error(b"1.2.3.4\n# two\n1.2.3.4/33\n"),
        "/etc/threatstop.block:3: \"1.2.3.4/33\": the prefix length is not a number from 0 to 32 or 128"
    );
    assert_eq!(
        error(b"10.1.2.3/8"),
        "/etc/threatstop.block:1: \"10.1.2.3/8\": host bits are set; the network is 10.0.0.0/8"
    );
    assert_eq!(
        error(b"\r\n1.2.3.4 5.6.7.8\r\n"),
        "/etc/threatstop.block:2: \"1.2.3.4 5.6.7.8\": not a numeric IP address"
    );
    assert_eq!(
        error(b"!1.2.3.4"),
        "/etc/threatstop.block:1: \"!\" has no meaning here: a file only adds prefixes"
    );
}

#[test]
fn what_is_shown_of_a_wrong_line_is_short_and_printable() {
    let shown = error(b"\x1b[31m\xff\x00 and so on");
    assert!(shown.bytes().all(|b| (b' '..=b'~').contains(&b) || b >= 0x80), "{shown}");
    assert!(error(&[b'x'; 1000]).len() < 150);
}

#[test]
fn bounds() {
    let line = |octets: usize| format!("1.2.3.4{}", " ".repeat(octets - 7));
    assert_eq!(nets(&line(LOCAL_MAX_LINE)).len(), 1);
    assert_eq!(
        error(line(LOCAL_MAX_LINE + 1).as_bytes()),
        "/etc/threatstop.block:1: the line has more than 1024 octets"
    );

    let most = "1.2.3.4\n".repeat(LOCAL_MAX_ENTRIES);
    assert_eq!(parse_local("FILE", most.as_bytes()).unwrap().len(), LOCAL_MAX_ENTRIES);
    assert_eq!(
        error(format!("{most}# more\n::1\n").as_bytes()),
        "/etc/threatstop.block:1000002: more than 1000000 prefixes"
    );

    let comment = format!("#{}\n", "-".repeat(1022));
    assert_eq!(LOCAL_MAX_OCTETS % comment.len(), 0);
    let mut full = comment.repeat(LOCAL_MAX_OCTETS / comment.len());
    assert_eq!(parse_local("FILE", full.as_bytes()).unwrap().len(), 0);
    full.push('#');
    assert!(error(full.as_bytes()).ends_with(":32769: the file has more than 33554432 octets"));
}

proptest! {
    #[test]
    fn any_octets_are_read_or_refused(text: Vec<u8>) {
        if let Ok(items) = parse_local("FILE", &text) {
            prop_assert!(items.len() <= text.split(|b| *b == b'\n').count());
        }
    }

    #[test]
    fn any_text_of_likely_characters(text in "[0-9a-f.:/# !\r\n]{0,200}") {
        let _ = parse_local("FILE", text.as_bytes());
    }

    #[test]
    fn what_is_printed_is_read(raw in proptest::collection::vec((any::<u32>(), 0u8..=32), 0..50)) {
        let nets: Vec<String> = raw
            .iter()
            .map(|(addr, len)| prefix::Net::masked(*addr, *len).unwrap().to_string())
            .collect();
        prop_assert_eq!(super::tests::nets(&nets.join("\r\n")), nets);
    }
}
