//! Tables that behave as pf's do, for trying out and for tests: one file `NAME.simulated` each, in
//! the form of a table file.
//!
//! A file `simulated.conf` beside them says what else this pf is like, one a line: `disabled`
//! (pfctl -d), `unused NAME` (no rule refers to the table), `const NAME`, `securelevel 2`.

use std::{cell::RefCell, collections::BTreeMap, io::read_to_string};
use std::{os::unix::fs::MetadataExt, path::Path};

use nix::errno::Errno::{EILSEQ, EINVAL, ENOMEM, EPERM, ESRCH};

use crate::error::failed;
use crate::file::{beside, errno, present};
use crate::{Backend, Changes, Directory, PfrAddr, Result, Table, TableStat, fault};

/// The way to these tables where the default of the configuration cannot work.
pub const NO_PF: &str =
    "this system has no pf: set backend = \"simulated\" in [tables] to try it out";

/// A simulated pf.
#[derive(Debug)]
pub struct Simulated {
    directory: Directory,
    limit: usize,
    /// What is known of files without reading them again: by name, what tells that one has not changed
    /// since, and how many entries it has.
    counted: RefCell<BTreeMap<String, ([i64; 4], usize)>>,
}

impl Simulated {
    /// A pf whose tables are files of the directory and have at most `limit` entries together.
    pub fn open(directory: &Path, limit: usize) -> Result<Self> {
        let (directory, counted) = (Directory::open(directory)?, RefCell::default());
        Ok(Self { directory, limit, counted })
    }

    fn is(&self, line: &str) -> Result<bool> {
        let file = present(self.directory.file("simulated.conf"))?;
        let Some(file) = file else { return Ok(false) };
        let text = read_to_string(file).map_err(errno);
        let text = text.map_err(failed("simulated.conf", "read"))?;
        Ok(text.lines().any(|found| found == line))
    }

    /// What is another when somebody has replaced or written to a file; `None` without one.
    fn mark(&self, name: &str) -> Result<Option<[i64; 4]>> {
        let Some(file) = present(self.directory.file(name))? else { return Ok(None) };
        let stat = file.metadata().map_err(errno).map_err(failed(name, "fstat"))?;
        let (size, inode) = (stat.size().cast_signed(), stat.ino().cast_signed());
        Ok(Some([inode, size, stat.ctime(), stat.ctime_nsec()]))
    }

    /// Entries of a table. The kernel need not count them, nor is a file read for it that is known.
    fn count(&self, name: &str) -> Result<usize> {
        let Some(mark) = self.mark(name)? else { return Ok(0) };
        let known = self.counted.borrow().get(name).copied();
        if let Some((_, count)) = known.filter(|(known, _)| *known == mark) {
            return Ok(count);
        }
        let count = present(nothing_of(self.directory.each(name, |_| ())))?.flatten().unwrap_or(0);
        self.counted.borrow_mut().insert(name.to_owned(), (mark, count));
        Ok(count)
    }

    /// What makes `new` of a table, whose set is never held. EINVAL for a new set that is not canonical,
    /// ascending and disjoint.
    fn diff(&self, name: &str, new: &[PfrAddr]) -> Result<Changes> {
        let (mut same, mut last) = (0, None);
        for addr in new {
            last = addr.prefix().filter(|next| next.follows(last.as_ref()));
            last.ok_or_else(|| failed(name, "DIOCRSETADDRS")(EINVAL))?;
        }
        // most often nothing does, which octets tell
        if self.count(name)? == new.len() && self.directory.has(name, new)? {
            return Ok(Changes::default());
        }
        let mut rest = new.iter().filter_map(PfrAddr::prefix).peekable();
        let old = present(self.directory.each(name, |old| {
            while rest.next_if(|next| *next < old).is_some() {}
            same += usize::from(rest.next_if_eq(&old).is_some());
        }))?;
        let [added, deleted] = [new.len(), old.unwrap_or(0)].map(|all| (all - same) as u32);
        Ok(Changes { created: old.is_none(), added, deleted, ..Changes::default() })
    }

    /// Entries of all tables but one.
    fn others(&self, but: &str) -> Result<usize> {
        let entries = self.directory.path.read_dir().map_err(errno);
        let names = entries.map_err(failed("directory", "readdir"))?.flatten();
        let names = names.filter_map(|entry| entry.file_name().into_string().ok());
        let tables = names.filter(|n| n.ends_with(".simulated") && !n.starts_with('.') && n != but);
        tables.map(|name| self.count(&name)).sum()
    }
}

impl Backend for Simulated {
    fn replace(&self, table: &Table, set: &[PfrAddr], dummy: bool) -> Result<Changes> {
        let (name, refused) = (table.file("simulated"), failed(&table.name, "DIOCRSETADDRS"));
        fault::at(if dummy { "trial" } else { "replace" }, &table.name).map_err(&refused)?;
        let spoilt = Changes { added: set.len() as u32, deleted: 1, ..Changes::default() };
        let changes = nothing_of(self.diff(&name, set))?.unwrap_or(spoilt);
        if !dummy && changes.created && self.is("securelevel 2")? {
            return Err(failed(&table.name, "DIOCRADDTABLES")(EPERM));
        } else if self.is(&format!("const {}", table.name))? {
            return Err(refused(EPERM));
        }
        // the kernel allocates what is new before it frees what is old
        if self.others(&name)? + set.len() + changes.deleted as usize > self.limit {
            return Err(refused(ENOMEM));
        }
        if !dummy && changes != Changes::default() {
            // it need not outlive the power, nor do the kernel's
            let ([temp, ..], directory) = (beside(&name), &self.directory);
            let put = |_| directory.rename("rename", &temp, &name);
            directory
                .write(&temp, set)
                .and_then(put)
                .inspect_err(|_| drop(directory.remove(&temp)))?;
            if let Ok(Some(mark)) = self.mark(&name) {
                self.counted.borrow_mut().insert(name, (mark, set.len()));
            }
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
        let since = file.metadata().map_err(errno).map_err(failed(&name, "fstat"))?.mtime();
        let rules = u32::from(!self.is(&format!("unused {}", table.name))?);
        let (entries, since) = (self.count(&name)? as u32, since.max(0).cast_unsigned());
        Ok(TableStat { present: true, entries, rules, since, ..TableStat::default() })
    }

    fn list(&self, table: &Table) -> Result<Vec<PfrAddr>> {
        let refused = failed(&table.name, "DIOCRSETADDRS");
        // as the kernel lists by a replacement that is only tried
        if self.is(&format!("const {}", table.name))? {
            return Err(refused(EPERM));
        }
        let absent = || refused(ESRCH);
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
