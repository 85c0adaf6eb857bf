//! One list from the first octet on the wire to its prefixes, on a thread that may take its time.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Seek as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use feed::{Format, Reader, Told};
use flate2::read::MultiGzDecoder;
use nix::sys::statvfs::statvfs;
use policy::List;
use prefix::Floor;

use crate::errors::words;
use crate::https::{Failed, Fetch, Fetched, Turn, Validators};

/// Octets of a list when it is inflated.
const MOST: u64 = 256 << 20;
/// How gzip begins (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];
/// Room that others keep on the file system: pflogd(8), syslogd(8), the tables of root.
const FREE: u64 = 128 << 20;
/// The same as a share of it.
const SHARE: u64 = 10;

/// What is to be brought.
pub struct Job {
    /// The request.
    pub fetch: Fetch,
    /// The form of the list.
    pub format: Format,
    /// The name of the list.
    pub name: String,
    /// The most prefixes that it may have.
    pub max_entries: usize,
    /// The widest prefixes that a table may have.
    pub floor: Floor,
    /// The engine's directory.
    pub directory: PathBuf,
}

/// What was brought.
pub struct Brought {
    /// The list.
    pub list: List,
    /// What there is to say of it.
    pub told: Told,
    /// By what the server knows it.
    pub validators: Validators,
}

/// Brings a list; `None` when the copy is as the server has it.
///
/// # Errors
/// Why it does not come, or cannot be taken.
pub fn bring(turn: &mut Turn<'_>, job: Job) -> Result<Option<Brought>, Failed> {
    let (make, look) = (|| unlinked(&job.directory), || room(&job.directory));
    look()?;
    let fetched = turn.fetch(&job.fetch, make, look)?;
    let Fetched::Body { file, gzip, validators } = fetched else { return Ok(None) };
    let host = job.fetch.url.host.to_string();
    let read = read(file, gzip, &job).map_err(|why| format!("{host}: {why}"))?;
    let list = List::new(job.name, read.items, job.floor);
    Ok(Some(Brought { list, told: read.told, validators }))
}

/// Looks whether the file system has room for what comes, and for others besides.
#[allow(clippy::useless_conversion, reason = "the types are other ones on other systems")]
fn room(directory: &Path) -> Result<(), String> {
    let failed = |errno: nix::errno::Errno| format!("{}: {}", directory.display(), errno.desc());
    let stat = statvfs(directory).map_err(failed)?;
    let unit = u64::from(stat.fragment_size());
    let (all, free) = (
        u64::from(stat.blocks()).saturating_mul(unit),
        u64::from(stat.blocks_available()).saturating_mul(unit),
    );
    if free < FREE || free < all / SHARE {
        return Err(format!(
            "nothing is fetched: of the file system of {} less than 10 % or 128 MiB is free: make \
             room there",
            directory.display()
        ));
    }
    Ok(())
}

/// A file that is gone when it is closed, whoever closes it.
fn unlinked(directory: &Path) -> Result<File, String> {
    let path = directory.join(format!(".feed-{:016x}", rand::random::<u64>()));
    let failed = |error: io::Error| format!("{}: {}", path.display(), words(&error));
    let mut options = OpenOptions::new();
    let file = options.read(true).write(true).create_new(true).mode(0o600).open(&path);
    let file = file.map_err(failed)?;
    fs::remove_file(&path).map_err(failed)?;
    Ok(file)
}

/// Reads what has come, inflated where it has to be.
fn read(mut file: File, gzip: bool, job: &Job) -> Result<feed::Read, String> {
    let mut magic = [0; 2];
    file.rewind().map_err(|error| words(&error))?;
    let is_gzip = matches!(file.read(&mut magic), Ok(2)) && magic == GZIP;
    file.rewind().map_err(|error| words(&error))?;
    let plain = BufReader::with_capacity(64 << 10, file);
    match (is_gzip, gzip) {
        (true, _) => parse(MultiGzDecoder::new(plain), job, MOST),
        (false, false) => parse(plain, job, MOST),
        (false, true) => Err("its answer is damaged: it says that it is gzip, and is none".into()),
    }
}

/// Parses a list of at most so many octets.
fn parse(from: impl Read, job: &Job, most: u64) -> Result<feed::Read, String> {
    let mut reader = Reader::new(&job.format, job.max_entries);
    let (mut from, mut room, mut all) = (from.take(most + 1), vec![0; 64 << 10], 0);
    loop {
        let read = match from.read(&mut room) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => {
                let damaged = matches!(
                    error.kind(),
                    io::ErrorKind::InvalidInput
                        | io::ErrorKind::InvalidData
                        | io::ErrorKind::UnexpectedEof
                );
                return Err(match damaged {
                    true => "its answer is damaged: what it sent is no whole gzip".into(),
                    false => words(&error),
                });
            }
        };
        all += read as u64;
        if all > most {
            return Err(format!("inflated it is longer than {} MiB", most >> 20));
        }
        reader.push(room.get(..read).unwrap_or_default()).map_err(|why| why.to_string())?;
    }
    reader.finish().map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests;
