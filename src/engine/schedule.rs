//! When the next run is due: the interval of each source with its jitter, or a retry that backs off.
//!
//! All waiting is on the monotonic clock: a clock that is set does not bring a storm of runs, and
//! a host that slept makes one run and not those it missed.

use std::collections::BTreeMap;
use std::time::Duration;

use config::{Config, Feed};
use imsg::TableId;
use tokio::time::{Instant, sleep, sleep_until};

use crate::backoff::{Backoff, scheduled};
use crate::clock;
use crate::lists::{Source, Sources};
use crate::monitor::Monitor;
use crate::protect::{self, Names, Protect};
use crate::runs::{Noted, Request, Runs, Unpublished};
use crate::source::feed;
use crate::source::local::Files;
use crate::source::own::Own;
use crate::state::State;
use crate::update::Update;

/// Sources that fall due within so long of each other share a run.
const TOGETHER: Duration = Duration::from_secs(10);

/// The timer never asks the server of a feed more often: who does is banned.
const SELDOM: Duration = Duration::from_secs(15 * 60);

/// The timer of a source.
struct Timer {
    interval: Duration,
    /// It is asked no more often than that.
    seldom: Duration,
    backoff: Backoff,
    due: Instant,
}

impl Timer {
    fn new(interval: Duration, due: Instant) -> Self {
        Self { interval, seldom: Duration::ZERO, backoff: Backoff::default(), due }
    }

    fn of_feed(interval: Duration, due: Instant) -> Self {
        Self { interval, seldom: SELDOM, backoff: Backoff::new(SELDOM, interval), due }
    }

    /// The source was asked; where it brought nothing, its server may have said for how long it wants to
    /// be left alone.
    fn after(&mut self, failed: bool, alone: Duration) {
        self.due = Instant::now() + self.wait(failed).max(alone).max(self.seldom);
    }

    /// How long it is until the next time, as far as the source itself goes.
    fn wait(&mut self, failed: bool) -> Duration {
        if failed {
            return self.backoff.failed(rand::random());
        }
        self.backoff.succeeded();
        scheduled(self.interval, rand::random())
    }
}

/// The timers of the sources. Local files have that of the service, for they are looked at in each
/// run, and one of their own without it.
fn timers(config: &Config, state: &State) -> BTreeMap<Source, Timer> {
    let interval = config.policy.interval;
    let timed = match config.policy.is_asked() {
        true => Sources::from([Source::Policy]),
        false => Source::all(config).into_iter().filter(|source| source.is_local()).collect(),
    };
    let now = Instant::now();
    let mut timers: BTreeMap<Source, Timer> =
        timed.into_iter().map(|source| (source, Timer::new(interval, now))).collect();
    for feed in &config.feed {
        let due = now + wait_after_start(state, feed);
        timers.insert(Source::Feed(feed.name), Timer::of_feed(feed.interval, due));
    }
    timers
}

/// How long a feed waits after a start: what was asked shortly before it need not be asked again, unless
/// nothing could come of that.
fn wait_after_start(state: &State, feed: &Feed) -> Duration {
    let policy = state.policy();
    let origin = policy.copy(feed.name.as_str()).and_then(|copy| copy.origin.as_ref());
    let is_same = origin.is_some_and(|origin| origin.place == feed::place(feed));
    let memory = state.memory();
    let fared = memory.sources.get(feed.name.as_str());
    let age = fared.and_then(|fared| fared.last).and_then(|last| clock::now().checked_sub(last));
    match (age.map(Duration::from_secs), fared) {
        (_, Some(fared)) if fared.again => Duration::ZERO,
        (Some(age), Some(fared)) if is_same && fared.error.is_none() => {
            scheduled(feed.interval, rand::random()).saturating_sub(age)
        }
        (Some(age), Some(_)) if is_same => SELDOM.saturating_sub(age),
        _ => Duration::ZERO,
    }
}

/// Runs the update at start and whenever a source is due. What has come to be protected does not wait
/// for that.
pub async fn run(
    config: &Config,
    state: &State,
    monitor: &Monitor,
    runs: &Runs,
    update: &'static Update,
) -> ! {
    // what cannot be published now the first run tries again
    update.recompose().await;
    let mut timers = timers(config, state);
    loop {
        // those for which a run waits are not asked again meanwhile
        let coming = runs.coming();
        let waiting = || timers.iter().filter(|(source, _)| !coming.contains(source));
        let next = waiting().map(|(_, timer)| timer.due).min();
        runs.set_next(next);
        runs.set_due(waiting().map(|(source, timer)| (*source, timer.due)).collect());
        tokio::select! {
            // the next engine asks them
            () = sleep_until(next.unwrap_or_else(Instant::now)),
                if next.is_some() && !runs.are_leaving() =>
            {
                // somebody may have asked meanwhile
                let (soon, coming) = (Instant::now() + TOGETHER, runs.coming());
                let due = timers.iter().filter(|(_, timer)| timer.due <= soon);
                let mut due: Sources = due.map(|(source, _)| *source).collect();
                due.retain(|source| !coming.contains(source));
                if due.is_empty() {
                    continue;
                }
                due.extend(Source::all(config).iter().filter(|source| source.is_local()));
                update.begin(Request::scheduled(due)).await;
            }
            // SIGUSR1
            () = monitor.update_now() => {
                // it may have to wait for a run that does less
                tokio::task::spawn_local(update.begin(Request::manual(config)));
            }
            // whoever asked
            noted = runs.noted() => noted.iter().for_each(|noted| after(&mut timers, noted)),
        }
    }
}

/// Sets the clocks anew of sources that were asked.
fn after(timers: &mut BTreeMap<Source, Timer>, noted: &Noted) {
    for source in &noted.sources {
        let Some(timer) = timers.get_mut(source) else { continue };
        let without = noted.without.iter().find(|(without, _)| without == source);
        let failed = match source {
            Source::Feed(_) => without.is_some(),
            _ => noted.failed,
        };
        let alone = without.and_then(|(_, retry_after)| *retry_after);
        timer.after(failed, alone.unwrap_or_default());
    }
}

/// Looks up the names of servers, log server and proxy as long as the engine lives. An address that
/// is new is let through at once.
pub async fn names(names: &Names, protect: &Protect, update: &Update) {
    if names.is_empty() {
        return;
    }
    loop {
        if protect.refresh().await {
            update.recompose().await;
        }
        names.due().await;
    }
}

/// Looks up the names of guard.never_block_names as long as the engine lives, as often as the others,
/// plus or minus 10 % at random. No run waits for it; one follows when the addresses are others.
pub async fn never(protect: &Protect, update: &Update) {
    if protect.never.is_empty() {
        return;
    }
    loop {
        if protect.never.refresh().await {
            update.recompose().await;
        }
        clock::sleep(scheduled(protect::OFTEN, rand::random())).await;
    }
}

/// Looks at the local files as often as at the tables, as long as the engine lives.
pub async fn local(interval: Duration, files: &Files, update: &Update) {
    if files.sources().next().is_none() {
        return;
    }
    loop {
        sleep(interval).await;
        for source in files.sources() {
            if files.has_changed(source).await {
                update.recompose().await;
            }
        }
    }
}

/// Takes back what `block` and `allow` said when it ends: what ends within [`TOGETHER`] in one run. By
/// the clock on the wall, which may be set, so that it is looked at as often.
pub async fn own(own: &Own, update: &Update) -> ! {
    loop {
        clock::sleep(TOGETHER).await;
        if own.end(clock::now()) {
            update.recompose().await;
        }
    }
}

/// Tries again what could not be published, after a while; never returns. What is not in force is
/// logged there.
pub async fn again(runs: &Runs, update: &Update) -> ! {
    let mut backoff = Backoff::default();
    loop {
        runs.failed().await;
        clock::sleep(backoff.failed(rand::random())).await;
        let is_due = |all: BTreeMap<TableId, Unpublished>| all.values().any(|one| one.again);
        if !is_due(runs.unpublished()) || !is_due(update.recompose().await) {
            backoff.succeeded();
        }
    }
}

#[cfg(test)]
mod fleet;
