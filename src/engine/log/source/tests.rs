use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

/// Packets that a real pflogd(8) wrote.
const CAPTURE: &[u8] = include_bytes!("../../../pflog/tests/data/captured.pcap");
const FILE_HEADER: usize = 24;

fn open(path: &Path) -> Source {
    Source::new(0, File::open(path).unwrap())
}

/// Offsets and ends of all records from the offset on.
fn records(source: &mut Source) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    while source.step(|record| {
        all.push((record.offset, record.end));
        true
    }) != Ok(Step::End)
    {}
    all
}

fn gzip(parts: &[&[u8]]) -> Vec<u8> {
    let member = |part: &&[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(part).unwrap();
        encoder.finish().unwrap()
    };
    parts.iter().flat_map(member).collect()
}

#[test]
fn plain_and_gzip_give_the_same_from_any_record_on() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, packed) = (dir.path().join("pflog"), dir.path().join("pflog.0.gz"));
    fs::write(&plain, CAPTURE).unwrap();
    // two members, as `cat a.gz b.gz` makes, cut where no record ends
    fs::write(&packed, gzip(&[&CAPTURE[..1001], &CAPTURE[1001..]])).unwrap();
    let mut source = open(&plain);
    let (print, first) = source.first().unwrap().unwrap();
    assert_eq!(first, FILE_HEADER as u64);
    source.seek(first).unwrap();
    let all = records(&mut source);
    assert_eq!(all.last().map(|(_, end)| *end), Some(CAPTURE.len() as u64));
    for (number, (offset, _)) in all.iter().enumerate().step_by(7) {
        for path in [&plain, &packed] {
            let mut source = open(path);
            assert_eq!(source.first(), Ok(Some((print, first))));
            source.seek(*offset).unwrap();
            assert_eq!(records(&mut source), all[number..], "{} at {offset}", path.display());
        }
    }
}

#[test]
fn a_file_may_grow_in_any_steps() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pflog");
    fs::write(&path, b"").unwrap();
    assert_eq!(open(&path).first(), Ok(None), "an empty file has no fingerprint");
    let (mut source, mut count) = (None::<Source>, 0);
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    for part in CAPTURE.chunks(13) {
        file.write_all(part).unwrap();
        if source.is_none() {
            let mut opened = open(&path);
            if let Some((_, first)) = opened.first().unwrap() {
                opened.seek(first).unwrap();
                source = Some(opened);
            }
        }
        if let Some(source) = &mut source {
            count += records(source).len();
            assert!(source.is_intact());
        }
    }
    let mut whole = open(&path);
    let (_, first) = whole.first().unwrap().unwrap();
    whole.seek(first).unwrap();
    assert_eq!(count, records(&mut whole).len());
}

#[test]
fn a_truncated_or_replaced_file_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pflog");
    let read = |octets: &[u8]| {
        fs::write(&path, octets).unwrap();
        let mut source = open(&path);
        let (_, first) = source.first().unwrap().unwrap();
        source.seek(first).unwrap();
        records(&mut source);
        assert!(source.is_intact());
        source
    };
    let source = read(CAPTURE);
    fs::write(&path, b"").unwrap();
    assert!(!source.is_intact());
    // longer than before, but with another beginning
    let source = read(CAPTURE);
    let mut other = CAPTURE.to_vec();
    other[FILE_HEADER] ^= 1;
    other.extend_from_slice(&CAPTURE[FILE_HEADER..]);
    fs::write(&path, &other).unwrap();
    assert!(!source.is_intact());
}

/// Fails when a copy that has more than what was read is taken for one that has not, or is unpacked to see.
#[test]
fn what_is_more_than_was_read_is_known() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, packed) = (dir.path().join("pflog"), dir.path().join("pflog.0.gz"));
    fs::write(&plain, CAPTURE).unwrap();
    fs::write(&packed, gzip(&[CAPTURE])).unwrap();
    let length = CAPTURE.len() as u64;
    let against = |path, read| open(path).against(read);
    for read in [length - 1, length, length + 1] {
        assert_eq!(against(&plain, read), length.cmp(&read));
        assert_eq!(against(&packed, read), length.cmp(&read).max(Ordering::Equal), "of {read}");
        // one of more than that says as much
        assert_eq!(against(&packed, read + (1 << 32)), against(&packed, read));
    }
}

#[test]
fn a_file_of_more_than_four_gigabytes_is_read_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pflog");
    fs::write(&path, CAPTURE).unwrap();
    let mut source = open(&path);
    let (_, first) = source.first().unwrap().unwrap();
    source.seek(first).unwrap();
    let before = records(&mut source);
    // a hole, which takes no room on the disk, and the records once more behind it
    let behind = 5 << 30;
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let records_alone = &CAPTURE[FILE_HEADER..];
    std::os::unix::fs::FileExt::write_all_at(&file, records_alone, behind).unwrap();
    let mut source = open(&path);
    assert!(source.first().unwrap().is_some());
    source.seek(behind).unwrap();
    let moved = |at: u64| at - FILE_HEADER as u64 + behind;
    let expected: Vec<_> = before.iter().map(|(from, end)| (moved(*from), moved(*end))).collect();
    assert_eq!(records(&mut source), expected);
}

#[test]
fn a_damaged_file_ends_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pflog");
    fs::write(&path, b"no packet log at all, but some text").unwrap();
    assert!(open(&path).first().unwrap_err().contains("bad dump file format"));
    let packed = dir.path().join("pflog.0.gz");
    let whole = gzip(&[CAPTURE]);
    fs::write(&packed, &whole[..whole.len() / 2]).unwrap();
    let mut source = open(&packed);
    let (_, first) = source.first().unwrap().unwrap();
    source.seek(first).unwrap();
    let mut count = 0;
    let end = loop {
        match source.step(|_| {
            count += 1;
            true
        }) {
            Ok(Step::More) => {}
            other => break other,
        }
    };
    assert!(end.is_err() && source.broken && count > 10, "{end:?} after {count}");
    // shorter than where it was read to
    let mut source = open(&packed);
    source.first().unwrap();
    source.seek(1 << 40).unwrap();
    assert!(source.step(|_| true).is_err());
}

/// 16 MiB of empty records in some 16 KiB: each step is bounded, and so is the memory.
#[test]
fn a_gzip_bomb_costs_time_and_no_memory() {
    let dir = tempfile::tempdir().unwrap();
    let packed = dir.path().join("pflog.0.gz");
    let mut octets = CAPTURE.to_vec();
    octets.resize(16 << 20, 0);
    fs::write(&packed, gzip(&[&octets])).unwrap();
    let mut source = open(&packed);
    let (_, first) = source.first().unwrap().unwrap();
    source.seek(first).unwrap();
    let (mut steps, mut count) = (0, 0_usize);
    while source.step(|_| {
        count += 1;
        true
    }) == Ok(Step::More)
    {
        steps += 1;
    }
    assert!(steps >= (16 << 20) / (STEP + (66 << 10)), "{steps} steps for {count} records");
    assert!(count > 1_000_000);
}

#[test]
fn a_file_that_ends_inside_a_record_says_where() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pflog");
    fs::write(&path, &CAPTURE[..CAPTURE.len() - 1]).unwrap();
    let mut source = open(&path);
    let (_, first) = source.first().unwrap().unwrap();
    source.seek(first).unwrap();
    let end = records(&mut source).last().unwrap().1;
    let cut = source.cut().unwrap();
    assert!(cut.ends_with(&format!("inside the record at octet {end}")), "{cut}");
    fs::write(&path, CAPTURE).unwrap();
    records(&mut source);
    assert_eq!(source.cut(), None);
}
