//! Since when each entry of a block table is covered, in the file `ages`, of a `[[table]]` in `ages.NAME`:
//! a line of JSON, then the times in the order of the table, 4 octets each, little end first, and the sum
//! of all that.

use std::path::Path;

use policy::Since;
use prefix::PrefixSet;
use serde::{Deserialize, Serialize};

use crate::files::{self, remove, replace, summed, unsummed};

/// The file of a table, by its word.
fn file(table: &str) -> String {
    if table == "block" { "ages".to_owned() } else { format!("ages.{table}") }
}

/// Twenty million times fit.
const LARGEST: u64 = 1 << 27;

/// Times that are written at once: all of them would be as much memory again.
const PART: usize = 1 << 13;

#[derive(Serialize, Deserialize)]
struct Head {
    v4: usize,
    v6: usize,
}

/// Keeps the times. Without fsync(2): after a power failure the entries are as old as the next start.
///
/// # Errors
/// When a step fails, with the path.
pub fn save(directory: &Path, table: &str, since: &Since) -> Result<(), String> {
    let (file, v4, v6) = (file(table), since.v4(), since.v6());
    let head = Head { v4: v4.len(), v6: v6.len() };
    let mut line = serde_json::to_vec(&head).map_err(|error| format!("{file}: {error}"))?;
    line.push(b'\n');
    replace(directory, &file, summed(std::iter::once(line).chain(octets(since))), false)
}

/// The times as they are kept, in parts.
fn octets(since: &Since) -> impl Iterator<Item = Vec<u8>> {
    let parts = since.v4().chunks(PART).chain(since.v6().chunks(PART));
    parts.map(|part| part.iter().flat_map(|time| time.to_le_bytes()).collect())
}

/// The times of a set, as they were kept; `None` when they are those of another one, or of none.
///
/// # Errors
/// When the file cannot be read or is damaged, with its path.
pub fn load(directory: &Path, table: &str, set: &PrefixSet) -> Result<Option<Since>, String> {
    let file = file(table);
    let Some(text) = files::read(directory, &file, LARGEST)? else { return Ok(None) };
    let damaged = || format!("{}: damaged", directory.join(&file).display());
    let (v4, v6) = read(&text).ok_or_else(damaged)?;
    Ok(Since::from_parts(set, v4, v6).ok())
}

/// Removes the times of a table.
///
/// # Errors
/// When that fails, with the path.
pub fn forget(directory: &Path, table: &str) -> Result<(), String> {
    remove(directory, &file(table))
}

fn read(text: &[u8]) -> Option<(Vec<u32>, Vec<u32>)> {
    let text = unsummed(text)?;
    let end = text.iter().position(|octet| *octet == b'\n')?;
    let head: Head = serde_json::from_slice(&text[..end]).ok()?;
    let times = &text[end + 1..];
    if times.len() != head.v4.checked_add(head.v6)?.checked_mul(4)? {
        return None;
    }
    let mut v4: Vec<u32> =
        times.as_chunks::<4>().0.iter().map(|time| u32::from_le_bytes(*time)).collect();
    let v6 = v4.split_off(head.v4);
    Some((v4, v6))
}
