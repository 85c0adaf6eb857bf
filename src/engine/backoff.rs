//! When to ask a source again, and when to run next.
//!
//! Durations only: the caller counts them on the monotonic clock, so that a stepped clock neither
//! holds up nor multiplies runs. The spread keeps devices apart that failed or started together.

use core::time::Duration;

/// The waits after failures in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// From a first wait to a longest one, which is never the shorter.
    pub fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest: longest.max(first), failures: 0 }
    }

    /// How long to wait after one more failure: about twice as long each time, plus or minus a quarter,
    /// never less than the first nor more than the longest. `random` is uniform, of a source of the
    /// caller's.
    pub fn failed(&mut self, random: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(self.failures.min(16)));
        self.failures = self.failures.saturating_add(1);
        spread(doubled.min(self.longest), 4, random).clamp(self.first, self.longest)
    }

    /// After a success the next failure counts as the first.
    pub fn succeeded(&mut self) {
        self.failures = 0;
    }
}

impl Default for Backoff {
    /// About 1, 2, 4, 8 minutes and then 15: for the service, and for what is on this host.
    fn default() -> Self {
        Self::new(Duration::from_secs(60), Duration::from_secs(15 * 60))
    }
}

/// The wait until the next scheduled run: the interval, plus or minus 10 % at random.
pub fn scheduled(interval: Duration, random: u32) -> Duration {
    spread(interval, 10, random)
}

/// A duration plus or minus at most its given part, uniform in `random`.
fn spread(duration: Duration, part: u32, random: u32) -> Duration {
    let most = duration / part;
    duration - most + (2 * most).mul_f64(f64::from(random) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests;
