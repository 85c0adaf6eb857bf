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
    let mut sink = Sink::new(&mut out, false);
    let done = decode(octets, None, Stamp::Time, &mut sink);
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

#[test]
fn a_file_that_fails_does_not_end_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, octets: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, octets).unwrap();
        path.into_os_string()
    };
    let damaged = file("damaged", &CAPTURE[..CAPTURE.len() - 1]);
    let whole = file("whole", &packed(CAPTURE));
    let missing = folder.path().join("missing").into_os_string();
    let lines = TEXT.iter().filter(|octet| **octet == b'\n').count();

    let mut text = Vec::new();
    let files = [damaged.clone(), missing.clone(), whole.clone()];
    let done = all(&files, Stamp::Epoch, Sink::new(&mut text, false));
    assert!(!done.unwrap());
    let text = String::from_utf8(text).unwrap();
    assert_eq!(text.lines().count(), 2 * lines - 1);

    let document = |files: &[OsString]| {
        let mut json = Vec::new();
        let done = all(files, Stamp::Epoch, Sink::new(&mut json, true)).unwrap();
        (done, serde_json::from_slice::<serde_json::Value>(&json).unwrap())
    };
    let (done, json) = document(&files);
    let json_lines: Vec<_> =
        json["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    assert_eq!((done, json_lines), (false, text.lines().collect()));
    let why = json["error"]["why"].as_str().unwrap();
    assert!(json["error"]["what"] == "decode" && why.contains("truncated dump file"), "{json}");
    assert!(why.contains("missing: No such file or directory"), "{json}");

    let (done, json) = document(std::slice::from_ref(&missing));
    assert!(!done && json.get("lines").is_none(), "{json}");
    assert_eq!(json["error"]["what"].as_str(), missing.to_str());
    let empty = file("empty", &CAPTURE[..24]);
    assert_eq!(document(&[empty]), (true, serde_json::json!({ "lines": [] })));
    let (done, json) = document(&[whole]);
    assert!(done && json.get("error").is_none());
}

/// Fails when the bar is shown between the lines on a terminal, or for a FIFO.
#[test]
fn the_bar_never_stands_between_lines() {
    assert!(wants_bar(false, true, true));
    for (stdout, stderr, file) in
        [(true, true, true), (false, false, true), (true, false, true), (false, true, false)]
    {
        assert!(!wants_bar(stdout, stderr, file));
    }
}
