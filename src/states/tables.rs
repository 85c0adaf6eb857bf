//! The tables of what is blocked.

use config::{Backend, Config};
use pf::Table;
use prefix::Kind;

pub use config::Direction;

/// A table of what is blocked, and which way.
#[derive(Clone, Debug)]
pub struct Blocked {
    /// Its name.
    pub name: String,
    /// In: who is in it may not begin; out: nobody may begin with who is in it.
    pub direction: Direction,
    /// The table.
    pub table: Table,
}

/// The tables of a configuration of what is blocked.
///
/// # Errors
/// For a name or an anchor that pf does not take, and for a name that would be the file of the simulated
/// states.
pub fn blocked(config: &Config) -> Result<Vec<Blocked>, String> {
    let anchor = config.tables.anchor.as_ref().map_or("", |anchor| anchor.as_str());
    // that of the allow table, too
    let is_states = |table: config::PfTable<'_>| table.name.as_str() == "states";
    if config.tables.backend == Backend::Simulated && config.pf_tables().any(is_states) {
        let why = "its file would be that of the simulated states: choose another name";
        return Err(format!("table \"states\": {why}"));
    }
    let block = config.pf_tables().filter(|table| table.kind == Kind::Block);
    let of = |table: config::PfTable<'_>| {
        let (name, direction) = (table.name.as_str(), table.direction);
        let taken = Table::new(anchor, name, table.kind);
        let none = || format!("pf takes no table <{name}> in anchor \"{anchor}\"");
        Ok(Blocked { name: name.to_owned(), direction, table: taken.ok_or_else(none)? })
    };
    block.map(of).collect()
}

#[cfg(test)]
mod tests;
