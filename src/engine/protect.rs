//! The addresses behind the names of policy servers, log server and proxy, which no list may
//! block.
//!
//! The helper protects what is given as an address. It asks no resolver, so names are the
//! engine's: they are looked up beside everything else, and what was found last holds until
//! something else is found, over restarts too.
//!
//! * In: the networks that the helper refuses, those of the interfaces as they are now, names of
//!   the configuration, and what a resolver says of these.
//! * Out: all networks that no block table may touch, each with its reason.
//! * Never: hold up a run for a resolver, except the first one for two seconds; let a name of
//!   guard.never_block_names lift what is not global, or more than a few addresses.

pub mod never;
mod resolve;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use config::Config;
use futures_util::future::join_all;
use prefix::Prefix;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::errors::words;
use crate::events::subject::of_host;
use crate::events::{Event, Events};
use crate::hosts;
use crate::interfaces::Interfaces;
use crate::state::{Known, State};
use never::Never;
use resolve::{MAX_ADDRESSES, PATIENCE, canonical, listed, resolve};

/// How long the first run waits for it, while it asks the policy servers anyway. What is found later
/// is let through then.
const FIRST: Duration = Duration::from_secs(2);
/// How often names are looked up.
pub const OFTEN: Duration = Duration::from_secs(15 * 60);
/// How often those that could not be.
const SOON: Duration = Duration::from_secs(60);

/// The names of a configuration.
pub struct Names {
    /// Each name with what it is, such as `log server`.
    wanted: BTreeMap<String, &'static str>,
    /// Those that could not be looked up last.
    failing: RefCell<BTreeSet<String>>,
    /// Where that is said.
    events: &'static Events,
    /// Whether a look-up has ended.
    looked: Cell<bool>,
    /// Wakes those who wait for the end of a look-up.
    news: Notify,
    /// Wakes what looks names up, before it would by itself.
    asked: Notify,
}

impl Names {
    /// The names of hosts that the engine connects to under this configuration.
    pub fn new(config: &Config, events: &'static Events) -> Self {
        Self {
            wanted: hosts::named(config),
            failing: RefCell::default(),
            events,
            looked: Cell::new(false),
            news: Notify::new(),
            asked: Notify::new(),
        }
    }

    /// Whether there are any.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Whether this one could not be looked up last.
    pub fn is_failing(&self, name: &str) -> bool {
        self.failing.borrow().contains(name)
    }

    /// Waits until the names are to be looked up again: some time after the last look-up, or when
    /// a run begins.
    pub async fn due(&self) {
        let pause = if self.failing.borrow().is_empty() { OFTEN } else { SOON };
        // nobody asked in time
        let _ = timeout(pause, self.asked.notified()).await;
    }

    /// Has the names looked up beside a run. That waits at most `limit`, and only for a name that
    /// was neither found before nor has failed: a resolver that does not answer holds up nobody.
    async fn beside(&self, known: &Known, limit: Duration) {
        let news = self.news.notified();
        self.asked.notify_one();
        let is_known = |name| known.get(name).is_some_and(|known| !known.is_empty());
        if !self.looked.get() && !self.wanted.keys().all(is_known) {
            let _ = timeout(limit, news).await;
        }
    }

    /// The known addresses, worded for people.
    fn worded(&self, known: &Known) -> Vec<policy::Protected> {
        let mut all = Vec::new();
        for (name, what) in &self.wanted {
            for addr in known.get(name).into_iter().flatten() {
                let (net, reason) = (Prefix::host(*addr), format!("{what} {name}"));
                all.push(policy::Protected { net, reason });
            }
        }
        all
    }

    /// Looks all names up at the same time and gives what is known then; of a name that cannot be
    /// looked up, or not in time, what was known before. What changes is logged, once.
    async fn look_up(
        &self,
        before: &Known,
        limit: Duration,
        resolve: impl AsyncFn(&str) -> io::Result<Vec<IpAddr>>,
    ) -> Known {
        let resolve = &resolve;
        let found = self.wanted.iter().map(|(name, what)| async move {
            let found = timeout(limit, resolve(name)).await;
            (name, what, found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
        });
        let mut known = Known::new();
        for (name, what, found) in join_all(found).await {
            let before = before.get(name).cloned().unwrap_or_default();
            let now = match found {
                Ok(found) => {
                    self.failing.borrow_mut().remove(name);
                    self.events.end(&of_host(name), format!("{what} {name}: looked up again"));
                    let now: Vec<IpAddr> =
                        canonical(&found).into_iter().take(MAX_ADDRESSES).collect();
                    if now != before {
                        logger::info(format_args!("protected: {what} {name}, {}", listed(&now)));
                    }
                    now
                }
                Err(error) => {
                    self.failing.borrow_mut().insert(name.clone());
                    let (why, kept) = (words(&error), listed(&before));
                    let text = format!("{what} {name}: {why}; protected as before: {kept}");
                    let source = Some(of_host(name));
                    self.events.say_as(&Event::Failed { source, text, grave: false }, &why);
                    before
                }
            };
            known.insert(name.clone(), now);
        }
        known
    }
}

/// All that no block table may touch.
pub struct Protect {
    /// What the helper refuses.
    given: Vec<policy::Protected>,
    /// What has come to the interfaces since it looked.
    pub interfaces: Interfaces,
    names: &'static Names,
    /// The names of guard.never_block_names.
    pub never: Never,
    /// Remembers what the names had.
    state: &'static State,
}

impl Protect {
    /// What the helper said, and the names of a configuration.
    pub fn new(
        (given, interfaces): (Vec<policy::Protected>, Interfaces),
        names: &'static Names,
        never: Never,
        state: &'static State,
    ) -> Self {
        Self { given, interfaces, names, never, state }
    }

    /// Looks the names of hosts up and remembers what is found; whether that is something new.
    pub async fn refresh(&self) -> bool {
        let before = self.state.memory().resolved.clone();
        let known = self.names.look_up(&before, PATIENCE, resolve).await;
        let differs = known != before;
        if differs {
            self.state.remember(|memory| memory.resolved = known);
        }
        self.names.looked.set(true);
        self.names.news.notify_waiters();
        differs
    }

    /// Has them looked up beside a run, which is not held up by a resolver in trouble.
    pub async fn beside_a_run(&self) {
        let known = self.state.memory().resolved.clone();
        self.names.beside(&known, FIRST).await;
    }

    /// All the networks: those that the helper refuses, those that have come to the interfaces since,
    /// and the addresses behind names.
    pub fn all(&self) -> Vec<policy::Protected> {
        let mut all = self.given.clone();
        all.extend(self.interfaces.protected());
        all.extend(self.names.worded(&self.state.memory().resolved));
        all.extend(self.never.protected());
        all
    }
}

#[cfg(test)]
mod tests;
