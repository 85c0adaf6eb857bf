//! One new content of a table, as the engine hands it over, checked prefix by prefix.
//!
//! Nothing is believed: the number, the order, the form and the reach of every prefix are looked
//! at here, before anything is written. At the first that may not be the engine is dropped, with table and
//! file untouched.

use std::net::IpAddr;

use config::Guard;
use imsg::{Entries, Purpose, TableId};
use pf::PfrAddr;
use prefix::{Bounds, Kind, Shield, Tally};

use crate::failure::Failure;

/// The prefixes of a table; `None` where there is no memory for them.
pub type Set = Option<Vec<PfrAddr>>;

/// A transaction under way.
pub struct Transaction {
    /// The table that is to have the content.
    pub table: TableId,
    /// Whether the content is published, put back, or only tried.
    pub purpose: Purpose,
    announced: usize,
    set: Set,
    bounds: Bounds,
    tally: Tally,
}

impl Transaction {
    /// Begins with room for exactly the prefixes announced, which `max_entries` bounds. Without the
    /// memory the set is checked all the same, and cannot be published: that is no fault of the engine's.
    ///
    /// # Errors
    /// When more are announced, or none for a block table.
    pub fn begin(
        table: TableId,
        kind: Kind,
        announced: u32,
        purpose: Purpose,
        guard: &Guard,
    ) -> Result<Self, Failure> {
        let bounds = guard.bounds(table == TableId::BLOCK);
        bounds.count(kind, announced.into())?;
        let tally = Tally::new(kind, &bounds);
        let (mut set, announced) = (Vec::new(), announced as usize);
        let set = set.try_reserve_exact(announced).is_ok().then_some(set);
        Ok(Self { table, purpose, announced, set, bounds, tally })
    }

    /// Takes the next part.
    ///
    /// # Errors
    /// At the first prefix that may not be there.
    pub fn add(&mut self, part: &Entries, shield: &Shield) -> Result<(), Failure> {
        for net in part.prefixes() {
            let net = net.ok_or("a prefix that is not in canonical form")?;
            self.tally.add(net, &self.bounds, shield)?;
            if self.tally.count() > self.announced {
                return Err(format!("more prefixes than the {} announced", self.announced).into());
            }
            if let Some(set) = &mut self.set {
                set.push(net.into());
            }
        }
        Ok(())
    }

    /// The complete content, ready to be published. `allow` says what is in the allow table.
    ///
    /// # Errors
    /// When prefixes are missing, or all together may not be a table.
    pub fn complete(self, shield: &Shield, allow: impl Fn(IpAddr) -> bool) -> Result<Set, Failure> {
        let (count, announced) = (self.tally.count(), self.announced);
        if count != announced {
            return Err(format!("{count} prefixes of {announced} announced").into());
        }
        // a trial may be of an allow table too, which is not in force then
        let allowed = |addr| self.purpose == Purpose::Trial || allow(addr);
        self.tally.end(&self.bounds, shield, allowed)?;
        Ok(self.set)
    }
}

#[cfg(test)]
mod tests;
