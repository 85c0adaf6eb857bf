//! Who runs, one at a time, and what is known of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use tokio::sync::{Mutex, MutexGuard, Notify};

use super::request::Request;
use super::running::{Ended, Run};
use crate::source::Source;
use crate::told::Told;
use crate::warning::Warning;

/// Why the block table is not what the lists in force make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpublished {
    /// What forbids or hinders it.
    pub why: String,
    /// Whether it is worth while to try again with the same lists.
    pub again: bool,
}

/// The run that is under way, and what is known of those before.
#[derive(Default)]
pub struct Runs {
    current: RefCell<Option<Rc<Run>>>,
    next: Cell<Option<u64>>,
    due: RefCell<BTreeMap<Source, u64>>,
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
    /// Waits for the right to change the tables, which a run has from its judgement to its end: a
    /// rollback or the watch in between would be taken for its own work.
    pub async fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Whether nobody has the right to change the tables.
    pub fn at_rest(&self) -> bool {
        self.turn.try_lock().is_ok()
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

    /// When a source is due, where it has a timer of its own.
    pub fn due(&self, source: Source) -> Option<u64> {
        self.due.borrow().get(&source).copied()
    }

    /// Notes when each source is due.
    pub fn set_due(&self, due: BTreeMap<Source, u64>) {
        self.due.replace(due);
    }

    /// The run that is under way.
    pub fn current(&self) -> Option<Rc<Run>> {
        self.current.borrow().clone()
    }

    /// A run begins. There is none under way.
    pub fn begin(&self, request: Request) -> Rc<Run> {
        let run = Rc::new(Run::new(request, self.rollbacks.get()));
        self.current.replace(Some(Rc::clone(&run)));
        run
    }

    /// It has ended.
    pub fn end(&self, run: &Run, ended: Ended) {
        let ended = Rc::new(ended);
        self.current.replace(None);
        run.end(Rc::clone(&ended));
        if !run.request.dry_run {
            self.last.replace(Some(ended));
            self.ended.notify_waiters();
        }
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
