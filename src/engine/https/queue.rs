//! What waits for a thread, and in which order it comes to one.
//!
//! Who has a connection to a server goes on with what else is asked of that server. What is asked of
//! one that keeps a thread waiting comes after all that is asked of others, and one server never has
//! all the threads.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use config::{Host, WebUrl};

/// A server of HTTPS: host and port.
pub type Origin = (Host, u16);

/// The server of a URL.
pub fn origin(url: &WebUrl) -> Origin {
    (url.host.clone(), url.port)
}

/// What waits, and what is being done.
pub struct Queue<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    waiting: VecDeque<(Option<Origin>, T)>,
    running: Vec<Running>,
    /// How many have been taken so far.
    taken: u64,
    /// How much may be done at once of one server.
    of_one: usize,
    closed: bool,
}

/// Something that is being done.
struct Running {
    id: u64,
    origin: Option<Origin>,
    slow: bool,
    /// Whether another has come for who does it.
    replaced: bool,
}

/// Something to do.
pub struct Taken<T> {
    /// By what the queue knows it.
    pub id: u64,
    /// Which server it is about, where that matters.
    pub origin: Option<Origin>,
    /// What it is.
    pub work: T,
}

impl<T> Queue<T> {
    /// An empty queue, of which so much may be done at once of one server.
    pub fn new(of_one: usize) -> Self {
        let (waiting, running) = Default::default();
        let state = State { waiting, running, taken: 0, of_one, closed: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Has something wait; false when there is nobody any more to do it.
    pub fn push(&self, origin: Option<Origin>, work: T) -> bool {
        let mut state = self.locked();
        if state.closed {
            return false;
        }
        state.waiting.push_back((origin, work));
        self.changed.notify_one();
        true
    }

    /// What is next for who has a connection to a server, if there is something.
    pub fn poll(&self, last: Option<&Origin>) -> Option<Taken<T>> {
        self.locked().take(last)
    }

    /// Waits for what is next; nothing when nobody wants anything any more.
    pub fn wait(&self) -> Option<Taken<T>> {
        let mut state = self.locked();
        loop {
            match state.take(None) {
                None if state.closed => return None,
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                taken => return taken,
            }
        }
    }

    /// Notes that something takes long, if it is not done, and lets another come for who does it.
    pub fn relieve(&self, id: u64, another: impl FnOnce() -> bool) {
        let mut state = self.locked();
        if let Some(running) = state.running.iter_mut().find(|running| running.id == id) {
            running.slow = true;
            running.replaced = another();
        }
    }

    /// Notes that something is done, and says whether who did it is to leave: another has come for him,
    /// and nobody else is slow for whom none could come.
    pub fn done(&self, id: u64) -> bool {
        let mut state = self.locked();
        let at = state.running.iter().position(|running| running.id == id);
        let is_replaced = at.is_some_and(|at| state.running.swap_remove(at).replaced);
        let alone = state.running.iter_mut().find(|running| running.slow && !running.replaced);
        let leaves = match alone {
            Some(alone) if is_replaced => {
                alone.replaced = true;
                false
            }
            _ => is_replaced,
        };
        drop(state);
        // another may be let to this server now
        self.changed.notify_all();
        leaves
    }

    /// Takes out all that waits for a server.
    pub fn give_up(&self, origin: &Origin) -> Vec<T> {
        let mut state = self.locked();
        let waiting = std::mem::take(&mut state.waiting);
        let is_theirs = |(of, _): &(Option<Origin>, T)| of.as_ref() == Some(origin);
        let (theirs, others): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_theirs);
        state.waiting = others.into();
        theirs.into_iter().map(|(_, work)| work).collect()
    }

    /// Has everybody leave; what waits is dropped.
    pub fn close(&self) {
        let mut state = self.locked();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.changed.notify_all();
        drop(waiting);
    }

    fn locked(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> State<T> {
    fn take(&mut self, last: Option<&Origin>) -> Option<Taken<T>> {
        let (origin, work) = self.waiting.remove(self.next(last)?)?;
        self.taken += 1;
        let id = self.taken;
        self.running.push(Running { id, origin: origin.clone(), slow: false, replaced: false });
        Some(Taken { id, origin, work })
    }

    /// The place of what is next.
    fn next(&self, last: Option<&Origin>) -> Option<usize> {
        // how much of a server is being done, and whether any of that is slow
        let of = |origin: &Option<Origin>| {
            let is_theirs = |running: &&Running| origin.is_some() && running.origin == *origin;
            let theirs = self.running.iter().filter(is_theirs);
            theirs.fold((0, false), |(count, slow), running| (count + 1, slow || running.slow))
        };
        let may = |origin: &Option<Origin>| of(origin).0 < self.of_one;
        let brisk = |origin: &Option<Origin>| may(origin) && !of(origin).1;
        let same = |origin: &Option<Origin>| last.is_some() && origin.as_ref() == last;
        let find = |fits: &dyn Fn(&Option<Origin>) -> bool| {
            self.waiting.iter().position(|(origin, _)| fits(origin))
        };
        let next = find(&|origin| same(origin) && brisk(origin));
        next.or_else(|| find(&brisk)).or_else(|| find(&may))
    }
}

#[cfg(test)]
mod tests;
