//! When to try again, and when to run next.
//!
//! Durations only: the caller counts them on the monotonic clock, so that a stepped clock neither
//! holds up nor multiplies runs. The spread keeps devices apart that failed or started together.

use core::time::Duration;

/// The first wait after a failure.
pub const MIN: Duration = Duration::from_secs(60);
/// The longest wait after failures.
pub const MAX: Duration = Duration::from_secs(15 * 60);

/// The waits after failures in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// How long to wait after one more failure: about 1, 2, 4, 8 minutes and then 15, never less
    /// than [`MIN`] nor more than [`MAX`]. `random` is uniform, of a source of the caller's.
    pub fn failed(&mut self, random: u32) -> Duration {
        let doubled = MIN.saturating_mul(2_u32.saturating_pow(self.failures.min(16)));
        self.failures = self.failures.saturating_add(1);
        spread(doubled.min(MAX), 4, random).clamp(MIN, MAX)
    }

    /// After a success the next failure counts as the first.
    pub fn succeeded(&mut self) {
        self.failures = 0;
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
