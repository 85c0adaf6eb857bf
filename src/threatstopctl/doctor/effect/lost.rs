//! Classes in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::doctor::flow::{Class, Protocol};
use crate::doctor::rules::{Direction, Family};

/// By interface, the protocols of which nothing is left.
type Gone<'a> = BTreeMap<Option<&'a str>, BTreeSet<Protocol>>;

/// `nothing out on em0`, `no TCP in of IPv6`; "" when there is no class. `interfaces` is the number
/// of those that could be named.
pub fn words<'a>(classes: &[&Class<'a>], interfaces: usize) -> String {
    let mut found = Vec::new();
    for (direction, way) in [(Direction::In, "in"), (Direction::Out, "out")] {
        let gone = |family| {
            let mut gone = Gone::default();
            for class in classes {
                if class.direction == direction && class.family == family {
                    gone.entry(class.interface).or_default().insert(class.protocol);
                }
            }
            gone
        };
        let (v4, v6) = (gone(Family::V4), gone(Family::V6));
        if v4 == v6 {
            phrases(&v4, way, interfaces, &mut found);
        } else {
            phrases(&v4, &format!("{way} of IPv4"), interfaces, &mut found);
            phrases(&v6, &format!("{way} of IPv6"), interfaces, &mut found);
        }
    }
    found.join(" and ")
}

fn phrases(gone: &Gone<'_>, way: &str, interfaces: usize, found: &mut Vec<String>) {
    let kinds: BTreeSet<&BTreeSet<Protocol>> = gone.values().collect();
    for kind in kinds {
        let alike = gone.iter().filter(|(_, protocols)| *protocols == kind).map(|(name, _)| *name);
        let (named, others): (Vec<Option<&str>>, _) = alike.partition(Option::is_some);
        let others: Vec<Option<&str>> = others;
        let names: Vec<&str> = named
            .into_iter()
            .chain(others)
            .map(|name| name.unwrap_or("other interfaces"))
            .collect();
        let on = match names.len() == interfaces {
            true => String::new(),
            false => format!(" on {}", names.join(", ")),
        };
        found.push(format!("{} {way}{on}", nothing(kind)));
    }
}

fn nothing(gone: &BTreeSet<Protocol>) -> String {
    let left: Vec<Protocol> =
        Protocol::ALL.into_iter().filter(|protocol| !gone.contains(protocol)).collect();
    match left.as_slice() {
        [] => "nothing".into(),
        [left] => format!("nothing but {left}"),
        _ => gone.iter().map(|gone| format!("no {gone}")).collect::<Vec<_>>().join(" and "),
    }
}
