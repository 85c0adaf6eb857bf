//! Tables that behave as pf's do, for trying out and for tests: one file `NAME.simulated` each, in
//! the form of a table file.
//!
//! A file `simulated.conf` beside them says what else this pf is like, one a line: `disabled`
//! (pfctl -d), `unused NAME` (no rule refers to the table), `const NAME`, `securelevel 2`.

use std::{io::read_to_string, os::unix::fs::MetadataExt, path::Path};

use nix::errno::Errno::{EILSEQ, EPERM, ESRCH};

use crate::error::LISTING;
use crate::file::{errno, present};
use crate::{Backend, Changes, Directory, Error, PfrAddr, Result, Table, TableStat, fault};

/// A simulated pf.
#[derive(Debug)]
pub struct Simulated {
    directory: Directory,
    limit: usize,
}

impl Simulated {
    /// A pf whose tables are files of the directory and have at most `limit` entries together.
    pub fn open(directory: &Path, limit: usize) -> Result<Self> {
        Ok(Self { directory: Directory::open(directory)?, limit })
    }

    fn is(&self, line: &str) -> Result<bool> {
        let file = present(self.directory.file("simulated.conf"))?;
        let Some(file) = file else { return Ok(false) };
        let text = read_to_string(file).map_err(errno);
        let text = text.map_err(Error::on("simulated.conf", "read"))?;
        Ok(text.lines().any(|found| found == line))
    }

    fn count(&self, name: &str) -> Result<usize> {
        Ok(present(nothing_of(self.directory.each(name, |_| ())))?.flatten().unwrap_or(0))
    }

    /// Entries of all tables but one.
    fn others(&self, but: &str) -> Result<usize> {
        let entries = self.directory.path.read_dir().map_err(errno);
        let names = entries.map_err(Error::on("directory", "readdir"))?.flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let tables = names.filter(|n| n.ends_with(".simulated") && !n.starts_with('.') && n != but);
        tables.map(|name| self.count(&name)).sum()
    }
}

impl Backend for Simulated {
    fn replace(&self, table: &Table, set: &[PfrAddr], dummy: bool) -> Result<Changes> {
        let (name, failed) = (table.file("simulated"), Error::on(&table.name, "DIOCRSETADDRS"));
        fault::at(if dummy { "trial" } else { "replace" }, &table.name).map_err(&failed)?;
        let spoilt = Changes { added: set.len() as u32, deleted: 1, ..Changes::default() };
        let changes = nothing_of(self.directory.diff(&name, set))?.unwrap_or(spoilt);
        if changes.created && self.is("securelevel 2")? {
            return Err(Error::on(&table.name, "DIOCRADDTABLES")(EPERM));
        } else if self.is(&format!("const {}", table.name))? {
            return Err(failed(EPERM));
        }
        // the kernel allocates what is new before it frees what is old
        if self.others(&name)? + set.len() + changes.deleted as usize > self.limit {
            return Err(Error::full(&table.name, set.len(), self.limit));
        }
        if !dummy && changes != Changes::default() {
            self.directory.install(&name, set, false)?;
        }
        Ok(changes)
    }

    fn running(&self) -> Result<bool> {
        Ok(!self.is("disabled")?)
    }

    fn stats(&self, table: &Table) -> Result<TableStat> {
        let name = table.file("simulated");
        let file = present(self.directory.file(&name))?;
        let Some(file) = file else { return Ok(TableStat::default()) };
        let since = file.metadata().map_err(errno).map_err(Error::on(&name, "fstat"))?.mtime();
        let rules = u32::from(!self.is(&format!("unused {}", table.name))?);
        let (entries, since) = (self.count(&name)? as u32, since.max(0).cast_unsigned());
        Ok(TableStat { present: true, entries, rules, since, ..TableStat::default() })
    }

    fn list(&self, table: &Table) -> Result<Vec<PfrAddr>> {
        let failed = Error::on(&table.name, LISTING);
        // as the kernel lists by a replacement that is only tried
        if self.is(&format!("const {}", table.name))? {
            return Err(failed(EPERM));
        }
        let absent = || failed(ESRCH);
        let set = nothing_of(self.directory.load(table, "simulated"));
        present(set)?.ok_or_else(absent).map(Option::unwrap_or_default)
    }
}

/// `None` where somebody has written what is no table: pf knows nothing like it, and an empty one
/// gets mended.
fn nothing_of<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Err(error) if error.errno == EILSEQ => Ok(None),
        found => found.map(Some),
    }
}
