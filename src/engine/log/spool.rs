//! The spool: slices of text that wait for their upload, as files that are never changed.
//!
//! A slice is written to a temporary file, synced, renamed, and the directory synced; only then
//! does the cursor move. The cursor behind a slice stands in the slice too, so that a crash
//! between the two repeats nothing. What falls out of a full spool is the oldest, and is counted.
//!
//! A slice that is too large for the server becomes two: both halves are written before the whole
//! is removed, and as long as the whole is there, halves of it count as not written.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::journal::Position;
use crate::errors::{of_json, words};
use crate::files::{remove, replace, told};

/// Most octets of text in a slice.
pub const MAX_TEXT: usize = 5 << 20;
/// Longest head of a slice, its line feed included.
const MAX_HEAD: u64 = 8192;
/// How the name of a slice begins; its id follows.
const PREFIX: &str = "slice.";
/// Octets of the hash that stand in an id.
const HASH: usize = 8;
/// What is said of a slice that is not what was written.
const DAMAGED: &str = "damaged";

/// What is known of a slice without its text: the first line of its file, as JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The id: sequence and part, times of the first and last record, hash of the text.
    pub id: String,
    /// Its place in the order of slices.
    pub sequence: u64,
    /// Which part of the slice that was cut it is: empty for all of it, `a` and `b` for its
    /// halves, `ba` for the first half of its second half.
    #[serde(default)]
    pub part: String,
    /// The id of the slice that it is a half of.
    #[serde(default)]
    pub of: Option<String>,
    /// Time of its first record, epoch seconds; of a part, that of the whole.
    pub first: u32,
    /// Likewise of its last record.
    #[serde(default)]
    pub last: u32,
    /// Records in it.
    pub records: u64,
    /// Octets of text.
    pub octets: u64,
    /// Where the follower was behind it.
    pub position: Position,
}

impl Head {
    /// As much of it as an id says, which stands in the name of the file.
    fn of_id(id: &str) -> Option<Self> {
        let mut words = id.splitn(4, '-');
        let (sequence, part) = words.next()?.split_at_checked(10)?;
        let mut times = words.by_ref().map_while(|time| time.parse().ok());
        Some(Self {
            id: id.to_owned(),
            sequence: sequence.parse().ok()?,
            part: part.to_owned(),
            of: None,
            first: times.next()?,
            last: times.next()?,
            records: 0,
            octets: 0,
            position: Position::default(),
        })
    }
}

/// A slice of the log: text that is uploaded in one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// What is known of it.
    pub head: Head,
    /// Its text.
    pub text: Vec<u8>,
}

impl Slice {
    /// Makes one of a text, with the times of its first and last record.
    pub fn new(
        sequence: u64,
        (first, last): (u32, u32),
        records: u64,
        text: Vec<u8>,
        position: Position,
    ) -> Self {
        let (part, of, octets) = (String::new(), None, text.len() as u64);
        let head =
            Head { id: String::new(), sequence, part, of, first, last, records, octets, position };
        Self { head, text }.named()
    }

    /// With the id that follows from the rest.
    fn named(mut self) -> Self {
        let Head { sequence, part, first, last, .. } = &self.head;
        self.head.id = format!("{sequence:010}{part}-{first:010}-{last:010}-{}", hash(&self.text));
        self
    }

    /// Two halves, cut between records; none when there is only one record.
    fn halves(&self) -> Option<[Self; 2]> {
        let ends: Vec<usize> = self
            .text
            .windows(2)
            .enumerate()
            .filter(|(_, pair)| pair[0] == b'\n' && !pflog::goes_on(pair[1]))
            .map(|(at, _)| at + 1)
            .collect();
        let middle = self.text.len() / 2;
        let cut = ends.iter().position(|end| *end >= middle).unwrap_or(ends.len().checked_sub(1)?);
        let (front, back) = self.text.split_at(*ends.get(cut)?);
        let half = |letter: char, records: usize, text: &[u8]| {
            let (mut head, text) = (self.head.clone(), text.to_vec());
            head.part.push(letter);
            head.of = Some(self.head.id.clone());
            (head.records, head.octets) = (records as u64, text.len() as u64);
            Self { head, text }.named()
        };
        Some([half('a', cut + 1, front), half('b', ends.len() - cut, back)])
    }
}

fn hash(text: &[u8]) -> String {
    let hash = digest(&SHA256, text);
    hash.as_ref().iter().take(HASH).map(|octet| format!("{octet:02x}")).collect()
}

/// A slice in the spool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its head.
    pub head: Head,
    /// Octets of its file.
    pub size: u64,
    /// Whether the file could not be read yet, so that of the head only is known what its name says.
    pub by_name: bool,
}

impl Stored {
    /// Whether its last record is of before a time, epoch seconds.
    pub fn is_before(&self, time: u64) -> bool {
        u64::from(self.head.last) < time
    }
}

/// Why a slice cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub enum Unread {
    /// It is gone, or not what was written.
    Lost(String),
    /// It is there, and may be read another time.
    There(String),
}

impl Unread {
    fn of(path: &Path, error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::lost(path, error),
            // short of descriptors, a disk that fails, modes: that says nothing of what is in it
            _ => Self::There(told(path, error)),
        }
    }

    fn lost(path: &Path, why: &dyn Display) -> Self {
        Self::Lost(format!("{}: {}", path.display(), words(why)))
    }
}

impl From<Unread> for String {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Lost(why) | Unread::There(why) => why,
        }
    }
}

/// The slices on disk, the oldest first, and how much room they may take.
#[derive(Debug)]
pub struct Spool {
    directory: PathBuf,
    limit: u64,
    slices: VecDeque<Stored>,
}

impl Spool {
    /// Opens the spool and takes stock. Files that a crash left half-written are removed, and so
    /// are slices that are damaged: of each a sentence is given.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn open(directory: &Path, limit: u64) -> Result<(Self, Vec<String>), String> {
        let failed = |error: io::Error| told(directory, &error);
        let mut slices = Vec::new();
        let mut damaged = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name.starts_with(&format!(".{PREFIX}")) {
                fs::remove_file(entry.path()).map_err(failed)?;
                continue;
            }
            let Some(id) = name.strip_prefix(PREFIX) else { continue };
            match stock(&entry.path(), id) {
                Ok(stored) => slices.push(stored),
                Err(Unread::Lost(why)) if remove(directory, name).is_ok() => {
                    damaged.push(format!("{why}; removed, and what it had is not uploaded"));
                }
                // it is there still, and has its place and its name
                Err(_) => {
                    let size = entry.metadata().map_or(0, |meta| meta.len());
                    let head = Head::of_id(id);
                    slices.extend(head.map(|head| Stored { head, size, by_name: true }));
                }
            }
        }
        let slices = without_halves(slices, directory)?;
        let directory = directory.to_owned();
        Ok((Self { directory, limit, slices: slices.into() }, damaged))
    }

    /// The slices, the oldest first.
    pub fn slices(&self) -> impl ExactSizeIterator<Item = &Stored> {
        self.slices.iter()
    }

    /// The newest slice.
    pub fn newest(&self) -> Option<&Stored> {
        self.slices.back()
    }

    /// Octets that it may hold.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Octets of all slices.
    pub fn octets(&self) -> u64 {
        self.slices.iter().map(|stored| stored.size).sum()
    }

    /// Most octets of text that a slice should have: a full spool loses a quarter at most.
    pub fn slice_limit(&self) -> usize {
        usize::try_from(self.limit / 4).map_or(MAX_TEXT, |quarter| quarter.min(MAX_TEXT))
    }

    /// Adds a slice, durably; what falls out to make room for it is added to `fallen`.
    ///
    /// # Errors
    /// When it cannot be written; the spool is then as before but for what fell out.
    pub fn push(&mut self, slice: &Slice, fallen: &mut Vec<Stored>) -> Result<(), String> {
        let head = head_line(&slice.head)?;
        let size = (head.len() + slice.text.len()) as u64;
        while self.octets() + size > self.limit {
            let Some(oldest) = self.slices.front().cloned() else { break };
            self.remove(&oldest.head.id)?;
            fallen.push(oldest);
        }
        let stored = self.write(slice, &head)?;
        self.slices.push_back(stored);
        Ok(())
    }

    /// Puts two halves of a slice in its place, durably; says false when it has only one record.
    ///
    /// # Errors
    /// When they cannot be written, or the whole not be removed; it is then still in the spool,
    /// and the halves are not.
    pub fn split(&mut self, slice: &Slice) -> Result<bool, String> {
        let Some(halves) = slice.halves() else { return Ok(false) };
        let id = &slice.head.id;
        let at = self.slices.iter().position(|stored| stored.head.id == *id);
        let written: Result<Vec<Stored>, String> =
            halves.iter().map(|half| self.write(half, &head_line(&half.head)?)).collect();
        let replaced = written.and_then(|stored| self.remove(id).map(|()| stored));
        let stored = replaced.inspect_err(|_| {
            // A half that is left would be taken for a slice as soon as the whole is delivered.
            for half in &halves {
                let _ = remove(&self.directory, &format!("{PREFIX}{}", half.head.id));
            }
        })?;
        // Before a half is sent: were the whole there again after a power failure, all of it
        // would be sent again.
        let synced = File::open(&self.directory).and_then(|directory| directory.sync_all());
        let rest = self.slices.split_off(at.unwrap_or(self.slices.len()));
        self.slices.extend(stored.into_iter().chain(rest));
        synced.map(|()| true).map_err(|error| told(&self.directory, &error))
    }

    /// Removes what ends before a time, epoch seconds; what falls out is added to `fallen`, the oldest first.
    ///
    /// # Errors
    /// When a file cannot be removed; it and what is newer are then still in the spool.
    pub fn expire(&mut self, before: u64, fallen: &mut Vec<Stored>) -> Result<(), String> {
        while let Some(oldest) = self.slices.front().cloned()
            && oldest.is_before(before)
        {
            self.remove(&oldest.head.id)?;
            fallen.push(oldest);
        }
        Ok(())
    }

    fn write(&self, slice: &Slice, head: &[u8]) -> Result<Stored, String> {
        let name = format!("{PREFIX}{}", slice.head.id);
        replace(&self.directory, &name, [head, &slice.text], true).inspect_err(|_| {
            // What is not kept for sure stays where it was, and comes in another slice.
            let _ = remove(&self.directory, &name);
        })?;
        let size = (head.len() + slice.text.len()) as u64;
        Ok(Stored { head: slice.head.clone(), size, by_name: false })
    }

    /// Reads a slice and proves it by its hash.
    ///
    /// # Errors
    /// When its file is gone, damaged, or cannot be read for now.
    pub fn read(&self, stored: &Stored) -> Result<Slice, Unread> {
        let path = self.path(&stored.head.id);
        let failed = |error: io::Error| Unread::of(&path, &error);
        let mut reader = BufReader::new(File::open(&path).map_err(failed)?);
        let (head, _) = head(&path, &mut reader)?;
        let mut text = Vec::new();
        reader.take(MAX_TEXT as u64 * 2).read_to_end(&mut text).map_err(failed)?;
        let is_known = head == stored.head || stored.by_name && head.id == stored.head.id;
        if !is_known || !head.id.ends_with(&hash(&text)) {
            return Err(Unread::lost(&path, &DAMAGED));
        }
        Ok(Slice { head, text })
    }

    /// Removes a slice: it was delivered, or it falls out.
    ///
    /// # Errors
    /// When the file cannot be removed; it is then still in the spool.
    pub fn remove(&mut self, id: &str) -> Result<(), String> {
        remove(&self.directory, &format!("{PREFIX}{id}"))?;
        self.slices.retain(|stored| stored.head.id != id);
        Ok(())
    }

    fn path(&self, id: &str) -> PathBuf {
        self.directory.join(format!("{PREFIX}{id}"))
    }
}

/// In order, and without the halves of a slice that is still whole, whose files are removed.
fn without_halves(mut slices: Vec<Stored>, directory: &Path) -> Result<Vec<Stored>, String> {
    let whole: BTreeSet<String> = slices.iter().map(|stored| stored.head.id.clone()).collect();
    for stored in &slices {
        if stored.head.of.as_ref().is_some_and(|of| whole.contains(of)) {
            remove(directory, &format!("{PREFIX}{}", stored.head.id))?;
        }
    }
    slices.retain(|stored| stored.head.of.as_ref().is_none_or(|of| !whole.contains(of)));
    slices.sort_by(|a, b| (a.head.sequence, &a.head.part).cmp(&(b.head.sequence, &b.head.part)));
    Ok(slices)
}

/// The first line of a slice's file.
fn head_line(head: &Head) -> Result<Vec<u8>, String> {
    let mut line = serde_json::to_vec(head).map_err(|error| error.to_string())?;
    line.push(b'\n');
    Ok(line)
}

/// What there is to know of a slice's file; its text is proved when it is read.
fn stock(path: &Path, id: &str) -> Result<Stored, Unread> {
    let failed = |error: io::Error| Unread::of(path, &error);
    let file = File::open(path).map_err(failed)?;
    let size = file.metadata().map_err(failed)?.len();
    let mut reader = BufReader::new(file);
    let (head, line) = head(path, &mut reader)?;
    let rest = size.checked_sub(line);
    if head.id != id || rest != Some(head.octets) {
        return Err(Unread::lost(path, &DAMAGED));
    }
    Ok(Stored { head, size, by_name: false })
}

/// The first line, and how many octets it takes.
fn head(path: &Path, reader: &mut impl io::BufRead) -> Result<(Head, u64), Unread> {
    let mut line = Vec::new();
    let mut bounded = reader.take(MAX_HEAD);
    bounded.read_until(b'\n', &mut line).map_err(|error| Unread::of(path, &error))?;
    let head =
        serde_json::from_slice(&line).map_err(|error| Unread::lost(path, &of_json(&error)))?;
    Ok((head, line.len() as u64))
}

#[cfg(test)]
pub mod tests;
