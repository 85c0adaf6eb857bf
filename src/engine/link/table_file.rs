//! Table files, from the descriptor of one that the helper has opened.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::MetadataExt as _;

use prefix::{Prefix, PrefixSet, read_line};

use crate::errors::words;

/// Octets that are read at once.
const PART: u64 = 1 << 16;
/// Longer than any line.
const LINE: u64 = 64;

/// Reads the set of a table file; `path` is for messages.
///
/// # Errors
/// When it cannot be read, or is not as the helper writes it: a line for each prefix in its canonical
/// form, ascending and disjoint.
pub fn read(file: File, path: &str) -> Result<PrefixSet, String> {
    let (mut file, mut text) = (BufReader::new(file), Vec::new());
    let (mut v4, mut v6, mut last, mut count) = (Vec::new(), Vec::new(), None, 0);
    loop {
        text.clear();
        let mut read = || {
            file.by_ref().take(PART).read_to_end(&mut text)?;
            file.by_ref().take(LINE).read_until(b'\n', &mut text)
        };
        read().map_err(|error| format!("{path}: {}", words(&error)))?;
        if text.is_empty() {
            return PrefixSet::new(v4, v6).map_err(|error| format!("{path}: {error}"));
        }
        let mut rest = &text[..];
        while !rest.is_empty() {
            count += 1;
            let why = || format!("{path}:{count}: not the next prefix; run threatstopctl update");
            let (next, behind) = read_line(rest, last.as_ref()).ok_or_else(why)?;
            match next {
                Prefix::V4(net) => v4.push(net),
                Prefix::V6(net) => v6.push(net),
            }
            (last, rest) = (Some(next), behind);
        }
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
