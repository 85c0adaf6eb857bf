//! Who runs, and what is known of it. Runs wait for their sources side by side, and change the tables
//! one at a time.
//!
//! * In: that a run begins, what it says and brings, how it ends; that somebody rolls back, or that the
//!   engine is to leave.
//! * Out: the runs under way, for who joins one or waits for it; the turn to change the tables.
//! * Never: ask a source, or give two the turn at the same time.

mod request;
mod running;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use imsg::TableId;
use tokio::sync::{Mutex, MutexGuard, Notify};
use tokio::time::Instant;

use crate::clock;
use crate::lists::{Source, Sources};
use crate::told::Told;
use crate::warning::Warning;
pub use request::Request;
pub use running::{Ended, Noted, Numbers, Run};

/// Why a table is not what the lists in force make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unpublished {
    /// What forbids or hinders it.
    pub why: String,
    /// Whether it is worth while to try again with the same lists.
    pub again: bool,
}

/// Who has brought what could not be published in a table, and has not come since.
#[derive(Default)]
struct Hindered {
    sources: Sources,
    /// Whether it was an engine before this one, so that nobody knows whose it was.
    of_before: bool,
    /// Why it could not, as far as this engine knows.
    why: String,
}

/// The runs that are under way, and what is known of those before.
#[derive(Default)]
pub struct Runs {
    under_way: RefCell<Vec<Rc<Run>>>,
    next: Cell<Option<Instant>>,
    due: RefCell<BTreeMap<Source, Instant>>,
    /// How sources fared, of which their timers have to hear.
    noted: RefCell<Vec<Noted>>,
    to_note: Notify,
    turn: Mutex<()>,
    leaving: Cell<bool>,
    to_leave: Notify,
    rollbacks: Cell<u32>,
    /// What stays blocked though it is protected or allowed now, and why.
    stays: RefCell<Option<Warning>>,
    /// The tables in which the last change that no source brought is not in force, and why.
    unpublished: RefCell<BTreeMap<TableId, Unpublished>>,
    /// What could not be published, by table.
    hindered: RefCell<BTreeMap<TableId, Hindered>>,
    /// That has changed.
    news: Notify,
    /// What the log has been told of runs.
    pub told: Told,
}

/// A time of the monotonic clock by that on the wall, which may have been set meanwhile.
fn shown(due: Instant) -> u64 {
    clock::at(due, Instant::now())
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

    /// The engine is about to end: no run waits for a source any more.
    pub fn leave(&self) {
        self.leaving.set(true);
        self.to_leave.notify_waiters();
    }

    /// Whether that is so.
    pub fn are_leaving(&self) -> bool {
        self.leaving.get()
    }

    /// Waits until it is.
    pub async fn left(&self) {
        loop {
            let news = self.to_leave.notified();
            if self.are_leaving() {
                return;
            }
            news.await;
        }
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

    /// The tables in which the last change that no source brought is not in force, and why; none mostly.
    pub fn unpublished(&self) -> BTreeMap<TableId, Unpublished> {
        self.unpublished.borrow().clone()
    }

    /// Notes in which tables such a change is not in force, and why.
    pub fn set_unpublished(&self, unpublished: BTreeMap<TableId, Unpublished>) {
        self.unpublished.replace(unpublished);
        self.news.notify_waiters();
    }

    /// Notes which of the sources that have `come` have brought what could not be published in a table, and
    /// why.
    pub fn hinder(&self, table: TableId, why: &str, come: &Sources, at_fault: Sources) {
        let mut hindered = self.hindered.borrow_mut();
        let known = hindered.entry(table).or_default();
        if known.of_before {
            *known = Hindered::default();
        }
        known.sources.retain(|source| !come.contains(source));
        known.sources.extend(at_fault);
        why.clone_into(&mut known.why);
    }

    /// Why what came last could not be published in a table, as far as this engine knows.
    pub fn hindered(&self, table: TableId) -> Option<String> {
        let hindered = self.hindered.borrow();
        hindered.get(&table).map(|one| one.why.clone()).filter(|why| !why.is_empty())
    }

    /// Whether nothing waits to be published in a table any more, now that these sources have `come` and pf
    /// has `taken` a set, or none was tried: all have come that had brought it. Where that was with an engine
    /// before this one it may be any of `all`, and a set that was taken will do.
    pub fn unhinder(
        &self,
        table: TableId,
        (come, taken): (&Sources, bool),
        all: impl FnOnce() -> Sources,
    ) -> bool {
        let mut hindered = self.hindered.borrow_mut();
        let of_before = || Hindered { sources: all(), of_before: true, ..Hindered::default() };
        let left = hindered.entry(table).or_insert_with(of_before);
        left.sources.retain(|source| !come.contains(source));
        let is_over = left.sources.is_empty() || taken && left.of_before;
        if is_over {
            hindered.remove(&table);
        }
        is_over
    }

    /// Waits until a change that no source brought could not be published.
    pub async fn failed(&self) {
        loop {
            let news = self.news.notified();
            if self.unpublished.borrow().values().any(|change| change.again) {
                return;
            }
            news.await;
        }
    }

    /// Whether a run is under way.
    pub fn running(&self) -> bool {
        !self.under_way.borrow().is_empty()
    }

    /// Waits until no run is under way.
    pub async fn rest(&self) {
        loop {
            let run = self.under_way.borrow().first().cloned();
            let Some(run) = run else { return };
            run.ended(&run.request.sources).await;
        }
    }

    /// When the next run is due, epoch seconds.
    pub fn next(&self) -> Option<u64> {
        self.next.get().map(shown)
    }

    /// Notes when the next run is due.
    pub fn set_next(&self, next: Option<Instant>) {
        self.next.set(next);
    }

    /// When a source is due, epoch seconds, where it has a timer of its own.
    pub fn due(&self, source: Source) -> Option<u64> {
        self.due.borrow().get(&source).copied().map(shown)
    }

    /// Notes when each source is due.
    pub fn set_due(&self, due: BTreeMap<Source, Instant>) {
        self.due.replace(due);
    }

    /// The runs that are under way.
    pub fn under_way(&self) -> Vec<Rc<Run>> {
        self.under_way.borrow().clone()
    }

    /// The sources for which runs wait.
    pub fn coming(&self) -> Sources {
        self.under_way.borrow().iter().flat_map(|run| run.coming()).collect()
    }

    /// A run begins.
    pub fn begin(&self, request: Request) -> Rc<Run> {
        let run = Rc::new(Run::new(request, self.rollbacks.get()));
        self.under_way.borrow_mut().push(Rc::clone(&run));
        run
    }

    /// It has ended.
    pub fn end(&self, run: &Rc<Run>, ended: Ended) {
        self.under_way.borrow_mut().retain(|other| !Rc::ptr_eq(other, run));
        run.end(ended);
        // of what only was tried nothing is noted, but its sources may be asked again
        self.note(Noted { sources: Sources::new(), failed: false, without: Vec::new() });
    }

    /// Notes how sources fared.
    pub fn note(&self, noted: Noted) {
        self.noted.borrow_mut().push(noted);
        self.to_note.notify_one();
    }

    /// Waits for what is noted of sources; for one who sets their timers.
    pub async fn noted(&self) -> Vec<Noted> {
        loop {
            let noted = self.noted.take();
            if !noted.is_empty() {
                return noted;
            }
            self.to_note.notified().await;
        }
    }
}
