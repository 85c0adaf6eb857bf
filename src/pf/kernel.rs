//! The tables of the kernel, through /dev/pf.
//!
//! After `open`, only requests that pledge(2) "pf" allows. DIOCRSETADDRS replaces a set under pf's
//! locks: packets see the old one or the new one, and an error leaves the old one.

use std::{fs::File, os::fd::AsRawFd, ptr::NonNull};

#[cfg(not(test))]
use libc as sys;
use nix::errno::Errno::{self, EAGAIN, ENOENT, ENOMEM, ESRCH};
#[cfg(test)]
use tests as sys;

use crate::error::failed;
use crate::{Backend, Changes, Error, Result, Table, TableStat, abi::*, fault, file::errno};

#[cfg(test)]
mod tests;

/// An open /dev/pf.
#[derive(Debug)]
pub struct Kernel {
    pf: File,
}

impl Kernel {
    /// Opens pf's device, /dev/pf, and reads how many entries all tables together may have: to be called
    /// before pledge(2), which has no promise for that. What is asked after it is asked once here: the
    /// number of a request has the size of its argument, and one that is not the kernel's is the end then.
    pub fn open(device: &str) -> Result<(Box<dyn Backend>, u32)> {
        let pf = File::options().read(true).write(true).open(device).map_err(errno);
        let kernel = Self { pf: pf.map_err(failed(device, "open"))? };
        let mut limit = [PF_LIMIT_TABLE_ENTRIES, 0];
        let mismatch = "/dev/pf: this build does not match the kernel's pf; rebuild the port";
        // SAFETY: two numbers.
        unsafe { kernel.ioctl(&DIOCGETLIMIT, &mut limit) }
            .and_then(|()| kernel.running().map_err(|error| error.errno))
            .and_then(|_| kernel.array::<PfrTstats>(&DIOCRGETTSTATS, PfrTable::default(), 0))
            .map_err(|errno| Error::words(errno, mismatch))?;
        Ok((Box::new(kernel), limit[1]))
    }

    /// # Safety
    /// Where the argument names a buffer, that lives through the call and has the size it says; nobody
    /// else has it where the request makes pf write to it.
    unsafe fn ioctl<T>(&self, request: &Request<T>, argument: &mut T) -> nix::Result<()> {
        // SAFETY: the number tells the kernel the size of T; for the rest the caller vouches.
        let answer = unsafe { sys::ioctl(self.pf.as_raw_fd(), request.0, argument) };
        Errno::result(answer).map(drop)
    }

    /// Asks for an array. Where the room is too small pf tells how much is needed, and no more.
    fn array<T: Default>(&self, call: &Request, of: PfrTable, flags: u32) -> nix::Result<Vec<T>> {
        let mut room = 64;
        // each round that fails, somebody has added to the tables meanwhile
        for _ in 0..8 {
            let mut all = Vec::new();
            all.try_reserve_exact(room).map_err(|_| ENOMEM)?;
            all.resize_with(room, T::default);
            let mut io = PfiocTable::new(of, NonNull::from(&mut all[..]), flags)?;
            if flags & PFR_FLAG_FEEDBACK != 0 {
                (io.size, io.size2) = (0, io.size); // no input, but room for output
            }
            // SAFETY: the buffer is `all`, which is borrowed for nobody else.
            unsafe { self.ioctl(call, &mut io) }?;
            let found = io.size.max(io.changes[1]) as usize;
            let needed = found.max(io.size2 as usize);
            if needed <= room {
                all.truncate(found);
                return Ok(all);
            }
            room = needed + 64;
        }
        Err(EAGAIN)
    }
}

impl Backend for Kernel {
    fn replace(&self, table: &Table, set: &[PfrAddr], dummy: bool) -> Result<Changes> {
        let flags = if dummy { PFR_FLAG_DUMMY } else { 0 };
        let replace = || {
            fault::at(if dummy { "trial" } else { "replace" }, &table.name)?;
            let mut io = PfiocTable::new(table.pfr, NonNull::from(set), flags)?;
            // SAFETY: without PFR_FLAG_FEEDBACK pf only reads the set.
            unsafe { self.ioctl(&DIOCRSETADDRS, &mut io) }?;
            let [added, deleted, changed] = io.changes;
            Ok(Changes { added: added + changed, deleted, ..Changes::default() })
        };
        let mut result = replace();
        if result == Err(ESRCH) {
            // without persist, a table that no rule uses would be gone at once
            let mut pfr = [PfrTable { flags: PFR_TFLAG_PERSIST, ..table.pfr }];
            PfiocTable::new(PfrTable::default(), NonNull::from(&mut pfr[..]), flags)
                // SAFETY: the buffer is `pfr`.
                .and_then(|mut io| unsafe { self.ioctl(&DIOCRADDTABLES, &mut io) })
                .map_err(failed(&table.name, "DIOCRADDTABLES"))?;
            let created = Changes { created: true, added: set.len() as u32, ..Changes::default() };
            result = if dummy { Ok(created) } else { replace().map(|_| created) };
        }
        result.map_err(failed(&table.name, "DIOCRSETADDRS"))
    }

    fn running(&self) -> Result<bool> {
        let mut status = [0; 130];
        // SAFETY: numbers.
        let done = unsafe { self.ioctl(&DIOCGETSTATUS, &mut status) };
        done.map_err(failed("/dev/pf", "DIOCGETSTATUS"))?;
        Ok(status[PF_STATUS_RUNNING] != 0)
    }

    fn stats(&self, table: &Table) -> Result<TableStat> {
        // pf ignores the name and answers for all tables of the anchor
        let all: Vec<PfrTstats> = match self.array(&DIOCRGETTSTATS, table.pfr, 0) {
            Err(ENOENT) => vec![], // no such anchor
            other => other.map_err(failed(&table.name, "DIOCRGETTSTATS"))?,
        };
        let mut active = all.iter().filter(|t| t.table.flags & PFR_TFLAG_ACTIVE != 0);
        let found = active.find(|t| t.table.name == table.pfr.name);
        Ok(found.map_or(TableStat::default(), |t| TableStat {
            present: true,
            entries: t.cnt,
            rules: t.refcnt[0],
            anchors: t.refcnt[1],
            since: t.tzero.max(0).cast_unsigned(),
            blocked: t.packets.map(|n| n[0]),
            matched: t.packets.map(|n| n[1]),
            passed: t.packets.map(|n| n[2]),
        }))
    }

    fn list(&self, table: &Table) -> Result<Vec<PfrAddr>> {
        // What a replacement by nothing would delete: pledge(2) forbids DIOCRGETADDRS.
        let listed = self.array(&DIOCRSETADDRS, table.pfr, PFR_FLAG_DUMMY | PFR_FLAG_FEEDBACK);
        let mut all: Vec<PfrAddr> = listed.map_err(failed(&table.name, "DIOCRSETADDRS"))?;
        all.iter_mut().for_each(|addr| addr.marks[1] = 0);
        all.sort_unstable_by_key(PfrAddr::prefix);
        Ok(all)
    }
}
