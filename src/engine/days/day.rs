//! What is counted of a day, in bounded room.

use std::collections::BTreeMap;
use std::net::IpAddr;

use control::TableSize;
use pflog::Direction;
use prefix::PrefixSet;
use serde::{Deserialize, Serialize};

use crate::hits::Hit;
use crate::hits::busiest::{Busiest, Count};
use crate::hits::cursor::Cursor;

/// Octets of a day on disk: 36 of them are a mebibyte.
pub const LARGEST: usize = (1 << 20) / 36;

/// Keys that are counted of each kind.
const LISTS: usize = 128;
const TABLES: usize = 16;
const PROTOCOLS: usize = 16;
const PORTS: usize = 64;
const SUSPECTS: usize = 64;

/// What happened on a day, and how far the packet log is counted in it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// Its number by the local time zone, counted from 1970.
    pub number: i64,
    /// How far the packet log is counted in it and in those after it.
    pub counted: Option<Cursor>,
    /// All hits.
    pub hits: Count,
    /// Hits by list, by its name.
    pub lists: Busiest<String>,
    /// By table, by the word for each.
    pub tables: Busiest<String>,
    /// By number of the protocol.
    pub protocols: Busiest<u8>,
    /// By number of the protocol and destination port.
    pub ports: Busiest<(u8, u16)>,
    /// Hosts on our side that have sent to a listed address, by what they sent and what then came to
    /// them, with the address at the other end of the last packet.
    pub suspects: Busiest<IpAddr, Option<IpAddr>>,
    /// What became of the tables, by the word for each.
    pub changes: BTreeMap<String, Changed>,
    /// How often another copy of a list came.
    pub renewed: BTreeMap<String, u64>,
    /// How the runs ended that asked sources.
    pub runs: Runs,
    /// How the uploads ended.
    pub uploads: Uploads,
}

/// What became of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// How large it is after the last run or change.
    #[serde(flatten)]
    pub size: TableSize,
    /// How large it was before the first of them; absent when there was no set, and in what a version
    /// has written that did not measure.
    #[serde(default)]
    pub before: Option<TableSize>,
    /// Prefixes that came.
    pub added: u64,
    /// Prefixes that went.
    pub removed: u64,
}

impl Changed {
    /// A table that has not changed yet.
    fn new(set: Option<&PrefixSet>) -> Self {
        let before = set.map(size);
        Self { size: before.unwrap_or_default(), before, added: 0, removed: 0 }
    }

    /// How large it was before; nothing when there was no set.
    pub fn before(&self) -> Option<TableSize> {
        if self.before.is_some() || self.size.v4.is_some() {
            return self.before;
        }
        let entries = (self.size.entries + self.removed).saturating_sub(self.added);
        (entries > 0).then_some(TableSize { entries, v4: None, v6: None })
    }
}

/// How large a set is.
pub fn size(set: &PrefixSet) -> TableSize {
    let coverage = policy::coverage(set);
    let (v4, v6) = (Some(coverage.v4()), Some(coverage.networks()));
    TableSize { entries: set.len() as u64, v4, v6 }
}

/// How runs ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Runs {
    /// As they were wanted.
    pub good: u64,
    /// The service failed, or a table could not be published.
    pub failed: u64,
    /// A list or table was held back, or there was a rollback.
    pub held: u64,
}

/// How uploads ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploads {
    /// Slices that the server confirmed.
    pub confirmed: u64,
    /// Attempts that failed.
    pub failed: u64,
}

impl Day {
    /// Counts a hit that is in these tables.
    pub fn add<'a>(&mut self, hit: &Hit<'_>, tables: impl Iterator<Item = &'a str>) {
        let (direction, at) = (hit.direction, hit.at);
        self.hits.add(direction, at);
        for list in hit.lists {
            self.lists.add(*list, LISTS, direction, at, ());
        }
        for table in tables {
            self.tables.add(table, TABLES, direction, at, ());
        }
        if let Some(protocol) = hit.protocol {
            self.protocols.add(&protocol, PROTOCOLS, direction, at, ());
            if let Some(port) = hit.port {
                self.ports.add(&(protocol, port), PORTS, direction, at, ());
            }
        }
        // who is sent to by strangers alone takes no place of one that sends
        let counts =
            |host: &IpAddr| hit.way == Direction::Out || self.suspects.count(host).is_some();
        if let Some(host) = hit.host.filter(counts) {
            self.suspects.add(&host, SUSPECTS, hit.way, at, hit.address);
        }
    }

    /// A table has another set than before.
    pub fn change(&mut self, word: &str, before: Option<&PrefixSet>, set: &PrefixSet) {
        let new = || Changed::new(before);
        let changed = self.changes.entry(word.to_owned()).or_insert_with(new);
        let change = crate::change::change(before, set);
        changed.size = size(set);
        changed.added += change.added;
        changed.removed += change.removed;
    }

    /// A table has this set, and may not have changed.
    pub fn see(&mut self, word: &str, set: &PrefixSet) {
        if !self.changes.contains_key(word) {
            self.changes.insert(word.to_owned(), Changed::new(Some(set)));
        }
    }

    /// The day for the disk, in at most [`LARGEST`] octets: where names are long, what is counted of
    /// the fewest packets is left out there.
    ///
    /// # Errors
    /// Never, as far as is known: what is counted has names and numbers alone.
    pub fn text(&self) -> Result<Vec<u8>, String> {
        let failed = |error: serde_json::Error| error.to_string();
        let mut text = serde_json::to_vec(self).map_err(failed)?;
        let (mut most, mut day) = (LISTS, self.clone());
        while text.len() > LARGEST && most > 0 {
            most /= 2;
            day.lists.shrink(most);
            day.ports.shrink(most);
            day.suspects.shrink(most);
            while day.renewed.len() > most {
                day.renewed.pop_last();
            }
            text = serde_json::to_vec(&day).map_err(failed)?;
        }
        Ok(text)
    }
}
