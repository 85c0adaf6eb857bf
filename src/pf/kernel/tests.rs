//! A kernel that follows the rules of pfioctl() and pf_table.c as far as our requests go, down to
//! the size of an element and what is left alone when the room is too small.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{c_int, c_ulong};

use imsg::Of;
use prefix::Kind;

use super::*;
use crate::tests::{set, table, texts};

type Name = ([[u8; 32]; 32], [u8; 32]);

/// The state of the simulated kernel of a test, which runs in one thread.
#[derive(Default)]
pub struct Fake {
    tables: BTreeMap<Name, (Vec<PfrAddr>, u32)>,
    limit: u32,
    securelevel: u32,
    /// A request that the kernel has with another size.
    other: Option<c_ulong>,
    /// Every call is answered with this.
    broken: Option<Errno>,
    /// Tables and entries that somebody else adds before each call.
    growth: u8,
    calls: Vec<c_ulong>,
}

thread_local! {
    static FAKE: RefCell<Fake> = RefCell::default();
}

/// Stands for ioctl(2).
pub unsafe fn ioctl<T>(_fd: c_int, number: c_ulong, argument: *mut T) -> c_int {
    assert_eq!(number >> 16 & 0x1FFF, size_of::<T>() as c_ulong);
    // SAFETY: the caller's reference; the number says what it points to, as asserted above
    let done = FAKE.with_borrow_mut(|fake| unsafe { fake.ioctl(number, argument.cast()) });
    done.map_or_else(
        |errno| {
            Errno::set_raw(errno as c_int);
            -1
        },
        |()| 0,
    )
}

fn name(table: &PfrTable) -> Name {
    (table.anchor, table.name)
}

impl Fake {
    unsafe fn ioctl(&mut self, number: c_ulong, argument: *mut u8) -> nix::Result<()> {
        self.calls.push(number);
        if let Some(errno) = self.broken {
            return Err(errno);
        }
        if self.other == Some(number) {
            return Err(Errno::ENODEV);
        }
        if number == DIOCGETLIMIT.0 {
            // SAFETY: the type of the request
            let io = unsafe { &mut *argument.cast::<[u32; 2]>() };
            assert_eq!(io[0], PF_LIMIT_TABLE_ENTRIES);
            io[1] = self.limit;
            return Ok(());
        }
        if number == DIOCGETSTATUS.0 {
            // SAFETY: the type of the request
            unsafe { (*argument.cast::<[u32; 130]>())[PF_STATUS_RUNNING] = 1 };
            return Ok(());
        }
        // SAFETY: what is left are requests on tables
        let io = unsafe { &mut *argument.cast::<PfiocTable>() };
        self.grow(io);
        let element = match number {
            n if n == DIOCRADDTABLES.0 => size_of::<PfrTable>(),
            n if n == DIOCRGETTSTATS.0 => size_of::<PfrTstats>(),
            n if n == DIOCRSETADDRS.0 => size_of::<PfrAddr>(),
            _ => return Err(Errno::ENOTTY),
        };
        if io.esize as usize != element {
            return Err(Errno::ENODEV);
        }
        // SAFETY: the caller vouches for the buffer
        unsafe {
            match element {
                1064 => self.add_tables(io),
                1232 => self.get_tstats(io),
                _ => self.set_addrs(io),
            }
        }
    }

    fn grow(&mut self, io: &PfiocTable) {
        let before = self.tables.len() as u16;
        for n in 0..u16::from(self.growth) {
            let mut other = name(&io.table);
            other.1[..3].copy_from_slice(&[b'z', (before + n) as u8, n as u8]);
            self.tables.insert(other, (vec![], PFR_TFLAG_ACTIVE));
            if let Some((entries, _)) = self.tables.get_mut(&name(&io.table)) {
                let next = prefix::Prefix4::host(entries.len() as u32);
                entries.push(prefix::Prefix::V4(next).into());
            }
        }
    }

    unsafe fn add_tables(&mut self, io: &mut PfiocTable) -> nix::Result<()> {
        if self.securelevel > 1 && io.flags & PFR_FLAG_DUMMY == 0 {
            return Err(Errno::EPERM);
        }
        // SAFETY: as many tables as size says
        let tables = unsafe { input::<PfrTable>(io, io.size) };
        for table in tables.iter() {
            if table.name[0] == 0 || table.name[31] != 0 || table.flags & !0x43 != 0 {
                return Err(Errno::EINVAL);
            }
            assert_eq!(table.flags, PFR_TFLAG_PERSIST);
            if io.flags & PFR_FLAG_DUMMY == 0 {
                self.tables.entry(name(table)).or_insert((vec![], PFR_TFLAG_ACTIVE));
            }
        }
        io.changes[0] = io.size;
        Ok(())
    }

    unsafe fn get_tstats(&mut self, io: &mut PfiocTable) -> nix::Result<()> {
        let of_anchor = |(n, _): &(&Name, _)| n.0 == io.table.anchor;
        let found = self.tables.iter().filter(of_anchor).count();
        if found == 0 && io.table.anchor[0][0] != 0 {
            return Err(Errno::ENOENT);
        }
        if found as u32 > io.size {
            io.size = found as u32;
            return Ok(());
        }
        // SAFETY: as many elements as size says
        let out = unsafe { output::<PfrTstats>(io, io.size) };
        for (out, (name, (entries, flags))) in
            out.iter_mut().zip(self.tables.iter().filter(of_anchor))
        {
            out.table.anchor = name.0;
            out.table.name = name.1;
            out.table.flags = *flags;
            out.cnt = entries.len() as u32;
            out.tzero = 1_700_000_000;
            out.refcnt = [2, 1];
            out.packets = [[10, 1, 100, 7], [20, 2, 200, 7]];
        }
        io.size = found as u32;
        Ok(())
    }

    unsafe fn set_addrs(&mut self, io: &mut PfiocTable) -> nix::Result<()> {
        if io.table.flags != 0 || io.table.name[0] == 0 || io.table.name[31] != 0 {
            return Err(Errno::EINVAL);
        }
        // SAFETY: as many elements as size says
        let new = unsafe { input::<PfrAddr>(io, io.size) }.to_vec();
        if new.iter().any(|addr| addr.prefix().is_none()) {
            return Err(Errno::EINVAL);
        }
        let others: usize = self.tables.values().map(|(entries, _)| entries.len()).sum();
        let (old, flags) = self.tables.get_mut(&name(&io.table)).ok_or(Errno::ESRCH)?;
        if *flags & PFR_TFLAG_ACTIVE == 0 {
            return Err(Errno::ESRCH);
        }
        if *flags & 2 != 0 {
            return Err(Errno::EPERM); // PFR_TFLAG_CONST
        }
        let plain = |addr: &PfrAddr| PfrAddr { marks: [0; 3], ..*addr };
        let has = |set: &[PfrAddr], addr| set.iter().any(|one| plain(one) == plain(addr));
        let added = new.iter().filter(|addr| !has(old, addr)).count();
        let changed = new.iter().filter(|addr| has(old, addr) && !old.contains(addr)).count();
        let gone: Vec<PfrAddr> = old.iter().filter(|addr| !has(&new, addr)).copied().collect();
        if others + added > self.limit as usize {
            return Err(Errno::ENOMEM);
        }
        if io.flags & PFR_FLAG_FEEDBACK != 0 && io.size2 != 0 {
            let needed = io.size + gone.len() as u32;
            if io.size2 < needed {
                io.size2 = needed;
                return Ok(());
            }
            // SAFETY: room for as many elements as size2 says
            let out = unsafe { output::<PfrAddr>(io, io.size2) };
            for (out, addr) in out[io.size as usize..].iter_mut().zip(gone.iter().rev()) {
                *out = *addr;
                out.marks[1] = 3; // PFR_FB_DELETED
            }
            io.size2 = needed;
        }
        io.changes = [added as u32, gone.len() as u32, changed as u32];
        if io.flags & PFR_FLAG_DUMMY == 0 {
            *old = new;
        }
        Ok(())
    }
}

unsafe fn input<'a, T>(io: &PfiocTable, size: u32) -> &'a [T] {
    // SAFETY: the caller says how much there is, as for the kernel
    unsafe { std::slice::from_raw_parts(io.buffer.unwrap().as_ptr().cast(), size as usize) }
}

unsafe fn output<'a, T>(io: &PfiocTable, size: u32) -> &'a mut [T] {
    // SAFETY: as above, and the caller's request makes pf write there
    unsafe { std::slice::from_raw_parts_mut(io.buffer.unwrap().as_ptr().cast(), size as usize) }
}

/// A fresh kernel.
fn pf(limit: u32) -> Kernel {
    FAKE.set(Fake { limit, ..Fake::default() });
    Kernel { pf: File::open("/dev/null").unwrap() }
}

fn fake(change: impl FnOnce(&mut Fake)) {
    FAKE.with_borrow_mut(change);
}

#[test]
fn a_table_is_created_once_and_only_when_it_is_missing() {
    let (pf, table) = (pf(100), table("T"));
    let three = set("1.1.1.1 2.0.0.0/8 ::1");
    let created = Changes { created: true, added: 3, ..Changes::default() };
    assert_eq!(pf.replace(&table, &three, true), Ok(created));
    assert_eq!(pf.stats(&table), Ok(TableStat::default()));
    assert_eq!(pf.running(), Ok(true));
    assert_eq!(pf.replace(&table, &three, false), Ok(created));
    fake(|fake| fake.calls.clear());
    let five = set("1.1.1.1 2.0.0.0/9 3.3.3.3 ::1 ::2");
    let changes = Changes { added: 3, deleted: 1, ..Changes::default() };
    assert_eq!(pf.replace(&table, &five, true), Ok(changes));
    assert_eq!(pf.replace(&table, &five, false), Ok(changes));
    assert_eq!(pf.replace(&table, &five, false), Ok(Changes::default()));
    fake(|fake| assert_eq!(fake.calls, [DIOCRSETADDRS.0; 3]));
    assert_eq!(texts(&pf.list(&table).unwrap()), "1.1.1.1 2.0.0.0/9 3.3.3.3 ::1 ::2");
}

#[test]
fn a_list_is_sorted_can_be_sent_again_and_begins_with_what_is_foreign() {
    let (pf, table) = (pf(10_000), table("T"));
    let all: String = (0..3000u32).map(|n| format!("1.2.{}.{} ", n / 256, n % 256)).collect();
    let all = set(&format!("{all} 9.0.0.0/8 2001:db8::/32"));
    pf.replace(&table, &all, false).unwrap();
    let listed = pf.list(&table).unwrap();
    assert_eq!(listed, all);
    assert_eq!(pf.replace(&table, &listed, false), Ok(Changes::default()));
    fake(|fake| {
        let (entries, _) = fake.tables.values_mut().next().unwrap();
        entries[7].marks[0] = 1; // somebody added !1.2.0.7
    });
    let listed = pf.list(&table).unwrap();
    assert_eq!(listed.len(), all.len());
    assert_eq!(listed[0].prefix(), None);
    assert_eq!(listed[1..8], all[..7]);
    // which is one that is to be put back
    let back = Changes { added: 1, ..Changes::default() };
    assert_eq!(pf.replace(&table, &all, false), Ok(back));
    assert_eq!(pf.list(&table).unwrap(), all);
}

#[test]
fn statistics_are_found_among_the_tables_of_the_anchor() {
    let pf = pf(100);
    for n in 0..200 {
        pf.replace(&table(&format!("other{n}")), &set("1.1.1.1"), true).unwrap();
        pf.replace(&Table::new("", &format!("other{n}"), Kind::Allow).unwrap(), &[], false)
            .unwrap();
    }
    let ours = Table::new("", "ThreatSTOP-Block", Kind::Block).unwrap();
    let elsewhere = Table::new("foo/bar", "ThreatSTOP-Block", Kind::Block).unwrap();
    pf.replace(&ours, &set("1.1.1.1 ::1"), false).unwrap();
    let stats = TableStat {
        present: true,
        entries: 2,
        since: 1_700_000_000,
        rules: 2,
        anchors: 1,
        blocked: [10, 20],
        matched: [1, 2],
        passed: [100, 200],
    };
    assert_eq!(pf.stats(&ours), Ok(stats));
    // an anchor that nobody knows, and then one with another set
    let absent = TableStat::default();
    assert_eq!(pf.stats(&elsewhere), Ok(absent));
    pf.replace(&elsewhere, &set("9.9.9.9"), false).unwrap();
    assert_eq!(pf.stats(&elsewhere).unwrap().entries, 1);
    assert_eq!(pf.stats(&ours).unwrap().entries, 2);
    // known by a rule only: no table of pf yet
    fake(|fake| fake.tables.values_mut().for_each(|(_, flags)| *flags = 0x10));
    assert_eq!(pf.stats(&ours), Ok(absent));
}

#[test]
fn tables_that_always_grow_end_in_an_error() {
    let (pf, table) = (pf(100_000), table("T"));
    pf.replace(&table, &set("1.1.1.1"), false).unwrap();
    fake(|fake| fake.growth = 100);
    assert_eq!(pf.stats(&table).unwrap_err().errno, EAGAIN);
    assert_eq!(pf.list(&table).unwrap_err().errno, EAGAIN);
    // a bounded number of times is enough to keep up with
    fake(|fake| fake.growth = 60);
    assert!(pf.stats(&table).unwrap().present);
    assert!(!pf.list(&table).unwrap().is_empty());
}

#[test]
fn every_refusal_is_told_by_its_number_and_changes_nothing() {
    let (pf, table) = (pf(4), table("T"));
    let two = set("1.1.1.1 2.2.2.2");
    fake(|fake| fake.securelevel = 2);
    let error = pf.replace(&table, &two, false).unwrap_err();
    assert_eq!((error.of, &*error.what), (Of::Creation, "T: DIOCRADDTABLES"));
    assert_eq!(error.errno, Errno::EPERM);
    // a trial says nothing of it
    assert!(pf.replace(&table, &two, true).unwrap().created);
    fake(|fake| fake.securelevel = 1);
    pf.replace(&table, &two, false).unwrap();

    // two of old and three of new together
    let of_set = failed("T", "DIOCRSETADDRS");
    let error = pf.replace(&table, &set("3.3.3.3 4.4.4.4 5.5.5.5"), false).unwrap_err();
    assert_eq!(error, of_set(ENOMEM));
    assert_eq!((error.of, &*error.what), (Of::Pf, "T: DIOCRSETADDRS"));
    let mut odd = two.clone();
    odd[1].net = 24;
    assert_eq!(pf.replace(&table, &odd, false), Err(of_set(Errno::EINVAL)));
    fake(|fake| fake.tables.values_mut().for_each(|(_, flags)| *flags |= 2));
    assert_eq!(pf.replace(&table, &set("3.3.3.3"), false), Err(of_set(Errno::EPERM)));
    assert_eq!(pf.list(&table), Err(of_set(Errno::EPERM)));
    fake(|fake| fake.tables.values_mut().for_each(|(_, flags)| *flags &= !2));
    assert_eq!(texts(&pf.list(&table).unwrap()), "1.1.1.1 2.2.2.2");

    for errno in [Errno::ENOTTY, Errno::ENODEV] {
        fake(|fake| fake.broken = Some(errno));
        for error in [
            pf.replace(&table, &two, true).unwrap_err(),
            pf.stats(&table).unwrap_err(),
            pf.list(&table).unwrap_err(),
        ] {
            assert_eq!((error.of, error.errno), (Of::Pf, errno));
        }
    }
}

#[test]
fn an_empty_set_is_no_flush_by_accident_of_the_pointer() {
    let (pf, table) = (pf(10), table("T"));
    pf.replace(&table, &set("1.1.1.1"), false).unwrap();
    let gone = Changes { deleted: 1, ..Changes::default() };
    assert_eq!(pf.replace(&table, &[], true), Ok(gone));
    assert_eq!(texts(&pf.list(&table).unwrap()), "1.1.1.1");
    assert_eq!(pf.replace(&table, &[], false), Ok(gone));
    assert!(pf.list(&table).unwrap().is_empty());
}

/// After pledge(2) a number that the kernel does not know is the end, without a word.
#[test]
fn a_kernel_of_other_sizes_is_found_at_the_start() {
    let _ = pf(100);
    let (kernel, limit) = Kernel::open("/dev/null").unwrap();
    assert_eq!(limit, 100);
    let asked = FAKE.with_borrow(|fake| fake.calls.clone());
    kernel.running().unwrap();
    kernel.stats(&table("T")).unwrap();
    let all = FAKE.with_borrow(|fake| fake.calls.clone());
    assert!(all.iter().all(|number| asked.contains(number)));
    for number in asked {
        fake(|fake| fake.other = Some(number));
        let error = Kernel::open("/dev/null").err().unwrap().to_string();
        let words = "/dev/pf: this build does not match the kernel's pf; rebuild the port";
        assert_eq!(error, words);
    }
}

#[test]
#[cfg(not(target_os = "openbsd"))]
fn there_is_no_pf_here() {
    let error = Kernel::open("/dev/pf").err().unwrap().to_string();
    assert!(error.starts_with("/dev/pf: "), "{error}");
}
