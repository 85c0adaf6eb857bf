//! When the next pass is due.

use std::time::{Duration, Instant};

/// How long a pass waits for more: an update changes one table after the other.
const SETTLE: Duration = Duration::from_secs(1);
/// The time in which there is one pass at most.
const APART: Duration = Duration::from_secs(10);
/// How many times its own length a pass is followed by none.
const REST: u32 = 9;

/// When the next pass is due, and until when none may begin.
#[derive(Debug, Default)]
pub struct Pace {
    due: Option<Instant>,
    rest: Option<Instant>,
}

impl Pace {
    /// When the next pass is due, if one was asked for.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// A pass is asked for. One that is due already has what came meanwhile, too.
    pub fn ask(&mut self, now: Instant) {
        let soon = now + SETTLE;
        self.due.get_or_insert(self.rest.map_or(soon, |rest| rest.max(soon)));
    }

    /// A pass has begun and ended.
    pub fn passed(&mut self, begun: Instant, ended: Instant) {
        let length = ended.saturating_duration_since(begun);
        (self.due, self.rest) = (None, Some((begun + APART).max(ended + length * REST)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_nudges_are_one_pass() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        assert_eq!(pace.due(), None);
        for n in 0..1000 {
            pace.ask(now + Duration::from_millis(n));
        }
        assert_eq!(pace.due(), Some(now + SETTLE));
    }

    #[test]
    fn one_in_ten_seconds_and_a_tenth_of_the_time() {
        let (mut pace, now) = (Pace::default(), Instant::now());
        let secs = Duration::from_secs;
        for (length, next) in [(0, 10), (1, 10), (2, 20), (60, 600)] {
            pace.passed(now, now + secs(length));
            assert_eq!(pace.due(), None);
            pace.ask(now + secs(length));
            assert_eq!(pace.due(), Some(now + secs(next)), "{length}");
        }
        pace.passed(now, now);
        pace.ask(now + secs(30));
        assert_eq!(pace.due(), Some(now + secs(30) + SETTLE));
    }
}
