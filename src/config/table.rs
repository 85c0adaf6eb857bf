//! The tables and the lists that go into each.

use std::path::Path;

use prefix::Kind;

use crate::names::TableName;
use crate::reader::Reader;
use crate::schema::{Config, Direction, FeedKind, Policy};

/// A table of pf(4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PfTable<'c> {
    /// Its name.
    pub name: &'c TableName,
    /// Whether what is in it is blocked or let through.
    pub kind: Kind,
    /// Which way what is blocked goes.
    pub direction: Direction,
}

/// Words that `threatstopctl show` takes for something else than a table.
const TAKEN: [&str; 6] = ["block", "allow", "diff", "own", "hits", "lists"];

impl Policy {
    /// Whether there are lists of the service.
    pub fn is_asked(&self) -> bool {
        !(self.block.is_empty() && self.allow.is_empty())
    }

    /// The administrator's own list of a kind: local_block or local_allow.
    pub fn local(&self, kind: Kind) -> Option<&Path> {
        match kind {
            Kind::Block => self.local_block.as_deref(),
            Kind::Allow => self.local_allow.as_deref(),
        }
    }
}

impl Config {
    /// All tables, at most 16. Helper and engine number them by this order: tables.block,
    /// tables.allow, then each `[[table]]`.
    pub fn pf_tables(&self) -> impl Iterator<Item = PfTable<'_>> {
        let both = |name, kind| PfTable { name, kind, direction: Direction::Both };
        let two = [both(&self.tables.block, Kind::Block), both(&self.tables.allow, Kind::Allow)];
        let block = |name, direction| PfTable { name, kind: Kind::Block, direction };
        two.into_iter().chain(self.table.iter().map(move |one| block(&one.name, one.direction)))
    }

    /// The names of all lists of what to block, but for `own`.
    pub fn block_lists(&self) -> impl Iterator<Item = &str> {
        let local = self.policy.local(Kind::Block).map(|_| "local_block");
        let feeds = self.feed.iter().filter(|feed| feed.kind == FeedKind::Block);
        let service = self.policy.block.iter().map(|list| list.as_str());
        service.chain(feeds.map(|feed| feed.name.as_str())).chain(local)
    }

    /// Holds each `[[table]]` against the rest.
    pub(crate) fn check_tables(&self, reader: &mut Reader<'_>) {
        for (index, table) in self.table.iter().enumerate() {
            let (name, lists) = (format!("table.{index}.name"), format!("table.{index}.lists"));
            let mut before = self.pf_tables().take(index + 2).map(|other| other.name.as_str());
            // where upper and lower case are one, so would be their files
            if before.any(|other| other.eq_ignore_ascii_case(table.name.as_str())) {
                let why = format!("table.name: \"{}\": the name of another table", table.name);
                reader.fault(&[&name], why);
            }
            if TAKEN.contains(&table.name.as_str()) {
                let why = "is something else to threatstopctl show: choose another name";
                reader.fault(&[&name], format!("table.name: \"{}\" {why}", table.name));
            }
            for (number, list) in table.lists.iter().enumerate() {
                if !self.block_lists().any(|known| known == list.as_str()) {
                    let list = prefix::quoted(list.as_str());
                    let why = format!("table.lists: {list}: no block list of this configuration");
                    let at = format!("{lists}.{number}");
                    reader.fault(&[&at, "policy.block", "policy.local_block", "feed"], why);
                }
            }
            if table.lists.is_empty() {
                let why = "table.lists: no list: the table would be empty";
                reader.fault(&[&lists, &name, &format!("table.{index}")], why.to_owned());
            }
        }
        let named = self.table.iter().flat_map(|table| &table.lists);
        let mut all = self.block_lists().peekable();
        // without any block list another fault tells of it
        if all.peek().is_some() && !all.any(|list| !named.clone().any(|name| name.as_str() == list))
        {
            let last = self.table.len().saturating_sub(1);
            let why = "table.lists: no block list is left for tables.block: take one out";
            let lists = format!("table.{last}.lists");
            let others = ["table", "policy.block", "policy.local_block", "feed"];
            reader.fault(&[&[lists.as_str()], &others[..]].concat(), why.to_owned());
        }
    }
}
