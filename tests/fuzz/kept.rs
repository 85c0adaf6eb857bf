//! Files that the programs read back: table files, and the engine's own.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use control::MAX_REASON;
use flate2::Crc;
use imsg::Purpose;
use pf::{Changes, Directory, PfrAddr, Simulated, Table};
use prefix::{Floor, Prefix, PrefixSet};
use tempfile::TempDir;

use crate::input::{clear, scratch};
use crate::programs::lists::copies::{self, Which};
use crate::programs::own::file;
use crate::programs::state::{ages, memory};
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
    let table = |name| Table::new("", name, prefix::Kind::Block).unwrap();
    let (t, u) = (table("T"), table("U"));
    plant(folder, "T.pftable", old);
    plant(folder, "U.pftable", new);
    let before = load(&directory, &t, old);
    let Some(set) = load(&directory, &u, new) else { return false };
    if set.is_empty() {
        return false;
    }

    let pf = Simulated::open(folder, 1 << 20).unwrap();
    let publish = |set: &[PfrAddr], purpose| directory.publish(Some(&pf), &t, set, purpose);
    if let Some(before) = &before {
        // a table that somebody has removed gets the file's set again, unless that blocks nothing
        let mended = publish(before, Purpose::Repair);
        assert_eq!(mended.is_ok(), !before.is_empty(), "{mended:?}");
    }
    let file = before.as_ref() != Some(&set);
    let expected = |before: Option<&Vec<PfrAddr>>| {
        let texts = |set: &[PfrAddr]| -> BTreeSet<String> {
            set.iter().map(|addr| addr.prefix().unwrap().to_string()).collect()
        };
        let (old, new) = (before.map_or_else(BTreeSet::new, |set| texts(set)), texts(&set));
        let (added, deleted) =
            (new.difference(&old).count() as u32, old.difference(&new).count() as u32);
        Changes { file, created: before.is_none(), added, deleted }
    };
    let in_table = pf::Backend::list(&pf, &t).ok();
    for dry_run in [true, false] {
        let purpose = if dry_run { Purpose::Trial } else { Purpose::Publish };
        let done = publish(&set, purpose);
        let changes = done.unwrap();
        assert_eq!(changes, expected(in_table.as_ref()));
    }
    assert_eq!(fs::read(folder.join("T.pftable")).unwrap(), new);
    assert_eq!(fs::read(folder.join("T.simulated")).unwrap(), new);
    assert_eq!(load(&directory, &t, new), Some(set.clone()));
    let again = publish(&set, Purpose::Publish);
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

/// What the engine keeps of lists, told apart by the first octet: the copy of one, or the ages of a
/// table, each as it is or with a head and sums that fit: two numbers of the head come first.
pub fn engine_lists(data: &[u8]) -> bool {
    let Some((first, data)) = data.split_first() else { return false };
    let (head, body) = data.split_at_checked(2).unwrap_or_default();
    let fit = |line: fn(u8, u8) -> String| {
        let [one, other] = [0, 1].map(|at| head.get(at).copied().unwrap_or_default());
        let mut text = line(one, other).into_bytes();
        text.extend_from_slice(body);
        let mut crc = Crc::new();
        crc.update(&text);
        text.extend(crc.sum().to_le_bytes());
        text
    };
    in_scratch(|folder| match first & 3 {
        0 => copy(folder, data),
        1 => copy(folder, &fit(copy_head)),
        2 => ages(folder, data),
        _ => ages(folder, &fit(ages_head)),
    })
}

fn copy_head(v4: u8, v6: u8) -> String {
    let head = format!("\"list\":\"l\",\"changed\":7,\"v4\":{v4},\"v6\":{v6}");
    format!("threatstopd list 1\n{{{head}}}\n")
}

fn ages_head(entries: u8, times: u8) -> String {
    let of = |entries, times| format!("{{\"entries\":{entries},\"times\":{times}}}");
    let mut set = Crc::new();
    (0..entries).for_each(|n| set.update(&[10, 0, n, 0, 24]));
    format!("{{\"set\":{},\"v4\":{},\"v6\":{}}}\n", set.sum(), of(entries, times), of(0, 0))
}

fn copy(folder: &Path, data: &[u8]) -> bool {
    let floor = Floor { v4: 8, v6: 16 };
    copies::prepare(folder).unwrap();
    fs::write(folder.join("lists/l.list"), data).unwrap();
    let Ok(Some(stored)) = copies::load(folder, "l", Which::Now, floor) else { return false };
    copies::save(folder, &stored.list, stored.changed, stored.origin.as_ref(), true).unwrap();
    for which in [Which::Now, Which::Before] {
        let again = copies::load(folder, "l", which, floor);
        let again = again.unwrap_or_else(|why| panic!("{why}")).expect("a copy");
        assert_eq!(again, stored);
    }
    copies::put_back(folder, "l").unwrap();
    assert_eq!(copies::load(folder, "l", Which::Before, floor), Ok(None));
    true
}

fn ages(folder: &Path, data: &[u8]) -> bool {
    fs::write(folder.join("ages"), data).unwrap();
    // a set with as many entries as there may be times; more than a few are of no interest
    for count in 0..16 {
        let nets = (0..count).map(|n| format!("10.0.{n}.0/24").parse::<Prefix>().unwrap());
        let nets = nets.map(|net| match net {
            Prefix::V4(net) => net,
            Prefix::V6(_) => unreachable!(),
        });
        let set = PrefixSet::new(nets.collect(), Vec::new()).unwrap();
        let Ok(since) = ages::load(folder, "block", &set) else { return false };
        let Some(since) = since else { continue };
        for (net, time) in set.v4().iter().zip(since.v4().iter()) {
            let addr = IpAddr::from(net.last().to_be_bytes());
            assert_eq!(since.find(&set, addr), Some(u64::from(time)));
        }
        ages::save(folder, "block", &set, &since).unwrap();
        assert_eq!(ages::load(folder, "block", &set), Ok(Some(since)));
        return true;
    }
    false
}

/// The file `own` of the engine: as it is, or when the first octet is odd lines of JSON, each behind a
/// sum that fits, with a head that counts them.
pub fn engine_own(data: &[u8]) -> bool {
    let Some((first, data)) = data.split_first() else { return false };
    let mut text = data.to_vec();
    if first & 1 == 1 {
        let lines: Vec<&[u8]> = data.split(|octet| *octet == b'\n').collect();
        text = format!("threatstopd own 1 {}\n", lines.len()).into_bytes();
        for line in lines {
            let mut crc = Crc::new();
            crc.update(line);
            text.extend(format!("{:08x} ", crc.sum()).into_bytes());
            text.extend(line);
            text.push(b'\n');
        }
    }
    in_scratch(|folder| {
        fs::write(folder.join("own"), &text).unwrap();
        let entries = file::load(folder, drop).unwrap();
        for ((prefix, action), entry) in &entries {
            assert_eq!((prefix, action), (&entry.prefix, &entry.action));
            // an end without a beginning would never come, or at once
            assert_eq!(entry.until.is_some(), entry.seconds.is_some(), "{entry:?}");
            let reason = &entry.reason;
            assert!(reason.chars().count() <= MAX_REASON, "{reason}");
            assert!(!reason.chars().any(char::is_control), "{}", reason.escape_debug());
        }
        // what could not be read whole stands aside, and what could is kept
        let aside = file::first_aside(folder);
        let aside = aside.map(|aside| fs::read(aside).unwrap());
        assert!(aside.as_ref().is_none_or(|aside| *aside == text));
        assert_eq!(file::load(folder, drop).unwrap(), entries);
        file::save(folder, &entries).unwrap();
        assert_eq!(file::load(folder, drop).unwrap(), entries);
        aside.is_none() && !entries.is_empty()
    })
}

/// `state.json` of the engine.
pub fn engine_memory(data: &[u8]) -> bool {
    in_scratch(|folder| {
        fs::write(folder.join("state.json"), data).unwrap();
        let damaged = Cell::new(false);
        let kept = memory::load(folder, |_| damaged.set(true));
        let aside = fs::read(folder.join("state.json.unread.1"));
        assert_eq!(aside.ok().as_deref(), damaged.get().then_some(data));
        if damaged.get() {
            return false;
        }
        memory::save(folder, &kept).unwrap();
        let saved = fs::read(folder.join("state.json")).unwrap();
        let again = memory::load(folder, |why| panic!("{why}"));
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
