//! The accounts of the log server: what it has of the packet log, and what it was sent twice.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use crate::sim::logservice::Upload;
use crate::sim::pflog::PacketLog;

/// What has come so far.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// Slices that were confirmed, by id.
    confirmed: BTreeSet<String>,
    /// The text of slices that were not, by id.
    unconfirmed: BTreeMap<String, String>,
    /// Records in confirmed slices, by their place in the packet log.
    records: BTreeSet<u32>,
    /// Slices that came again after they had not been confirmed.
    pub(super) repeated: usize,
}

impl Delivery {
    /// Enters uploads in the order in which they came. A slice may come again only as the same, and
    /// only until it is confirmed; each record is in one slice, as it was written.
    pub(super) fn enter(&mut self, uploads: Vec<Upload>, log: &PacketLog) {
        for upload in uploads {
            let (id, text) = (upload.id().to_owned(), upload.text());
            assert!(!self.confirmed.contains(&id), "slice {id} came after it was confirmed");
            if let Some(before) = self.unconfirmed.get(&id) {
                assert!(*before == text, "slice {id} has two texts");
                self.repeated += 1;
            }
            if !upload.confirmed {
                self.unconfirmed.insert(id, text);
                continue;
            }
            for line in text.lines() {
                let number = log.number(line).unwrap_or_else(|| panic!("{id}: not ours: {line}"));
                assert!(self.records.insert(number), "{id}: in another slice, too: {line}");
            }
            self.unconfirmed.remove(&id);
            self.confirmed.insert(id);
        }
    }

    /// Slices that were confirmed.
    pub(super) fn slices(&self) -> usize {
        self.confirmed.len()
    }

    /// Records in them.
    pub(super) fn records(&self) -> usize {
        self.records.len()
    }

    /// Records of a source that have not come.
    pub(super) fn missing(&self, log: &PacketLog, source: Ipv4Addr) -> usize {
        let ours = log.written().iter().filter(|packet| packet.source == source).count();
        ours - self.records.len()
    }

    /// Slices are numbered from 0: whether none is missing between those that came.
    pub(super) fn is_gapless(&self) -> bool {
        let number = |id: &String| id.split('-').next().and_then(|number| number.parse().ok());
        self.confirmed.iter().map(number).eq((0..self.confirmed.len()).map(Some))
    }
}
