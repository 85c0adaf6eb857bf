//! The lists of the policy in force, in `policy.lists`: a line of JSON for each, then its
//! prefixes in packed form; at the end the ages of the block table.

use std::io::{BufRead as _, Read as _};
use std::path::Path;

use policy::List;
use prefix::{Address, Floor, Item, Items, Net, Range, pack, push_cover, unpack};
use serde::{Deserialize, Serialize};

use super::Policy;
use crate::errors::words;

const FILE: &str = "policy.lists";
const MAGIC: &str = "threatstopd policy 1\n";
/// Longest line of JSON; a list name has at most 253 octets, a local file has a path.
const LINE: u64 = 8192;
/// Twenty million prefixes of both lists and ages fit.
const LARGEST: u64 = 1 << 31;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Section {
    Block { name: String, v4: usize, v6: usize },
    Allow { name: String, v4: usize, v6: usize },
    Since { v4: usize, v6: usize },
}

/// What was kept.
#[derive(Default)]
pub struct Stored {
    /// The block lists and local_block.
    pub block_lists: Vec<List>,
    /// The allow lists and local_allow.
    pub allow_lists: Vec<List>,
    /// The ages of the block table's entries, IPv4 and IPv6.
    pub times: (Vec<u32>, Vec<u32>),
}

/// Keeps the lists. Without fsync(2): after a power failure the next update brings them again.
pub fn save(directory: &Path, policy: &Policy) -> Result<(), String> {
    let mut out = MAGIC.as_bytes().to_vec();
    for list in &policy.block_lists {
        put(list, |name, v4, v6| Section::Block { name, v4, v6 }, &mut out)?;
    }
    for list in &policy.allow_lists {
        put(list, |name, v4, v6| Section::Allow { name, v4, v6 }, &mut out)?;
    }
    let (v4, v6) = (policy.since.v4(), policy.since.v6());
    head(&Section::Since { v4: v4.len(), v6: v6.len() }, &mut out)?;
    for time in v4.iter().chain(v6) {
        out.extend_from_slice(&time.to_le_bytes());
    }
    super::replace(directory, FILE, &[&out], false)
}

fn head(section: &Section, out: &mut Vec<u8>) -> Result<(), String> {
    serde_json::to_writer(&mut *out, section).map_err(|error| format!("{FILE}: {error}"))?;
    out.push(b'\n');
    Ok(())
}

fn put(
    list: &List,
    section: impl FnOnce(String, usize, usize) -> Section,
    out: &mut Vec<u8>,
) -> Result<(), String> {
    let (v4, v6) = (nets(list.v4()), nets(list.v6()));
    head(&section(list.name().to_owned(), v4.len(), v6.len()), out)?;
    pack(&v4, out);
    pack(&v6, out);
    Ok(())
}

fn nets<A: Address>(ranges: &[Range<A>]) -> Vec<Net<A>> {
    let mut out = Vec::with_capacity(ranges.len());
    ranges.iter().for_each(|range| push_cover(*range, &mut out));
    out
}

/// Reads the lists back; the sets themselves come from the helper.
pub fn load(directory: &Path, floor: Floor) -> Result<Stored, String> {
    let path = directory.join(FILE);
    let file = match std::fs::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Stored::default());
        }
        Err(error) => return Err(format!("{}: {}", path.display(), words(&error))),
    };
    let mut reader = std::io::BufReader::new(file.take(LARGEST));
    read(&mut reader, floor).ok_or_else(|| format!("{}: not in form", path.display()))
}

fn read(reader: &mut impl std::io::BufRead, floor: Floor) -> Option<Stored> {
    let mut stored = Stored::default();
    let mut line = Vec::new();
    reader.by_ref().take(LINE).read_until(b'\n', &mut line).ok()?;
    if line != MAGIC.as_bytes() {
        return None;
    }
    loop {
        line.clear();
        reader.by_ref().take(LINE).read_until(b'\n', &mut line).ok()?;
        let mut list = |name: String, v4, v6| {
            let items = Items { v4: items(reader, v4)?, v6: items(reader, v6)? };
            Some(List::new(name, items, floor))
        };
        match serde_json::from_slice(&line).ok()? {
            Section::Block { name, v4, v6 } => stored.block_lists.push(list(name, v4, v6)?),
            Section::Allow { name, v4, v6 } => stored.allow_lists.push(list(name, v4, v6)?),
            Section::Since { v4, v6 } => {
                stored.times = (times(reader, v4)?, times(reader, v6)?);
                return Some(stored);
            }
        }
    }
}

/// Exactly so many octets, whose number a file may claim but not make us reserve.
fn octets(reader: &mut impl std::io::Read, count: usize, size: usize) -> Option<Vec<u8>> {
    let wanted = count.checked_mul(size)?;
    let mut octets = Vec::new();
    reader.by_ref().take(wanted as u64).read_to_end(&mut octets).ok()?;
    (octets.len() == wanted).then_some(octets)
}

fn items<A: Address>(reader: &mut impl std::io::Read, count: usize) -> Option<Vec<Item<A>>> {
    let octets = octets(reader, count, Net::<A>::PACKED)?;
    unpack(&octets).ok()?.map(|net| net.ok().map(Item::positive)).collect()
}

fn times(reader: &mut impl std::io::Read, count: usize) -> Option<Vec<u32>> {
    let octets = octets(reader, count, 4)?;
    Some(octets.as_chunks::<4>().0.iter().map(|time| u32::from_le_bytes(*time)).collect())
}
