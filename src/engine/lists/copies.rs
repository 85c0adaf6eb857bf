//! The copies of the lists in force, each in a file of its own, and beside it the one before.
//!
//! A file has a line of magic, a line of JSON, the prefixes of the list in packed form, and the sum of
//! all that. What is damaged counts as none: nobody has to believe half a list.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use policy::{List, cover_len, push_cover};
use prefix::{Address, Floor, Item, Items, Net, Range, pack};
use serde::{Deserialize, Serialize};

use crate::errors::words;
use crate::files::{self, remove, rename, replace, sum, summed, unsummed};

/// The folder of the copies, below the engine's directory.
const FOLDER: &str = "lists";
const MAGIC: &str = "threatstopd list 1\n";
/// Twenty million prefixes fit.
const LARGEST: u64 = 1 << 29;
/// Ranges whose prefixes are written at once: those of all would be the list in memory twice more.
const PART: usize = 1 << 13;
/// Longest part of a file's name that is a list's: with what stands around it below NAME_MAX.
const LONGEST: usize = 200;

/// The head of a file.
#[derive(Serialize, Deserialize)]
struct Head {
    list: String,
    changed: u64,
    v4: usize,
    v6: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<Origin>,
}

/// What the server of a list said of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The field ETag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// The field Last-Modified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    /// When it came in full, in epoch seconds.
    pub full: u64,
    /// A sum of where it is and in which form.
    pub place: u32,
    /// Of a list of the service, the server that it was read from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The serial of the zone there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serial: Option<u32>,
}

/// A list as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its addresses, under its name.
    pub list: List,
    /// When its content came for the first time, in epoch seconds.
    pub changed: u64,
    /// Of a feed, what its server said of it; of a list of the service, its serial.
    pub origin: Option<Origin>,
}

/// Which copy of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one in force.
    Now,
    /// The one before.
    Before,
}

/// The file of a list, with its folder: the list's name, as far as it is short enough, and then a sum
/// of it.
fn file(name: &str, which: Which) -> String {
    let end = match which {
        Which::Now => "list",
        Which::Before => "list.prev",
    };
    if name.len() <= LONGEST {
        return format!("{FOLDER}/{name}.{end}");
    }
    // names of lists are of ASCII
    let begin = name.get(..LONGEST).unwrap_or_default();
    format!("{FOLDER}/{begin}-{:08x}.{end}", sum(name.as_bytes()))
}

/// Makes the folder.
///
/// # Errors
/// When that fails, with its path.
pub fn prepare(directory: &Path) -> Result<(), String> {
    let folder = directory.join(FOLDER);
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            Err(format!("{}: {}", folder.display(), words(&error)))
        }
        _ => Ok(()),
    }
}

/// Keeps a copy in place of the one before, which stays beside it if `keep` says so: there is none
/// beside it then when that one is lost, and not an older one. Without fsync(2): after a power failure
/// what is damaged is fetched again.
///
/// # Errors
/// When a step fails, with the path.
pub fn save(
    directory: &Path,
    list: &List,
    changed: u64,
    origin: Option<&Origin>,
    keep: bool,
) -> Result<(), String> {
    let name = list.name();
    if keep {
        let [now, before] = [Which::Now, Which::Before].map(|which| file(name, which));
        if !rename(directory, &now, &before)? {
            remove(directory, &before)?;
        }
    }
    let parts = std::iter::once(head(list, changed, origin)?).chain(packed(list));
    replace(directory, &file(name, Which::Now), summed(parts), false)
}

/// Puts the copy before in the place of the one in force.
///
/// # Errors
/// When that fails, with the path.
pub fn put_back(directory: &Path, name: &str) -> Result<(), String> {
    let [now, before] = [Which::Now, Which::Before].map(|which| file(name, which));
    match rename(directory, &before, &now)? {
        true => Ok(()),
        false => Err(format!("{}: it is gone", directory.join(before).display())),
    }
}

/// Removes the copies of a list.
///
/// # Errors
/// When that fails, with the path.
pub fn forget(directory: &Path, name: &str) -> Result<(), String> {
    [Which::Now, Which::Before]
        .into_iter()
        .try_for_each(|which| remove(directory, &file(name, which)))
}

/// Octets of the files of a list, of the one in force and of the one before.
pub fn sizes(directory: &Path, name: &str) -> [u64; 2] {
    [Which::Now, Which::Before].map(|which| {
        let path = directory.join(file(name, which));
        fs::metadata(path).map_or(0, |file| file.len())
    })
}

/// Octets that the prefixes of a list take in its file.
pub fn size(list: &List) -> u64 {
    let octets = entries(list.v4()) * Net::<u32>::PACKED + entries(list.v6()) * Net::<u128>::PACKED;
    octets as u64
}

/// What stands before the prefixes.
fn head(list: &List, changed: u64, origin: Option<&Origin>) -> Result<Vec<u8>, String> {
    let (v4, v6) = (entries(list.v4()), entries(list.v6()));
    let head = Head { list: list.name().to_owned(), changed, v4, v6, origin: origin.cloned() };
    let mut out = MAGIC.as_bytes().to_vec();
    serde_json::to_writer(&mut out, &head).map_err(|error| format!("list: {error}"))?;
    out.push(b'\n');
    Ok(out)
}

/// The prefixes of a list in packed form, in parts.
fn packed(list: &List) -> impl Iterator<Item = Vec<u8>> {
    list.v4().chunks(PART).map(part).chain(list.v6().chunks(PART).map(part))
}

fn part<A: Address>(ranges: &[Range<A>]) -> Vec<u8> {
    let (mut nets, mut out) = (Vec::with_capacity(ranges.len()), Vec::new());
    ranges.iter().for_each(|range| push_cover(*range, &mut nets));
    pack(&nets, &mut out);
    out
}

/// How many prefixes there are in the file for ranges.
fn entries<A: Address>(ranges: &[Range<A>]) -> usize {
    ranges.iter().map(|range| usize::from(cover_len(*range))).sum()
}

/// Reads a copy; `None` when there is none.
///
/// # Errors
/// When it cannot be read or is damaged, with its path.
pub fn load(
    directory: &Path,
    name: &str,
    which: Which,
    floor: Floor,
) -> Result<Option<Stored>, String> {
    let file = file(name, which);
    let Some(text) = files::read(directory, &file, LARGEST)? else { return Ok(None) };
    let stored = read(&text, floor).filter(|stored| stored.list.name() == name);
    let damaged = || format!("{}: damaged", directory.join(file).display());
    stored.map(Some).ok_or_else(damaged)
}

fn read(text: &[u8], floor: Floor) -> Option<Stored> {
    let text = unsummed(text)?.strip_prefix(MAGIC.as_bytes())?;
    let end = text.iter().position(|octet| *octet == b'\n')?;
    let (head, packed) = text.split_at(end + 1);
    let Head { list, changed, v4, v6, origin } = serde_json::from_slice(head).ok()?;
    let (first, second) = packed.split_at_checked(v4.checked_mul(Net::<u32>::PACKED)?)?;
    if second.len() != v6.checked_mul(Net::<u128>::PACKED)? {
        return None;
    }
    let items = Items { v4: items(first)?, v6: items(second)? };
    Some(Stored { list: List::kept(list, items, floor), changed, origin })
}

fn items<A: Address>(octets: &[u8]) -> Option<Vec<Item<A>>> {
    octets
        .chunks(Net::<A>::PACKED)
        .map(|net| Net::unpack(net).map(|net| Item::new(net, false)))
        .collect()
}

#[cfg(test)]
mod tests;
