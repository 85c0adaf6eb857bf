//! The monitor: starts helper and engine, tells them the configuration, and starts both anew when one
//! of them goes, when the configuration is read again, or when one asks for it. It listens to nobody:
//! of its children it knows that something came, and how they ended.
//!
//! First start, reload and crash are one way: both up, both leaving, a rest, both up.

mod begin;
mod child;
mod pace;

use std::ffi::{CString, OsString};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use imsg::{End, VERSION, signals};
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socketpair};
use sandbox::Sandbox;

use crate::{Failure, Flags, HELPER};
use begin::{Role, Service};
use child::{Child, Ended, Shared};
use pace::{Fault, Pace, YOUNG};

/// What the log says of a start, ...
const STARTED: &str = concat!("threatstopd ", env!("CARGO_PKG_VERSION"), " started");
/// ... and of a reload.
const RELOADED: &str = "reloaded";
/// A turn of the loop is no longer.
const TURN: Duration = Duration::from_secs(5);
/// How long the children may take to leave before they are killed, ...
const GRACE: Duration = Duration::from_millis(2500);
/// ... and how long they are waited for at all: one that the kernel does not let die must hold up
/// neither a stop, for which there are five seconds, nor a restart.
const GIVE_UP: Duration = Duration::from_secs(4);

/// Where the life of the children is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Both were started.
    Up,
    /// Both are to end, since then.
    Leaving(Instant),
    /// Neither is there, until then.
    Resting(Instant),
}

struct Monitor {
    service: Service,
    /// The text of the configuration in use.
    text: String,
    /// Whether that has borne a start, ...
    bears: bool,
    /// ... and the text before, to go back to as long as it has not.
    previous: Option<String>,
    /// What the engine is told of a file that is not in use: `F` and why it does not load, or `B` when
    /// nothing could be started with it, the reason of which those have left who tried.
    note: Option<String>,
    /// Helper and engine, or neither.
    children: Vec<Child>,
    /// Where they leave why they end.
    words: Option<OwnedFd>,
    /// Those that were killed and do not die.
    undead: Vec<Child>,
    phase: Phase,
    /// Why the children were started last, for the log; `None` the first time.
    cause: Option<String>,
    /// Whether the children of now have said that they are ready.
    up: bool,
    /// Whose end was seen first.
    gone: Option<&'static str>,
    pace: Pace,
    started: Instant,
    restarts: u32,
    stop: bool,
    reload: bool,
    update: bool,
}

/// The service, from the start to the stop; gives the exit status.
///
/// # Errors
/// When there can be none, with what, why and the way out.
pub fn main(flags: Flags) -> Result<ExitCode, Failure> {
    let service = match begin::begin(flags)? {
        Role::First(code) => return Ok(code),
        Role::Monitor(service) => *service,
    };
    let now = Instant::now();
    let mut monitor = Monitor {
        text: service.text.clone(),
        service,
        bears: false,
        previous: None,
        note: None,
        children: Vec::new(),
        words: None,
        undead: Vec::new(),
        phase: Phase::Resting(now),
        cause: None,
        up: false,
        gone: None,
        pace: Pace::default(),
        started: now,
        restarts: 0,
        stop: false,
        reload: false,
        update: false,
    };
    monitor.run()
}

impl Monitor {
    fn run(&mut self) -> Result<ExitCode, Failure> {
        let mut turn = Instant::now();
        loop {
            if let Some(code) = self.step()? {
                return Ok(code);
            }
            self.wait()?;
            let length = turn.elapsed();
            turn = Instant::now();
            self.children.iter_mut().chain(&mut self.undead).for_each(|child| child.turn(length));
            self.undead.retain(|child| child.ended.is_none());
        }
    }

    /// Waits for whatever comes next, and notes what signals ask for.
    fn wait(&mut self) -> Result<(), Failure> {
        let left = match self.phase {
            Phase::Up => TURN,
            Phase::Leaving(since) if since.elapsed() < GRACE => GRACE - since.elapsed(),
            Phase::Leaving(since) => GIVE_UP.saturating_sub(since.elapsed()),
            Phase::Resting(until) => until.saturating_duration_since(Instant::now()),
        };
        let mut fds: Vec<_> = self.children.iter().flat_map(Child::watch).collect();
        let caught = signals::wait(&mut fds, Some(left.min(TURN)))?;
        self.stop |= caught.stop().is_some();
        self.update |= caught.has(Signal::SIGUSR1);
        if caught.has(Signal::SIGHUP) {
            self.reread();
        }
        Ok(())
    }

    /// Does what is due; gives the exit status at the end.
    fn step(&mut self) -> Result<Option<ExitCode>, Failure> {
        match self.phase {
            Phase::Up => {
                self.look();
                let ended = self.children.iter().find(|child| child.ended.is_some());
                self.gone = ended.map(|child| child.name);
                if self.stop || self.reload || self.gone.is_some() {
                    self.leave();
                }
            }
            Phase::Leaving(since) => {
                let all_ended = self.children.iter().all(|child| child.ended.is_some());
                if all_ended || since.elapsed() >= GIVE_UP {
                    return Ok(self.decide());
                }
                if since.elapsed() >= GRACE {
                    self.children.iter_mut().for_each(|child| child.kill("did not leave"));
                }
            }
            Phase::Resting(_) if self.stop => return Ok(Some(terminate())),
            Phase::Resting(until) if self.reload || Instant::now() >= until => self.start()?,
            Phase::Resting(_) => {}
        }
        Ok(None)
    }

    /// Looks whether both are ready, and whether one hangs.
    fn look(&mut self) {
        if !self.up && self.children.iter().all(|child| child.ready) {
            (self.up, self.bears, self.previous) = (true, true, None);
            self.tell_start();
            self.service.is_ready();
        }
        if self.up && std::mem::take(&mut self.update) {
            self.children[0].signal(Signal::SIGUSR1);
        }
        for child in self.children.iter_mut().filter(|child| child.is_silent()) {
            child.kill("has said nothing for a minute");
        }
    }

    fn tell_start(&self) {
        let pids: String =
            self.children.iter().map(|child| format!(", {} {}", child.name, child.pid)).collect();
        match (&self.cause, self.service.confined) {
            (Some(cause), _) => logger::info(format_args!("{cause}{pids}")),
            (None, Sandbox::Entered) => logger::info(format_args!("{STARTED}{pids}")),
            (None, Sandbox::Unavailable) => {
                logger::info(format_args!("{STARTED}{pids}, without pledge(2) and unveil(2)"));
            }
        }
    }

    /// Starts both.
    ///
    /// # Errors
    /// When that fails and it is the first time.
    fn start(&mut self) -> Result<(), Failure> {
        // a reload while they rested is one, too
        if std::mem::take(&mut self.reload) && self.cause.is_some() {
            self.cause = Some(RELOADED.to_owned());
        }
        (self.up, self.phase) = (false, Phase::Up);
        if let Err(why) = self.try_start() {
            if self.cause.is_none() {
                return Err(why);
            }
            logger::crit(why);
            self.leave();
        }
        Ok(())
    }

    fn try_start(&mut self) -> Result<(), Failure> {
        let failed = |errno: Errno| format!("no way between helper and engine: {}", errno.desc());
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let pair = || socketpair(AddressFamily::Unix, SockType::Stream, None, flags);
        let (one, other) = pair().map_err(failed)?;
        // no pipe: both write there, and either could have the other one wait for room
        let (words_left, words) = pair().map_err(failed)?;
        let (nothing, _) = pair().map_err(failed)?;
        let before = self.words.replace(words_left).unwrap_or(nothing);
        let shared = |peer| Shared { peer, words: words.as_fd(), before: before.as_fd() };

        let Flags { debug, verbose, ref config, ref socket, .. } = self.service.flags;
        let [own, engine] = &self.service.programs;
        let mut common = vec![OsString::from(VERSION.to_string())];
        common.extend(
            [(debug, "-d"), (verbose, "-v")].iter().filter(|it| it.0).map(|it| it.1.into()),
        );
        let words = [&[HELPER.into()], &*common].concat();
        let paths = ["-f".into(), config.into(), "-s".into(), socket.into()];
        let words = vector(own, words.into_iter().chain(paths))?;
        self.children.push(Child::start("helper", own, &words, &shared(one.as_fd()), &self.text)?);

        let (uptime, restarts) = (self.started.elapsed().as_secs(), self.restarts);
        let figures = ["-u".into(), uptime.to_string(), "-r".into(), restarts.to_string()];
        let words = vector(engine, common.into_iter().chain(figures.map(OsString::from)))?;
        let child = Child::start("engine", engine, &words, &shared(other.as_fd()), &self.text)?;
        self.children.push(child);
        self.tell_engine();
        Ok(())
    }

    fn tell_engine(&mut self) {
        if let (Some(engine), Some(note)) = (self.children.get_mut(1), &self.note) {
            engine.tell(note);
        }
    }

    /// Has both end: the helper by a signal, the engine by the end of its socket.
    fn leave(&mut self) {
        self.phase = Phase::Leaving(Instant::now());
        if let Some(helper) = self.children.first_mut() {
            helper.signal(Signal::SIGTERM);
        }
    }

    /// Both have ended, or will not: says what follows, or gives the exit status at the end.
    fn decide(&mut self) -> Option<ExitCode> {
        let children = std::mem::take(&mut self.children);
        let has = |ended| children.iter().any(|child| child.ended == Some(ended));
        let exited = |end| has(Ended::Exited(end));
        let (reload, renew) = (exited(End::Reload), exited(End::Renew));
        let name = at_fault(&children).or(self.gone).unwrap_or("helper");
        let fault = Fault {
            young: children.iter().any(|child| child.started.elapsed() < YOUNG),
            by_signal: has(Ended::Killed),
            served: exited(End::Served),
        };
        for child in children.into_iter().filter(|child| child.ended.is_none()) {
            logger::warn(format_args!("{} {} does not die; left behind", child.name, child.pid));
            self.undead.push(child);
        }
        if self.stop {
            return Some(terminate());
        }
        if self.cause.is_none() && !self.up {
            // who knew why has said so
            logger::crit(format_args!("{name} ended before it was ready: nothing was started"));
            return Some(ExitCode::FAILURE);
        }
        if reload && !self.reload {
            self.reread();
        }
        let mut rest = Duration::ZERO;
        if reload || renew {
            let (pause, too_often) = self.pace.after_request(Instant::now());
            if too_often {
                logger::crit("helper or engine want to be started anew all the time: see the log");
            }
            self.cause = Some(if self.reload { RELOADED } else { "started anew" }.to_owned());
            rest = pause;
        } else if self.reload {
            self.cause = Some(RELOADED.to_owned());
        } else if let Some(previous) = self.previous.take().filter(|_| !self.bears) {
            logger::err(
                "nothing could be started with the new configuration; going on with the previous configuration",
            );
            (self.text, self.bears, self.note) = (previous, true, Some("B".into()));
            self.cause = Some("previous configuration in use".to_owned());
        } else {
            let Some(pause) = self.pace.after(fault) else {
                logger::crit(
                    "signals have ended helper or engine five times in a row: threatstopd ends, the \
                     tables stay; find out what it was, then start threatstopd",
                );
                return Some(ExitCode::FAILURE);
            };
            let seconds = pause.as_secs();
            logger::err(format_args!(
                "{name} gone; starting again in {seconds} s, the tables stay"
            ));
            (self.cause, rest) = (Some(format!("{name} restarted")), pause);
            self.restarts = self.restarts.saturating_add(1);
        }
        // what asked for the reload has had it
        self.reload &= rest.is_zero();
        self.phase = Phase::Resting(Instant::now() + rest);
        None
    }

    /// Reads the configuration again. A bad file is told, and changes nothing else.
    fn reread(&mut self) {
        let (why, lines) = match config::read(&self.service.flags.config) {
            Ok((config, text)) if config.tables.directory == self.service.directory => {
                let before = std::mem::replace(&mut self.text, text);
                // what nothing could be started with is nothing to go back to
                if std::mem::take(&mut self.bears) {
                    self.previous = Some(before);
                }
                (self.reload, self.note) = (true, None);
                return self.pace.forget();
            }
            // its lock takes rights that are gone
            Ok(_) => (
                "tables.directory: another one takes a restart of threatstopd".to_owned(),
                Vec::new(),
            ),
            Err(error) => (error.to_string(), error.lines()),
        };
        logger::err(format_args!(
            "configuration reload failed: {why}; the running configuration stays"
        ));
        lines.iter().skip(1).for_each(logger::err);
        self.note = Some(format!("F{why}"));
        self.tell_engine();
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

fn terminate() -> ExitCode {
    logger::info("terminating");
    ExitCode::SUCCESS
}

/// An argument vector: the program's own name, and words.
fn vector(
    program: &CString,
    words: impl Iterator<Item = OsString>,
) -> Result<Vec<CString>, Failure> {
    let words = words.map(|word| CString::new(word.into_vec()));
    Ok(std::iter::once(Ok(program.clone())).chain(words).collect::<Result<_, _>>()?)
}
