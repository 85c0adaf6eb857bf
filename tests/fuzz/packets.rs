//! Packet logs: the framing of a file, and the text of its records.

use std::cell::RefCell;

use pflog::{
    Error, Fingerprint, Flow, Header, Lines, MAX_CAPTURE, MAX_TEXT, Printer, Reader, Record, Stamp,
    goes_on,
};

use crate::input::Input;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;

/// A record as it stands in a file: offset, seconds, length on the wire, captured octets.
type Raw<'a> = (u64, u32, u32, &'a [u8]);

/// A file of pflogd(8), which comes in pieces; the first octet says of what size.
pub fn pcap_file(data: &[u8]) -> bool {
    let mut input = Input(data);
    let step = usize::from(input.octet()).pow(2).max(1);
    let mut file = input.0;
    let (expected, end) = naive_file(file);
    let mut printer = Printer::new(Stamp::Time, 0);
    let mut expected = expected.into_iter();
    let mut reader = Reader::new();
    let mut read = || {
        loop {
            while let Some(record) = reader.record()? {
                let Record { offset, seconds, len, data, .. } = record;
                assert_eq!(expected.next(), Some((offset, seconds, len, data)));
                assert_eq!(record.end, offset + (RECORD_HEADER + data.len()) as u64);
                check_text(&mut printer, &record);
            }
            let room = reader.room();
            let count = file.len().min(step).min(room.len());
            if count == 0 {
                break reader.finish();
            }
            let (now, later) = file.split_at(count);
            room[..count].copy_from_slice(now);
            reader.filled(count);
            file = later;
        }
    };
    assert_eq!(read(), end);
    assert_eq!(expected.next(), None);
    if let Some(print) = reader.fingerprint() {
        assert_eq!(print.to_string().parse::<Fingerprint>(), Ok(print));
    }
    end.is_ok() && reader.fingerprint().is_some()
}

/// The records of a file, and how it ends.
fn naive_file(file: &[u8]) -> (Vec<Raw<'_>>, Result<(), Error>) {
    let mut records = Vec::new();
    if file.is_empty() {
        return (records, Ok(()));
    }
    let Some(magic) = file.first_chunk::<4>() else {
        return (records, Err(Error::Truncated { offset: 0 }));
    };
    let big = match *magic {
        [0xa1, 0xb2, 0xc3, 0xd4] | [0xa1, 0xb2, 0x3c, 0x4d] => true,
        [0xd4, 0xc3, 0xb2, 0xa1] | [0x4d, 0x3c, 0xb2, 0xa1] => false,
        // the layout of another libpcap, told from ours once its header is whole
        [0x34, 0xcd, 0xb2, 0xa1] if file.len() < FILE_HEADER => false,
        other => return (records, Err(Error::Magic(other))),
    };
    if file.len() < FILE_HEADER {
        return (records, Err(Error::Truncated { offset: 0 }));
    }
    let word = |at: usize| {
        let octets: [u8; 4] = file[at..at + 4].try_into().unwrap();
        if big { u32::from_be_bytes(octets) } else { u32::from_le_bytes(octets) }
    };
    let major = if big { word(4) >> 16 } else { word(4) & 0xffff } as u16;
    if major < 2 {
        return (records, Err(Error::Version(major)));
    }
    if word(20) != 117 {
        return (records, Err(Error::LinkType(word(20).cast_signed())));
    }
    let mut at = FILE_HEADER;
    while file.len() - at >= RECORD_HEADER {
        let (offset, caplen) = (at as u64, word(at + 8));
        if caplen > MAX_CAPTURE {
            return (records, Err(Error::Capture { offset, caplen }));
        }
        let begin = at + RECORD_HEADER;
        let Some(captured) = file.get(begin..begin + caplen as usize) else {
            return (records, Err(Error::Truncated { offset }));
        };
        records.push((offset, word(at), word(at + 12), captured));
        at = begin + captured.len();
    }
    (records, Ok(()))
}

thread_local! {
    // one for all inputs: what it remembers of connections must not grow, and must harm no record
    static PRINTER: RefCell<Printer> = RefCell::new(Printer::new(Stamp::Time, 3600));
}

/// One record: four octets of length on the wire, and the captured ones.
pub fn pflog_record(data: &[u8]) -> bool {
    let mut input = Input(data);
    let len = u32::from(input.word()) << 16 | u32::from(input.word());
    let data = input.0.get(..MAX_CAPTURE as usize).unwrap_or(input.0);
    let (offset, end, seconds, micros) = (24, 40, 1_700_000_000, 226_823);
    let record = Record { offset, end, seconds, micros, len, data };
    for stamp in [Stamp::Time, Stamp::Date, Stamp::Epoch] {
        check_text(&mut Printer::new(stamp, -3600), &record);
    }
    PRINTER.with_borrow_mut(|printer| check_text(printer, &record));
    Header::parse(data).is_ok_and(|header| Flow::of(&header).is_some())
}

/// Prints a record and looks at the text: printable, bounded, one record of one line or of several
/// of which all but the first go on with it.
fn check_text(printer: &mut Printer, record: &Record<'_>) {
    let mut text = Lines::default();
    printer.print(record, &mut text);
    assert!(text.len() <= MAX_TEXT, "{} octets of text", text.len());
    let lines = text.strip_suffix(b"\n").expect("no line feed at the end").split(|o| *o == b'\n');
    for (number, line) in lines.enumerate() {
        let tabs = line.iter().take_while(|octet| **octet == b'\t').count();
        let on = line.first().is_some_and(|first| goes_on(*first));
        assert_eq!(number > 0, on, "{}", text.escape_ascii());
        let printable = line[tabs..].iter().all(|octet| (b' '..=b'~').contains(octet));
        assert!(printable, "{}", text.escape_ascii());
    }
    if let Ok(header) = Header::parse(record.data) {
        let (flow, _) = (Flow::of(&header), header.translated());
        if let Some(flow) = flow {
            assert_eq!(flow.source.is_ipv4(), flow.destination.is_ipv4());
        }
    }
}
