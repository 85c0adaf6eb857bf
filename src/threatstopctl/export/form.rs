//! What a form of tables has to do.

use std::io::{self, Write};

use control::{Exported, Snapshot};
use prefix::Prefix;

/// One of the two families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// A form of tables. The calls come in this order: `begin`; for each table `table`, and for either
/// family, IPv4 first, `family`, its prefixes and `end_family`, then `end_table`; `end`.
pub trait Form {
    /// What comes before all tables.
    ///
    /// # Errors
    /// Why these tables cannot be had in this form; nothing has been printed then.
    fn begin(&mut self, out: &mut dyn Write, snapshot: &Snapshot) -> Result<(), Unfit>;
    /// What comes before a table.
    fn table(&mut self, _: &mut dyn Write, _: &Exported) -> io::Result<()> {
        Ok(())
    }
    /// What comes before the prefixes of a family.
    fn family(&mut self, _: &mut dyn Write, _: &Exported, _: Family) -> io::Result<()> {
        Ok(())
    }
    /// A prefix.
    fn prefix(&mut self, out: &mut dyn Write, prefix: Prefix) -> io::Result<()>;
    /// What comes after those of a family.
    fn end_family(&mut self, _: &mut dyn Write, _: &Exported) -> io::Result<()> {
        Ok(())
    }
    /// What comes after a table.
    fn end_table(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
    /// What comes after all tables.
    fn end(&mut self, out: &mut dyn Write, snapshot: &Snapshot) -> io::Result<()>;
}

/// Why there is no such form of tables.
pub enum Unfit {
    /// They are not fit for it.
    Why(String),
    /// It could not be written.
    Stdout(io::Error),
}

impl From<io::Error> for Unfit {
    fn from(error: io::Error) -> Self {
        Self::Stdout(error)
    }
}
