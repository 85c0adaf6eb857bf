//! How large a list is, in both measures, and what it had been a day before.

use prefix::{Address, Coverage, Floor, PrefixSet, Range};

use crate::cover::cover_len;
use crate::ranges::Ranges;
use crate::sweep::{Holes, overlap};

/// What a list names, or several together, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measure {
    /// Entries: the least number of prefixes that they are, each by itself.
    pub entries: u64,
    /// IPv4 addresses covered that can be met on the Internet.
    pub v4: u64,
    /// IPv6 covered that can be met on the Internet, in numbers of a /32, rounded up.
    pub v6: u64,
}

impl Measure {
    /// The numbers of what lists name.
    ///
    /// Reserved and private space counts for an entry and for no address, as all but 2000::/3 does
    /// in IPv6: it is left out of tables, and a list that begins to name 224.0.0.0/3 has not
    /// grown by an eighth of the Internet.
    pub(crate) fn of_ranges(ranges: &Ranges) -> Self {
        Size::of(ranges).measure(ranges)
    }

    /// What `new` covers that `old` does not; the number of its entries is none.
    pub(crate) fn brought(old: &Ranges, new: &Ranges) -> Self {
        let (mut coverage, nowhere) = (Coverage::default(), nowhere());
        let mut holes = Holes::new(nowhere.v4().iter().copied());
        beyond(old.v4(), new.v4(), |range| holes.cut(range, |range| coverage.add_v4(range)));
        beyond(old.v6(), new.v6(), |range| coverage.add_v6(range));
        Self::new(0, &coverage)
    }

    /// The numbers of both, as if they had nothing in common.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            entries: self.entries.saturating_add(other.entries),
            v4: self.v4.saturating_add(other.v4),
            v6: self.v6.saturating_add(other.v6),
        }
    }

    fn new(entries: u64, coverage: &Coverage) -> Self {
        Self { entries, v4: coverage.v4(), v6: coverage.networks() }
    }
}

/// What a set covers.
pub fn coverage(set: &PrefixSet) -> Coverage {
    let mut coverage = Coverage::default();
    set.v4().iter().for_each(|net| coverage.add_v4((*net).into()));
    set.v6().iter().for_each(|net| coverage.add_v6((*net).into()));
    coverage
}

/// What is met on the Internet by nobody.
fn nowhere() -> Ranges {
    prefix::unrouted().chain(prefix::private()).map(|(net, _)| net).collect()
}

/// Hands on what of `new` lies outside of `old`.
fn beyond<A: Address>(old: &[Range<A>], new: &[Range<A>], mut left: impl FnMut(Range<A>)) {
    let mut holes = Holes::new(old.iter().copied());
    new.iter().for_each(|range| holes.cut(*range, &mut left));
}

/// How large ranges are, before anything is taken out of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    /// Prefixes that cover them one by one.
    pub(crate) entries: u64,
    /// All addresses.
    pub(crate) coverage: Coverage,
    /// Low bits in which addresses of one range differ, at most: of IPv4, and of IPv6.
    differ: (u8, u8),
}

impl Size {
    /// How large ranges are; entries are prefixes not wider than the floor.
    pub(crate) fn of(ranges: &Ranges) -> Self {
        let mut size = Self::default();
        let v4 = size.family(ranges.v4(), Coverage::add_v4);
        let v6 = size.family(ranges.v6(), Coverage::add_v6);
        Self { differ: (v4, v6), ..size }
    }

    /// Adds the ranges of a family; gives the bits in which addresses of one of them differ, at most.
    fn family<A: Address>(
        &mut self,
        ranges: &[Range<A>],
        add: impl Fn(&mut Coverage, Range<A>),
    ) -> u8 {
        let mut differ = A::ZERO;
        for range in ranges {
            self.entries += u64::from(cover_len(*range));
            add(&mut self.coverage, *range);
            differ = differ.or(range.first().xor(range.last()));
        }
        A::BITS - differ.leading_zeros()
    }

    /// Whether a range lies in more than one network as wide as the floor.
    pub(crate) fn exceeds(&self, floor: Floor) -> bool {
        let (v4, v6) = self.differ;
        v4 > u32::BITS as u8 - floor.v4 || v6 > u128::BITS as u8 - floor.v6
    }

    /// The numbers of the ranges that it is the size of.
    pub(crate) fn measure(&self, ranges: &Ranges) -> Measure {
        let nowhere = nowhere();
        let left_out = nowhere.v4().iter().map(|hole| overlap(ranges.v4(), *hole).addresses);
        let left_out = u64::try_from(left_out.sum::<u128>()).unwrap_or(u64::MAX);
        let Measure { entries, v4, v6 } = Measure::new(self.entries, &self.coverage);
        Measure { entries, v4: v4.saturating_sub(left_out), v6 }
    }
}

/// Seconds for which small steps count as one.
const DAY: u64 = 24 * 60 * 60;
/// A day has few changes; of more, those between are let go of.
const MOST: usize = 64;

/// What a list measured after each change, so that many small steps are one.
///
/// Plain numbers, to be kept with the state of the engine: epoch seconds of the change and the
/// numbers of the list that came into force, the oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History(pub Vec<(u64, Measure)>);

impl History {
    /// What was in force a day before `now`, or the oldest one known.
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
