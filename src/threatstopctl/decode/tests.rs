use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// Packets that a real pflogd(8) wrote, and what tcpdump(8) prints for them with TZ=UTC0.
const CAPTURE: &[u8] = include_bytes!("../../pflog/tests/data/captured.pcap");
const TEXT: &[u8] = include_bytes!("../../pflog/tests/data/captured.txt");

/// The text without its times of day, which depend on the zone.
fn without_times(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    text.lines()
        .map(|line| line.split_once(' ').map_or("", |(_, rest)| rest).to_owned() + "\n")
        .collect()
}

fn decoded(octets: &[u8]) -> (String, Option<String>) {
    let mut out = Vec::new();
    let done = decode(octets, None, Stamp::Time, &mut out);
    let why = done.err().map(|trouble| match trouble {
        Trouble::Input(why) => why,
        Trouble::Stdout(error) => panic!("{error}"),
    });
    (without_times(&out), why)
}

fn packed(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn plain_and_gzip_are_printed_as_tcpdump_does() {
    let expected = without_times(TEXT);
    assert!(expected.lines().count() > 50);
    assert_eq!(decoded(CAPTURE), (expected.clone(), None));
    assert_eq!(decoded(&packed(CAPTURE)), (expected, None));
}

#[test]
fn what_comes_before_the_trouble_is_printed() {
    let whole = without_times(TEXT);
    let (text, why) = decoded(&CAPTURE[..CAPTURE.len() - 1]);
    assert!(why.unwrap().starts_with("truncated dump file"));
    assert_eq!(whole.lines().count(), text.lines().count() + 1);
    let half = packed(CAPTURE);
    let (text, why) = decoded(&half[..half.len() / 2]);
    assert!(why.is_some() && whole.starts_with(&text) && !text.is_empty());
    assert!(decoded(&CAPTURE[..3]).1.unwrap().starts_with("truncated dump file"));
    let (text, why) = decoded(&[b'x'; 100]);
    assert!(text.is_empty() && why.unwrap().starts_with("bad dump file format"));
}
