//! Publication: file and table go from one set to the next together.

use crate::{Backend, Changes, Directory, Error, PfrAddr, PublishError, Table};

type Result<T> = core::result::Result<T, PublishError>;

/// What a set would change, found out without changing anything.
struct Plan {
    file: String,
    in_file: Changes,
    in_table: Changes,
}

impl Plan {
    fn new(
        pf: Option<&dyn Backend>,
        directory: &Directory,
        table: &Table,
        set: &[PfrAddr],
    ) -> Result<Self> {
        let (same, file) = (Changes::default(), table.file("pftable"));
        let in_table = pf.map_or(Ok(same), |pf| pf.replace(table, set, true))?;
        let in_file = match directory.diff(&file, set) {
            Err(Error::Text(..)) => Changes { created: true, added: set.len(), ..same },
            other => other?,
        };
        let plan = Self { file, in_file, in_table };
        if plan.changes() != same && set.is_empty() && !table.may_be_empty {
            Err(Error::Refused(table.name.clone(), "an empty set would block nothing"))?;
        }
        Ok(plan)
    }

    /// What changes in the table or, where that has the set or pf is not given, in the file.
    fn changes(&self) -> Changes {
        let same = Changes::default();
        match self.in_table == same && self.in_file != same {
            true => Changes { file: true, ..self.in_file },
            false => self.in_table,
        }
    }
}

/// Publishes a set: asks pf, writes the file, then replaces the table; if that fails, the old file
/// comes back. What has the set already is neither written nor sent. Answers what changed in the
/// table or, where pf has the set or is not given (reload = false), in the file.
///
/// `set` is ascending (IPv4 first) and disjoint. With `dry_run` nothing is touched.
pub fn publish(
    pf: Option<&dyn Backend>,
    directory: &Directory,
    table: &Table,
    set: &[PfrAddr],
    dry_run: bool,
) -> Result<Changes> {
    let (same, plan) = (Changes::default(), Plan::new(pf, directory, table, set)?);
    if dry_run {
        return Ok(plan.changes());
    }
    let name = &plan.file;
    let kept = (plan.in_file != same).then(|| directory.install(name, set, true)).transpose()?;
    if let Some(pf) = pf
        && plan.in_table != same
        && let Err(error) = pf.replace(table, set, false)
    {
        return Err(match kept {
            Some(kept) => directory.undo(name, kept, error),
            None => error.into(),
        });
    }
    // Both have the new set. What fails here is done before the next one is written.
    let _ = directory.settle(name);
    Ok(plan.changes())
}

/// Brings file and table back to the set in force, where somebody has lost or changed either. What
/// was in the file does not become the set before, which is the administrator's way back; nor does
/// it come back when pf fails then.
pub fn repair(
    pf: Option<&dyn Backend>,
    directory: &Directory,
    table: &Table,
    set: &[PfrAddr],
) -> Result<Changes> {
    let (same, plan) = (Changes::default(), Plan::new(pf, directory, table, set)?);
    let differ = |error| PublishError { error, differ: true };
    if plan.in_file != same {
        directory.install(&plan.file, set, false)?;
        directory.sync().map_err(differ)?;
    }
    if let Some(pf) = pf
        && plan.in_table != same
    {
        pf.replace(table, set, false).map_err(differ)?;
    }
    // what a publication that was cut short has left
    let _ = directory.settle(&plan.file);
    Ok(plan.changes())
}

/// Brings the set of the file to pf where pf has another: after a crash, or when somebody changed
/// the table. Fails as [`repair`] does, and without a file.
pub fn mend(pf: &dyn Backend, directory: &Directory, table: &Table) -> Result<Changes> {
    repair(Some(pf), directory, table, &directory.load(table, "pftable")?)
}

/// Makes a file that is missing or damaged again of the set in pf, which at a start nothing else
/// knows. The number of its prefixes; 0 where the file is sound or pf has none.
pub fn restore(pf: &dyn Backend, directory: &Directory, table: &Table) -> Result<usize> {
    let name = table.file("pftable");
    let sound = matches!(directory.each(&name, |_| ()), Ok(Some(_)));
    let set = if sound { vec![] } else { pf.list(table).unwrap_or_default() };
    if !set.is_empty() {
        repair(None, directory, table, &set)?;
    }
    Ok(set.len())
}
