//! Lines for `ipset restore` (ipset(8)), which does each as it comes: a second set for each family is
//! filled, and takes the place of the first by the last lines. A text that ends early has changed
//! nothing that a rule looks at.

use std::io::{self, Write};

use control::{Exported, Snapshot};
use prefix::Prefix;

use super::form::{Family, Form, Unfit};
use super::names::fit;

/// Longest name of a set (IPSET_MAXNAMELEN without its NUL), less what stands behind a table's.
const NAME: usize = 31 - "-4-new".len();
/// Most entries of a set, far more than a table may have. It takes no room by itself, and has to be the
/// same each time, for a set that is there with another is an error.
const MOST: u32 = 1 << 25;

/// What ipset(8) reads.
#[derive(Default)]
pub struct Ipset {
    /// The set that is being filled.
    filled: String,
}

/// The name of a set, and what it is for.
fn set(table: &Exported, family: Family) -> (String, &'static str) {
    let name = fit(&table.name, NAME, "-_.");
    match family {
        Family::V4 => (format!("{name}-4"), "inet"),
        Family::V6 => (format!("{name}-6"), "inet6"),
    }
}

impl Form for Ipset {
    fn begin(&mut self, _: &mut dyn Write, _: &Snapshot) -> Result<(), Unfit> {
        Ok(())
    }

    fn family(&mut self, out: &mut dyn Write, table: &Exported, family: Family) -> io::Result<()> {
        let (name, inet) = set(table, family);
        self.filled = format!("{name}-new");
        for name in [&name, &self.filled] {
            writeln!(out, "create {name} hash:net family {inet} maxelem {MOST} -exist")?;
        }
        // of a text that ended early
        writeln!(out, "flush {}", self.filled)
    }

    fn prefix(&mut self, out: &mut dyn Write, prefix: Prefix) -> io::Result<()> {
        writeln!(out, "add {} {prefix}", self.filled)
    }

    fn end(&mut self, out: &mut dyn Write, snapshot: &Snapshot) -> io::Result<()> {
        let tables = &snapshot.tables;
        let names = tables
            .iter()
            .flat_map(|table| [Family::V4, Family::V6].map(|family| set(table, family).0));
        let names: Vec<String> = names.collect();
        names.iter().try_for_each(|name| writeln!(out, "swap {name}-new {name}"))?;
        names.iter().try_for_each(|name| writeln!(out, "destroy {name}-new"))
    }
}
