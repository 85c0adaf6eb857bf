//! How soon helper and engine are started again.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A child that ends within this time of its start is started again later and later.
const YOUNG: Duration = Duration::from_secs(60);
/// The longest wait, in seconds.
const LONGEST: u64 = 60;
/// So many deaths by signal in a row are no accident: somebody tries something out.
const DEATHS: u32 = 5;

/// How long to rest after an end that the children asked for, where [`AT_ONCE`] others came in as many
/// times this.
const ASKED: Duration = Duration::from_secs(30);
/// So many ends that were asked for may come without a rest, as when somebody mends a configuration.
const AT_ONCE: usize = 3;
/// More ends that were asked for than so many in an hour are an alarm.
const HOURLY: usize = 10;

/// How often, and when, children have ended or asked for another start.
#[derive(Debug, Default)]
pub struct Pace {
    backoff: u64,
    deaths: u32,
    /// The last ones, the newest first.
    asked: VecDeque<Instant>,
}

impl Pace {
    /// How long to wait after an end that nobody asked for, so long after the start, and whether a signal
    /// ended a child that has finished no run; `None` after too many such.
    pub fn after(&mut self, age: Duration, killed: bool) -> Option<Duration> {
        let young = age < YOUNG;
        self.deaths = if young && killed { self.deaths + 1 } else { 0 };
        self.backoff = if young { (self.backoff * 2).clamp(1, LONGEST) } else { 0 };
        (self.deaths < DEATHS).then(|| Duration::from_secs(self.backoff))
    }

    /// How long to wait after an end that a child asked for; says so when there are too many.
    pub fn after_request(&mut self, now: Instant) -> Duration {
        self.asked.push_front(now);
        self.asked.truncate(HOURLY + 1);
        let more = |most: usize, time| self.asked.get(most).is_some_and(|at| now - *at < time);
        if more(HOURLY, Duration::from_secs(60 * 60)) {
            logger::crit("helper or engine want to be started anew all the time: see the log");
            2 * ASKED
        } else if more(AT_ONCE, ASKED * AT_ONCE as u32) {
            logger::warn("started anew often: in 30 s once more, or at SIGHUP; the tables stay");
            ASKED
        } else {
            Duration::ZERO
        }
    }

    /// A configuration that is new begins anew.
    pub fn forget(&mut self) {
        (self.backoff, self.deaths) = (0, 0);
    }
}

#[cfg(test)]
mod tests;
