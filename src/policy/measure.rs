//! How large a set is, in both measures, and what it had been a day before.

use prefix::{Address, Coverage, Net, PrefixSet, Range};

use crate::sweep::Holes;

/// A set in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Prefixes.
    pub entries: u64,
    /// IPv4 addresses covered.
    pub v4: u64,
    /// IPv6 covered, in numbers of a /32, rounded up.
    pub v6: u64,
}

impl Measure {
    /// The numbers of a set.
    pub fn of(set: &PrefixSet) -> Self {
        Self::new(set.len() as u64, &Coverage::of(set))
    }

    /// What `new` covers that `old` does not; the number of its entries is none.
    pub(crate) fn brought(old: &PrefixSet, new: &PrefixSet) -> Self {
        let mut coverage = Coverage::default();
        beyond(old.v4(), new.v4(), |range| coverage.add_v4(range));
        beyond(old.v6(), new.v6(), |range| coverage.add_v6(range));
        Self::new(0, &coverage)
    }

    fn new(entries: u64, coverage: &Coverage) -> Self {
        Self { entries, v4: coverage.v4(), v6: coverage.networks() }
    }
}

/// Hands on what of `new` lies outside of `old`.
fn beyond<A: Address>(old: &[Net<A>], new: &[Net<A>], mut left: impl FnMut(Range<A>)) {
    let mut holes = Holes::new(old.iter().map(|net| Range::from(*net)));
    new.iter().for_each(|net| holes.cut((*net).into(), &mut left));
}

/// Seconds for which small steps count as one.
const DAY: u64 = 24 * 60 * 60;
/// A day has few changes; of more, those between are let go of.
const MOST: usize = 64;

/// What a table measured after each change, so that many small steps are one.
///
/// Plain numbers, to be kept with the state of the engine: epoch seconds of the change and the
/// numbers of the set that came into force, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(pub Vec<(u64, Measure)>);

impl History {
    /// The set that was in force a day before `now`, or the oldest one known.
    pub fn day_before(&self, now: u64) -> Option<Measure> {
        let then = self.0.iter().take_while(|(at, _)| at.saturating_add(DAY) <= now).last();
        then.or(self.0.first()).map(|(_, measure)| *measure)
    }

    /// Notes a change from `before` to `new`. One that was `accepted` although it is beyond the
    /// limits ends what was before it: nobody has to accept it twice.
    pub fn note(&mut self, now: u64, before: Option<Measure>, new: Measure, accepted: bool) {
        if accepted {
            self.0.clear();
        } else if self.0.is_empty() {
            self.0.extend(before.map(|before| (now, before)));
        }
        // after the clock was set back, what happened later has happened before
        self.0.iter_mut().for_each(|(at, _)| *at = (*at).min(now));
        let old = self.0.iter().take_while(|(at, _)| at.saturating_add(DAY) <= now).count();
        self.0.drain(..old.saturating_sub(1));
        if self.0.len() >= MOST {
            self.0.remove(1);
        }
        self.0.push((now, new));
    }
}

#[cfg(test)]
mod tests;
