//! What somebody said of a prefix by `block` or `allow`.

use std::collections::BTreeMap;

use control::{Action, MAX_REASON, OWN_SECONDS, OwnEntry};
use prefix::{Prefix, quoted};

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
    /// When it ends.
    pub until: Option<u64>,
    /// How many seconds lay between both when it was said.
    pub seconds: Option<u64>,
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
        Ok(Self { prefix, action, since: now, until, seconds, uid, reason: reason.to_owned() })
    }

    /// As it is shown.
    pub fn shown(&self) -> OwnEntry {
        OwnEntry {
            prefix: self.prefix.to_string(),
            action: self.action,
            since: self.since,
            until: self.until,
            uid: self.uid,
            reason: self.reason.clone(),
        }
    }

    /// The end by the clock of now: one that lies further away than its duration began is cut to
    /// that, for somebody has set the clock back.
    pub fn end(&self, now: u64) -> Option<u64> {
        let latest = now.saturating_add(self.seconds?);
        Some(self.until?.min(latest))
    }

    /// Whether it has ended at `now`.
    pub fn has_ended(&self, now: u64) -> bool {
        self.until.is_some_and(|until| until <= now)
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

/// Whether a reason is short enough and can be seen.
pub fn is_reason(text: &str) -> bool {
    let others: String = text.chars().filter(|c| !matches!(c, '"' | '\'' | '\\')).collect();
    text.chars().count() <= MAX_REASON && others.escape_debug().eq(others.chars())
}

#[cfg(test)]
mod tests;
