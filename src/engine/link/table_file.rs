//! Table files, from the descriptor of one that the helper has opened.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;

use prefix::{Prefix, PrefixSet, read_line};

use crate::errors::words;

/// Longer than any line.
const LINE: u64 = 64;

/// Reads the set of a table file; `path` is for messages.
///
/// # Errors
/// When it cannot be read, or is not as the helper writes it: a line for each prefix in its canonical
/// form, ascending and disjoint.
pub fn read(file: File, path: &str) -> Result<PrefixSet, String> {
    let (mut file, mut line) = (BufReader::new(file), Vec::new());
    let (mut v4, mut v6, mut last, mut count) = (Vec::new(), Vec::new(), None, 0);
    loop {
        line.clear();
        let read = file.by_ref().take(LINE).read_until(b'\n', &mut line);
        read.map_err(|error| format!("{path}: {}", words(&error)))?;
        if line.is_empty() {
            return PrefixSet::new(v4, v6).map_err(|error| format!("{path}: {error}"));
        }
        count += 1;
        let next = read_line(&line, last);
        let why = || format!("{path}:{count}: not the next prefix; run threatstopctl update");
        match next.ok_or_else(why)? {
            Prefix::V4(net) => v4.push(net),
            Prefix::V6(net) => v6.push(net),
        }
        last = next;
    }
}

/// The inode of a file, and the time of its last change in nanoseconds.
pub fn mark(file: &File) -> [u64; 2] {
    file.metadata().map_or([0; 2], |meta| {
        let seconds = meta.ctime().cast_unsigned().wrapping_mul(1_000_000_000);
        [meta.ino(), seconds.wrapping_add(meta.ctime_nsec().cast_unsigned())]
    })
}

#[cfg(test)]
mod tests;
