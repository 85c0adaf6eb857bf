//! Records that nobody meant to be read: nothing panics, the text is printable and bounded.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use std::time::{Duration, Instant};

use common::{CAPTURED, GENERATED, MUTATED, PROTOCOLS, UNASKED, VARIANTS};
use pflog::{Flow, Header, Lines, MAX_CAPTURE, MAX_TEXT, Printer, Reader, Record, Stamp, goes_on};
use proptest::prelude::*;

/// Prints a record and checks the text.
fn print(printer: &mut Printer, data: &[u8], len: u32) -> Vec<u8> {
    let record = Record { offset: 24, end: 40, seconds: 1_700_000_000, micros: 226_823, len, data };
    let mut text = Lines::default();
    printer.print(&record, &mut text);
    assert!(text.len() <= MAX_TEXT, "{} octets of text", text.len());
    let (end, line) = text.split_last().unwrap();
    assert_eq!(*end, b'\n');
    for (at, &octet) in line.iter().enumerate() {
        match octet {
            b' '..=b'~' => (),
            b'\n' => assert!(line.get(at + 1).is_some_and(|&next| goes_on(next)), "a line feed"),
            b'\t' => assert!(matches!(line[at - 1], b'\n' | b'\t'), "a tab inside a line"),
            other => panic!("octet {other:#04x} in {}", line.escape_ascii()),
        }
    }
    if let Ok(header) = Header::parse(data) {
        let _ = (Flow::of(&header), header.translated());
    }
    text.to_vec()
}

fn print_one(data: &[u8], len: u32) -> Vec<u8> {
    print(&mut Printer::new(Stamp::Time, 0), data, len)
}

/// A record with a regular header and this packet.
fn logged(family: u8, packet: &[u8]) -> Vec<u8> {
    let mut data = vec![0; 100];
    data[..7].copy_from_slice(&[100, family, 1, 0, b'e', b'm', b'0']);
    data[60] = 1;
    data.extend_from_slice(packet);
    data
}

/// An IPv4 packet.
fn ip(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2];
    packet.extend_from_slice(payload);
    let len = packet.len().min(0xffff) as u16;
    packet[2..4].copy_from_slice(&len.to_be_bytes());
    packet
}

/// An IPv4 packet with UDP.
fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = Vec::new();
    for field in [ports.0, ports.1, (payload.len() + 8).min(0xffff) as u16, 0] {
        datagram.extend_from_slice(&field.to_be_bytes());
    }
    datagram.extend_from_slice(payload);
    ip(17, &datagram)
}

/// Prints a long packet and looks at the time, which is generous for slow and busy machines.
fn in_time(name: &str, packet: &[u8]) -> Vec<u8> {
    let start = Instant::now();
    let text = print_one(&logged(2, packet), packet.len() as u32 + 100);
    assert!(start.elapsed() < Duration::from_secs(20), "{name}: {:?}", start.elapsed());
    text
}

#[test]
fn packets_in_packets_end() {
    let mut packet = Vec::new();
    for protocol in [4, 41, 47] {
        let header: &[u8] = match protocol {
            4 => &ip(4, &[]),
            41 => &[0x60, 0, 0, 0, 0xff, 0xff, 41, 64],
            _ => &[0, 0, 8, 0],
        };
        packet.clear();
        while packet.len() < 60_000 {
            let at = packet.len();
            packet.extend_from_slice(header);
            match protocol {
                4 => packet[at + 2..at + 4].copy_from_slice(&[0xff, 0xff]),
                41 => packet.extend_from_slice(&[0x20; 32]),
                _ => {
                    let inner = ip(47, &[]);
                    packet.extend_from_slice(&inner);
                    let at = packet.len() - 20;
                    packet[at + 2..at + 4].copy_from_slice(&[0xff, 0xff]);
                }
            }
        }
        in_time("nested", &ip(protocol, &packet));
    }
}

#[test]
fn a_frame_that_is_two_things_at_once_ends() {
    // A label stack with a control word shows what follows as a packet and as a frame.
    let mut inside = Vec::new();
    while inside.len() < 60_000 {
        inside.extend_from_slice(&[0x00, 0x01, 0x01, 0x40, 0, 0, 0, 0]);
        inside.extend_from_slice(&[0x45, 0, 0xff, 0xff, 0, 0, 0, 0, 64, 47, 0, 0, 0x88, 0x47]);
    }
    in_time("labels", &udp((1, 6635), &inside));
}

#[test]
fn names_that_share_a_long_chain_of_pointers_end() {
    // Pointers that each lead to the one before, and questions that all begin at the last.
    let mut message = vec![0, 1, 1, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0];
    while message.len() < 16_000 {
        let before = (message.len() - 2) as u16 | 0xc000;
        message.extend_from_slice(&before.to_be_bytes());
    }
    let last = (message.len() - 2) as u16 | 0xc000;
    message[12..14].copy_from_slice(&[0, 0]);
    let mut questions = Vec::new();
    while message.len() + questions.len() < 60_000 {
        questions.extend_from_slice(&last.to_be_bytes());
        questions.extend_from_slice(&[0, 1, 0, 1]);
    }
    message.splice(12..12, questions);
    in_time("pointers", &udp((1, 53), &message));
}

#[test]
fn long_text_is_cut() {
    // Every question repeats a name of 190 octets.
    let mut message = vec![0, 1, 1, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 63];
    for _ in 0..2 {
        message.extend_from_slice(&[0xff; 63]);
        message.push(63);
    }
    message.extend_from_slice(&[0xff; 63]);
    message.extend_from_slice(&[0, 0, 1, 0, 1]);
    while message.len() < 60_000 {
        message.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1]);
    }
    let text = in_time("questions", &udp((1, 53), &message));
    assert!(text.len() > MAX_TEXT / 2);

    let mut names = logged(2, &[0x7f; 60_000]);
    names[4..100].fill(0x7f);
    assert!(print_one(&names, 60_100).len() > MAX_TEXT / 2);

    for port in [67, 88, 123, 161, 520, 521, 1701, 1812, 4754, 4789, 6635, 525, 69] {
        for octet in [0x00, 0x01, 0x02, 0x30, 0x45, 0x60, 0x88, 0xa0, 0xc0, 0xff] {
            in_time("one octet", &udp((1, port), &[octet; 60_000]));
        }
    }
    for protocol in 0..=255 {
        for octet in [0x00, 0x01, 0x13, 0x14, 0x20, 0x30, 0x45, 0x60, 0xff] {
            in_time("one octet", &ip(protocol, &[octet; 60_000]));
        }
    }
}

#[test]
fn header_lengths() {
    let text = |length: u8, captured: usize| {
        let mut data = logged(2, &ip(1, &[8, 0, 0, 0]));
        data[0] = length;
        data.truncate(captured);
        String::from_utf8(print_one(&data, 124)).unwrap()
    };
    for length in [0, 1, 44] {
        assert!(text(length, 124).ends_with(" [pflog: invalid header length!]\n"));
    }
    // 61 and 64 octets are the old header; the packet then begins among our zeros.
    assert!(text(61, 124).ends_with("block in on em0: bad-ip-version 0\n"));
    assert!(text(100, 124).ends_with("10.0.0.1 > 10.0.0.2: icmp: echo request\n"));
    assert!(text(97, 124).ends_with("10.0.0.1 > 10.0.0.2: icmp: echo request\n"));
    assert!(text(101, 124).ends_with("bad-ip-version 0\n"));
    // Beyond 252 the length wraps, and the header is taken for the packet.
    assert!(text(255, 124).ends_with("bad-ip-version 15\n"));
    for (length, captured) in [(100, 0), (100, 1), (100, 99), (101, 103)] {
        assert!(text(length, captured).ends_with(" [|pflog]\n"));
    }
    assert!(text(100, 100).ends_with(" [|ip]\n"));
}

/// Records of all captures, to be damaged.
fn seeds() -> Vec<(Vec<u8>, u32)> {
    let all = [CAPTURED, GENERATED, MUTATED, VARIANTS, PROTOCOLS, UNASKED];
    all.iter().flat_map(common::records).collect()
}

#[derive(Clone, Debug)]
enum Damage {
    Octet(usize, u8),
    Bit(usize, u8),
    Cut(usize),
    Double(usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<usize>(), any::<u8>()).prop_map(|(at, octet)| Damage::Octet(at, octet)),
        (any::<usize>(), 0..8_u8).prop_map(|(at, bit)| Damage::Bit(at, bit)),
        any::<usize>().prop_map(Damage::Cut),
        any::<usize>().prop_map(Damage::Double),
    ]
}

fn apply(data: &mut Vec<u8>, damage: &Damage) {
    if data.is_empty() {
        return;
    }
    match *damage {
        Damage::Octet(at, octet) => {
            let at = at % data.len();
            data[at] = octet;
        }
        Damage::Bit(at, bit) => {
            let at = at % data.len();
            data[at] ^= 1 << bit;
        }
        Damage::Cut(at) => data.truncate(at % (data.len() + 1)),
        Damage::Double(at) => {
            let tail = data.split_off(at % data.len());
            data.extend_from_slice(&tail);
            data.extend_from_slice(&tail);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_octets(data in prop::collection::vec(any::<u8>(), 0..400), len: u32) {
        print_one(&data, len);
    }

    #[test]
    fn random_packets(
        family in prop_oneof![Just(2_u8), Just(24)],
        port in prop_oneof![Just(53_u16), Just(161), Just(67), Just(1701), Just(4754), any::<u16>()],
        protocol in prop_oneof![Just(17_u8), any::<u8>()],
        payload in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        let packet = match (family, protocol) {
            (2, 17) => udp((40_000, port), &payload),
            (2, _) => ip(protocol, &payload),
            _ => {
                let mut packet = vec![0x60, 0, 0, 0, 1, 0x90, protocol, 64];
                packet.extend_from_slice(&[0x20; 32]);
                packet.extend_from_slice(&payload);
                packet
            }
        };
        print_one(&logged(family, &packet), packet.len() as u32 + 100);
    }

    #[test]
    fn damaged_files_are_read_to_the_end_or_refused(
        octets in prop::collection::vec(any::<u8>(), 0..300),
        good in 0..600_usize,
        step in 1..100_usize,
    ) {
        let mut file = VARIANTS.pcap[..good].to_vec();
        file.extend_from_slice(&octets);
        let mut last = 0;
        let _ = common::read(&mut Reader::new(), &file, step, |record| {
            assert!(record.offset >= 24 && record.offset >= last);
            assert_eq!(record.end - record.offset, 16 + record.data.len() as u64);
            assert!(record.end <= file.len() as u64 && record.data.len() <= MAX_CAPTURE as usize);
            last = record.end;
        });
    }
}

#[test]
fn damaged_records() {
    let seeds = seeds();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 30_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let cases = (0..seeds.len(), prop::collection::vec(damage(), 1..5), any::<Option<u32>>());
    let mut printer = Printer::new(Stamp::Date, 3600);
    let printer = std::cell::RefCell::new(&mut printer);
    runner
        .run(&cases, |(seed, damages, len)| {
            let (mut data, own_len) = seeds[seed].clone();
            for damage in &damages {
                apply(&mut data, damage);
            }
            print(&mut printer.borrow_mut(), &data, len.unwrap_or(own_len));
            Ok(())
        })
        .unwrap();
}
