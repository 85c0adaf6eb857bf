//! The tables of the configuration, and which lists go into each.

use std::collections::BTreeMap;

use config::{Config, Direction, PfTable};
use imsg::{TableId, TableStat};
use prefix::Kind;

/// The state of pf and of all tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Whether pf is enabled.
    pub running: bool,
    /// All tables, by their numbers.
    pub tables: Vec<TableStat>,
    /// Why pf could not be asked; empty when it could.
    pub failure: String,
}

/// A table of the configuration.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its number, by which the helper knows it.
    pub id: TableId,
    /// Its name in pf.
    pub name: String,
    /// What messages call it, and under what it is remembered: `block`, `allow`, or the name of a
    /// `[[table]]`, which is neither.
    pub word: String,
    /// Whether what is in it is blocked or let through.
    pub kind: Kind,
    /// Which way what is blocked goes.
    pub direction: Direction,
    /// Its file.
    pub file: String,
    /// The lists that a `[[table]]` names; of the block table those that it has not.
    lists: Vec<String>,
}

impl Table {
    /// Whether a list goes into it.
    pub fn has(&self, list: &str, kind: Kind) -> bool {
        let named = || self.lists.iter().any(|name| name == list);
        kind == self.kind
            && match self.id {
                TableId::ALLOW => true,
                TableId::BLOCK => !named(),
                _ => named(),
            }
    }

    /// What pf knows of it, which is nothing where pf could not be asked.
    pub fn stat(&self, stats: &Stats) -> TableStat {
        stats.tables.get(self.id.number()).copied().unwrap_or_default()
    }

    /// Whether what is in it is blocked.
    pub fn blocks(&self) -> bool {
        self.kind == Kind::Block
    }
}

/// All tables.
#[derive(Clone, Debug)]
pub struct Tables(Vec<Table>);

impl Tables {
    /// Those of a configuration.
    pub fn new(config: &Config) -> Self {
        let names = |lists: &[config::ListName]| -> Vec<String> {
            lists.iter().map(|list| list.as_str().to_owned()).collect()
        };
        let table =
            |(at, (id, PfTable { name, kind, direction })): (usize, (TableId, PfTable<'_>))| {
                let file = config.tables.directory.join(format!("{name}.pftable"));
                let (word, lists) = match at.checked_sub(2).and_then(|at| config.table.get(at)) {
                    Some(named) => (name.as_str().to_owned(), names(&named.lists)),
                    None => {
                        let others = config.table.iter().flat_map(|one| names(&one.lists));
                        (kind.to_string(), others.collect())
                    }
                };
                let (name, file) = (name.as_str().to_owned(), file.display().to_string());
                Table { id, name, word, kind, direction, file, lists }
            };
        let ids = TableId::all(TableId::MAX.into());
        Self(ids.zip(config.pf_tables()).enumerate().map(table).collect())
    }

    /// All, by their numbers.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Table> {
        self.0.iter()
    }

    /// All in the order in which they are published: what is allowed comes first.
    pub fn in_order(&self) -> impl Iterator<Item = &Table> {
        let of = |kind| self.0.iter().filter(move |table| table.kind == kind);
        of(Kind::Allow).chain(of(Kind::Block))
    }

    /// Those of what is blocked.
    pub fn blocking(&self) -> impl Iterator<Item = &Table> {
        self.0.iter().filter(|table| table.blocks())
    }

    /// The one of a word or name.
    pub fn find(&self, name: &str) -> Option<&Table> {
        let word = self.0.iter().find(|table| table.word == name);
        word.or_else(|| self.0.iter().find(|table| table.name == name))
    }

    /// What messages call a table.
    pub fn word(&self, id: TableId) -> &str {
        self.0.get(id.number()).map_or("", |table| &table.word)
    }

    /// Something of each table that there is something of.
    pub fn each<T>(&self, mut of: impl FnMut(&Table) -> Option<T>) -> BTreeMap<TableId, T> {
        self.0.iter().filter_map(|table| Some((table.id, of(table)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn each_list_goes_into_the_tables_that_name_it() {
        let text = "device_id = \"tdid_abcd1234\"\n[policy]\nblock = [\"basic.x\", \"scan.x\"]\n\
                    local_block = \"/l\"\n[[table]]\nname = \"In\"\nlists = [\"scan.x\"]\n\
                    [[table]]\nname = \"Out\"\nlists = [\"scan.x\", \"local_block\"]\n";
        let tables = Tables::new(&Config::parse(text, Path::new("F")).unwrap());
        let with = |list: &str, kind| {
            let tables = tables.iter().filter(|table| table.has(list, kind));
            tables.map(|table| table.word.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(with("basic.x", Kind::Block), ["block"]);
        assert_eq!(with("scan.x", Kind::Block), ["In", "Out"]);
        assert_eq!(with("local_block", Kind::Block), ["Out"]);
        assert_eq!(with("own", Kind::Block), ["block"]);
        assert_eq!(with("own", Kind::Allow), ["allow"]);
        let order: Vec<usize> = tables.in_order().map(|table| table.id.number()).collect();
        assert_eq!(order, [1, 0, 2, 3]);
        for name in ["block", "ThreatSTOP-Block"] {
            assert_eq!(tables.find(name).map(|table| table.id), Some(TableId::BLOCK));
        }
    }
}
