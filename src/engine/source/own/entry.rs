//! What somebody said of a prefix by `block` or `allow`.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use control::{Action, MAX_REASON, OWN_SECONDS, OwnEntry};
use prefix::{Prefix, quoted};

/// An end that is noticed later by so many seconds may be none: it is looked far more often, so that the
/// clock was set, or nobody ran.
const LATE: u64 = 60;
/// So long, in seconds, such an entry is remembered, in case the clock is set back.
const DOUBT: u64 = 24 * 60 * 60;

/// What is kept: at most one of an action for a prefix, in the order of tables.
pub type Entries = BTreeMap<(Prefix, Action), Entry>;

/// What somebody said of a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The prefix; what stands for IPv4 has become that.
    pub prefix: Prefix,
    /// What becomes of it.
    pub action: Action,
    /// When it was said, in epoch seconds.
    pub since: u64,
    /// When it ends, by a clock that is not behind.
    pub until: Option<u64>,
    /// How many seconds lay between both when it was said.
    pub seconds: Option<u64>,
    /// Since when, by the clock itself, that stands outside of its time: before it was said, or behind its
    /// end. A host may boot with a clock that is behind or ahead, until ntpd(8) or somebody sets it.
    pub outside: Option<u64>,
    /// Who said it.
    pub uid: u32,
    /// Why, in his words.
    pub reason: String,
}

impl Entry {
    /// Reads what `block` or `allow` asks for at `now`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(
        (action, uid): (Action, u32),
        prefix: &str,
        seconds: Option<u64>,
        reason: &str,
        now: u64,
    ) -> Result<Self, String> {
        let prefix = read_prefix(prefix)?;
        let [least, most] = OWN_SECONDS;
        if seconds.is_some_and(|seconds| !(least..=most).contains(&seconds)) {
            return Err("the time until its end is 1m to 365d".into());
        }
        if !is_reason(reason) {
            return Err(format!("the reason is at most {MAX_REASON} printable characters"));
        }
        let until = seconds.map(|seconds| now.saturating_add(seconds));
        let (outside, reason) = (None, reason.to_owned());
        Ok(Self { prefix, action, since: now, until, seconds, outside, uid, reason })
    }

    /// As it is shown.
    pub fn shown(&self) -> OwnEntry {
        OwnEntry {
            prefix: self.prefix.to_string(),
            action: self.action,
            since: self.since,
            until: self.end(),
            uid: self.uid,
            reason: self.reason.clone(),
        }
    }

    /// The end by the clock as it was seen: while that is behind, no further away than its duration.
    pub fn end(&self) -> Option<u64> {
        let behind = self.outside.filter(|at| self.side(*at).is_lt()).zip(self.seconds);
        behind.map(|(at, seconds)| at.saturating_add(seconds)).or(self.until)
    }

    /// Whether it is in force by the clock as it was seen.
    pub fn holds(&self) -> bool {
        !self.outside.is_some_and(|at| self.side(at).is_gt())
    }

    /// Whether there is something to take note of at `now`.
    pub fn is_due(&self, now: u64) -> bool {
        self.outside.is_some() || self.side(now).is_ne()
    }

    /// Takes note that it is `now`; says whether it has ended for good.
    pub fn look(&mut self, now: u64) -> bool {
        let side = self.side(now);
        let before = self.outside.filter(|at| self.side(*at) == side);
        let at = before.map_or(now, |at| at.min(now));
        self.outside = side.is_ne().then_some(at);
        let end = self.end().filter(|end| *end <= now);
        let is_sure = |end| side.is_lt() || at.saturating_sub(end) <= LATE || now - at >= DOUBT;
        end.is_some_and(is_sure)
    }

    /// Where a time lies: before it was said, in its time, or behind its end.
    fn side(&self, at: u64) -> Ordering {
        match self.until {
            Some(until) if until <= at => Ordering::Greater,
            Some(_) if at < self.since => Ordering::Less,
            _ => Ordering::Equal,
        }
    }
}

/// Reads a prefix; what stands for IPv4 becomes that.
///
/// # Errors
/// When it is none, or has host bits.
pub fn read_prefix(text: &str) -> Result<Prefix, String> {
    let prefix: Prefix = text.parse().map_err(|why| format!("{}: {why}", quoted(text)))?;
    Ok(match prefix {
        Prefix::V6(net) => policy::unmapped(net, 0).map_or(prefix, Prefix::V4),
        Prefix::V4(_) => prefix,
    })
}

/// What there is to say of a prefix, to whom has written it so, whatever it has become.
pub fn of_written(written: &str, prefix: Prefix, why: &str) -> String {
    match written.parse::<Prefix>() {
        Ok(one) if one != prefix => format!("{written} stands for {prefix}: {why}"),
        _ => why.to_owned(),
    }
}

/// Whether a reason is short enough and can be seen.
pub fn is_reason(text: &str) -> bool {
    let others: String = text.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
    text.chars().count() <= MAX_REASON && others.escape_debug().eq(others.chars())
}

#[cfg(test)]
mod tests;
