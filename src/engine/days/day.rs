//! What is counted of a day, in bounded room.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::log::busiest::{Busiest, Count};
use crate::log::hits::Hit;
use crate::log::journal::Cursor;
use pflog::Direction;

/// Octets of a day on disk: 36 of them are a mebibyte.
pub const LARGEST: usize = (1 << 20) / 36;

/// Keys that are counted of each kind.
const LISTS: usize = 128;
const TABLES: usize = 16;
const PROTOCOLS: usize = 16;
const PORTS: usize = 64;
const SUSPECTS: usize = 64;

/// A day.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Day {
    /// Its number by the local time zone, counted from 1970.
    pub number: i64,
    /// How far the packet log is counted in it.
    pub counted: Option<Cursor>,
    /// All hits.
    pub hits: Count,
    /// By list.
    pub lists: Busiest<String>,
    /// By table, by the word for each.
    pub tables: Busiest<String>,
    /// By number of the protocol.
    pub protocols: Busiest<u8>,
    /// By number of the protocol and destination port.
    pub ports: Busiest<(u8, u16)>,
    /// Hosts on our side that have sent to a listed address.
    pub suspects: Busiest<IpAddr>,
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
    /// Prefixes after the last change.
    pub entries: u64,
    /// Prefixes that came.
    pub added: u64,
    /// Prefixes that went.
    pub removed: u64,
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
        if let Some(host) = hit.host.filter(|_| hit.way == Direction::Out) {
            self.suspects.add(&host, SUSPECTS, direction, at, ());
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
