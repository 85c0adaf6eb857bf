use core::fmt;

use super::*;

fn refused<T: Text + fmt::Debug>(texts: &[&str]) {
    for text in texts {
        assert!(T::parse(text).is_err(), "{text:?}");
    }
}

fn taken<T: Text + fmt::Debug>(texts: &[&str]) {
    for text in texts {
        assert_eq!(T::parse(text).unwrap().text(), *text);
    }
}

#[test]
fn device_ids() {
    let long = format!("tdid_{}", "a".repeat(65));
    taken::<DeviceId>(&["tdid_abcd1234", "tdid_ABCDEFGH9", &long]);
    refused::<DeviceId>(&[
        "",
        "tdid_",
        "tdid_abcd123",
        "TDID_abcd1234",
        "abcd1234",
        "tdid_abcd-1234",
        "tdid_abcd123é",
        " tdid_abcd1234",
    ]);
}

#[test]
fn a_device_id_is_neither_printed_nor_repeated() {
    let id: DeviceId = "tdid_secret123".parse().unwrap();
    assert!(!format!("{id:?}").contains("secret"));
    let error = "tdid_secret-123".parse::<DeviceId>().unwrap_err();
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn users() {
    taken::<UserName>(&["_threatstop", "nobody", "a", "ts-2.x"]);
    refused::<UserName>(&["", "root", "0", "1000", "-x", ".x", "a b", "a:b", &"a".repeat(32)]);
}

#[test]
fn dns_names() {
    let label = "a".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "a".repeat(61));
    taken::<DomainName>(&["basic.threatstop.local", "a", "_x.1-2.c3", &longest]);
    let long_label = "a".repeat(64);
    let longer = format!("{longest}a");
    refused::<DomainName>(&[
        "",
        ".",
        "a..b",
        ".a",
        "a..",
        "-a.b",
        "a-.b",
        "a b",
        "a/b",
        "ä.b",
        "192.124.129.42",
        "a.1",
        &long_label,
        &longer,
    ]);
}

#[test]
fn dns_names_are_brought_to_one_form() {
    assert_eq!(
        DomainName::parse("Basic.ThreatSTOP.local.").unwrap().as_str(),
        "basic.threatstop.local"
    );
}

#[test]
fn table_names() {
    taken::<TableName>(&["ThreatSTOP-Block", "a", "_x", "4.x:y-z", &"t".repeat(31)]);
    refused::<TableName>(&[
        "",
        &"t".repeat(32),
        "a/b",
        "..",
        ".a",
        "-a",
        "a b",
        "a\0",
        "<a>",
        "a,b",
        "tä",
        "block",
        "pass",
        "weight",
        "__automatic_0",
    ]);
}

#[test]
fn anchors() {
    taken::<AnchorPath>(&["threatstop", "a/b/c", "...", ".a/b..c", &"a".repeat(63)]);
    refused::<AnchorPath>(&[
        "",
        "/a",
        "a/",
        "a//b",
        "_pf",
        "a/_b",
        "a*",
        "a b",
        "../x",
        "a/../b",
        "a/..",
        ".",
        "./a",
        &"a".repeat(64),
        &"abcdefghi/".repeat(91),
    ]);
}

#[test]
fn a_packet_log_knows_15_octets_of_the_last_part() {
    let name = |path| AnchorPath::parse(path).unwrap().pflog_name().to_owned();
    assert_eq!(name("threatstop"), "threatstop");
    assert_eq!(name("firewall/threatstop"), "threatstop");
    assert_eq!(name("x/abcdefghijklmnopqrst"), "abcdefghijklmno");
}

#[test]
fn field_names() {
    taken::<FieldName>(&["tdid", "log[file]", "X-1.a_b"]);
    refused::<FieldName>(&["", "a b", "a\"b", "a\r\nb", "a;b", &"a".repeat(65)]);
}

#[test]
fn messages_cut_long_values_and_escape_the_odd_ones() {
    let error = TableName::parse(&"ä\u{1b}".repeat(1000)).unwrap_err().to_string();
    assert!(error.len() < 600, "{error}");
    assert!(!error.contains('\u{1b}'), "{error}");
}
