//! Publication: file and table go from one set to the next together.

use crate::{Backend, Changes, Directory, Error, PfrAddr, Table};

/// How far a failed publication came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// pf was asked whether it would take the set; nothing was touched.
    Trial,
    /// The file was read or written; the old one stays.
    File,
    /// pf was given the set and did not take it; the old file is back.
    Table,
    /// Then the old file did not come back, for this reason: [`mend`] brings the new one to pf.
    Undo,
}

/// Where and why a set was not published. File and table have the old one still.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishError(pub Stage, pub Error);

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
    let at = |stage| move |error| PublishError(stage, error);
    let (same, name) = (Changes::default(), table.file("pftable"));
    let trial = pf.map_or(Ok(same), |pf| pf.replace(table, set, true)).map_err(at(Stage::Trial))?;
    let in_file = match directory.diff(&name, set) {
        Err(Error::Text(..)) => Changes { created: true, added: set.len(), ..same },
        other => other.map_err(at(Stage::File))?,
    };
    let changes = if trial == same { in_file } else { trial };
    if changes != same && set.is_empty() && !table.may_be_empty {
        let why = "an empty set would block nothing";
        return Err(PublishError(Stage::Trial, Error::Refused(table.name.clone(), why)));
    }
    if dry_run {
        return Ok(changes);
    }
    let install = || directory.install(&name, set, true).map_err(at(Stage::File));
    let kept = (in_file != same).then(install).transpose()?;
    if let (Some(pf), true) = (pf, trial != same) {
        pf.replace(table, set, false).map_err(|error| {
            match kept.map_or(Ok(()), |kept| directory.undo(&name, kept)) {
                Ok(()) => PublishError(Stage::Table, error),
                Err(undo) => PublishError(Stage::Undo, undo),
            }
        })?;
    }
    // Both have the new set. What fails here is done before the next one is written.
    let _ = directory.settle(&name);
    Ok(changes)
}

/// Brings the set of the file to pf where pf has another: after a crash, or when somebody changed
/// the table. Fails as [`publish`] does, and without a file.
pub fn mend(pf: &dyn Backend, dir: &Directory, table: &Table, dry_run: bool) -> Result<Changes> {
    let set = dir.load(table, "pftable").map_err(|error| PublishError(Stage::File, error))?;
    publish(Some(pf), dir, table, &set, dry_run)
}

impl core::fmt::Display for PublishError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let agree = self.0 != Stage::Undo;
        let outcome = if agree { "the old set stays" } else { "file and table differ" };
        write!(f, "{}; {outcome}", self.1)
    }
}

impl core::error::Error for PublishError {}
