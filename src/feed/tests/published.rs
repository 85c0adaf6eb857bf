//! Lists as their owners publish them: the head, some lines of each kind, the end.

use super::*;

fn assert_taken(format: &str, list: &str, meant: &[&str]) {
    let (nets, told) = taken(format, list);
    assert_eq!(nets, meant);
    assert!(!told.contains("skipped"), "{told}");
}

#[test]
fn spamhaus_drop() {
    let list = "; Spamhaus DROP List 2026/01/01 - (c) 2026 The Spamhaus Project\n\
                ; https://www.spamhaus.org/drop/drop.txt\n\
                ; Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\n\
                192.0.2.0/24 ; SBL000001\n198.51.100.0/23 ; SBL000002\n";
    assert_taken("lines", list, &["192.0.2.0/24", "198.51.100.0/23"]);
    let list = "; Spamhaus DROPv6 List\n2001:db8::/32 ; SBL000003\n2001:db8:1::/48 ; SBL000004\n";
    assert_taken("lines", list, &["2001:db8::/32", "2001:db8:1::/48"]);
}

#[test]
fn spamhaus_drop_as_json_lines() {
    let list = "{\"cidr\":\"192.0.2.0/24\",\"sblid\":\"SBL000001\",\"rir\":\"arin\"}\n\
                {\"cidr\":\"198.51.100.0/24\",\"sblid\":\"SBL000002\",\"rir\":\"ripencc\"}\n\
                {\"type\":\"metadata\",\"timestamp\":1767225600,\"size\":152,\"records\":2,\
                \"copyright\":\"(c) 2026\",\"terms\":\"https://example.net/\"}\n";
    assert_taken("jsonl:/cidr", list, &["192.0.2.0/24", "198.51.100.0/24"]);
}

#[test]
fn dshield_block() {
    let list = "#\n#   DShield.org Recommended Block List\n#   updated: 2026-01-01 00:00 UTC\n#\n\
                #    some rights reserved, see the licence\n#\n\
                Start\tEnd\tNetblock\tAttacks\tName\tCountry\temail\n\
                192.0.2.0\t192.0.2.255\t24\t1234\tEXAMPLE-NET\tUS\tabuse@example.net\n\
                198.51.100.0\t198.51.100.255\t24\t999\t\t\t\n";
    let (nets, told) = taken("lines", list);
    assert_eq!(nets, ["192.0.2.0/24", "198.51.100.0/24"]);
    assert!(
        told.starts_with("2 entries, 1 line skipped, first: line 7 \"Start End Netblock"),
        "{told}"
    );
}

#[test]
fn ipset_and_netset() {
    let list = "#\n# some_list\n#\n# ipv4 hash:net ipset\n#\n# Maintainer      : somebody\n\
                # Entries         : 2 subnets, 257 unique IPs\n#\n192.0.2.0/24\n198.51.100.7\n";
    assert_taken("lines", list, &["192.0.2.0/24", "198.51.100.7"]);
}

#[test]
fn tor_exits() {
    let list = "ExitNode 0011223344556677889900112233445566778899\nPublished 2026-01-01 00:00:00\n\
                LastStatus 2026-01-01 01:00:00\nExitAddress 192.0.2.1 2026-01-01 01:02:03\n";
    assert!(refused("lines", list).starts_with("no prefix in it, first: line 1 \"ExitNode 0011"));
    assert_taken(
        "lines",
        "192.0.2.1\n192.0.2.2\n2001:db8::1\n",
        &["192.0.2.1", "192.0.2.2", "2001:db8::1"],
    );
}

#[test]
fn ranges_of_amazon_and_google() {
    let amazon = r#"{
  "syncToken": "1767225600",
  "createDate": "2026-01-01-00-00-00",
  "prefixes": [
    {"ip_prefix": "192.0.2.0/24", "region": "eu-north-1", "service": "AMAZON"},
    {"ip_prefix": "198.51.100.0/24", "region": "eu-north-1", "service": "EC2"}
  ],
  "ipv6_prefixes": [
    {"ipv6_prefix": "2001:db8::/32", "region": "us-west-2", "service": "AMAZON"}
  ]
}"#;
    assert_taken("json:/prefixes/*/ip_prefix", amazon, &["192.0.2.0/24", "198.51.100.0/24"]);
    assert_taken("json:/ipv6_prefixes/*/ipv6_prefix", amazon, &["2001:db8::/32"]);
    let google = r#"{"syncToken": "1767225600", "creationTime": "2026-01-01T00:00:00",
        "prefixes": [{"ipv6Prefix": "2001:db8::/32"}, {"ipv4Prefix": "192.0.2.0/24"}]}"#;
    assert_taken("json:/prefixes/*/ipv4Prefix", google, &["192.0.2.0/24"]);
    assert_taken("json:/prefixes/*/*", google, &["192.0.2.0/24", "2001:db8::/32"]);
}

#[test]
fn servers_of_botnets() {
    let list = "################################\r\n# a list of command servers      #\r\n#\r\n\
                # \"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\"\r\n\
                \"2026-01-01 00:00:00\",\"192.0.2.1\",\"443\",\"online\"\r\n\
                \"2026-01-02 00:00:00\",\"198.51.100.2\",\"8080\",\"offline\"\r\n# END 2 entries";
    assert_taken("csv:dst_ip", list, &["192.0.2.1", "198.51.100.2"]);
    assert_taken("csv:2", list, &["192.0.2.1", "198.51.100.2"]);
}
