//! The monitor: starts helper and engine, and with tables.kill_states what ends states; tells them the
//! configuration, and starts all anew when helper or engine goes, when the configuration is read again,
//! or when one asks for it. It listens to nobody: of its children it knows that something came, and how
//! they ended.
//!
//! First start, reload and crash are one way: a rest, both up, both leaving, a rest.
//!
//! * In: the command line, the file of the configuration, signals, and the ends of its children.
//! * Out: helper and engine, and where wanted what ends states, started anew as often as has to
//!   be.
//! * Never: read what a child says, leave one behind, or serve beside another service.

mod begin;
mod child;
mod pace;

use std::ffi::OsString;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use config::Config;
use imsg::{End, VERSION, signals};
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};

use crate::failure::{Failure, On as _};
use crate::flags::{Flags, HELPER};
use begin::Service;
use child::{Child, Ended};
use pace::Pace;

/// What the log says of the first start.
const STARTED: &str = concat!("threatstopd ", env!("CARGO_PKG_VERSION"), " started");
/// A turn of the loop is no longer.
const TURN: Duration = Duration::from_secs(5);
/// How long the children may take to leave before they are killed.
const GRACE: Duration = Duration::from_millis(2500);
/// How long the children are waited for at all: one that the kernel does not let die must hold up
/// neither a stop, for which there are five seconds, nor a restart.
const GIVE_UP: Duration = Duration::from_secs(4);

/// Helper and engine: where one of these is gone, both are started anew.
const PAIR: usize = 2;

struct Monitor {
    service: Service,
    /// The text of the configuration in use.
    text: String,
    /// The last text that has borne a start, to go back to; `None` until the first start is over.
    proven: Option<String>,
    /// What the engine is told of a file that is not in use: `F` and why it does not load, or `B` when
    /// nothing could be started with it, the reason of which those have left who tried.
    note: Option<String>,
    /// Helper and engine, or neither; behind them what ends states, if it is wanted.
    children: Vec<Child>,
    /// Where they leave why they end.
    words: OwnedFd,
    /// Those that were killed and do not die.
    undead: Vec<Child>,
    /// Why the children are started, for the log.
    cause: String,
    pace: Pace,
    started: Instant,
    restarts: u32,
    /// How often what ends states has ended by itself.
    lost: u32,
}

/// The service, from the start to the stop; gives the exit status.
///
/// # Errors
/// When there can be none, with what, why and the way out.
pub fn main(flags: Flags) -> Result<ExitCode, Failure> {
    let (service, text) = begin::begin(flags)?;
    let monitor = Monitor {
        service,
        text,
        proven: None,
        note: None,
        children: Vec::new(),
        words: pair()?.0,
        undead: Vec::new(),
        cause: STARTED.to_owned(),
        pace: Pace::default(),
        started: Instant::now(),
        restarts: 0,
        lost: 0,
    };
    monitor.run()
}

impl Monitor {
    fn run(mut self) -> Result<ExitCode, Failure> {
        let mut next = Some(Duration::ZERO);
        while let Some(rest) = next {
            let since = Instant::now();
            while since.elapsed() < rest && signals::stop().is_none() && !self.reloads() {
                self.turn(rest.saturating_sub(since.elapsed()))?;
            }
            if signals::stop().is_some() {
                logger::info("terminating");
                return Ok(ExitCode::SUCCESS);
            }
            let since = Instant::now();
            let watched = self.start().and_then(|()| self.watch());
            self.part()?;
            next = match watched {
                _ if signals::stop().is_some() => Some(Duration::ZERO),
                Err(why) if self.proven.is_none() => return Err(why),
                // which says nothing of the configuration
                Err(why) => self.again(&why.to_string(), Duration::ZERO, false),
                Ok((reloads, gone)) => self.decide(gone, since.elapsed(), reloads),
            };
            for child in self.children.drain(..).filter(|child| child.ended.is_none()) {
                let Child { name, pid, .. } = &child;
                logger::warn(format_args!("{name} {pid} does not die; left behind"));
                self.undead.push(child);
            }
        }
        Ok(ExitCode::FAILURE)
    }

    /// Waits for whatever comes next, at most so long.
    fn turn(&mut self, most: Duration) -> Result<(), Failure> {
        let begun = Instant::now();
        let mut fds: Vec<_> = self.children.iter().flat_map(Child::watch).collect();
        signals::wait(&mut fds, Some(most.min(TURN)))?;
        let all = self.children.iter_mut().chain(&mut self.undead);
        all.for_each(|child| child.turn(begun.elapsed()));
        self.undead.retain(|child| child.ended.is_none());
        Ok(())
    }

    /// Starts them.
    ///
    /// # Errors
    /// When the system has no process or no descriptor left.
    fn start(&mut self) -> Result<(), Failure> {
        let (one, other) = pair()?;
        // no pipe: both write there, and either could have the other one wait for room
        let (left, words) = pair()?;
        let before = std::mem::replace(&mut self.words, left);
        let (nudge, nudged) = pair()?;
        let kills = Config::parse(&self.text, &self.service.flags.config)?.tables.kill_states;

        let Service { flags, programs, environment, .. } = &self.service;
        let figures = [u64::from(VERSION), self.started.elapsed().as_secs(), self.restarts.into()];
        let switches = [(flags.debug, "-d"), (flags.verbose, "-v")];
        let switches = switches.iter().filter(|it| it.0).map(|it| it.1.into());
        let paths =
            ["-f".into(), flags.config.clone().into(), "-s".into(), flags.socket.clone().into()];
        let figures = figures.iter().map(|figure| figure.to_string().into());
        let common: Vec<OsString> = figures.chain(switches).chain(paths).collect();
        let all = [
            (HELPER, one.as_fd(), nudge.as_fd()),
            ("engine", other.as_fd(), before.as_fd()),
            ("states", nudged.as_fd(), before.as_fd()),
        ];
        let wanted = all.into_iter().zip(programs).take(PAIR + usize::from(kills));
        for ((name, peer, before), program) in wanted {
            let ends = [peer, words.as_fd(), before];
            let first = (name == HELPER).then(|| HELPER.into());
            let arguments: Vec<_> = first.into_iter().chain(common.iter().cloned()).collect();
            let child = Child::start(name, program, &arguments, environment, ends, &self.text);
            self.children.push(child.on(format_args!("{name}: cannot be started"))?);
        }
        self.tell_engine();
        Ok(())
    }

    fn tell_engine(&mut self) {
        if let (Some(engine), Some(note)) = (self.children.get_mut(1), &self.note) {
            engine.told.tell(note);
        }
    }

    /// Watches both until one has ended, or both are to; whether for a new configuration, and which one it
    /// was.
    fn watch(&mut self) -> Result<(bool, Option<&'static str>), Failure> {
        let mut up = false;
        loop {
            if !up && self.children.iter().take(PAIR).all(|child| child.ready) {
                (up, self.proven) = (true, Some(self.text.clone()));
                let pids = self.children.iter().map(|one| format!(", {} {}", one.name, one.pid));
                logger::info(format_args!("{}{}", self.cause, pids.collect::<String>()));
                self.service.is_ready();
            }
            if up && signals::take(Signal::SIGUSR1) {
                self.children[1].told.tell("U");
            }
            // the first start is waited for: somebody may have to be told how it ended
            let reloads = self.proven.is_some() && self.reloads();
            let ended = self.children.iter().take(PAIR).find(|child| child.ended.is_some());
            if reloads || ended.is_some() || signals::stop().is_some() {
                return Ok((reloads, ended.map(|child| child.name)));
            }
            self.miss();
            self.turn(TURN)?;
        }
    }

    /// Looks whether what ends states has ended: updates go on without it. It leaves when the helper
    /// does, whose end may be seen later.
    fn miss(&mut self) {
        let ended = self.children.get(PAIR).and_then(|states| states.ended);
        if ended.is_some_and(|ended| ended != Ended::Exited(End::Left)) {
            self.children.truncate(PAIR);
            self.lost = self.lost.saturating_add(1);
            let (lost, why) = (self.lost, "states of what becomes blocked do not end any more");
            let way_out = "threatstopctl reload starts it again, threatstopctl flush ends them now";
            logger::err(format_args!("states gone, {lost} so far: {why}; {way_out}"));
        }
    }

    /// Has all end: the helper by the end of what it is told, the others by that of what leads to it. After
    /// it all have ended, or will not.
    fn part(&mut self) -> Result<(), Failure> {
        let since = Instant::now();
        self.children.iter_mut().take(1).for_each(|helper| helper.told.end());
        for end in [GRACE, GIVE_UP] {
            while self.children.iter().any(|child| child.ended.is_none()) && since.elapsed() < end {
                self.turn(end.saturating_sub(since.elapsed()))?;
            }
            self.children.iter_mut().for_each(|child| child.kill("did not leave"));
        }
        Ok(())
    }

    /// How long to rest before they are started again; `None` ends the service.
    fn decide(&mut self, gone: Option<&str>, age: Duration, reloads: bool) -> Option<Duration> {
        let pair = &self.children[..PAIR];
        let has = |ended| pair.iter().any(|child| child.ended == Some(ended));
        let [reload, renew, served] =
            [End::Reload, End::Renew, End::Served].map(|end| has(Ended::Exited(end)));
        let killed = has(Ended::Killed) && !served;
        let name = at_fault(pair).or(gone).unwrap_or(HELPER);
        if self.proven.is_none() {
            // who knew why has said so
            logger::crit(format_args!("{name} ended before it was ready: nothing was started"));
            return None;
        }
        let wanted = reload || renew;
        let rest = if wanted { self.pace.after_request(Instant::now()) } else { Duration::ZERO };
        if reloads || self.reloads() || reload && self.reread() {
            return Some(rest);
        }
        if wanted {
            self.cause = "started anew".to_owned();
            return Some(rest);
        }
        if let Some(proven) = self.proven.clone().filter(|proven| *proven != self.text) {
            let why = "nothing could be started with the new configuration";
            logger::err(format_args!("{why}; going on with the previous configuration"));
            (self.text, self.note) = (proven, Some("B".into()));
            self.cause = "previous configuration in use".to_owned();
            return Some(rest);
        }
        let what = format!("{name} gone");
        self.cause = format!("{name} restarted");
        self.restarts = self.restarts.saturating_add(1);
        self.again(&what, age, killed)
    }

    /// Says that they are started again, and how long to rest before; `None` ends the service.
    fn again(&mut self, what: &str, age: Duration, killed: bool) -> Option<Duration> {
        let Some(pause) = self.pace.after(age, killed) else {
            logger::crit(
                "signals have ended helper or engine five times in a row: threatstopd ends, the \
                 tables stay; find out what it was, then start threatstopd",
            );
            return None;
        };
        let seconds = pause.as_secs();
        logger::err(format_args!("{what}; starting again in {seconds} s, the tables stay"));
        Some(pause)
    }

    /// Whether somebody has asked for the configuration to be read again, and it is another start's now.
    fn reloads(&mut self) -> bool {
        signals::take(Signal::SIGHUP) && self.reread()
    }

    /// Reads the configuration again, for a start. A bad file is told, and changes nothing else.
    fn reread(&mut self) -> bool {
        let (why, lines) = match config::read(&self.service.flags.config) {
            Ok((config, text)) if config.tables.directory == self.service.directory => {
                (self.text, self.note, self.cause) = (text, None, "reloaded".to_owned());
                self.pace.forget();
                return true;
            }
            // its lock takes rights that are gone
            Ok(_) => {
                ("tables.directory: another one takes a restart of threatstopd".into(), vec![])
            }
            Err(error) => (error.to_string(), error.lines()),
        };
        let stays = "the running configuration stays";
        logger::err(format_args!("configuration reload failed: {why}; {stays}"));
        lines.iter().skip(1).for_each(logger::err);
        self.note = Some(format!("F{why}"));
        self.tell_engine();
        false
    }
}

/// Whose end was the reason of the other's: either leaves when the other is gone, and may be seen first.
fn at_fault(children: &[Child]) -> Option<&'static str> {
    let of = |ended| children.iter().find(move |child| child.ended == Some(ended));
    let accused = || {
        let accuser = of(Ended::Exited(End::Peer))?;
        children.iter().find(|child| child.name != accuser.name)
    };
    // it had closed its socket, and did not leave
    let stayed = || children.iter().find(|child| matches!(child.ended, None | Some(Ended::ByUs)));
    let found = of(Ended::Killed).or_else(|| of(Ended::Exited(End::Fault))).or_else(accused);
    found.or_else(stayed).map(|child| child.name)
}

/// The two ends of a way between processes.
fn pair() -> Result<(OwnedFd, OwnedFd), Failure> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    socketpair(AddressFamily::Unix, SockType::Stream, None, flags).on("socketpair")
}
