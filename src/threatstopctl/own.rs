//! `block`, `allow`, `forget` and the text of `show own`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use control::{Failure, OwnEntry, Request};

use crate::arguments::Arguments;
use crate::columns::{Stand::*, columns};
use crate::error::Error;
use crate::relay::relay;
use crate::tool::Tool;
use crate::units::{ago, due};

/// Blocks a prefix from now on.
///
/// # Errors
/// All of [`relay`], and [`Error::Failed`] for what is no duration.
pub fn block(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let (prefix, seconds, reason) = said("block", arguments)?;
    relay(tool, &Request::Block { prefix, seconds, reason })
}

/// Takes a prefix out of what is blocked from now on.
///
/// # Errors
/// As [`block`].
pub fn allow(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let (prefix, seconds, reason) = said("allow", arguments)?;
    relay(tool, &Request::Allow { prefix, seconds, reason })
}

/// Takes back what was said of a prefix, or with `-a` everything.
///
/// # Errors
/// All of [`relay`], and [`Error::Failed`] when it is both or neither.
pub fn forget(tool: &Tool, arguments: &Arguments) -> Result<bool, Error> {
    let operand = |at: usize| arguments.operands.get(at).map(|it| it.to_string_lossy().into());
    match (operand(0), arguments.has('a')) {
        (None, false) => Err(failed("forget", "prefix missing; -a forgets all")),
        (Some(_), true) => Err(failed("forget", "either a prefix, or -a for all")),
        (prefix, _) => relay(tool, &Request::Forget { prefix }),
    }
}

/// Prefix, seconds and reason of the command line; the engine judges them.
fn said(word: &str, arguments: &Arguments) -> Result<(String, Option<u64>, String), Error> {
    let operand = |at: usize| arguments.operands.get(at).map(|it| it.to_string_lossy().into());
    let seconds = arguments.value('t').map(|text| {
        let text = text.to_string_lossy();
        let why = format!("-t {text}: not a duration such as 90s, 15m, 4h or 7d");
        config::read_duration(&text).ok_or_else(|| failed(word, &why))
    });
    Ok((operand(0).unwrap_or_default(), seconds.transpose()?, operand(1).unwrap_or_default()))
}

fn failed(what: &str, why: &str) -> Error {
    Error::Failed(Failure { what: what.into(), why: why.into() })
}

/// What was said, in columns.
pub fn render(entries: &[OwnEntry]) -> String {
    if entries.is_empty() {
        return "neither block nor allow has anything".into();
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    table(entries, now)
}

fn table(entries: &[OwnEntry], now: u64) -> String {
    let headings = [
        ("prefix", Left),
        ("what", Left),
        ("said", Left),
        ("ends", Left),
        ("uid", Right),
        ("reason", Left),
    ];
    let row = |entry: &OwnEntry| {
        vec![
            entry.prefix.clone(),
            entry.action.word().to_owned(),
            ago(entry.since, now),
            entry.until.map_or_else(|| "-".to_owned(), |until| due(until, now)),
            entry.uid.to_string(),
            entry.reason.clone(),
        ]
    };
    let rows: Vec<Vec<String>> = entries.iter().map(row).collect();
    columns(&headings, &rows)
}

#[cfg(test)]
mod tests {
    use control::Action;

    use super::*;

    #[test]
    fn what_was_said_stands_in_columns() {
        let entry = |prefix: &str, action, until, reason: &str| OwnEntry {
            prefix: prefix.into(),
            action,
            since: 1_000,
            until,
            uid: 0,
            reason: reason.into(),
        };
        let entries = [
            entry("192.0.2.7", Action::Block, Some(15_400), "ssh, ticket 12"),
            entry("2001:db8::/32", Action::Allow, None, ""),
        ];
        assert_eq!(
            table(&entries, 1_060),
            "prefix         what   said    ends       uid  reason\n\
             192.0.2.7      block  1m ago  in 3h 59m    0  ssh, ticket 12\n\
             2001:db8::/32  allow  1m ago  -            0\n"
        );
        assert_eq!(render(&[]), "neither block nor allow has anything");
    }
}
