//! Waits for the helper to say that there is something to look for, and looks.

use std::cell::Cell;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use imsg::{End, signals};
use nix::errno::Errno::{EAGAIN, EPERM};
use nix::unistd::{read, write};
use pf::{PfrAddr, Table};
use states::{Blocked, Error, Pf, PfiocStateKill, Report, State, flush};

use crate::pace::Pace;

/// How often the monitor hears that we live.
const ALIVE: Duration = Duration::from_secs(15);

/// A pf that has the monitor hear of us between any two requests: a pass may take long.
struct Living<'a> {
    pf: &'a dyn Pf,
    alive: &'a OwnedFd,
    next: Cell<Instant>,
}

impl Living<'_> {
    fn tell(&self) {
        if Instant::now() >= self.next.get() {
            // full when the monitor sleeps, and gone with it
            let _ = write(self.alive, b"a");
            self.next.set(Instant::now() + ALIVE);
        }
    }
}

impl Pf for Living<'_> {
    fn states(&self) -> Result<Vec<State>, Error> {
        self.tell();
        self.pf.states()
    }

    fn test(&self, table: &Table, addrs: &mut [PfrAddr]) -> nix::Result<()> {
        self.tell();
        self.pf.test(table, addrs)
    }

    fn kill(&self, request: &mut PfiocStateKill) -> nix::Result<u32> {
        self.tell();
        self.pf.kill(request)
    }
}

/// Serves until the helper is gone.
///
/// # Errors
/// Those of ppoll(2), which cannot occur.
pub fn serve(
    pf: &dyn Pf,
    tables: &[Blocked],
    nudges: &OwnedFd,
    alive: &OwnedFd,
) -> Result<End, String> {
    let living = Living { pf, alive, next: Cell::new(Instant::now()) };
    let (mut pace, mut told) = (Pace::default(), None);
    living.tell();
    logger::settle();
    loop {
        let left = pace.due().map(|due| due.saturating_duration_since(Instant::now()));
        // what comes while a pass is due says nothing new: it keeps nobody busy
        let mut fds = [signals::watch(nudges, left.is_none(), false)];
        let timeout = left.unwrap_or(ALIVE).min(ALIVE);
        signals::wait(&mut fds, Some(timeout)).map_err(|error| error.to_string())?;
        living.tell();
        if signals::stop().is_some() {
            return Ok(End::Left);
        }
        if fds[0].revents != 0 {
            match read(nudges, &mut [0; 512]) {
                Ok(1..) => pace.ask(Instant::now()),
                Err(EAGAIN) => {}
                Ok(0) | Err(_) => return Ok(End::Left),
            }
        }
        if pace.due().is_some_and(|due| due <= Instant::now()) {
            // whatever was said before the pass is served by it
            while read(nudges, &mut [0; 512]).is_ok_and(|count| count > 0) {}
            let begun = Instant::now();
            let forbidden = pass(&living, tables, &mut told);
            pace.passed(begun, Instant::now());
            if forbidden {
                return idle(nudges, &living);
            }
        }
    }
}

/// One pass, and what the log has of it: an error once, until another one comes or none. Whether pf
/// lets nobody end states.
fn pass(pf: &dyn Pf, tables: &[Blocked], told: &mut Option<Error>) -> bool {
    match flush(pf, tables, false, |_| {}) {
        Ok(Report { states, ended, left, .. }) => {
            *told = None;
            if ended > 0 {
                logger::info(format_args!("ended {ended} of {states} states: an end is blocked"));
            }
            if left > 0 {
                logger::warn(format_args!(
                    "{left} states to or from what is blocked are left, which pf cannot find by a \
                     number: threatstopctl flush -n, and pfctl -k"
                ));
            }
            false
        }
        Err(error) => {
            let forbidden = error.errno == EPERM;
            if told.as_ref() != Some(&error) {
                logger::err(format_args!("states of what is blocked stay: {error}"));
                *told = Some(error);
            }
            forbidden
        }
    }
}

/// Waits for the end: securelevel(7) does not sink.
fn idle(nudges: &OwnedFd, living: &Living<'_>) -> Result<End, String> {
    loop {
        let mut fds = [signals::watch(nudges, true, false)];
        signals::wait(&mut fds, Some(ALIVE)).map_err(|error| error.to_string())?;
        living.tell();
        let ended =
            fds[0].revents != 0 && !matches!(read(nudges, &mut [0; 512]), Ok(1..) | Err(EAGAIN));
        if ended || signals::stop().is_some() {
            return Ok(End::Left);
        }
    }
}

#[cfg(test)]
mod tests;
