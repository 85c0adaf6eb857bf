//! The text of `show own`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use control::OwnEntry;
use control::units::{ago, due};

use crate::columns::{Stand::*, columns};

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
