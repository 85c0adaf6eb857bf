//! The states of the kernel, through /dev/pf. No promise of pledge(2) allows any of this but the
//! opening.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::ptr::NonNull;

#[cfg(not(test))]
use libc as sys;
use nix::errno::Errno::{self, EACCES, EAGAIN, EIO, ENOENT, ENOMEM};
use pf::{NO_PF, PfiocTable, PfrAddr, Table};
#[cfg(test)]
use tests as sys;

use crate::abi::{
    DIOCGETLIMIT, DIOCGETSTATES, DIOCKILLSTATES, DIOCRTSTADDRS, PF_LIMIT_STATES, PfiocStateKill,
    PfiocStates, Request, State,
};
use crate::{Error, MISMATCH, Pf, words};

#[cfg(test)]
mod tests;

/// Rooms that are tried, each twice as large: the states of a busy host come while they are read.
const TRIES: u32 = 8;

/// An open /dev/pf.
#[derive(Debug)]
pub struct Kernel {
    pf: File,
    /// The most states that there may be, as read at `open`.
    pub limit: usize,
}

impl Kernel {
    /// Opens /dev/pf for reading and writing, and reads how many states there may be.
    ///
    /// # Errors
    /// Without the device, for others than root, and with a kernel of another ABI.
    pub fn open() -> Result<Self, Error> {
        let opened = File::options().read(true).write(true).open("/dev/pf");
        let pf = opened.map_err(|error| {
            let errno = Errno::try_from(error).unwrap_or(EIO);
            let what = match errno {
                ENOENT => NO_PF.to_owned(),
                EACCES => "need root privileges".to_owned(),
                errno => format!("/dev/pf: open: {}", errno.desc()),
            };
            Error { errno, what }
        })?;
        let mut kernel = Self { pf, limit: 0 };
        let mut limit = [PF_LIMIT_STATES, 0];
        // SAFETY: two numbers.
        unsafe { kernel.ioctl(&DIOCGETLIMIT, &mut limit) }
            .map_err(|errno| Error { errno, what: format!("/dev/pf: {MISMATCH}") })?;
        kernel.limit = limit[1] as usize;
        Ok(kernel)
    }

    /// # Safety
    /// Where the argument names a buffer, that lives through the call and has the size it says; nobody
    /// else has it where the request makes pf write to it.
    unsafe fn ioctl<T>(&self, request: &Request<T>, argument: &mut T) -> nix::Result<()> {
        // SAFETY: the number tells the kernel the size of T; for the rest the caller vouches.
        let answer = unsafe { sys::ioctl(self.pf.as_raw_fd(), request.0, argument) };
        Errno::result(answer).map(drop)
    }

    fn all(&self) -> nix::Result<Vec<State>> {
        let mut io = PfiocStates::default();
        // SAFETY: without room pf tells how much is needed, and writes nothing.
        unsafe { self.ioctl(&DIOCGETSTATES, &mut io) }?;
        let mut room = io.octets / size_of::<State>() + 64;
        for _ in 0..TRIES {
            let mut all = Vec::new();
            all.try_reserve_exact(room).map_err(|_| ENOMEM)?;
            all.resize(room, State::NONE);
            let buffer = Some(NonNull::from(&mut all[..]).cast());
            let mut io = PfiocStates { octets: room * size_of::<State>(), buffer };
            // SAFETY: the buffer is `all`, which is borrowed for nobody else.
            unsafe { self.ioctl(&DIOCGETSTATES, &mut io) }?;
            let found = io.octets / size_of::<State>();
            // a room that is full is no error of pf's, and may not have been enough
            if found < room {
                all.truncate(found);
                return Ok(all);
            }
            room *= 2;
        }
        Err(EAGAIN)
    }
}

impl Pf for Kernel {
    fn states(&self) -> Result<Vec<State>, Error> {
        self.all().map_err(|errno| {
            let what = match errno {
                ENOMEM => "not enough memory for all states of pf: if limit states was raised in \
                           pf.conf, rcctl reload threatstopd; else see datasize in login.conf(5)"
                    .to_owned(),
                EAGAIN => "pf has more states each time they are read; try again".to_owned(),
                errno => format!("/dev/pf: DIOCGETSTATES: {}", words(errno)),
            };
            Error { errno, what }
        })
    }

    fn test(&self, table: &Table, addrs: &mut [PfrAddr]) -> nix::Result<()> {
        let mut io = PfiocTable::new(table.pfr, NonNull::from(addrs), 0)?;
        // SAFETY: the buffer is `addrs`, which is borrowed for nobody else; pf writes its marks there.
        unsafe { self.ioctl(&DIOCRTSTADDRS, &mut io) }
    }

    fn kill(&self, request: &mut PfiocStateKill) -> nix::Result<u32> {
        // SAFETY: numbers.
        unsafe { self.ioctl(&DIOCKILLSTATES, request) }?;
        Ok(request.killed)
    }
}
