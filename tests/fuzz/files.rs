//! Files that the programs read back: table files, and the engine's own.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use pf::{Changes, Directory, PfrAddr, Simulated, Table, mend, publish};
use policy::Since;
use prefix::{Floor, Prefix, PrefixSet};
use tempfile::TempDir;

use crate::input::{clear, scratch};
use crate::programs::state::{Policy, memory, store};
use crate::settings::naive_prefix;

thread_local! {
    static SCRATCH: RefCell<TempDir> = RefCell::new(scratch());
}

/// Calls with an empty folder.
fn in_scratch(task: impl FnOnce(&Path) -> bool) -> bool {
    SCRATCH.with_borrow(|scratch| {
        clear(scratch.path());
        task(scratch.path())
    })
}

/// Two table files, divided by a NUL: the one that is there, and the set that replaces it.
pub fn table_file(data: &[u8]) -> bool {
    let mut parts = data.splitn(2, |octet| *octet == 0);
    let old = parts.next().unwrap_or_default();
    let new = parts.next().unwrap_or(b"1.2.3.4\n");
    in_scratch(|folder| replace_file(folder, old, new))
}

fn replace_file(folder: &Path, old: &[u8], new: &[u8]) -> bool {
    let directory = Directory::open(folder).unwrap();
    let table = |name| Table::new("", name, false).unwrap();
    let (t, u) = (table("T"), table("U"));
    plant(folder, "T.pftable", old);
    plant(folder, "U.pftable", new);
    let before = load(&directory, &t, old);
    let Some(set) = load(&directory, &u, new) else { return false };
    if set.is_empty() {
        return false;
    }

    let pf = Simulated::open(folder, 1 << 20).unwrap();
    if let Some(before) = &before {
        // a table that somebody has removed gets the file's set again, unless that blocks nothing
        let mended = mend(&pf, &directory, &t);
        assert_eq!(mended.is_ok(), !before.is_empty(), "{mended:?}");
    }
    let expected = |before: Option<&Vec<PfrAddr>>| {
        let texts = |set: &[PfrAddr]| -> BTreeSet<String> {
            set.iter().map(|addr| addr.prefix().unwrap().to_string()).collect()
        };
        let (old, new) = (before.map_or_else(BTreeSet::new, |set| texts(set)), texts(&set));
        let (added, deleted) = (new.difference(&old).count(), old.difference(&new).count());
        Changes { created: before.is_none(), added, deleted, changed: 0, file: false }
    };
    let in_table = pf::Backend::list(&pf, &t).ok();
    for dry_run in [true, false] {
        let changes = publish(Some(&pf), &directory, &t, &set, dry_run).unwrap();
        assert_eq!(changes, expected(in_table.as_ref()));
    }
    assert_eq!(fs::read(folder.join("T.pftable")).unwrap(), new);
    assert_eq!(fs::read(folder.join("T.simulated")).unwrap(), new);
    assert_eq!(load(&directory, &t, new), Some(set.clone()));
    let again = publish(Some(&pf), &directory, &t, &set, false);
    assert_eq!(again, Ok(Changes::default()));
    before.is_some()
}

fn plant(folder: &Path, name: &str, octets: &[u8]) {
    let mut options = OpenOptions::new();
    let mut file =
        options.write(true).create_new(true).mode(0o600).open(folder.join(name)).unwrap();
    file.write_all(octets).unwrap();
}

/// Loads a file of these octets, and holds what comes against a second reading.
fn load(directory: &Directory, table: &Table, octets: &[u8]) -> Option<Vec<PfrAddr>> {
    let read = directory.load(table, "pftable").ok();
    let lines = naive_table(octets);
    let found = read.as_ref().map(|set| {
        set.iter().map(|addr| format!("{}\n", addr.prefix().unwrap())).collect::<String>()
    });
    assert_eq!(found, lines);
    read
}

/// The text of a table file, if it is one.
fn naive_table(octets: &[u8]) -> Option<String> {
    let text = str::from_utf8(octets).ok()?;
    let mut last = None;
    for line in text.split_inclusive('\n') {
        let line = line.strip_suffix('\n')?;
        let (addr, canonical) = naive_prefix(line)?;
        let len = line.split_once('/').map_or("", |(_, len)| len);
        let (v6, first, bits) = match addr {
            IpAddr::V4(addr) => (false, addr.to_bits().into(), 32),
            IpAddr::V6(addr) => (true, addr.to_bits(), 128),
        };
        let host = bits - len.parse().unwrap_or(bits);
        let end = first + if host == 128 { u128::MAX } else { (1 << host) - 1 };
        if canonical != line || last.is_some_and(|last| last >= (v6, first)) {
            return None;
        }
        last = Some((v6, end));
    }
    Some(text.to_owned())
}

/// `policy.lists` of the engine.
pub fn engine_lists(data: &[u8]) -> bool {
    in_scratch(|folder| {
        let floor = Floor { v4: 8, v6: 16 };
        fs::write(folder.join("policy.lists"), data).unwrap();
        let Ok(stored) = store::load(folder, floor) else { return false };
        let (v4, v6) = stored.times.clone();
        // a set with as many entries as there are times; more than a few are of no interest
        let Some(since) = since(v4, v6) else { return false };
        let (block_lists, allow_lists) = (stored.block_lists, stored.allow_lists);
        let policy = Policy { since, block_lists, allow_lists };
        store::save(folder, &policy).unwrap();
        let again = store::load(folder, floor).unwrap_or_else(|why| panic!("{why}"));
        assert_eq!(again.times, stored.times);
        let lists = policy.block_lists.iter().chain(&policy.allow_lists);
        let lists_again = again.block_lists.iter().chain(&again.allow_lists);
        assert_eq!(policy.block_lists.len(), again.block_lists.len());
        assert_eq!(policy.allow_lists.len(), again.allow_lists.len());
        for (list, again) in lists.zip(lists_again) {
            assert_eq!((list.name(), list.v4(), list.v6()), (again.name(), again.v4(), again.v6()));
        }
        true
    })
}

fn since(v4: Vec<u32>, v6: Vec<u32>) -> Option<Since> {
    let many = 256;
    if v4.len() > many || v6.len() > many {
        return None;
    }
    let net = |text: String| text.parse::<Prefix>().unwrap();
    let (mut nets4, mut nets6) = (Vec::new(), Vec::new());
    for index in 0..v4.len().max(v6.len()) {
        match (net(format!("10.0.{index}.0/24")), net(format!("2001:db8:{index:x}::/48"))) {
            (Prefix::V4(v4), Prefix::V6(v6)) => (nets4.push(v4), nets6.push(v6)),
            _ => return None,
        };
    }
    nets4.truncate(v4.len());
    nets6.truncate(v6.len());
    let set = PrefixSet::new(nets4, nets6).unwrap();
    let since = Since::from_parts(&set, v4.clone(), v6).unwrap();
    for (net, time) in set.v4().iter().zip(&v4) {
        let addr = IpAddr::from(net.last().to_be_bytes());
        assert_eq!(since.find(&set, addr), Some(u64::from(*time)));
    }
    Some(since)
}

/// `state.json` of the engine.
pub fn engine_memory(data: &[u8]) -> bool {
    in_scratch(|folder| {
        fs::write(folder.join("state.json"), data).unwrap();
        let Ok(kept) = memory::load(folder) else { return false };
        memory::save(folder, &kept).unwrap();
        let saved = fs::read(folder.join("state.json")).unwrap();
        let again = memory::load(folder).unwrap_or_else(|why| panic!("{why}"));
        memory::save(folder, &again).unwrap();
        // numbers with a fraction may change in the last digit when they are read
        let strip = |memory: &memory::Memory| {
            let mut memory = memory.clone();
            if let Some(last) = &mut memory.last {
                last.seconds = 0.0;
            }
            memory
        };
        assert_eq!(strip(&again), strip(&kept), "{}", saved.escape_ascii());
        true
    })
}
