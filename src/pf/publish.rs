//! Publication: file and table go from one set to the next together.

use crate::{Backend, Changes, Directory, Error, PfrAddr, Table};

/// Why a set was not published, and what is there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishError {
    /// What failed.
    pub error: Error,
    /// The file has the new set and did not take the old one back, which pf still has: [`mend`]
    /// brings the new one to pf. Else nothing was touched, or is as it was again.
    pub differ: bool,
}

impl From<Error> for PublishError {
    fn from(error: Error) -> Self {
        Self { error, differ: false }
    }
}

type Result<T> = core::result::Result<T, PublishError>;

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
    let (same, name) = (Changes::default(), table.file("pftable"));
    let trial = pf.map_or(Ok(same), |pf| pf.replace(table, set, true))?;
    let in_file = match directory.diff(&name, set) {
        Err(Error::Text(..)) => Changes { created: true, added: set.len(), ..same },
        other => other?,
    };
    let changes = if trial == same { in_file } else { trial };
    if changes != same && set.is_empty() && !table.may_be_empty {
        Err(Error::Refused(table.name.clone(), "an empty set would block nothing"))?;
    }
    if dry_run {
        return Ok(changes);
    }
    let kept = (in_file != same).then(|| directory.install(&name, set, true)).transpose()?;
    if let Some(pf) = pf
        && trial != same
        && let Err(error) = pf.replace(table, set, false)
    {
        return Err(match kept {
            Some(kept) => directory.undo(&name, kept, error),
            None => error.into(),
        });
    }
    // Both have the new set. What fails here is done before the next one is written.
    let _ = directory.settle(&name);
    Ok(changes)
}

/// Brings the set of the file to pf where pf has another: after a crash, or when somebody changed
/// the table. Fails as [`publish`] does, and without a file.
pub fn mend(pf: &dyn Backend, directory: &Directory, table: &Table) -> Result<Changes> {
    publish(Some(pf), directory, table, &directory.load(table, "pftable")?, false)
}

/// Makes a file that is missing or damaged again of the set in pf, which at a start nothing else
/// knows. The number of its prefixes; 0 where the file is sound or pf has none.
pub fn restore(pf: &dyn Backend, directory: &Directory, table: &Table) -> Result<usize> {
    let name = table.file("pftable");
    let found = directory.each(&name, |_| ());
    let sound = matches!(found, Ok(Some(_)));
    let set = if sound { vec![] } else { pf.list(table).unwrap_or_default() };
    if !set.is_empty() {
        // a file without sense must not take the place of the set before
        if matches!(found, Err(Error::Text(..))) {
            directory.remove(&name)?;
        }
        publish(None, directory, table, &set, false)?;
    }
    Ok(set.len())
}

impl core::fmt::Display for PublishError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let outcome = match self.differ {
            false => "the old set stays",
            true => "file and table differ; run threatstopctl update",
        };
        write!(f, "{}; {outcome}", self.error)
    }
}

impl core::error::Error for PublishError {}
