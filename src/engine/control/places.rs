//! Places for control clients. Who says nothing keeps his only as long as nobody else wants it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

/// Clients of one kind that are served at the same time.
pub const CLIENTS: usize = 32;
/// How long a client may be silent though others wait: threatstopctl speaks at once, but the event
/// loop may not have looked yet.
const GRACE: Duration = Duration::from_millis(50);

/// The places for one kind of clients.
#[derive(Default)]
pub struct Places {
    taken: Cell<usize>,
    last: Cell<u64>,
    /// Those who have not said yet what they want, the longest silent first.
    silent: RefCell<VecDeque<Silent>>,
}

struct Silent {
    id: u64,
    since: Instant,
    task: JoinHandle<()>,
}

/// A place; it is free again when this is dropped.
pub struct Seat {
    places: Rc<Places>,
    id: u64,
}

impl Places {
    /// As many as there are, all free.
    pub fn new() -> Rc<Self> {
        Rc::default()
    }

    /// A place, if need be that of the client who has been silent for longest. `None` when all
    /// clients are being served.
    pub async fn take(self: &Rc<Self>) -> Option<Seat> {
        while self.taken.get() == CLIENTS {
            let silent = self.silent.borrow().front()?.since.elapsed();
            if silent < GRACE {
                tokio::time::sleep(GRACE - silent).await;
                continue;
            }
            let longest = self.silent.borrow_mut().pop_front();
            if let Some(Silent { task, .. }) = longest {
                task.abort();
                // its seat is free when it has ended
                let _ = task.await;
            }
        }
        self.taken.set(self.taken.get() + 1);
        self.last.set(self.last.get() + 1);
        Some(Seat { places: Rc::clone(self), id: self.last.get() })
    }

    /// Serves a client, who is silent at first.
    pub fn seat<F: Future<Output = ()> + 'static>(
        &self,
        seat: Seat,
        serve: impl FnOnce(Seat) -> F,
    ) {
        let id = seat.id;
        let task = tokio::task::spawn_local(serve(seat));
        self.silent.borrow_mut().push_back(Silent { id, since: Instant::now(), task });
    }
}

impl Seat {
    /// The client has said what it wants, and keeps its place to the end.
    pub fn spoken(&self) {
        self.places.silent.borrow_mut().retain(|silent| silent.id != self.id);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.spoken();
        self.places.taken.set(self.places.taken.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests;
