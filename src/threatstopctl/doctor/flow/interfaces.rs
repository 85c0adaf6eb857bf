//! Which interfaces there are, as far as it matters.

use super::takes::Takes;
use crate::doctor::rules::{Item, Named, Ruleset};

/// What is known of interfaces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interfaces {
    /// Those of the group `egress`, where the default routes go; empty when that is not known.
    pub egress: Vec<String>,
    /// Those that pf does not look at (`set skip on`).
    pub skipped: Vec<String>,
}

impl Interfaces {
    /// How much of what crosses an interface, by its name, is asked for behind `on`; `None` is an
    /// interface that no rule names.
    pub fn on(&self, wanted: Option<&Named>, crossed: Option<&str>) -> Takes {
        let Some(Named { name, not }) = wanted else { return Takes::All };
        let takes = match (name.as_str(), crossed) {
            // every interface but lo0, of which nothing is looked at here
            ("any" | "all", _) => Takes::All,
            (name, Some(crossed)) if name == crossed => Takes::All,
            ("egress", _) if !self.egress.is_empty() => {
                Takes::when(crossed.is_some_and(|name| self.egress.iter().any(|one| one == name)))
            }
            _ if is_loopback(name) => Takes::None,
            (name, Some(crossed)) if is_group(name) => match crossed.strip_prefix(name) {
                // em0 is of the group em
                Some(number) if is_number(number) => Takes::All,
                _ => Takes::Some,
            },
            (name, None) if is_group(name) => Takes::Some,
            // an interface, and a group of interfaces
            (_, Some(crossed)) if is_group(crossed) => Takes::Some,
            _ => Takes::None,
        };
        takes.unless(*not)
    }

    /// The interfaces and groups that rules name, and those of egress, but for what pf does not
    /// look at; empty when no rule names one.
    pub fn named(&self, rules: &Ruleset) -> Vec<String> {
        let mut found = Vec::new();
        collect(&rules.items, &mut found);
        if !found.is_empty() {
            found.extend(self.egress.iter().cloned());
        }
        let known = |name: &String| name == "egress" && !self.egress.is_empty();
        found.retain(|name| !known(name) && !self.is_skipped(name));
        found.sort();
        found.dedup();
        found
    }

    /// Whether pf does not look at an interface.
    pub fn is_skipped(&self, name: &str) -> bool {
        self.skipped.iter().any(|skipped| skipped == name)
    }

    /// Whether the packets of the Internet cross this one.
    pub fn is_egress(&self, name: &str) -> bool {
        match self.egress.is_empty() {
            true => name == "egress",
            false => self.egress.iter().any(|one| one == name),
        }
    }
}

fn collect(items: &[Item], found: &mut Vec<String>) {
    for item in items {
        collect(item.items(), found);
        let name = item.rule().interface.iter().map(|named| &named.name);
        let counts = |name: &&String| *name != "any" && *name != "all" && !is_loopback(name);
        found.extend(name.filter(counts).cloned());
    }
}

/// Whether no packet of somebody else can cross it.
pub fn is_loopback(name: &str) -> bool {
    name == "lo" || name.strip_prefix("lo").is_some_and(is_number)
}

/// ifconfig(8): the name of a group does not end with a digit, that of an interface does.
fn is_group(name: &str) -> bool {
    !name.ends_with(|letter: char| letter.is_ascii_digit())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit())
}
