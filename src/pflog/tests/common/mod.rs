//! What the tests share: the captures, and reading files.

#![allow(dead_code, reason = "each test uses its part")]

use pflog::{Error, Lines, Printer, Reader, Record, Stamp};

/// A capture and its text; see `data/README.md`.
pub struct Capture {
    pub name: &'static str,
    pub pcap: &'static [u8],
    pub text: &'static [u8],
}

macro_rules! capture {
    ($name:literal) => {
        Capture {
            name: $name,
            pcap: include_bytes!(concat!("../data/", $name, ".pcap")),
            text: include_bytes!(concat!("../data/", $name, ".txt")),
        }
    };
}

pub const CAPTURED: Capture = capture!("captured");
pub const GENERATED: Capture = capture!("generated");
pub const MUTATED: Capture = capture!("mutated");
pub const VARIANTS: Capture = capture!("variants");
pub const PROTOCOLS: Capture = capture!("protocols");
pub const UNASKED: Capture = capture!("unasked");

/// Gives `file` to the reader, at most `step` octets at a time, and calls `each` with its
/// records.
pub fn read(
    reader: &mut Reader,
    mut file: &[u8],
    step: usize,
    mut each: impl FnMut(Record<'_>),
) -> Result<(), Error> {
    loop {
        while let Some(record) = reader.record()? {
            each(record);
        }
        let room = reader.room();
        let count = file.len().min(step).min(room.len());
        if count == 0 {
            return reader.finish();
        }
        let (now, later) = file.split_at(count);
        room[..count].copy_from_slice(now);
        reader.filled(count);
        file = later;
    }
}

/// The text of each record, printed in UTC.
pub fn texts(pcap: &[u8]) -> Vec<Vec<u8>> {
    let mut printer = Printer::new(Stamp::Time, 0);
    let mut texts = Vec::new();
    read(&mut Reader::new(), pcap, usize::MAX, |record| {
        let mut text = Lines::default();
        printer.print(&record, &mut text);
        texts.push(text.to_vec());
    })
    .unwrap();
    texts
}

/// Divides a text into records: each begins with a time, which its other lines do not.
pub fn split(text: &[u8]) -> Vec<&[u8]> {
    let begins_record = |line: &[u8]| matches!(line, [b'0'..=b'9', b'0'..=b'9', b':', ..]);
    let mut records: Vec<&[u8]> = Vec::new();
    let mut start = 0;
    for (at, _) in text.iter().enumerate().filter(|(_, octet)| **octet == b'\n') {
        let next = &text[at + 1..];
        if next.is_empty() || begins_record(next) {
            records.push(&text[start..=at]);
            start = at + 1;
        }
    }
    assert_eq!(start, text.len(), "the text does not end with a line feed");
    records
}

/// A file of pflogd's form with these records: captured octets and length on the wire.
pub fn file<'r>(records: impl IntoIterator<Item = (&'r [u8], u32)>) -> Vec<u8> {
    let mut file = VARIANTS.pcap[..24].to_vec();
    for (data, len) in records {
        for number in [1_700_000_000, 0, data.len() as u32, len] {
            file.extend_from_slice(&number.to_le_bytes());
        }
        file.extend_from_slice(data);
    }
    file
}

/// The captured octets and lengths of all records of a capture.
pub fn records(capture: &Capture) -> Vec<(Vec<u8>, u32)> {
    let mut records = Vec::new();
    read(&mut Reader::new(), capture.pcap, usize::MAX, |record| {
        records.push((record.data.to_vec(), record.len));
    })
    .unwrap();
    records
}
