//! A child as the monitor sees it: what is told to it, that something comes from it, and how it ends.

use std::ffi::OsString;
use std::mem::replace;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use imsg::End;
use imsg::process::{self, Inherited};
use imsg::signals::{self, PollFd};
use imsg::told::Teller;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2, read};

/// How long a child may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// The most of a turn that counts as silence: a host that slept has kept its children from speaking.
const TURN: Duration = Duration::from_secs(10);

/// How a child has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// By itself, with what its exit status says.
    Exited(End),
    /// By a signal that was not ours.
    Killed,
    /// By a signal of ours, or it does not end at all.
    ByUs,
}

/// A child: helper, engine, or what ends states.
pub struct Child {
    /// Its name in the log.
    pub name: &'static str,
    /// Its process, which is nobody else's as long as it was not waited for.
    pub pid: Pid,
    /// It has said that it is ready.
    pub ready: bool,
    /// How it ended.
    pub ended: Option<Ended>,
    /// It was sent SIGKILL.
    killed: bool,
    quiet: Duration,
    /// What it is told: the text of the configuration, and then notes.
    pub told: Teller,
    /// `None` once it has closed that: there is nothing to wait for.
    alive: Option<OwnedFd>,
}

impl Child {
    /// Starts a program with these arguments and environment, which will be told `text`. It gets its end
    /// of the way to the other child, where it leaves why it ended, and what those before left there.
    ///
    /// # Errors
    /// When there is no process or no descriptor left.
    pub fn start(
        name: &'static str,
        program: &Path,
        arguments: &[OsString],
        environment: &[OsString],
        [peer, words, before]: [BorrowedFd<'_>; 3],
        text: &str,
    ) -> nix::Result<Self> {
        let flags = OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let (told_there, told) = pipe2(flags)?;
        let (alive, alive_there) = pipe2(flags)?;
        let (told_there, alive_there) = (told_there.as_fd(), alive_there.as_fd());
        let give = Inherited { peer, told: told_there, alive: alive_there, words, before };
        let pid = process::spawn(program, arguments, environment, &give, |errno| {
            logger::crit(format_args!("{}: {}", program.display(), errno.desc()));
        })?;
        let mut child = Self {
            name,
            pid,
            ready: false,
            ended: None,
            killed: false,
            quiet: Duration::ZERO,
            told: Teller::new(told),
            alive: Some(alive),
        };
        child.told.tell(text);
        Ok(child)
    }

    /// What to wait for: room for what it is told, and as long as it is not ready, that it is. What
    /// comes later is looked at in passing, so that nobody keeps us busy with it.
    pub fn watch(&self) -> impl Iterator<Item = PollFd> {
        let alive = self.alive.as_ref().filter(|_| !self.ready);
        let alive = alive.map(|alive| signals::watch(alive, true, false));
        let lives = self.ended.is_none();
        self.told.watch().into_iter().chain(alive).filter(move |_| lives)
    }

    /// What a turn of this length has brought: the end, something from it, room for what it is told. Who
    /// has said nothing for too long is killed.
    pub fn turn(&mut self, length: Duration) {
        if self.ended.is_none() {
            self.quiet += length.min(TURN);
            self.hear();
            self.told.flush();
            self.reap();
        }
        if self.quiet >= SILENCE {
            self.kill("has said nothing for a minute");
        }
    }

    /// Kills it, as long as there is a process that can only be this one, and tells that once.
    pub fn kill(&mut self, why: &str) {
        if self.ended.is_none() && !replace(&mut self.killed, true) {
            logger::warn(format_args!("{} {why}; killed", self.name));
            let _ = kill(self.pid, Signal::SIGKILL);
        }
    }

    /// Reads what came away: that something came is all it means.
    fn hear(&mut self) {
        let mut octets = [0; 512];
        match self.alive.as_ref().map(|alive| read(alive, &mut octets)) {
            Some(Ok(0)) => self.alive = None,
            Some(Ok(_)) => (self.ready, self.quiet) = (true, Duration::ZERO),
            _ => {}
        }
    }

    /// Looks whether it has ended, and logs an end that it cannot have logged itself.
    fn reap(&mut self) {
        let name = self.name;
        self.ended = Some(match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, status)) => {
                Ended::Exited(End::of(status).unwrap_or_else(|| {
                    logger::err(format_args!(
                        "{name} ended with status {status}, which is none of ours"
                    ));
                    End::Fault
                }))
            }
            Ok(WaitStatus::Signaled(..)) if self.killed => Ended::ByUs,
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                logger::err(format_args!("{name} terminated; signal {}", signal as i32));
                Ended::Killed
            }
            // EINTR cannot occur with WNOHANG; ECHILD says that it is gone
            Err(Errno::ECHILD) => Ended::ByUs,
            _ => return,
        });
    }
}

#[cfg(test)]
mod tests;
