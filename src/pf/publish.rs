//! Publication: file and table go from one set to the next together.

use nix::errno::Errno::{EILSEQ, EPERM};

use crate::file::Before;
use crate::{Backend, Changes, Directory, Error, PfrAddr, Result, Table};

/// Where the sets of tables are.
#[derive(Clone, Copy)]
pub struct Store<'a> {
    /// pf, real or simulated; without it (reload = false) the files are all.
    pub pf: Option<&'a dyn Backend>,
    /// The table files.
    pub directory: &'a Directory,
}

/// What a set would change, found out without changing anything.
struct Plan {
    file: String,
    in_file: Changes,
    in_table: Changes,
}

impl Plan {
    /// What changes in the table or, where that has the set or pf is not given, in the file.
    fn changes(&self) -> Changes {
        let same = Changes::default();
        match self.in_table == same && self.in_file != same {
            true => Changes { file: true, ..self.in_file },
            false => self.in_table,
        }
    }
}

/// A set is ascending (IPv4 first) and disjoint.
impl Store<'_> {
    /// What publishing a set would change; pf has agreed to it, and nothing is touched.
    pub fn trial(&self, table: &Table, set: &[PfrAddr]) -> Result<Changes> {
        Ok(self.plan(table, set)?.changes())
    }

    /// Publishes a set: asks pf, writes the file, then replaces the table; if that fails, the old file
    /// comes back. What has the set already is neither written nor sent. Answers what changed.
    pub fn publish(&self, table: &Table, set: &[PfrAddr]) -> Result<Changes> {
        self.apply(table, set, true)
    }

    /// Brings file and table back to the set in force, where somebody has lost or changed either. What
    /// was in the file does not become the set before, which is the administrator's way back; nor does
    /// it come back when pf fails then.
    pub fn repair(&self, table: &Table, set: &[PfrAddr]) -> Result<Changes> {
        self.apply(table, set, false)
    }

    /// Brings the set of the file to pf where pf has another: after a crash, or when somebody changed
    /// the table. Fails as [`Store::repair`] does, and without a file.
    pub fn mend(&self, table: &Table) -> Result<Changes> {
        let file = || self.directory.load(table, "pftable");
        self.pf.map_or(Ok(Changes::default()), |_| self.repair(table, &file()?))
    }

    fn plan(&self, table: &Table, set: &[PfrAddr]) -> Result<Plan> {
        let (same, file) = (Changes::default(), table.file("pftable"));
        let in_table = self.pf.map_or(Ok(same), |pf| pf.replace(table, set, true))?;
        let in_file = match self.directory.diff(&file, set) {
            Err(error) if error.errno == EILSEQ => {
                Changes { created: true, added: set.len() as u32, ..same }
            }
            other => other?,
        };
        let plan = Plan { file, in_file, in_table };
        if plan.changes() != same && set.is_empty() && !table.may_be_empty {
            let why = format!("{}: an empty set would block nothing", table.name);
            return Err(Error::new(EPERM, why));
        }
        Ok(plan)
    }

    fn apply(&self, table: &Table, set: &[PfrAddr], keep: bool) -> Result<Changes> {
        let (same, plan) = (Changes::default(), self.plan(table, set)?);
        let before = match plan.in_file == same {
            true => Before::Gone,
            false => self.directory.install(&plan.file, set, keep)?,
        };
        if let Some(pf) = self.pf
            && plan.in_table != same
        {
            let replaced = pf.replace(table, set, false);
            replaced.map_err(|error| self.directory.undo(&plan.file, before, error))?;
        }
        // Both have the new set. What fails here is done before the next one is written.
        let _ = self.directory.settle(&plan.file);
        Ok(plan.changes())
    }
}
