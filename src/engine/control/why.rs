//! `why`.

use std::net::IpAddr;
use std::rc::Rc;

use control::{Action, OwnEntry, Why};
use imsg::TableId;
use policy::{Protected, Since};
use prefix::{Kind, Prefix, PrefixSet};

use crate::clock;
use crate::lists::Source;
use crate::source::own::Own;
use crate::state::Policy;
use crate::tables::Tables;

/// Why an address is blocked, or is not; `protected` are the networks that are protected now.
pub fn why(
    tables: &Tables,
    policy: &Policy,
    own: &Own,
    protected: &[Protected],
    address: IpAddr,
) -> Why {
    let (empty, never) = (PrefixSet::default(), Since::default());
    // of the tables that have it the first, and the block table where none has
    let covers = |(_, set): &(TableId, &Rc<PrefixSet>)| set.find(address.to_canonical()).is_some();
    let covering: Vec<TableId> = policy.blocked().filter(covers).map(|(id, _)| id).collect();
    let first = covering.first().copied().unwrap_or(TableId::BLOCK);
    let named: Vec<String> = tables
        .iter()
        .filter(|table| covering.contains(&table.id))
        .map(|table| table.name.clone())
        .collect();
    let evidence = policy::Evidence {
        block: policy.set(first).unwrap_or(&empty),
        since: policy.since.get(&first).map_or(&never, |since| since),
        block_lists: &policy.lists(Kind::Block),
        allow_lists: &policy.lists(Kind::Allow),
        protected,
    };
    let found = policy::why(&evidence, address);
    let protected_by = found.protected_by.map(|p| format!("{} ({})", p.net, p.reason));
    let own = own.naming(address);
    // whoever has but one block table knows it
    let of_tables = match covering.as_slice() {
        [] | [TableId::BLOCK] => String::new(),
        _ => format!(" in {}", named.join(", ")),
    };
    Why {
        address,
        blocked: found.blocked(),
        prefix: found.entry.map(|entry| entry.to_string()),
        since: found.since,
        lists: found.listed_by.iter().map(|(list, _)| (*list).to_owned()).collect(),
        items: found.listed_by.iter().map(|(_, item)| item.to_string()).collect(),
        allowed_by: found.allowed_by.iter().map(|&list| list.to_owned()).collect(),
        text: sentence(&found, address, &of_tables, protected_by.as_deref(), &own),
        tables: named,
        protected_by,
        own,
    }
}

/// The same for people.
fn sentence(
    found: &policy::Why<'_>,
    address: IpAddr,
    of_tables: &str,
    protected_by: Option<&str>,
    own: &[OwnEntry],
) -> String {
    // its own item, where another one is in the table
    let listed = |&(list, item): &(&str, Prefix)| match found.entry {
        Some(entry) if entry == item => list.to_owned(),
        None if item == Prefix::host(address) => list.to_owned(),
        _ => format!("{list} as {item}"),
    };
    let listed = |pair: &(&str, Prefix)| listed(pair) + &said(own, pair.0, Action::Block);
    let listed: Vec<String> = found.listed_by.iter().map(listed).collect();
    let listed = match listed.as_slice() {
        [] => "not listed".to_owned(),
        listed => format!("listed by {}", listed.join(", ")),
    };
    match (&found.entry, protected_by) {
        (Some(entry), _) => {
            let since = found.since.map(|since| format!(", since {}", clock::date(since)));
            format!(
                "{address} is blocked: {entry}{of_tables}, {listed}{}",
                since.unwrap_or_default()
            )
        }
        (None, _) if !found.allowed_by.is_empty() => {
            let allowed = |list: &&str| format!("{list}{}", said(own, list, Action::Allow));
            let allowed_by = found.allowed_by.iter().map(allowed).collect::<Vec<_>>().join(", ");
            format!("{address} is not blocked: allowed by {allowed_by}, {listed}")
        }
        (None, Some(network)) => {
            format!("{address} is not blocked: protected by {network}, {listed}")
        }
        (None, None) => format!("{address} is not blocked: {listed}"),
    }
}

/// What somebody said, behind the list of such entries: of those that name the address the narrowest.
fn said(own: &[OwnEntry], list: &str, action: Action) -> String {
    let mut entries = own.iter().filter(|entry| entry.action == action);
    let Some(OwnEntry { until, uid, reason, .. }) =
        entries.next_back().filter(|_| list == Source::Own.name())
    else {
        return String::new();
    };
    let until = until.map(|until| format!(" until {}", clock::date(until))).unwrap_or_default();
    let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    format!(" (uid {uid}{until}{reason})")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(entry: Option<&str>, listed_by: &[(&str, &str)], address: &str) -> String {
        let found = policy::Why {
            entry: entry.map(|entry| entry.parse().unwrap()),
            since: None,
            listed_by: listed_by
                .iter()
                .map(|(list, item)| (*list, item.parse().unwrap()))
                .collect(),
            allowed_by: Vec::new(),
            protected_by: None,
        };
        sentence(&found, address.parse().unwrap(), "", None, &[])
    }

    /// Fails when the list's own item is not named where the table has another one.
    #[test]
    fn the_item_of_the_list_is_named_where_it_differs() {
        assert_eq!(
            said(Some("192.0.2.0/25"), &[("basic", "192.0.2.0/24")], "192.0.2.7"),
            "192.0.2.7 is blocked: 192.0.2.0/25, listed by basic as 192.0.2.0/24"
        );
        assert_eq!(
            said(Some("192.0.2.0/24"), &[("basic", "192.0.2.0/24")], "192.0.2.7"),
            "192.0.2.7 is blocked: 192.0.2.0/24, listed by basic"
        );
        assert_eq!(
            said(Some("192.0.2.6/31"), &[("a", "192.0.2.7"), ("b", "192.0.2.6/31")], "192.0.2.7"),
            "192.0.2.7 is blocked: 192.0.2.6/31, listed by a as 192.0.2.7, b"
        );
        assert_eq!(
            said(None, &[("basic", "10.0.0.0/8")], "10.1.2.3"),
            "10.1.2.3 is not blocked: listed by basic as 10.0.0.0/8"
        );
        assert_eq!(said(None, &[], "192.0.2.7"), "192.0.2.7 is not blocked: not listed");
    }

    /// Fails when what root said is not told with its reason and end.
    #[test]
    fn what_somebody_said_is_told_with_its_reason() {
        let found = policy::Why {
            entry: None,
            since: None,
            listed_by: vec![("own", "192.0.2.7".parse().unwrap())],
            allowed_by: vec!["own"],
            protected_by: None,
        };
        let said = |action, prefix: &str, until, reason: &str| OwnEntry {
            prefix: prefix.into(),
            action,
            since: 1,
            until,
            uid: 1000,
            reason: reason.into(),
        };
        let own = [
            said(Action::Allow, "192.0.2.0/24", None, "wide"),
            said(Action::Allow, "192.0.2.7", None, ""),
            said(Action::Block, "192.0.2.7", Some(0), "ssh, ticket 12"),
        ];
        let text = sentence(&found, "192.0.2.7".parse().unwrap(), "", None, &own);
        let end = clock::date(0);
        assert_eq!(
            text,
            format!(
                "192.0.2.7 is not blocked: allowed by own (uid 1000), listed by own (uid 1000 \
                 until {end}: ssh, ticket 12)"
            )
        );
    }
}
