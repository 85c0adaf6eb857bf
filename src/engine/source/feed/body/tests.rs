use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::https::Validators;

fn job(folder: &Path) -> Job {
    Job {
        fetch: Fetch {
            url: "https://lists.example/".parse().unwrap(),
            authorization: None,
            validators: Validators::default(),
            own: std::iter::empty().collect(),
            met: Default::default(),
        },
        format: Format::Lines,
        name: "drop".into(),
        max_entries: 10,
        floor: Floor { v4: 8, v6: 19 },
        directory: folder.to_owned(),
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// What becomes of a body that a server says is gzip, or does not.
fn read_body(body: &[u8], gzip: bool) -> Result<u64, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut file = unlinked(folder.path()).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    file.write_all(body).unwrap();
    read(file, gzip, &job(folder.path())).map(|read| read.told.entries)
}

#[test]
fn what_is_gzip_is_inflated_whoever_says_so() {
    let list = b"192.0.2.1\n192.0.2.2\n";
    assert_eq!(read_body(list, false), Ok(2));
    assert_eq!(read_body(&gzip(list), false), Ok(2));
    assert_eq!(read_body(&gzip(list), true), Ok(2));
    assert_eq!(read_body(&[gzip(list), gzip(list)].concat(), false), Ok(4));
    let damaged = "its answer is damaged: ";
    assert!(read_body(list, true).unwrap_err().starts_with(damaged));
    let whole = gzip(list);
    for end in 2..whole.len() {
        let why = read_body(&whole[..end], false).unwrap_err();
        assert!(why.starts_with(damaged), "{end}: {why}");
    }
    let mut other = whole.clone();
    let last = other.len() - 8;
    other[last] ^= 1;
    assert!(read_body(&other, false).unwrap_err().starts_with(damaged));
}

/// Fails when a list of blanks could be inflated without an end.
#[test]
fn what_is_inflated_has_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let blanks = gzip(&vec![b' '; 3 << 20]);
    let inflated = MultiGzDecoder::new(blanks.as_slice());
    let why = parse(inflated, &job(folder.path()), 1 << 20).unwrap_err();
    assert_eq!(why, "inflated it is longer than 1 MiB");
}

#[test]
fn there_is_room_where_there_is_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let why = room(&folder.path().join("none")).unwrap_err();
    assert!(why.contains("none: "), "{why}");
}
