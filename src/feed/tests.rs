//! Lists in the forms in which they are published, and what becomes of others.

use prefix::{Address, Items, Net};
use proptest::prelude::*;

use super::*;

mod forms;
mod published;

/// The prefixes in the order in which they were read, IPv4 first.
fn nets(items: &Items) -> Vec<String> {
    assert!(items.v4.iter().all(|item| !item.negated) && items.v6.iter().all(|item| !item.negated));
    let v4 = items.v4.iter().map(|item| item.net().to_string());
    v4.chain(items.v6.iter().map(|item| item.net().to_string())).collect()
}

/// Reads a list that comes in pieces of this many octets.
fn read_pieces(format: &str, text: &[u8], size: usize) -> Result<Read, Refused> {
    let mut reader = Reader::new(&Format::parse(format).unwrap(), 1000);
    for piece in text.chunks(size) {
        reader.push(piece)?;
    }
    reader.finish()
}

/// Reads a list, whole and octet by octet, which makes no difference.
fn read(format: &str, text: impl AsRef<[u8]>) -> Result<Read, Refused> {
    let text = text.as_ref();
    let whole = read_pieces(format, text, usize::MAX);
    for size in [1, 2, 3, 7] {
        assert_eq!(read_pieces(format, text, size), whole, "in pieces of {size}");
    }
    whole
}

/// The prefixes of a list, and what is told of it.
fn taken(format: &str, text: &str) -> (Vec<String>, String) {
    let read = read(format, text).unwrap();
    (nets(&read.items), read.told.to_string())
}

fn refused(format: &str, text: impl AsRef<[u8]>) -> String {
    read(format, text).unwrap_err().to_string()
}

#[test]
fn what_is_no_list_is_refused_as_a_whole() {
    for html in ["<!DOCTYPE html>\n1.2.3.4\n", "\u{feff}\r\n \t<html>", "<", " \n<a>"] {
        for format in ["lines", "csv:1", "json:/*", "jsonl:/a"] {
            assert_eq!(
                refused(format, html),
                "a web page (HTML) and no list: look where url leads to"
            );
        }
    }
    for empty in ["", "\u{feff}", "\n\r\n \t\n"] {
        for format in ["lines", "csv:1", "json:/*", "jsonl:/a"] {
            assert_eq!(refused(format, empty), "no prefix in it: look at url and format");
        }
    }
    assert_eq!(refused("lines", "# nothing today\n"), "no prefix in it: look at url and format");
    assert_eq!(
        refused("lines", "\n404 page not found\n"),
        "no prefix in it, first: line 2 \"404 page not found\"; look at url and format"
    );
}

#[test]
fn more_entries_than_are_allowed() {
    let list = |count: u32| (0..count).map(|n| format!("10.0.{}.{}\n", n >> 8, n & 255));
    assert_eq!(read("lines", list(1000).collect::<String>()).unwrap().items.len(), 1000);
    let refused = refused("lines", list(1001).collect::<String>());
    assert_eq!(refused, "more than 1,000 entries: raise max_entries if that is meant");
    // the prefixes of a range count, before they are made
    let mut reader = Reader::new(&Format::Lines, 61);
    let range = reader.push(b"0.0.0.1-255.255.255.254\n");
    assert_eq!(range, Err(Refused::Entries(61)));
}

#[test]
fn more_than_twenty_and_more_than_five_percent() {
    let list = |good: usize, wrong: usize| {
        let good = (0..good).map(|n| format!("10.0.{}.{}\n", n >> 8, n & 255));
        good.chain((0..wrong).map(|n| format!("?{n}\n"))).collect::<String>()
    };
    assert_eq!(read("lines", list(1, 20)).unwrap().told.wrong, 20);
    assert_eq!(read("lines", list(399, 21)).unwrap().told.wrong, 21);
    assert_eq!(
        refused("lines", list(398, 21)),
        "21 of 419 lines are no prefix, first: line 399 \"?0\"; look at format"
    );
    // comments and blank lines are no lines of the list
    let comments = "#\n\n".repeat(1000);
    assert!(matches!(read("lines", comments + &list(398, 21)), Err(Refused::Wrong(_))));
    // and a list of names with few addresses is one
    let names: String = (0..500).map(|n| format!("host{n}.example\n")).collect();
    let read = read("lines", names + "192.0.2.1\n").unwrap();
    assert_eq!((read.told.names, read.told.wrong, read.told.entries), (500, 0, 1));
}

#[test]
fn what_is_told() {
    let told = |text: &str| taken("lines", text).1;
    assert_eq!(told("1.2.3.4"), "1 entry");
    assert_eq!(told("1.2.3.4\n1.2.3.4\n"), "2 entries");
    assert_eq!(told("1.2.3.4\n\n ? \n"), "1 entry, 1 line skipped, first: line 3 \"?\"");
    assert_eq!(
        told("#\nbad.example # a host\n1.2.3.4\n?\n"),
        "1 entry, 2 lines skipped, first: line 2 \"bad.example # a host\"; 1 of them is a host name"
    );
    let many: String = (0..1234u32).map(|n| format!("{}\n", std::net::Ipv4Addr::from(n))).collect();
    let mut reader = Reader::new(&Format::Lines, 2000);
    reader.push(many.as_bytes()).unwrap();
    assert_eq!(reader.finish().unwrap().told.to_string(), "1,234 entries");
}

#[test]
fn what_is_shown_of_a_line_is_short_and_printable() {
    let shown = |line: &[u8]| {
        let read = read("lines", [b"1.2.3.4\n", line].concat()).unwrap();
        read.told.first.unwrap().text
    };
    assert_eq!(shown(b"\x1b[31m\xff\x00<b>\"'\\"), "?[31m??<b>\"'\\");
    assert_eq!(shown("\u{202e}umgekehrt\u{e4}".as_bytes()), "?umgekehrt\u{e4}");
    assert_eq!(shown(&[b'x'; 600]), "x".repeat(40));
    // a character is never cut in its midst
    assert_eq!(shown("x\u{20ac}".repeat(20).as_bytes()), "x\u{20ac}".repeat(10));
    assert_eq!(shown("xy\u{20ac}".repeat(20).as_bytes()), "xy\u{20ac}".repeat(8));
}

#[test]
fn formats() {
    for format in ["lines", "csv:1", "csv:ip", "csv:", "json:/a", "json:/", "jsonl:/a~0/*/~1"] {
        let parsed = Format::parse(format);
        assert_eq!(parsed.is_some(), format != "csv:", "{format}");
    }
    for wrong in
        ["", "Lines", "lines:", "csv", "csv:0", "csv:99999999999999999999", "json:", "json:a"]
    {
        assert_eq!(Format::parse(wrong), None, "{wrong}");
    }
    for wrong in ["xml:/a", "jsonl", "json:/~", "json:/a~2", "jsonl:/~a"] {
        assert_eq!(Format::parse(wrong), None, "{wrong}");
    }
    let longest = format!("json:/{}", "a".repeat(LONGEST_NAME));
    assert!(Format::parse(&longest).is_some());
    assert_eq!(Format::parse(&(longest + "a")), None);
}

/// A text in one of the forms of a prefix, with what it means.
fn written<A: Address>(net: Net<A>, form: u8, noise: u128) -> String {
    let (addr, last, len) = (net.addr().to_ip(), net.last().to_ip(), net.len());
    let inside = match (addr, last) {
        (std::net::IpAddr::V4(addr), _) => {
            let mask = u32::host_mask(len);
            std::net::IpAddr::from((addr.to_bits() | noise as u32 & mask).to_be_bytes())
        }
        (std::net::IpAddr::V6(addr), _) => {
            std::net::IpAddr::from((addr.to_bits() | noise & u128::host_mask(len)).to_be_bytes())
        }
    };
    match form {
        0 => format!("{addr}-{last}"),
        1 => format!("{addr} - {last}, a network"),
        2 if A::BITS == 32 => format!("{addr}\t{last}\t{len}\t77\tA network"),
        3 if A::BITS == 32 => {
            format!("{addr}/{}", std::net::Ipv4Addr::from(!u32::host_mask(len)))
        }
        4 if (A::BITS == 32 && len >= 16) || len >= 48 => format!("{inside}/{len} # inside"),
        _ => format!("{addr}/{len}"),
    }
}

fn any_net() -> impl Strategy<Value = (bool, u128, u8, u8, u128)> {
    (any::<bool>(), any::<u128>(), 0u8..=128, 0u8..6, any::<u128>())
}

proptest! {
    /// Whatever form a prefix is written in, it is read as itself.
    #[test]
    fn a_prefix_in_any_form(all in prop::collection::vec(any_net(), 1..20), size in 1usize..100) {
        let (mut text, mut v4, mut v6) = (String::from("# a list\n"), Vec::new(), Vec::new());
        for (is_v6, addr, len, form, noise) in all {
            if is_v6 {
                let net = Net::masked(addr, len).unwrap();
                text += &written(net, form, noise);
                v6.push(net.to_string());
            } else {
                let net = Net::masked(addr as u32, len.min(32)).unwrap();
                text += &written(net, form, noise);
                v4.push(net.to_string());
            }
            text += "\r\n";
        }
        v4.append(&mut v6);
        let read = read_pieces("lines", text.as_bytes(), size).unwrap();
        prop_assert_eq!(nets(&read.items), v4, "{}", text);
        prop_assert_eq!(read.told.wrong + read.told.names, 0);
    }

    /// It makes no difference in which pieces a list comes, and nothing panics.
    #[test]
    fn any_octets_in_any_pieces(
        text in "[-0-9a-f:./,|;#\"\\[\\]{}\\\\ \r\n\tu<*]{0,200}",
        format in prop::sample::select(vec!["lines", "csv:2", "csv:a", "json:/*", "jsonl:/a/*"]),
        size in 1usize..20,
    ) {
        let whole = read_pieces(format, text.as_bytes(), usize::MAX);
        prop_assert_eq!(read_pieces(format, text.as_bytes(), size), whole);
    }
}
