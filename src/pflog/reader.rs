//! Records of a pcap file, from octets that somebody else reads.
//!
//! pflogd(8) writes the classic format in the byte order of its machine: a header of 24 octets,
//! then records of 16 octets and the captured ones. The framing is pcap-parser's; limits and
//! offsets are here.
//!
//! Two kinds of records that pflogd does not write are taken as they are, where OpenBSD's
//! `pcap_offline_read` does not: one with more captured octets than the snapshot length of the
//! file header (it is cut there), and one with none (it ends the reading there).

use std::fmt;
use std::str::FromStr;

use pcap_parser::{parse_pcap_frame, parse_pcap_frame_be, parse_pcap_header};

use crate::octets::Octets;

/// The link type of packet logs, `DLT_PFLOG`.
pub const LINK_TYPE: i32 = 117;

/// The most octets that a record may have captured: a whole packet, a header and some.
pub const MAX_CAPTURE: u32 = 66 * 1024;

const FILE_HEADER: usize = 24;
const RECORD_HEADER: usize = 16;
const BUFFER: usize = RECORD_HEADER + MAX_CAPTURE as usize;
/// Less room than this behind the buffered octets, and they are moved to the beginning.
const LITTLE_ROOM: usize = 16 * 1024;

/// What ends the reading of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// The file begins with these octets, which are no pcap magic number.
    Magic([u8; 4]),
    /// The file's major version is below 2.
    Version(u16),
    /// The file holds packets of this link type, not packet logs.
    LinkType(i32),
    /// The record at this offset claims more captured octets than [`MAX_CAPTURE`].
    Capture {
        /// Offset of the record in the file.
        offset: u64,
        /// The claim.
        caplen: u32,
    },
    /// The file ends inside the record at this offset, or inside the file header (0).
    Truncated {
        /// Offset of the record in the file.
        offset: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Magic(magic) => {
                f.write_str("bad dump file format: no pcap file begins with")?;
                magic.iter().try_for_each(|octet| write!(f, " {octet:02x}"))
            }
            Error::Version(major) => {
                write!(f, "archaic file format: version {major}, 2 or later is understood")
            }
            Error::LinkType(number) => {
                write!(f, "not a packet log: link type {number}, pflogd(8) writes {LINK_TYPE}")
            }
            Error::Capture { offset, caplen } => write!(
                f,
                "bogus savefile header: the record at octet {offset} claims {caplen} captured \
                 octets, at most {MAX_CAPTURE} are possible"
            ),
            Error::Truncated { offset } => {
                write!(f, "truncated dump file: it ends inside the record at octet {offset}")
            }
        }
    }
}

impl std::error::Error for Error {}

/// By what a follower recognises a file under its next name: the header of its first record as
/// it stands in the file, and a sum (FNV-1a, 64 bits) of the captured octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 24]);

impl Fingerprint {
    /// Of a record: its 16 octets of header and the captured octets.
    fn of(record: &[u8]) -> Fingerprint {
        let sum =
            record.after(RECORD_HEADER).iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, octet| {
                (sum ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3)
            });
        let mut print = [0; 24];
        let sum = sum.to_be_bytes();
        let octets = record.iter().take(RECORD_HEADER).chain(&sum);
        print.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
        Fingerprint(print)
    }

    /// The octets, for a state file.
    pub fn octets(&self) -> [u8; 24] {
        self.0
    }
}

impl From<[u8; 24]> for Fingerprint {
    fn from(octets: [u8; 24]) -> Fingerprint {
        Fingerprint(octets)
    }
}

/// 48 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// What is no text of a [`Fingerprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoFingerprint;

impl fmt::Display for NoFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fingerprint has 48 hexadecimal digits")
    }
}

impl std::error::Error for NoFingerprint {}

impl FromStr for Fingerprint {
    type Err = NoFingerprint;

    fn from_str(text: &str) -> Result<Fingerprint, NoFingerprint> {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let mut octets = [0; 24];
        if pairs.len() != octets.len() || !rest.is_empty() {
            return Err(NoFingerprint);
        }
        let digit = |c: u8| char::from(c).to_digit(16).ok_or(NoFingerprint);
        for (octet, &[high, low]) in octets.iter_mut().zip(pairs) {
            *octet = (digit(high)? << 4 | digit(low)?) as u8;
        }
        Ok(Fingerprint(octets))
    }
}

/// One record of a file.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Offset of the record's header in the file.
    pub offset: u64,
    /// Offset of what follows the record: the cursor of somebody who has dealt with it.
    pub end: u64,
    /// When the packet was seen, in seconds since the Epoch.
    pub seconds: u32,
    /// Microseconds; more than 999999 only in a damaged file.
    pub micros: u32,
    /// Octets of pflog header and packet on the wire; not necessarily more than were captured.
    pub len: u32,
    /// The captured octets: the pflog header and the beginning of the packet.
    pub data: &'a [u8],
}

/// What the file header says.
#[derive(Clone, Copy, Debug)]
struct Format {
    big_endian: bool,
    nanoseconds: bool,
}

/// Takes octets of a file and gives back its records. It does no input itself: read into
/// [`Reader::room`], say how much came with [`Reader::filled`], and call [`Reader::record`]
/// until it has none. It keeps one buffer of 66 KiB and allocates nothing else.
#[derive(Debug)]
pub struct Reader {
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    /// Offset of `buffer[start]` in the file.
    offset: u64,
    format: Option<Format>,
    fingerprint: Option<Fingerprint>,
}

impl Default for Reader {
    fn default() -> Reader {
        Reader::new()
    }
}

impl Reader {
    /// A reader at the beginning of a file.
    pub fn new() -> Reader {
        Reader {
            buffer: vec![0; BUFFER].into_boxed_slice(),
            start: 0,
            end: 0,
            offset: 0,
            format: None,
            fingerprint: None,
        }
    }

    /// Where to put the octets of the file that follow. Never empty after
    /// [`Reader::record`] has returned `None`.
    pub fn room(&mut self) -> &mut [u8] {
        if self.start > 0 && (self.start == self.end || BUFFER - self.end < LITTLE_ROOM) {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        self.buffer.get_mut(self.end..).unwrap_or_default()
    }

    /// Says that the first `count` octets of [`Reader::room`] hold data now.
    pub fn filled(&mut self, count: usize) {
        self.end = self.end.saturating_add(count).min(BUFFER);
    }

    /// The next record, none when more octets are needed.
    ///
    /// # Errors
    /// When the file is no packet log, or its framing is lost. The reader then stays where it
    /// is.
    #[inline]
    pub fn record(&mut self) -> Result<Option<Record<'_>>, Error> {
        let Some(format) = self.format()? else {
            return Ok(None);
        };
        let pending = self.buffer.get(self.start..self.end).unwrap_or_default();
        if !pending.has(RECORD_HEADER) {
            return Ok(None);
        }
        let caplen = if format.big_endian { pending.be32(8) } else { pending.le32(8) };
        let offset = self.offset;
        if caplen > MAX_CAPTURE {
            return Err(Error::Capture { offset, caplen });
        }
        let parse = if format.big_endian { parse_pcap_frame_be } else { parse_pcap_frame };
        // The only failure of pcap-parser here is that octets are missing.
        let Ok((rest, block)) = parse(pending) else {
            return Ok(None);
        };
        let size = pending.len() - rest.len();
        if self.fingerprint.is_none() {
            self.fingerprint = pending.get(..size).map(Fingerprint::of);
        }
        self.start += size;
        self.offset += size as u64;
        Ok(Some(Record {
            offset,
            end: self.offset,
            seconds: block.ts_sec,
            micros: if format.nanoseconds { block.ts_usec / 1000 } else { block.ts_usec },
            len: block.origlen,
            data: block.data,
        }))
    }

    /// Says that the file has ended. Octets of a record header alone are no error: pflogd(8)
    /// may be about to write the rest.
    ///
    /// # Errors
    /// When the file ends inside the captured octets of a record or inside the file header.
    pub fn finish(&self) -> Result<(), Error> {
        let pending = self.end - self.start;
        let cut = match self.format {
            Some(_) => pending >= RECORD_HEADER,
            None => pending > 0,
        };
        if cut { Err(Error::Truncated { offset: self.offset }) } else { Ok(()) }
    }

    /// Goes on at another offset of the same file: the next octets in [`Reader::room`] are
    /// those from `offset` on, which is the `end` of a record or the `offset` of one. Only after
    /// [`Reader::record`] has given a record, because the file header is not read again.
    pub fn seek(&mut self, offset: u64) {
        self.start = 0;
        self.end = 0;
        self.offset = offset;
    }

    /// Offset in the file of the octets that come next: how far the file has been dealt with.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// By what to recognise the file; none before its first record.
    pub fn fingerprint(&self) -> Option<Fingerprint> {
        self.fingerprint
    }

    /// Reads the file header when it is there and has not been read.
    #[inline]
    fn format(&mut self) -> Result<Option<Format>, Error> {
        match self.format {
            Some(format) => Ok(Some(format)),
            None => self.read_format(),
        }
    }

    /// Reads the file header when it is there.
    #[cold]
    fn read_format(&mut self) -> Result<Option<Format>, Error> {
        let pending = self.buffer.get(self.start..self.end).unwrap_or_default();
        if !pending.has(4) {
            return Ok(None);
        }
        let header = match parse_pcap_header(pending) {
            Ok((_, header)) if !header.is_modified_format() => header,
            Err(cut) if cut.is_incomplete() => return Ok(None),
            _ => return Err(Error::Magic(pending.array(0))),
        };
        if header.version_major < 2 {
            return Err(Error::Version(header.version_major));
        }
        if header.network.0 != LINK_TYPE {
            return Err(Error::LinkType(header.network.0));
        }
        self.format = Some(Format {
            big_endian: header.is_bigendian(),
            nanoseconds: header.is_nanosecond_precision(),
        });
        self.start += FILE_HEADER;
        self.offset += FILE_HEADER as u64;
        Ok(self.format)
    }
}
