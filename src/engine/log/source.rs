//! One file of the packet log, plain or gzip, from an open descriptor.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use flate2::bufread::MultiGzDecoder;
use pflog::{Fingerprint, Reader, Record};

use crate::errors::words;

/// Octets that one step may read: some ten thousand records, a few milliseconds.
const STEP: usize = 256 << 10;
/// Octets of the beginning by which a file that was written anew is noticed.
const HEAD: usize = 256;
/// How a gzip file begins (RFC 1952), and no packet log does.
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Unpacked octets that a gzip file may have. A packet log of that size takes days to fill.
const MOST_UNPACKED: u64 = 64 << 30;

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more.
    More,
    /// The file ends here, for now.
    End,
}

enum Input {
    Plain(File),
    Gzip(Box<MultiGzDecoder<BufReader<File>>>),
}

/// An open file of the packet log.
pub struct Source {
    input: Input,
    /// Offset of the next octet that is read.
    at: u64,
    /// Octets of a gzip file that are passed over.
    skip: u64,
    reader: Reader,
    head: Vec<u8>,
    /// Device and inode.
    pub identity: (u64, u64),
    /// 0 is FILE, 1 is FILE.0.
    pub generation: u8,
    /// Its framing is lost: nothing more comes out of it.
    pub broken: bool,
}

impl Source {
    /// Takes a descriptor that the helper opened.
    pub fn new(generation: u8, file: File) -> Self {
        let identity = file.metadata().map_or((0, 0), |meta| (meta.dev(), meta.ino()));
        let mut magic = [0; 2];
        // what is too short for that has no record either way
        let read = file.read_exact_at(&mut magic, 0);
        let input = match read.is_ok() && magic == GZIP {
            true => Input::Gzip(Box::new(MultiGzDecoder::new(BufReader::new(file)))),
            false => Input::Plain(file),
        };
        Self {
            input,
            at: 0,
            skip: 0,
            reader: Reader::new(),
            head: Vec::new(),
            identity,
            generation,
            broken: false,
        }
    }

    /// Whether the file may still be written to.
    pub fn is_plain(&self) -> bool {
        matches!(self.input, Input::Plain(_))
    }

    /// Reads the first record: the file's fingerprint and the offset of that record. None when
    /// there is no record yet. [`Source::seek`] has to follow.
    ///
    /// # Errors
    /// When it is no packet log or cannot be read.
    pub fn first(&mut self) -> Result<Option<(Fingerprint, u64)>, String> {
        let mut first = None;
        while first.is_none() {
            if let Some(record) = self.reader.record().map_err(|error| error.to_string())? {
                first = Some((record.offset, record.end));
            } else if self.fill().map_err(|error| words(&error))? == 0 {
                return Ok(None);
            }
        }
        let Some(((offset, end), print)) = first.zip(self.reader.fingerprint()) else {
            return Ok(None);
        };
        if let Input::Plain(file) = &self.input {
            self.head = vec![0; usize::try_from(end).map_or(HEAD, |end| end.min(HEAD))];
            file.read_exact_at(&mut self.head, 0).map_err(|error| words(&error))?;
        }
        Ok(Some((print, offset)))
    }

    /// Goes on at the offset of a record.
    ///
    /// # Errors
    /// When the file cannot be read from its beginning again.
    pub fn seek(&mut self, offset: u64) -> io::Result<()> {
        self.reader.seek(offset);
        match &mut self.input {
            Input::Plain(_) => self.at = offset,
            Input::Gzip(decoder) => {
                let mut file = decoder.get_ref().get_ref().try_clone()?;
                file.rewind()?;
                **decoder = MultiGzDecoder::new(BufReader::new(file));
                (self.at, self.skip) = (0, offset);
            }
        }
        Ok(())
    }

    /// Whether what was read is still there: false once a plain file was truncated or written
    /// anew.
    pub fn is_intact(&self) -> bool {
        let Input::Plain(file) = &self.input else { return true };
        let mut head = vec![0; self.head.len()];
        file.metadata().is_ok_and(|meta| meta.size() >= self.reader.offset())
            && file.read_exact_at(&mut head, 0).is_ok()
            && head == self.head
    }

    /// How long the file is beside what was read of it, or of another one with the same beginning. One that
    /// is packed is never shorter: it says its length modulo 2^32 alone, at its end (RFC 1952).
    pub fn against(&self, read: u64) -> Ordering {
        match &self.input {
            Input::Plain(file) => {
                file.metadata().map_or(Ordering::Less, |now| now.size().cmp(&read))
            }
            Input::Gzip(decoder) => {
                let (file, mut size) = (decoder.get_ref().get_ref(), [0; 4]);
                let at = file.metadata().map_or(0, |now| now.size().saturating_sub(4));
                let said = file.read_exact_at(&mut size, at);
                let more = u32::from_le_bytes(size).wrapping_sub(read as u32) as i32;
                if said.is_ok() && more > 0 { Ordering::Greater } else { Ordering::Equal }
            }
        }
    }

    /// Why the file ends inside a record, if it does; it may still grow.
    pub fn cut(&self) -> Option<String> {
        let whole = self.broken || self.skip > 0;
        self.reader.finish().err().filter(|_| !whole).map(|error| error.to_string())
    }

    /// Offset of the next record.
    pub fn offset(&self) -> u64 {
        self.reader.offset()
    }

    /// Reads some of the file, calls `each` with every record, and stops early when that says
    /// false: the record counts as read then, too.
    ///
    /// # Errors
    /// When the framing is lost or the file cannot be read. Nothing more comes then.
    pub fn step(&mut self, mut each: impl FnMut(&Record<'_>) -> bool) -> Result<Step, String> {
        let mut left = STEP;
        loop {
            match self.reader.record() {
                Ok(Some(record)) => {
                    if !each(&record) {
                        return Ok(Step::More);
                    }
                }
                Ok(None) if left == 0 => return Ok(Step::More),
                Ok(None) => match self.fill() {
                    Ok(0) if self.skip == 0 => return Ok(Step::End),
                    Ok(count) => left = left.saturating_sub(count.max(1)),
                    Err(error) => {
                        let behind = self.reader.offset();
                        return Err(self.fail(format!("{}, behind octet {behind}", words(&error))));
                    }
                },
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    fn fail(&mut self, why: impl ToString) -> String {
        self.broken = true;
        why.to_string()
    }

    /// Reads once into the reader's room; 0 at the end, or after octets that were passed over.
    fn fill(&mut self) -> io::Result<usize> {
        let room = self.reader.room();
        let count = match &mut self.input {
            Input::Plain(file) => file.read_at(room, self.at)?,
            Input::Gzip(_) if self.at >= MOST_UNPACKED => {
                return Err(io::Error::other("unpacks to more than 64 GiB"));
            }
            Input::Gzip(decoder) if self.skip > 0 => {
                let most =
                    usize::try_from(self.skip).map_or(room.len(), |skip| skip.min(room.len()));
                let part = room.get_mut(..most).unwrap_or_default();
                let count = decoder.read(part)?;
                if count == 0 {
                    return Err(io::Error::other("is shorter than it was"));
                }
                self.skip -= count as u64;
                self.at += count as u64;
                // passed over, so nothing for the reader
                return Ok(count);
            }
            Input::Gzip(decoder) => decoder.read(room)?,
        };
        self.at += count as u64;
        self.reader.filled(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
