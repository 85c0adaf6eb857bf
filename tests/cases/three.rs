//! A daemon with lists of two origins: two block lists of the service, and a file of the administrator.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::{Item, table_text};
use tests::sim::{Layout, PolicyService};

use crate::common::*;

/// A second block list of the service.
pub const SCAN: &str = "scanners.threatstop.local";
/// The address space of [`BASIC`], of [`SCAN`], and of the file of the administrator.
pub const SPACES: [u32; 3] = [0x0500_0000, 0x0600_0000, 0x0800_0000];

/// So many hosts of an address space, no two of them neighbours.
pub fn hosts(space: u32, count: u32) -> Vec<Item> {
    (0..count).map(|n| Item::v4(space + 2 * n, 32)).collect()
}

/// A service with two block lists, a file of the administrator, and a daemon with all of it in force.
pub struct Three {
    pub service: PolicyService,
    pub scratch: Scratch,
    pub daemon: Daemon,
    pub config: Config,
    pub file: PathBuf,
}

impl Three {
    /// So many hosts in each list, all in the block table.
    pub fn new(counts: [u32; 3], change: impl FnOnce(Config) -> Config) -> Self {
        let three = Self::start(counts, change);
        three.has(counts);
        three
    }

    /// So many hosts in each list, and the first update.
    pub fn start(counts: [u32; 3], change: impl FnOnce(Config) -> Config) -> Self {
        let service = PolicyService::start(zone(&hosts(SPACES[0], counts[0])));
        let scratch = Scratch::new();
        let file = scratch.path().join("mine");
        let config = Config::new(&scratch, &[service.addr()])
            .set("policy.block", vec![BASIC, SCAN])
            .set("policy.local_block", file.to_str().unwrap());
        let config = change(config);
        write(&file, &hosts(SPACES[2], counts[2]));
        service.edit(|z| {
            z.set_list(SCAN, &hosts(SPACES[1], counts[1]), Layout::Index);
        });
        let daemon = Daemon::start(&scratch, &config);
        update(&daemon);
        Self { service, scratch, daemon, config, file }
    }

    pub fn serve(&self, list: &str, items: &[Item]) {
        self.service.edit(|z| {
            z.set_list(list, items, Layout::Index);
        });
    }

    /// Checks that the block table has so many hosts of each list.
    #[track_caller]
    pub fn has(&self, counts: [u32; 3]) {
        let all: Vec<Item> =
            (0..3).flat_map(|at| hosts(SPACES[at], counts[at])).collect::<Vec<_>>();
        assert_eq!(table(&self.daemon, BLOCK), Some(table_text(&all)));
    }

    pub fn source(&self, name: &str) -> Value {
        let status = status(&self.daemon);
        let sources = status["sources"].as_array().unwrap().clone();
        sources.into_iter().find(|source| source["name"] == name).unwrap()
    }

    /// Starts the daemon again, with a change to what it finds.
    pub fn again(self, config: Config, change: impl FnOnce(&Scratch)) -> Self {
        let Self { service, scratch, daemon, file, .. } = self;
        assert!(daemon.stop().success());
        change(&scratch);
        let daemon = Daemon::start(&scratch, &config);
        Self { service, scratch, daemon, config, file }
    }
}

pub fn write(file: &Path, items: &[Item]) {
    fs::write(file, table_text(items)).unwrap();
}

/// The file in which the engine keeps the copy of a list.
pub fn copy(scratch: &Scratch, list: &str) -> PathBuf {
    scratch.spool().join("lists").join(format!("{list}.list"))
}
