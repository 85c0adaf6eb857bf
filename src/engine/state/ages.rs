//! Since when each entry of a block table is covered, in the file `ages`, of a `[[table]]` in `ages.NAME`: a
//! line of JSON, with a sum of the entries, then for each family the octets of [`Times::begins`] and its times,
//! 4 octets each, little end first, and the sum of all that.

use std::iter::once;
use std::path::Path;

use flate2::Crc;
use policy::{Since, Times};
use prefix::PrefixSet;
use serde::{Deserialize, Serialize};

use super::serial::add;
use crate::files::{self, remove, replace, summed, unsummed};

/// The file of a table, by its word.
fn file(table: &str) -> String {
    if table == "block" { "ages".to_owned() } else { format!("ages.{table}") }
}

/// Thirty million entries fit, each of another age than the one before.
const LARGEST: u64 = 1 << 27;

/// Octets, or times, that are written at once: all of them would be as much memory again.
const PART: usize = 1 << 13;

#[derive(Serialize, Deserialize)]
struct Head {
    /// The sum of the set, for another may have as many entries: an engine may end when the helper has the next
    /// set, and the times are still those of the one before.
    set: u32,
    v4: Count,
    v6: Count,
}

/// How many entries there are of a family, and how many times of them are kept.
#[derive(Serialize, Deserialize)]
struct Count {
    entries: usize,
    times: usize,
}

impl Count {
    fn of(times: &Times) -> Self {
        Self { entries: times.len(), times: times.times().len() }
    }
}

/// Keeps the times of a set. Without fsync(2): after a power failure the entries are as old as the next start.
///
/// # Errors
/// When a step fails, with the path.
pub fn save(directory: &Path, table: &str, set: &PrefixSet, since: &Since) -> Result<(), String> {
    let (file, v4, v6) = (file(table), since.v4(), since.v6());
    let head = Head { set: sum(set), v4: Count::of(v4), v6: Count::of(v6) };
    let mut line = serde_json::to_vec(&head).map_err(|error| format!("{file}: {error}"))?;
    line.push(b'\n');
    let parts = once(line).chain(octets(v4)).chain(octets(v6));
    replace(directory, &file, summed(parts), false)
}

fn sum(set: &PrefixSet) -> u32 {
    let mut crc = Crc::new();
    add(&mut crc, set);
    crc.sum()
}

/// The times of a family as they are kept, in parts.
fn octets(times: &Times) -> impl Iterator<Item = Vec<u8>> {
    let begins = times.begins().chunks(PART).map(<[u8]>::to_vec);
    let times = times.times().chunks(PART);
    begins.chain(times.map(|part| part.iter().flat_map(|time| time.to_le_bytes()).collect()))
}

/// The times of a set, as they were kept; `None` when they are those of another one, or of none.
///
/// # Errors
/// When the file cannot be read or is damaged, with its path.
pub fn load(directory: &Path, table: &str, set: &PrefixSet) -> Result<Option<Since>, String> {
    let file = file(table);
    let Some(text) = files::read(directory, &file, LARGEST)? else { return Ok(None) };
    let damaged = || format!("{}: damaged", directory.join(&file).display());
    let (of, v4, v6) = read(&text).ok_or_else(damaged)?;
    Ok(Since::from_parts(set, v4, v6).filter(|_| of == sum(set)))
}

/// Puts the times of a table aside, and gives what is to be said of it.
pub fn put_aside(directory: &Path, table: &str) -> String {
    files::put_aside(directory, &file(table))
}

/// Removes the times of a table.
///
/// # Errors
/// When that fails, with the path.
pub fn forget(directory: &Path, table: &str) -> Result<(), String> {
    remove(directory, &file(table))
}

/// The sum of the set, and the times of both families.
fn read(text: &[u8]) -> Option<(u32, Times, Times)> {
    let text = unsummed(text)?;
    let end = text.iter().position(|octet| *octet == b'\n')?;
    let (head, mut rest) = text.split_at(end + 1);
    let head: Head = serde_json::from_slice(head).ok()?;
    let all = (head.set, times(&head.v4, &mut rest)?, times(&head.v6, &mut rest)?);
    rest.is_empty().then_some(all)
}

/// Takes the times of a family: no more than the octets that are there, whatever the head says.
fn times(count: &Count, rest: &mut &[u8]) -> Option<Times> {
    let begins = rest.split_off(..count.entries.div_ceil(8))?.to_vec();
    let times = rest.split_off(..count.times.checked_mul(4)?)?;
    let times = times.as_chunks().0.iter().map(|time| u32::from_le_bytes(*time)).collect();
    Times::from_parts(count.entries, begins, times)
}

#[cfg(test)]
mod tests;
