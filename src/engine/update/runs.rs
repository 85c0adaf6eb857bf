//! Who runs, one at a time, and what is known of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use config::Config;
use control::{Attempted, ServerStatus};
use tokio::sync::{Mutex, MutexGuard, Notify};

use super::request::Request;
use super::run;
use super::running::{Ended, Run};
use super::told::Told;
use super::unpublished::Unpublished;
use crate::Engine;
use crate::dns::{Health, Servers};
use crate::warning::Warning;

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
    /// Why the last change that no source brought is not in force, if it is not.
    unpublished: RefCell<Option<Unpublished>>,
    /// That has changed.
    news: Notify,
    /// What the log has been told of runs.
    pub told: Told,
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
            unpublished: RefCell::default(),
            news: Notify::new(),
            told: Told::default(),
        }
    }

    /// Waits for the right to change the tables, which a run has from its judgement to its end: a
    /// rollback or the watch in between would be taken for its own work.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// How many rollbacks there have been.
    pub fn rollbacks(&self) -> u32 {
        self.rollbacks.get()
    }

    /// Notes that somebody has rolled back: a run that began before does not publish.
    pub fn overtake(&self) {
        self.rollbacks.set(self.rollbacks.get().wrapping_add(1));
    }

    /// What stays blocked though it is protected or allowed now, and why; nothing mostly.
    pub fn stays(&self) -> Option<Warning> {
        self.stays.borrow().clone()
    }

    /// Notes what stays blocked though it is protected or allowed now, and why.
    pub fn set_stays(&self, stays: Option<Warning>) {
        self.stays.replace(stays);
    }

    /// Why the last change that no source brought is not in force; nothing mostly.
    pub fn unpublished(&self) -> Option<Unpublished> {
        self.unpublished.borrow().clone()
    }

    /// Notes why the last change that no source brought is not in force.
    pub fn set_unpublished(&self, unpublished: Option<Unpublished>) {
        self.unpublished.replace(unpublished);
        self.news.notify_waiters();
    }

    /// Waits until a change that no source brought could not be published.
    pub async fn failed(&self) {
        loop {
            let news = self.news.notified();
            if self.unpublished.borrow().as_ref().is_some_and(|change| change.again) {
                return;
            }
            news.await;
        }
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
                Some(run) if request.is_served_by(&run.request, run.keeps_rollback(engine)) => {
                    return run;
                }
                Some(run) => drop(run.ended().await),
            }
        }
        let dry_run = request.dry_run;
        let run = Rc::new(Run::new(request, self.rollbacks.get()));
        self.current.replace(Some(Rc::clone(&run)));
        let (engine, running) = (Rc::clone(engine), Rc::clone(&run));
        tokio::task::spawn_local(async move {
            let ended = Rc::new(run::run(&engine, &running).await);
            let runs = &engine.runs;
            runs.current.replace(None);
            running.end(Rc::clone(&ended));
            if !dry_run {
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
