//! What a policy server knows: names, their records, and how it answers for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::data::{Data, name_size};
use super::layout::{self, Shape};
use crate::item::Item;

/// Response codes, RFC 1035, section 4.1.1.
pub mod rcode {
    /// No error.
    pub const NOERROR: u8 = 0;
    /// The server could not read the query.
    pub const FORMERR: u8 = 1;
    /// The server failed.
    pub const SERVFAIL: u8 = 2;
    /// The name does not exist.
    pub const NXDOMAIN: u8 = 3;
    /// The server does not do that.
    pub const NOTIMP: u8 = 4;
    /// The server does not do that for us.
    pub const REFUSED: u8 = 5;
}

/// The time to live of every record; the vendor speaks of two hours.
pub const TTL: u32 = 7200;

/// What a name answers instead of its records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This response code and nothing else.
    Rcode(u8),
    /// TC=1 and an empty answer, as if the records did not fit.
    Truncated,
}

/// One name.
#[derive(Clone, Debug, Default)]
struct Node {
    records: Vec<Data>,
    fault: Option<Fault>,
}

/// An answer before it is encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The response code.
    pub rcode: u8,
    /// TC.
    pub truncated: bool,
    /// Owner and data of each record; empty when there is none of the type.
    pub records: Vec<(String, Data)>,
}

impl Answer {
    fn empty(rcode: u8) -> Self {
        Self { rcode, truncated: false, records: Vec::new() }
    }

    /// What stands for an answer that does not fit.
    pub(super) fn truncated() -> Self {
        Self { rcode: rcode::NOERROR, truncated: true, records: Vec::new() }
    }

    /// Whether the answer says that something is not there, and so carries the SOA record.
    pub fn is_negative(&self) -> bool {
        let may = matches!(self.rcode, rcode::NOERROR | rcode::NXDOMAIN);
        may && self.records.is_empty() && !self.truncated
    }
}

/// The names under one origin. Names are in lower case and without the last dot.
#[derive(Clone, Debug)]
pub struct Zone {
    origin: String,
    nodes: BTreeMap<String, Arc<Node>>,
    lists: BTreeMap<String, Vec<String>>,
}

impl Zone {
    /// An empty zone.
    pub fn new(origin: &str) -> Self {
        Self { origin: canonical(origin), nodes: BTreeMap::new(), lists: BTreeMap::new() }
    }

    /// The name at the top.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Adds a record to a name.
    pub fn add(&mut self, name: &str, data: Data) -> &mut Self {
        if let Data::Txt(strings) = &data {
            let fit = strings.iter().all(|string| string.len() <= 255);
            assert!(fit, "{name}: a string of a TXT record holds at most 255 octets");
        }
        self.node(name).records.push(data);
        self
    }

    /// Adds a pointer.
    pub fn add_ptr(&mut self, name: &str, target: &str) -> &mut Self {
        self.add(name, Data::Ptr(canonical(target)))
    }

    /// Lets a name answer with a fault, whatever is asked.
    pub fn set_fault(&mut self, name: &str, fault: Fault) -> &mut Self {
        self.node(name).fault = Some(fault);
        self
    }

    /// Forgets a name.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.nodes.remove(&canonical(name));
        self
    }

    /// Replaces a list: all names that it had go, and the ones of the new shape come.
    ///
    /// Panics when the shape cannot express the items.
    pub fn set_list(&mut self, list: &str, items: &[Item], shape: impl Into<Shape>) -> &mut Self {
        let list = canonical(list);
        for name in self.lists.remove(&list).unwrap_or_default() {
            self.nodes.remove(&name);
        }
        let mut names = Vec::new();
        for (name, data) in layout::records(&list, items, shape.into()) {
            self.add(&name, data);
            if names.last() != Some(&name) {
                names.push(name);
            }
        }
        self.lists.insert(list, names);
        self
    }

    /// The names that a list takes, the list's own first; empty for an unknown list.
    pub fn names_of(&self, list: &str) -> &[String] {
        self.lists.get(&canonical(list)).map_or(&[], Vec::as_slice)
    }

    /// Every record with its name, for a zone file.
    pub fn records(&self) -> impl Iterator<Item = (&str, &Data)> {
        self.nodes
            .iter()
            .flat_map(|(name, node)| node.records.iter().map(move |data| (name.as_str(), data)))
    }

    /// The answer to a question of class IN. One that does not fit in 65,535 octets becomes an empty
    /// one with TC=1, as with NSD 4.6 and PowerDNS 4.3 to 4.6.
    pub fn answer(&self, name: &str, rtype: u16) -> Answer {
        // header, question, OPT
        let mut size = 12 + name_size(name) + 4 + 11;
        let mut answer = Answer::empty(rcode::NOERROR);
        let question = canonical(name);
        let mut owner = question.clone();
        for _ in 0..=MAX_ALIASES {
            if owner != self.origin && !is_below(&owner, &self.origin) {
                // An alias may leave the zone; the question may not.
                let outside = answer.records.is_empty();
                return if outside { Answer::empty(rcode::REFUSED) } else { answer };
            }
            let Some(node) = self.nodes.get(&owner) else {
                let is_parent = self.nodes.keys().any(|name| is_below(name, &owner));
                if owner != self.origin && !is_parent {
                    answer.rcode = rcode::NXDOMAIN;
                }
                return answer;
            };
            match node.fault {
                Some(Fault::Rcode(rcode)) => return Answer::empty(rcode),
                Some(Fault::Truncated) => return Answer::truncated(),
                None => {}
            }
            let mut alias = None;
            for data in &node.records {
                if let Data::Cname(target) = data {
                    alias = Some(target.clone());
                } else if data.rtype() != rtype {
                    continue;
                }
                // The name of the question is compressed to two octets; so much is certain.
                let owner_size = if owner == question { 2 } else { name_size(&owner) };
                size += owner_size + 10 + data.size();
                if size > usize::from(u16::MAX) {
                    return Answer::truncated();
                }
                answer.records.push((owner.clone(), data.clone()));
            }
            match alias {
                Some(target) => owner = target,
                None => return answer,
            }
        }
        answer
    }

    fn node(&mut self, name: &str) -> &mut Node {
        let name = canonical(name);
        let inside = name == self.origin || is_below(&name, &self.origin);
        assert!(inside, "{name} is not in the zone {}", self.origin);
        Arc::make_mut(self.nodes.entry(name).or_default())
    }
}

/// Aliases followed within one answer: more than a client should, so that it meets its bound first.
const MAX_ALIASES: usize = 32;

fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
}

fn canonical(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
