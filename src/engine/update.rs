//! Updates: one at a time, whoever asks for it.

mod fetch;
mod publish;
mod relieve;
mod rollback;
mod run;
mod summary;
pub mod today;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use config::Config;
use control::{Attempted, ServerStatus, Updated};
use policy::Run as Wanted;
use tokio::sync::{Mutex, MutexGuard, Notify};

use crate::Engine;
use crate::dns::{Health, Servers};
use crate::state::Policy;
use crate::warning::Warning;
pub use relieve::relieve;
pub use rollback::{Before, rollback, set_before};

/// Who wants a run, and of what kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    wanted: Wanted,
    dry_run: bool,
}

impl Request {
    /// The timer.
    pub fn scheduled() -> Self {
        Self { wanted: Wanted::Scheduled, dry_run: false }
    }

    /// SIGUSR1.
    pub fn manual() -> Self {
        Self { wanted: Wanted::Manual, dry_run: false }
    }

    /// `threatstopctl update [-f] [-n]`.
    pub fn by_hand(force: bool, dry_run: bool) -> Self {
        Self { wanted: if force { Wanted::Forced } else { Wanted::Manual }, dry_run }
    }

    /// Whether a run of the other kind does what this one asks for.
    ///
    /// Any run that publishes will do for those who do not force; one that `keeps_rollback` does
    /// not publish, and `update` has to.
    fn is_served_by(self, other: Self, keeps_rollback: bool) -> bool {
        if self.dry_run || other.dry_run {
            return self == other;
        }
        match self.wanted {
            Wanted::Scheduled => true,
            Wanted::Manual => !keeps_rollback,
            Wanted::Forced => other.wanted == Wanted::Forced && !keeps_rollback,
        }
    }
}

/// How a run ended.
pub struct Ended {
    /// What it did, or why it did not.
    pub result: Result<Updated, String>,
    /// For a dry run: the policy in force, and the one that would follow it.
    pub preview: Option<(Rc<Policy>, Policy)>,
    /// Whether to try again soon: no policy could be had, or it could not be published. What is
    /// held back does not count as that.
    pub failed: bool,
}

/// A run under way, which others may join.
pub struct Run {
    request: Request,
    /// How many rollbacks there had been at its beginning.
    rollbacks: u32,
    lines: RefCell<Vec<String>>,
    ended: RefCell<Option<Rc<Ended>>>,
    news: Notify,
}

impl Run {
    /// Says something to those who follow the run.
    fn say(&self, line: impl Into<String>) {
        let line = line.into();
        logger::debug(&line);
        self.lines.borrow_mut().push(line);
        self.news.notify_waiters();
    }

    /// Waits for line number `index`; `None` when the run ended without it.
    pub async fn line(&self, index: usize) -> Option<String> {
        loop {
            let news = self.news.notified();
            if let Some(line) = self.lines.borrow().get(index) {
                return Some(line.clone());
            }
            if self.ended.borrow().is_some() {
                return None;
            }
            news.await;
        }
    }

    /// Whether somebody has rolled back since it began.
    fn is_overtaken(&self, engine: &Engine) -> bool {
        self.rollbacks != engine.runs.rollbacks.get()
    }

    /// Whether it leaves alone what was rolled back to, as a scheduled run does, and one that
    /// somebody asked for before the rollback.
    fn keeps_rollback(&self, engine: &Engine) -> bool {
        let scheduled = self.request.wanted == Wanted::Scheduled;
        self.is_overtaken(engine) || scheduled && engine.state.memory().rolled_back.is_some()
    }

    /// Waits for the end.
    pub async fn ended(&self) -> Rc<Ended> {
        loop {
            let news = self.news.notified();
            if let Some(ended) = &*self.ended.borrow() {
                return Rc::clone(ended);
            }
            news.await;
        }
    }
}

/// The run that is under way, and what is known of the servers.
pub struct Runs {
    current: RefCell<Option<Rc<Run>>>,
    /// The servers, and how each of them fared.
    pub servers: Servers,
    next: Cell<Option<u64>>,
    last: RefCell<Option<Rc<Ended>>>,
    ended: Notify,
    turn: Mutex<()>,
    rollbacks: Cell<u32>,
    /// What stays blocked though it is protected or allowed now, and why.
    stays: RefCell<Option<Warning>>,
}

impl Runs {
    /// No run yet.
    pub fn new(config: &Config) -> Self {
        Self {
            current: RefCell::default(),
            servers: Servers::new(&config.policy.servers),
            next: Cell::new(None),
            last: RefCell::default(),
            ended: Notify::new(),
            turn: Mutex::default(),
            rollbacks: Cell::new(0),
            stays: RefCell::default(),
        }
    }

    /// Waits for the right to change the tables, which a run has from its judgement to its end: a
    /// rollback or the watch in between would be taken for its own work.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Notes that somebody has rolled back: a run that began before does not publish.
    fn overtake(&self) {
        self.rollbacks.set(self.rollbacks.get().wrapping_add(1));
    }

    /// What stays blocked though it is protected or allowed now, and why; nothing mostly.
    pub fn stays(&self) -> Option<Warning> {
        self.stays.borrow().clone()
    }

    fn set_stays(&self, stays: Option<Warning>) {
        self.stays.replace(stays);
    }

    /// Whether a run is under way.
    pub fn running(&self) -> bool {
        self.current.borrow().is_some()
    }

    /// Waits until no run is under way.
    pub async fn rest(&self) {
        loop {
            let run = self.current.borrow().clone();
            let Some(run) = run else { return };
            run.ended().await;
        }
    }

    /// When the next run is due.
    pub fn next(&self) -> Option<u64> {
        self.next.get()
    }

    /// Notes when the next run is due.
    pub fn set_next(&self, next: Option<u64>) {
        self.next.set(next);
    }

    /// How the servers fared.
    pub fn server_status(&self) -> Vec<ServerStatus> {
        let status = |health: Health| {
            let failed = health
                .last_failure
                // not by the clock, which may have been set, or count both in the same second
                .filter(|_| health.failures > 0);
            let last = match failed {
                Some(failure) => Some(Attempted {
                    at: failure.at,
                    address: failure.address.map(|address| address.to_string()),
                    error: Some(failure.what),
                }),
                None => health.last_success.map(|at| Attempted {
                    at,
                    address: health.address.map(|address| address.to_string()),
                    error: None,
                }),
            };
            ServerStatus { server: health.server, last, failures: health.failures }
        };
        self.servers.health().into_iter().map(status).collect()
    }

    /// Joins the run under way if it does what is asked for; else begins one after it.
    pub async fn begin(&self, engine: &Rc<Engine>, request: Request) -> Rc<Run> {
        loop {
            let current = self.current.borrow().clone();
            match current {
                None => break,
                Some(run) if request.is_served_by(run.request, run.keeps_rollback(engine)) => {
                    return run;
                }
                Some(run) => drop(run.ended().await),
            }
        }
        let run = Rc::new(Run {
            request,
            rollbacks: self.rollbacks.get(),
            lines: RefCell::default(),
            ended: RefCell::default(),
            news: Notify::new(),
        });
        self.current.replace(Some(Rc::clone(&run)));
        let (engine, running) = (Rc::clone(engine), Rc::clone(&run));
        tokio::task::spawn_local(async move {
            let ended = Rc::new(run::run(&engine, &running).await);
            let runs = &engine.runs;
            runs.current.replace(None);
            running.ended.replace(Some(Rc::clone(&ended)));
            running.news.notify_waiters();
            if !request.dry_run {
                runs.last.replace(Some(ended));
                runs.ended.notify_waiters();
            }
        });
        run
    }

    /// Waits for the end of the next run that publishes.
    pub async fn other_ended(&self) -> Rc<Ended> {
        loop {
            self.ended.notified().await;
            if let Some(ended) = &*self.last.borrow() {
                return Rc::clone(ended);
            }
        }
    }
}
