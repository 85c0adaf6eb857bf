//! A child as the monitor sees it: what is told to it, that something comes from it, and how it ends.

use std::collections::VecDeque;
use std::ffi::{CString, OsStr};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::time::{Duration, Instant};

use imsg::End;
use imsg::process::{self, Inherited};
use imsg::signals::{self, PollFd};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, pipe2, read, write};

use crate::Failure;

/// How long a child may say nothing.
const SILENCE: Duration = Duration::from_secs(60);
/// The most of a turn that counts as silence: a host that slept has kept its children from speaking.
const TURN: Duration = Duration::from_secs(10);

/// What a child keeps of the environment.
#[cfg(not(feature = "fault-points"))]
const KEPT: [&str; 1] = ["TZ"];
#[cfg(feature = "fault-points")]
const KEPT: [&str; 2] = ["TZ", "THREATSTOPD_FAULT"];

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

/// Helper or engine.
pub struct Child {
    /// Its name in the log.
    pub name: &'static str,
    /// Its process, which is nobody else's as long as it was not waited for.
    pub pid: Pid,
    /// When it was started.
    pub started: Instant,
    /// It has said that it is ready.
    pub ready: bool,
    /// How it ended.
    pub ended: Option<Ended>,
    /// Signals of ours end it.
    condemned: bool,
    killed: bool,
    mute: bool,
    quiet: Duration,
    told: OwnedFd,
    waiting: VecDeque<u8>,
    alive: OwnedFd,
}

/// The descriptors that helper and engine share.
pub struct Shared<'a> {
    /// Its end of the way to the other one.
    pub peer: BorrowedFd<'a>,
    /// Where it leaves why it ended.
    pub words: BorrowedFd<'a>,
    /// What the two before left there.
    pub before: BorrowedFd<'a>,
}

impl Child {
    /// Starts a program with these arguments, which will be told `text`.
    ///
    /// # Errors
    /// When there is no process or no descriptor left.
    pub fn start(
        name: &'static str,
        program: &CString,
        arguments: &[CString],
        shared: &Shared<'_>,
        text: &str,
    ) -> Result<Self, Failure> {
        let failed = |errno: Errno| format!("{name}: cannot be started: {}", errno.desc());
        let flags = OFlag::O_CLOEXEC | OFlag::O_NONBLOCK;
        let (told_there, told) = pipe2(flags).map_err(failed)?;
        let (alive, alive_there) = pipe2(flags).map_err(failed)?;
        let environment =
            std::env::vars_os().filter(|(name, _)| KEPT.iter().any(|kept| name == kept));
        let environment = environment.map(|(name, value)| [name, value].join(OsStr::new("=")));
        let environment = environment.map(|line| CString::new(line.into_vec()));
        let environment = environment.collect::<Result<Vec<_>, _>>()?;
        let give = Inherited {
            peer: shared.peer,
            told: told_there.as_fd(),
            alive: alive_there.as_fd(),
            words: shared.words,
            before: shared.before,
        };
        let pid = process::spawn(program, arguments, &environment, &give, |errno| {
            logger::crit(format_args!("{}: {}", program.to_string_lossy(), errno.desc()));
        });
        let mut child = Self {
            name,
            pid: pid.map_err(failed)?,
            started: Instant::now(),
            ready: false,
            ended: None,
            condemned: false,
            killed: false,
            mute: false,
            quiet: Duration::ZERO,
            told,
            waiting: VecDeque::new(),
            alive,
        };
        child.tell(text);
        Ok(child)
    }

    /// Tells it a text, as far as it takes it now; the rest follows turn by turn.
    pub fn tell(&mut self, text: &str) {
        self.waiting.extend(text.bytes().chain([0]));
        self.write();
    }

    /// What to wait for: room for what it is told, and as long as it is not ready, that it is. What
    /// comes later is looked at in passing, so that nobody keeps us busy with it.
    pub fn watch(&self) -> [PollFd; 2] {
        let mut fds = [
            signals::watch(&self.told, false, !self.waiting.is_empty()),
            signals::watch(&self.alive, true, false),
        ];
        // poll(2) leaves negative ones alone
        if self.waiting.is_empty() || self.ended.is_some() {
            fds[0].fd = -1;
        }
        if self.ready || self.mute || self.ended.is_some() {
            fds[1].fd = -1;
        }
        fds
    }

    /// What a turn of this length has brought: the end, something from it, room for what it is told.
    pub fn turn(&mut self, length: Duration) {
        if self.ended.is_none() {
            self.quiet += length.min(TURN);
            self.hear();
            self.write();
            self.reap();
        }
    }

    /// Whether it has said nothing for too long.
    pub fn is_silent(&self) -> bool {
        self.quiet >= SILENCE
    }

    /// Sends a signal, as long as there is a process that can only be this one.
    pub fn signal(&mut self, signal: Signal) {
        if self.ended.is_none() {
            self.condemned |= signal != Signal::SIGUSR1;
            let _ = kill(self.pid, signal);
        }
    }

    /// Kills it, which is told once, with the reason.
    pub fn kill(&mut self, why: &str) {
        if self.ended.is_none() && !std::mem::replace(&mut self.killed, true) {
            logger::warn(format_args!("{} {why}; killed", self.name));
            self.signal(Signal::SIGKILL);
        }
    }

    /// Reads what came away: that something came is all it means.
    fn hear(&mut self) {
        let mut octets = [0; 512];
        match read(&self.alive, &mut octets) {
            // it has closed that: there is nothing to wait for
            Ok(0) => self.mute = true,
            Ok(_) => (self.ready, self.quiet) = (true, Duration::ZERO),
            Err(_) => {}
        }
    }

    fn write(&mut self) {
        while !self.waiting.is_empty() {
            match write(&self.told, self.waiting.as_slices().0) {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(Errno::EAGAIN) => return,
                // it has ended, or will be silent
                Err(_) => self.waiting.clear(),
            }
        }
    }

    /// Looks whether it has ended, and logs an end that it cannot have logged itself.
    fn reap(&mut self) {
        let name = self.name;
        let ended = match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, status)) => Ended::Exited(End::of(status)),
            Ok(WaitStatus::Signaled(..)) if self.condemned => Ended::ByUs,
            Ok(WaitStatus::Signaled(_, signal, _)) => {
                logger::err(format_args!("{name} terminated; signal {}", signal as i32));
                Ended::Killed
            }
            // EINTR cannot occur with WNOHANG; ECHILD says that it is gone
            Err(Errno::ECHILD) => Ended::ByUs,
            _ => return,
        };
        self.ended = Some(ended);
    }
}

#[cfg(test)]
mod tests;
