//! `why`.

use std::net::IpAddr;

use control::Why;
use policy::Protected;
use prefix::{Kind, Prefix};

use crate::{Engine, clock};

/// Why an address is blocked, or is not; `protected` are the networks that are protected now.
pub fn why(engine: &Engine, protected: &[Protected], address: IpAddr) -> Why {
    let policy = engine.state.policy();
    let empty = prefix::PrefixSet::default();
    let evidence = policy::Evidence {
        block: policy.block.as_ref().unwrap_or(&empty),
        since: &policy.since,
        block_lists: &policy.lists(Kind::Block),
        allow_lists: &policy.lists(Kind::Allow),
        protected,
    };
    let found = policy::why(&evidence, address);
    let protected_by = found.protected_by.map(|p| format!("{} ({})", p.net, p.reason));
    Why {
        address,
        blocked: found.blocked(),
        prefix: found.entry.map(|entry| entry.to_string()),
        since: found.since,
        lists: found.listed_by.iter().map(|(list, _)| (*list).to_owned()).collect(),
        items: found.listed_by.iter().map(|(_, item)| item.to_string()).collect(),
        allowed_by: found.allowed_by.iter().map(|&list| list.to_owned()).collect(),
        text: sentence(&found, address, protected_by.as_deref()),
        protected_by,
    }
}

/// The same for people.
fn sentence(found: &policy::Why<'_>, address: IpAddr, protected_by: Option<&str>) -> String {
    // its own item, where another one is in the table
    let listed = |&(list, item): &(&str, Prefix)| match found.entry {
        Some(entry) if entry == item => list.to_owned(),
        None if item == Prefix::host(address) => list.to_owned(),
        _ => format!("{list} as {item}"),
    };
    let listed: Vec<String> = found.listed_by.iter().map(listed).collect();
    let listed = match listed.as_slice() {
        [] => "not listed".to_owned(),
        listed => format!("listed by {}", listed.join(", ")),
    };
    match (&found.entry, protected_by) {
        (Some(entry), _) => {
            let since = found.since.map(|since| format!(", since {}", clock::date(since)));
            format!("{address} is blocked: {entry}, {listed}{}", since.unwrap_or_default())
        }
        (None, _) if !found.allowed_by.is_empty() => {
            let allowed_by = found.allowed_by.join(", ");
            format!("{address} is not blocked: allowed by {allowed_by}, {listed}")
        }
        (None, Some(network)) => {
            format!("{address} is not blocked: protected by {network}, {listed}")
        }
        (None, None) => format!("{address} is not blocked: {listed}"),
    }
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
        sentence(&found, address.parse().unwrap(), None)
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
}
