//! Lines for `ipfw -q FILE` on FreeBSD, which does each as it comes: a second table is filled, and
//! takes the place of the first by the last lines. A table of type addr has both families.

use std::io::{self, Write};

use control::{Exported, Snapshot};
use prefix::Prefix;

use super::form::{Form, Unfit};
use super::names::fit;

/// Longest name of a table there (63 octets), less what stands behind it.
const NAME: usize = 63 - "-new".len();

/// What ipfw(8) reads.
#[derive(Default)]
pub struct Ipfw {
    /// The table that is being filled.
    filled: String,
}

fn name(table: &Exported) -> String {
    fit(&table.name, NAME, "-_.")
}

impl Form for Ipfw {
    fn begin(&mut self, _: &mut dyn Write, _: &Snapshot) -> Result<(), Unfit> {
        Ok(())
    }

    fn table(&mut self, out: &mut dyn Write, table: &Exported) -> io::Result<()> {
        let name = name(table);
        self.filled = format!("{name}-new");
        writeln!(out, "table {name} create type addr missing")?;
        // what a text that ended early has left is emptied
        writeln!(out, "table {} create type addr or-flush", self.filled)
    }

    fn prefix(&mut self, out: &mut dyn Write, prefix: Prefix) -> io::Result<()> {
        writeln!(out, "table {} add {prefix}", self.filled)
    }

    fn end(&mut self, out: &mut dyn Write, snapshot: &Snapshot) -> io::Result<()> {
        let names: Vec<String> = snapshot.tables.iter().map(name).collect();
        names.iter().try_for_each(|name| writeln!(out, "table {name} swap {name}-new"))?;
        names.iter().try_for_each(|name| writeln!(out, "table {name}-new destroy"))
    }
}
