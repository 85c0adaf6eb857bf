//! The guards: whether a set may replace the one before it.

use core::fmt;

use prefix::{Bounds, Kind, Prefix, PrefixSet, Refusal, Shield, Tally};

use crate::held::HeldRuns;
use crate::measure::Measure;
use crate::ranges::Ranges;

/// A change of no more than this is never held back, whatever its percentage: entries, addresses of
/// IPv4, /32 of IPv6.
const SMALL: Measure = Measure { entries: 100, v4: 1 << 20, v6: 256 };
/// What a list, or a table, is given at once by `update -f` alone, whatever the percentage: more than 2 percent
/// of IPv4, or more than so many /32 of IPv6.
const MOST_V4: u64 = (1 << 32) / 50;
const MOST_V6: u64 = 1024;
/// So many entries never become none but by `update -f`.
const SOME: u64 = 10;

/// The section `[guard]` of the configuration, and what is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guard {
    /// What holds for every set.
    pub bounds: Bounds,
    /// The protected networks of which the helper knows.
    pub shield: Shield,
    /// Percent by which a list, and a table, may shrink.
    pub max_shrink: u32,
    /// Percent by which a list, and a table, may grow.
    pub max_growth: u32,
}

impl Guard {
    /// Whether a table may have this set. `allow` is the allow table beside it, and is asked for
    /// addresses of `expect` that a block table lacks.
    ///
    /// # Errors
    /// What forbids it.
    pub fn check(&self, table: Kind, set: &PrefixSet, allow: &PrefixSet) -> Result<(), Refusal> {
        let Self { bounds, shield, .. } = self;
        bounds.count(table, set.len() as u64)?;
        let mut tally = Tally::new(table, bounds);
        // a loop for each family has the checks as a part; iter() hands prefixes on through memory
        for &net in set.v4() {
            tally.add(net.into(), bounds, shield)?;
        }
        for &net in set.v6() {
            tally.add(net.into(), bounds, shield)?;
        }
        tally.end(bounds, shield, |addr| allow.find(addr).is_some())
    }

    /// What forbids to go from `old` to `new` without being asked, by percentage.
    ///
    /// There is no percentage of nothing, so that from nothing any step is small enough.
    fn step(&self, old: Measure, new: Measure) -> Option<Step> {
        if old.entries == 0 {
            return None;
        }
        let units = [Unit::Entries, Unit::V4, Unit::V6];
        units.into_iter().find_map(|unit| {
            let (small, old, new) = (unit.of(SMALL), unit.of(old), unit.of(new));
            let percent = if new < old { self.max_shrink } else { self.max_growth };
            let by = old.abs_diff(new);
            let beyond = by > small && u128::from(by) * 100 > u128::from(old) * u128::from(percent);
            beyond.then_some(Step { unit, old, new, percent, in_a_day: false })
        })
    }

    /// Whether either set may follow the other.
    pub(crate) fn alike(&self, a: Measure, b: Measure) -> bool {
        self.step(a, b).is_none() && self.step(b, a).is_none()
    }

    /// Whether a run with the numbers `new` agrees with the last one of a row.
    pub fn agrees(&self, held: &HeldRuns, new: Measure) -> bool {
        held.last.is_none_or(|last| self.alike(last, new))
    }

    /// What forbids to go to `new` from the numbers `before`, or from those of a day ago.
    /// `brought` is what there is now and was not before.
    pub(crate) fn change(
        &self,
        before: Measure,
        day: Option<Measure>,
        new: Measure,
        brought: Measure,
    ) -> Option<Reason> {
        // what is so already is no step
        let day = day.filter(|day| day.entries > 0 && before != new);
        let some = |old: Measure| old.entries >= SOME;
        if new.entries == 0 && (some(before) || day.is_some_and(some)) {
            let (old, in_a_day) = if some(before) { (before, false) } else { (day?, true) };
            return Some(Reason::Emptied { old: old.entries, percent: self.max_shrink, in_a_day });
        }
        let most = |brought: Measure, in_a_day| {
            let v6 = (brought.v6 > MOST_V6).then_some((Unit::V6, brought.v6));
            let much = (brought.v4 > MOST_V4).then_some((Unit::V4, brought.v4)).or(v6);
            much.map(|(unit, count)| Brought { unit, count, in_a_day })
        };
        let much = most(brought, false).or_else(|| {
            let day = day?;
            let (v4, v6) = (new.v4.saturating_sub(day.v4), new.v6.saturating_sub(day.v6));
            most(Measure { entries: 0, v4, v6 }, true)
        });
        let step = self.step(before, new).or_else(|| {
            let step = self.step(day?, new)?;
            Some(Step { in_a_day: true, ..step })
        });
        match (much, step) {
            (Some(much), step) => Some(Reason::Brings(much, step)),
            (None, step) => step.map(Reason::Changed),
        }
    }

    /// What becomes of a list, or of all that a source brings into a table, with the numbers `new`:
    /// whether it is accepted though there is a `reason` against it, by -f or as the third run in the
    /// row `held` that agrees. `held` is the row after that.
    ///
    /// # Errors
    /// The reason, when nobody has accepted it.
    pub fn decide(
        &self,
        new: Measure,
        reason: Option<Reason>,
        run: Run,
        held: &mut HeldRuns,
    ) -> Result<Accepted, Reason> {
        let accepted = match (reason, run) {
            (None, run) => {
                run.end(held);
                return Ok(Accepted::Usual);
            }
            (Some(reason), Run::Forced) if reason.is_hold() => Accepted::Forced,
            (Some(reason), Run::Scheduled)
                if reason.can_be_third() && held.agree(new, |a, b| self.alike(a, b)) =>
            {
                Accepted::ThirdRun
            }
            (Some(reason), run) => {
                if !reason.can_be_third() {
                    run.end(held);
                }
                return Err(reason);
            }
        };
        held.end();
        Ok(accepted)
    }
}

/// What `now`, of the numbers `new`, has that `before` has not; not looked at when all of it is no
/// more than comes at once.
pub(crate) fn brought(new: Measure, before: &Ranges, now: &Ranges) -> Measure {
    if is_much(new) { Measure::brought(before, now) } else { Measure::default() }
}

/// Whether it is more than comes at once.
pub(crate) fn is_much(brought: Measure) -> bool {
    brought.v4 > MOST_V4 || brought.v6 > MOST_V6
}

/// Who wants the run, as far as a set or list goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// The timer, and it counts: the source was due, and has not counted just now.
    Scheduled,
    /// `threatstopctl update`, SIGUSR1, or a run that does not count.
    Manual,
    /// `threatstopctl update -f`: shrink and growth are accepted.
    Forced,
}

impl Run {
    /// Ends the row, unless somebody only looks in between: what comes by hand neither counts nor
    /// ends it, as long as it is not what was held that he accepts.
    pub(crate) fn end(self, held: &mut HeldRuns) {
        if self == Self::Scheduled {
            held.end();
        }
    }
}

/// A set may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It is within all limits, or the first one.
    Usual,
    /// It changed too much, and `update -f` accepts it.
    Forced,
    /// It changed too much, and three scheduled runs in a row agree on it.
    ThirdRun,
}

/// The previous table stays; the message of [`fmt::Display`] says why and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Whether it is a table of what to block or of what to let through.
    pub table: Kind,
    /// What forbids the new one.
    pub reason: Reason,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Prefixes.
    Entries,
    /// IPv4 addresses.
    V4,
    /// /32 networks of IPv6.
    V6,
}

impl Unit {
    /// What of a measure is counted so.
    pub(crate) fn of(self, measure: Measure) -> u64 {
        match self {
            Self::Entries => measure.entries,
            Self::V4 => measure.v4,
            Self::V6 => measure.v6,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Entries => "entries",
            Self::V4 => "addresses",
            Self::V6 => "networks of IPv6 (/32)",
        }
    }
}

/// A change beyond max_shrink or max_growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// What is counted.
    pub unit: Unit,
    /// So many before.
    pub old: u64,
    /// So many now.
    pub new: u64,
    /// `max_shrink` or `max_growth`.
    pub percent: u32,
    /// Whether it is one of several steps within 24 hours.
    pub in_a_day: bool,
}

/// More than a table is given without `update -f`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Brought {
    /// What is counted.
    pub unit: Unit,
    /// So many that the set before did not have.
    pub count: u64,
    /// Whether it came in several steps within 24 hours.
    pub in_a_day: bool,
}

/// What forbids a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A list has a prefix wider than the floor.
    Wider {
        /// The list.
        list: String,
        /// The prefix.
        net: Prefix,
        /// The shortest length permitted.
        floor: u8,
    },
    /// What no table may have.
    Refused(Refusal),
    /// More than a feed may bring, whatever a table may have.
    OfFeed {
        /// What is counted.
        unit: Unit,
        /// What the list covers.
        covered: u64,
        /// The bound.
        most: u64,
    },
    /// Too large a change, which a third such run accepts.
    Changed(Step),
    /// Too much that is new, which `update -f` alone accepts, and by how many percent if that is
    /// too much as well.
    Brings(Brought, Option<Step>),
    /// Nothing would be left, which `update -f` alone accepts.
    Emptied {
        /// Entries before.
        old: u64,
        /// `max_shrink`.
        percent: u32,
        /// Whether they went in several steps within 24 hours.
        in_a_day: bool,
    },
}

impl Reason {
    /// Whether the third run that agrees is accepted.
    pub fn can_be_third(&self) -> bool {
        matches!(self, Self::Changed(_))
    }

    /// Whether the set is only held back, and `update -f` publishes it.
    pub fn is_hold(&self) -> bool {
        matches!(self, Self::Changed(_) | Self::Brings(..) | Self::Emptied { .. })
    }
}

/// How what is held back can be had. Sentences are known by their end up to here, so that the time is behind it.
fn way_out(in_a_day: bool) -> &'static str {
    match in_a_day {
        true => "(update -f to accept), within 24 hours",
        false => "(update -f to accept)",
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unit, old, new, percent, in_a_day } = *self;
        let covers = if unit == Unit::Entries { "" } else { "covers " };
        let (words, way_out) = (unit.words(), way_out(in_a_day));
        let more = if new < old { "fewer" } else { "more" };
        write!(f, "{covers}{old} -> {new} {words}, more than {percent} % {more} {way_out}")
    }
}

impl fmt::Display for Brought {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unit, count, in_a_day } = *self;
        let (words, when) = (unit.words(), if in_a_day { "" } else { " at once" });
        let most = if unit == Unit::V6 { MOST_V6.to_string() } else { "2 % of IPv4".into() };
        write!(f, "brings {count} {words}{when}, more than {most} {}", way_out(in_a_day))
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wider { list, net, floor } => wider(f, list, *net, *floor),
            Self::Refused(refusal) => fmt::Display::fmt(refusal, f),
            Self::OfFeed { unit, covered, most } => {
                let of = if *unit == Unit::V4 { " of IPv4" } else { "" };
                let what = unit.words();
                write!(
                    f,
                    "it covers {covered} {what}{of}, more than {most} (see max_coverage of the feed)"
                )
            }
            Self::Changed(step) | Self::Brings(_, Some(step)) => fmt::Display::fmt(step, f),
            Self::Brings(brought, None) => fmt::Display::fmt(brought, f),
            Self::Emptied { old, percent, in_a_day } => {
                write!(f, "{old} -> 0 entries")?;
                // no percentage is more than all
                if *percent < 100 {
                    write!(f, ", more than {percent} % fewer")?;
                }
                write!(f, " {}", way_out(*in_a_day))
            }
        }
    }
}

fn wider(f: &mut fmt::Formatter<'_>, who: &str, net: Prefix, floor: u8) -> fmt::Result {
    let family = if matches!(net, Prefix::V4(_)) { 4 } else { 6 };
    write!(f, "{who} has {net}, wider than /{floor} (see min_prefix_v{family} in [guard])")
}

/// A reason in a sentence that has named the list already.
pub struct OfList<'a>(pub &'a Reason);

impl fmt::Display for OfList<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Reason::Wider { net, floor, .. } => wider(f, "it", *net, *floor),
            reason => fmt::Display::fmt(reason, f),
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keeping the previous {} list: {}", self.table, self.reason)
    }
}

impl std::error::Error for Kept {}

/// The copy of a list stays; the message of [`fmt::Display`] says why and what can be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptList {
    /// The name of the list.
    pub list: String,
    /// What forbids the new one.
    pub reason: Reason,
}

impl fmt::Display for KeptList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keeping the previous list {}: {}", self.list, OfList(&self.reason))
    }
}

impl std::error::Error for KeptList {}

/// Holds a composed table against what holds for every table, whoever wants it. The helper drops an
/// engine that hands over a set which this refuses.
///
/// `allow` is the allow table that will be in force beside a block table: it excuses what a block
/// table lacks of `expect`.
///
/// # Errors
/// [`Kept`] when the previous set must stay.
pub fn check_table(
    table: Kind,
    set: &PrefixSet,
    allow: &PrefixSet,
    guard: &Guard,
) -> Result<(), Kept> {
    guard
        .check(table, set, allow)
        .map_err(|refusal| Kept { table, reason: Reason::Refused(refusal) })
}

#[cfg(test)]
mod tests;
