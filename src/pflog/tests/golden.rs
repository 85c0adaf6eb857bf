//! The text of captures, octet for octet against that of OpenBSD's tcpdump.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{CAPTURED, Capture, GENERATED, MUTATED, PROTOCOLS, UNASKED, VARIANTS};

/// A record whose text differs.
struct Difference {
    record: usize,
    expected: Vec<u8>,
    printed: Vec<u8>,
}

impl Difference {
    /// Where the texts part, with some of each.
    fn report(&self) -> String {
        let common = self.expected.iter().zip(&self.printed).take_while(|(a, b)| a == b).count();
        let excerpt = |text: &[u8]| {
            let from = common.saturating_sub(40).min(text.len());
            text[from..text.len().min(common + 60)].escape_ascii().to_string()
        };
        format!(
            "record {} differs at octet {common}:\n  expected ...{}\n  printed  ...{}",
            self.record,
            excerpt(&self.expected),
            excerpt(&self.printed),
        )
    }
}

/// The records of a capture that are printed differently, and how many there are in all.
fn compare(capture: &Capture) -> (Vec<Difference>, usize) {
    let printed = common::texts(capture.pcap);
    let expected = common::split(capture.text);
    assert_eq!(printed.len(), expected.len(), "{}: another number of records", capture.name);
    let all = expected.len();
    let differences = expected
        .into_iter()
        .zip(printed)
        .enumerate()
        .filter(|(_, (expected, printed))| expected != printed)
        .map(|(record, (expected, printed))| Difference {
            record,
            expected: expected.to_vec(),
            printed,
        })
        .collect();
    (differences, all)
}

fn assert_equal(capture: &Capture) {
    let (differences, all) = compare(capture);
    if let Some(first) = differences.first() {
        let equal = 100.0 * (all - differences.len()) as f64 / all as f64;
        panic!("{}: {equal:.2} % of {all} records are equal; {}", capture.name, first.report());
    }
}

#[test]
fn captured() {
    assert_equal(&CAPTURED);
}

#[test]
fn generated() {
    assert_equal(&GENERATED);
}

#[test]
fn variants() {
    assert_equal(&VARIANTS);
}

#[test]
fn protocols() {
    assert_equal(&PROTOCOLS);
}

#[test]
fn unasked() {
    assert_equal(&UNASKED);
}

/// tcpdump writes the names of interface and ruleset as they are in the header, unprintable
/// octets included. They would reach a terminal and the log service; here they are escaped in
/// the way that tcpdump has for other names.
fn is_unprintable_name(difference: &Difference) -> bool {
    let mut escaped = Vec::new();
    for &octet in difference.expected.strip_suffix(b"\n").unwrap() {
        if octet >= 0x80 {
            escaped.extend_from_slice(b"M-");
        }
        match octet & 0x7f {
            low @ b' '..=b'~' => escaped.push(low),
            low => escaped.extend_from_slice(&[b'^', low ^ 0x40]),
        }
    }
    escaped.push(b'\n');
    escaped == difference.printed && escaped != difference.expected
}

#[test]
fn mutated() {
    let (differences, all) = compare(&MUTATED);
    for difference in &differences {
        assert!(is_unprintable_name(difference), "{}", difference.report());
    }
    let equal = 100.0 * (all - differences.len()) as f64 / all as f64;
    println!("{equal:.2} % of {all} records are equal");
    assert!(equal >= 97.7, "{equal:.2} % of {all} records are equal");
}

/// Relative sequence numbers belong to a file: the same records in one more run of the same
/// printer have no absolute number left.
#[test]
fn sequence_numbers_are_relative_within_one_printer() {
    let twice: Vec<u8> = [VARIANTS.pcap, &VARIANTS.pcap[24..]].concat();
    let texts = common::texts(&twice);
    let (first, second) = texts.split_at(texts.len() / 2);
    let line = |texts: &[Vec<u8>], part: &str| {
        let found = texts.iter().find(|text| text.escape_ascii().to_string().contains(part));
        found.map(|text| text.escape_ascii().to_string())
    };
    let ack = "10.0.2.15.1025 > 64.87.3.133.443: . ack ";
    assert!(line(first, ack).is_some_and(|text| text.contains("ack 200 win")));
    assert!(line(second, ack).is_some_and(|text| text.contains("ack 1 win")));
}
