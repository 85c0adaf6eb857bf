//! What `block` and `allow` said, in the file `own`: a line of magic with the number of entries, then a
//! line of JSON for each behind a sum of it. What is damaged is only its line.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use control::{MAX_OWN, OwnEntry};
use serde::{Deserialize, Serialize};

use super::entry::{Entries, Entry, is_reason, read_prefix};
use crate::errors::words;
use crate::files::{asides, free, replace, sum, told};

const FILE: &str = "own";
const MAGIC: &str = "threatstopd own 1 ";
/// More than there can be: a reason has at most 800 octets.
const LARGEST: u64 = 80 << 20;
/// What the names of damaged files begin with.
const DAMAGED: &str = "own.damaged";

/// An entry on disk.
#[derive(Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    shown: OwnEntry,
    seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outside: Option<u64>,
}

/// Keeps entries, so that they are on disk when this returns.
///
/// # Errors
/// When a step fails, with the path.
pub fn save(directory: &Path, entries: &Entries) -> Result<(), String> {
    replace(directory, FILE, [&text(entries)?], true)
}

/// Puts entries back in the place of others that could not be kept.
///
/// # Errors
/// When a step fails, with the path.
pub fn put_back(directory: &Path, entries: &Entries) -> Result<(), String> {
    replace(directory, FILE, [&text(entries)?], false)
}

fn text(entries: &Entries) -> Result<Vec<u8>, String> {
    let mut text = format!("{MAGIC}{}\n", entries.len()).into_bytes();
    for entry in entries.values() {
        let shown = OwnEntry { until: entry.until, ..entry.shown() };
        let line = Line { shown, seconds: entry.seconds, outside: entry.outside };
        let line = serde_json::to_string(&line).map_err(|error| format!("{FILE}: {error}"))?;
        text.extend(format!("{:08x} {line}\n", sum(line.as_bytes())).into_bytes());
    }
    Ok(text)
}

/// Reads what was kept. A file that is damaged is put aside, and `damaged` hears of it; what can be
/// read of it holds.
///
/// # Errors
/// When it cannot be read, with the path. Then nobody knows what is in it, and nothing may be kept in its
/// place.
pub fn load(directory: &Path, damaged: impl Fn(String)) -> Result<Entries, String> {
    let path = directory.join(FILE);
    let text = match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Entries::new()),
        Ok(meta) if meta.len() > LARGEST => Ok(Vec::new()),
        _ => fs::read(&path),
    };
    let text = text.map_err(|error| told(&path, &error))?;
    let (entries, missing) = read(&text);
    let missing = match missing {
        Some(0) => return Ok(entries),
        Some(1) => "1 entry of block and allow is missing".to_owned(),
        Some(missing) => format!("{missing} entries of block and allow are missing"),
        None => "nobody knows how many entries of block and allow are missing".to_owned(),
    };
    let aside = directory.join(free(directory, DAMAGED));
    let kept = match fs::rename(&path, &aside) {
        Ok(()) => format!("the damaged file is {}", aside.display()),
        Err(error) => format!("{}: {}", aside.display(), words(&error)),
    };
    damaged(format!(
        "{}: damaged: {} could be read, {missing}; {kept}",
        path.display(),
        entries.len()
    ));
    if let Err(why) = save(directory, &entries) {
        logger::err(format_args!("{why}; what could be read is in force until a restart"));
    }
    Ok(entries)
}

/// The entries that can be read, and how many others there were; `None` when nobody knows.
fn read(text: &[u8]) -> (Entries, Option<usize>) {
    let mut lines = text.split(|octet| *octet == b'\n');
    let head = lines.next().and_then(|line| std::str::from_utf8(line).ok());
    let count = head.and_then(|line| line.strip_prefix(MAGIC)?.parse::<usize>().ok());
    let mut entries = Entries::new();
    for entry in lines.filter_map(entry).take(MAX_OWN) {
        entries.insert((entry.prefix, entry.action), entry);
    }
    let missing = count.and_then(|count| count.checked_sub(entries.len()));
    (entries, missing)
}

fn entry(line: &[u8]) -> Option<Entry> {
    let (crc, line) = line.split_at_checked(9)?;
    let crc = std::str::from_utf8(crc).ok()?.strip_suffix(' ')?;
    if u32::from_str_radix(crc, 16).ok()? != sum(line) {
        return None;
    }
    let Line { shown, seconds, outside } = serde_json::from_slice(line).ok()?;
    let OwnEntry { prefix, action, since, until, uid, reason } = shown;
    let prefix = read_prefix(&prefix).ok()?;
    (until.is_some() == seconds.is_some() && is_reason(&reason)).then_some(Entry {
        prefix,
        action,
        since,
        until,
        seconds,
        outside,
        uid,
        reason,
    })
}

/// The first damaged file that was put aside and is still there.
pub fn first_aside(directory: &Path) -> Option<PathBuf> {
    asides(DAMAGED).map(|name| directory.join(name)).find(|path| path.exists())
}

#[cfg(test)]
mod tests;
