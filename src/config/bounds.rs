//! The guards in the form in which sets are held against them.

use prefix::{Bounds, Floor};

use crate::{Config, Guard};

impl Config {
    /// Whether the log is sent to the service, which takes it of devices alone.
    pub fn uploads(&self) -> bool {
        self.log.enabled && self.device_id.is_some()
    }
}

impl Guard {
    /// What holds for every set, in the engine and in the helper; `expect` does for the table of
    /// tables.block alone.
    pub fn bounds(&self, expects: bool) -> Bounds {
        Bounds {
            floor: self.floor(),
            max_entries: self.max_entries.into(),
            max_coverage: self.max_coverage,
            max_coverage_v6: self.max_coverage_v6,
            allow_max_coverage: self.allow_max_coverage,
            expect: if expects { self.expect.clone() } else { Vec::new() },
        }
    }

    /// The widest prefixes that a table may hold.
    pub fn floor(&self) -> Floor {
        Floor { v4: self.min_prefix_v4, v6: self.min_prefix_v6 }
    }
}
