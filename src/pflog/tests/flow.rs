//! What pf and the packet say, against the printed text.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::net::IpAddr;

use common::{CAPTURED, GENERATED, read};
use pflog::{Action, Direction, Family, Flow, Header, HeaderError, Lines, Printer, Reader, Stamp};

/// Calls `each` with the header of every record and its text behind the time.
fn for_each(pcap: &[u8], mut each: impl FnMut(Header<'_>, &str)) {
    let mut printer = Printer::new(Stamp::Epoch, 0);
    read(&mut Reader::new(), pcap, usize::MAX, |record| {
        let mut text = Lines::default();
        printer.print(&record, &mut text);
        let text = String::from_utf8(text.to_vec()).unwrap();
        each(Header::parse(record.data).unwrap(), text.split_once(' ').unwrap().1);
    })
    .unwrap();
}

#[test]
fn the_header_says_what_is_printed() {
    for capture in [CAPTURED, GENERATED] {
        for_each(capture.pcap, |header, text| {
            let rule = match (header.rule(), header.ruleset(), header.subrule()) {
                (None, ..) => "def".to_string(),
                (Some(rule), b"", _) => format!("{rule}"),
                (Some(rule), name, None) => format!("{rule}.{}.def", name.escape_ascii()),
                (Some(rule), name, Some(subrule)) => {
                    format!("{rule}.{}.{subrule}", name.escape_ascii())
                }
            };
            let expected = format!(
                "rule {rule}/({}) {} {} on {}: ",
                header.reason().word().unwrap(),
                header.action().word(),
                header.direction().word(),
                header.ifname().escape_ascii(),
            );
            assert!(text.starts_with(&expected), "{expected:?} is not in {text:?}");
        });
    }
}

#[test]
fn the_flow_is_what_is_printed() {
    let (mut with_ports, mut without) = (0, 0);
    for capture in [CAPTURED, GENERATED] {
        for_each(capture.pcap, |header, text| {
            let flow = Flow::of(&header).unwrap();
            assert_eq!(flow.direction, header.direction());
            // Encapsulated packets show the inner addresses.
            if text.contains("(encap)") || text.contains("carp") || text.contains("CARP") {
                return;
            }
            let (source, destination) = (flow.source, flow.destination);
            let expected = match flow.ports {
                Some((sport, dport)) if matches!(flow.protocol, 6 | 17) => {
                    with_ports += 1;
                    format!("{source}.{sport} > {destination}.{dport}: ")
                }
                _ => {
                    without += 1;
                    format!("{source} > {destination}")
                }
            };
            assert!(text.contains(&expected), "{expected:?} is not in {text:?}");
        });
    }
    assert!(with_ports > 1200 && without > 200, "{with_ports} with ports, {without} without");
}

/// A regular header for a packet of this family.
fn record(family: u8, packet: &[u8]) -> Vec<u8> {
    let mut record = vec![0; 100];
    record[..4].copy_from_slice(&[100, family, 1, 0]);
    record.extend_from_slice(packet);
    record
}

#[test]
fn extension_headers_are_passed() {
    let mut packet = vec![0x60, 0, 0, 0, 0, 32, 0, 64];
    packet.extend_from_slice(&[0x20; 32]);
    packet.extend_from_slice(&[60, 0, 1, 4, 0, 0, 0, 0]);
    packet.extend_from_slice(&[44, 0, 1, 4, 0, 0, 0, 0]);
    packet.extend_from_slice(&[17, 0, 0, 1, 0, 0, 0, 9]);
    packet.extend_from_slice(&[0, 7, 0, 53, 0, 8, 0, 0]);
    let flow = |packet: &[u8]| Flow::of(&Header::parse(&record(24, packet)).unwrap());
    let whole = flow(&packet).unwrap();
    assert_eq!((whole.protocol, whole.ports), (17, Some((7, 53))));
    assert_eq!(whole.source, IpAddr::from([0x20; 16]));

    // A later fragment has no ports; a cut chain ends at what is known.
    let mut later = packet.clone();
    later[40 + 16 + 3] = 9;
    assert_eq!(flow(&later).map(|flow| (flow.protocol, flow.ports)), Some((17, None)));
    let cut = |end: usize| flow(&packet[..end]).map(|flow| (flow.protocol, flow.ports));
    assert_eq!(cut(40 + 24 + 3), Some((17, None)));
    assert_eq!(cut(40 + 23), Some((44, None)));
    assert_eq!(cut(40), Some((0, None)));
    assert_eq!(cut(39), None);
}

#[test]
fn fields_of_a_header() {
    let mut data = record(2, &[]);
    data[4..12].copy_from_slice(b"em0\0junk");
    data[20..29].copy_from_slice(b"threats/a");
    data[36..44].copy_from_slice(&[0, 0, 1, 2, 0xff, 0xff, 0xff, 0xff]);
    data[60..64].copy_from_slice(&[2, 1, 2, 0]);
    data[64..68].copy_from_slice(&[192, 0, 2, 1]);
    data[80..84].copy_from_slice(&[192, 0, 2, 2]);
    data[96..].copy_from_slice(&[0, 80, 1, 187]);
    let header = Header::parse(&data).unwrap();
    assert_eq!((header.size(), header.packet()), (100, &[][..]));
    assert_eq!((header.ifname(), header.ruleset()), (&b"em0"[..], &b"threats/a"[..]));
    assert_eq!((header.rule(), header.subrule()), (Some(258), None));
    assert_eq!((header.action(), header.af()), (Action::BLOCK, Family::Inet));
    assert_eq!((header.direction(), header.rewritten()), (Direction::Out, true));
    let [source, destination] = [1, 2].map(|n| IpAddr::from([192, 0, 2, n]));
    assert_eq!(header.translated(), Some(((source, 80), (destination, 443))));

    let mut unknown = data.clone();
    unknown[62] = 7;
    assert_eq!(Header::parse(&unknown).unwrap().translated(), None);
    let mut short = data.clone();
    short[0] = 61;
    assert_eq!(Header::parse(&short).unwrap().translated(), None);
    assert_eq!(Header::parse(&data[..99]).unwrap_err(), HeaderError::Truncated);
    assert_eq!(Header::parse(&[44]).unwrap_err(), HeaderError::Length(44));
    assert_eq!(HeaderError::Length(44).to_string(), "pflog header length 44, less than 45");
}
