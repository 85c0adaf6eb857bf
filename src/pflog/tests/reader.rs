//! Reading files piece by piece.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod common;

use common::{CAPTURED, GENERATED, VARIANTS, read};
use pflog::{Error, Fingerprint, MAX_CAPTURE, NoFingerprint, Reader};

/// Offset, end, time and captured octets of a record.
type Seen = (u64, u64, (u32, u32), Vec<u8>);

fn seen(file: &[u8], step: usize) -> Result<Vec<Seen>, Error> {
    let mut all = Vec::new();
    read(&mut Reader::new(), file, step, |record| {
        let time = (record.seconds, record.micros);
        all.push((record.offset, record.end, time, record.data.to_vec()));
    })?;
    Ok(all)
}

/// The same file as a machine of the other byte order would have written it.
fn swapped(file: &[u8]) -> Vec<u8> {
    let mut swapped = file.to_vec();
    let swap = |octets: &mut [u8]| octets.reverse();
    swap(&mut swapped[0..4]);
    swap(&mut swapped[4..6]);
    swap(&mut swapped[6..8]);
    for at in [8, 12, 16, 20] {
        swap(&mut swapped[at..at + 4]);
    }
    let mut at = 24;
    while at < file.len() {
        let caplen = u32::from_le_bytes(file[at + 8..at + 12].try_into().unwrap());
        for field in [at, at + 4, at + 8, at + 12] {
            swap(&mut swapped[field..field + 4]);
        }
        at += 16 + caplen as usize;
    }
    swapped
}

#[test]
fn pieces_of_any_size_give_the_same_records() {
    let whole = seen(GENERATED.pcap, usize::MAX).unwrap();
    assert_eq!(whole.len(), 1500);
    assert_eq!((whole[0].0, whole[1499].1), (24, GENERATED.pcap.len() as u64));
    assert!(whole.windows(2).all(|pair| pair[0].1 == pair[1].0));
    for step in [1, 2, 15, 16, 17, 1000, 65_536] {
        assert!(seen(GENERATED.pcap, step).unwrap() == whole, "{step} octets at a time");
    }
}

#[test]
fn both_byte_orders_and_nanoseconds() {
    let whole = seen(CAPTURED.pcap, usize::MAX).unwrap();
    let other = swapped(CAPTURED.pcap);
    assert!(seen(&other, usize::MAX).unwrap() == whole);

    let mut nanoseconds = CAPTURED.pcap.to_vec();
    nanoseconds[..4].copy_from_slice(&0xa1b2_3c4d_u32.to_le_bytes());
    nanoseconds[28..32].copy_from_slice(&123_456_789_u32.to_le_bytes());
    assert_eq!(seen(&nanoseconds, usize::MAX).unwrap()[0].2.1, 123_456);
}

#[test]
fn what_is_no_packet_log_is_refused() {
    assert_eq!(seen(&[], 1), Ok(Vec::new()));
    let with = |at: usize, octets: &[u8]| {
        let mut file = CAPTURED.pcap.to_vec();
        file[at..at + octets.len()].copy_from_slice(octets);
        seen(&file, usize::MAX)
    };
    // gzip, pcapng, and the format with longer record headers.
    for magic in [[0x1f, 0x8b, 8, 0], [0x0a, 0x0d, 0x0d, 0x0a], [0x34, 0xcd, 0xb2, 0xa1]] {
        assert_eq!(with(0, &magic), Err(Error::Magic(magic)));
    }
    assert_eq!(with(4, &[1, 0]), Err(Error::Version(1)));
    assert_eq!(with(20, &[1, 0, 0, 0]), Err(Error::LinkType(1)));
    // The snapshot length does not matter.
    for snaplen in [[0; 4], [0, 0, 0, 0x80], [0xff; 4]] {
        assert_eq!(with(16, &snaplen).unwrap().len(), 139);
    }
    assert_eq!(
        Error::Magic([0x1f, 0x8b, 8, 0]).to_string(),
        "bad dump file format: no pcap file begins with 1f 8b 08 00"
    );
}

#[test]
fn the_end_of_a_file() {
    let first = 24 + 16 + 160;
    for end in [24, 30, 39, first, first + 15] {
        let records = seen(&CAPTURED.pcap[..end], 7).unwrap();
        assert_eq!(records.len(), usize::from(end >= first), "{end}");
    }
    assert_eq!(seen(&CAPTURED.pcap[..23], 7), Err(Error::Truncated { offset: 0 }));
    for end in [40, first - 1] {
        assert_eq!(seen(&CAPTURED.pcap[..end], 7), Err(Error::Truncated { offset: 24 }));
    }
    let end = first + 16;
    assert_eq!(seen(&CAPTURED.pcap[..end], 7), Err(Error::Truncated { offset: first as u64 }));
    assert_eq!(
        Error::Truncated { offset: 200 }.to_string(),
        "truncated dump file: it ends inside the record at octet 200"
    );
}

#[test]
fn the_largest_record_and_one_octet_more() {
    let data = vec![7; MAX_CAPTURE as usize + 1];
    let largest = common::file([(&data[1..], 1), (&data[..3], 3), (&data[1..], 1)]);
    let records = seen(&largest, 10_000).unwrap();
    assert_eq!(records.iter().map(|seen| seen.3.len()).collect::<Vec<_>>(), [67_584, 3, 67_584]);
    let larger = common::file([(&data[..3], 3), (&data[..], 1)]);
    let error = Error::Capture { offset: 43, caplen: MAX_CAPTURE + 1 };
    assert_eq!(seen(&larger, 10_000), Err(error));
    assert!(error.to_string().starts_with("bogus savefile header: the record at octet 43 "));
}

#[test]
fn a_reader_goes_on_at_a_cursor() {
    let whole = seen(VARIANTS.pcap, usize::MAX).unwrap();
    let mut reader = Reader::new();
    // The first record is read for its fingerprint, then the file from the cursor on.
    reader.room()[..1000].copy_from_slice(&VARIANTS.pcap[..1000]);
    reader.filled(1000);
    assert_eq!(reader.fingerprint(), None);
    assert!(reader.record().unwrap().is_some());
    let cursor = whole[100].0;
    reader.seek(cursor);
    let mut rest = Vec::new();
    read(&mut reader, &VARIANTS.pcap[cursor as usize..], 100, |record| rest.push(record.offset))
        .unwrap();
    assert_eq!(rest, whole[100..].iter().map(|seen| seen.0).collect::<Vec<_>>());
    assert_eq!(reader.offset(), VARIANTS.pcap.len() as u64);
}

#[test]
fn a_fingerprint_tells_files_apart() {
    let of = |file: &[u8]| {
        let mut reader = Reader::new();
        read(&mut reader, file, usize::MAX, |_| ()).unwrap();
        reader.fingerprint()
    };
    let own = of(CAPTURED.pcap).unwrap();
    // It is that of the first record, whatever follows.
    assert_eq!(of(&CAPTURED.pcap[..24 + 16 + 160]), Some(own));
    assert_ne!(of(GENERATED.pcap), Some(own));
    for at in [24, 28, 40, 40 + 159] {
        let mut other = CAPTURED.pcap.to_vec();
        other[at] ^= 1;
        assert_ne!(of(&other), Some(own), "octet {at}");
    }
    assert_eq!(own.to_string().parse(), Ok(own));
    assert_eq!(Fingerprint::from(own.octets()), own);
    for text in ["", "00", &"0".repeat(47), &"0".repeat(49), &"g".repeat(48), "ä"] {
        assert_eq!(text.parse::<Fingerprint>(), Err(NoFingerprint));
    }
}
