//! Publication: file and table go from one set to the next together.

use imsg::Purpose;
use nix::errno::Errno::EPERM;

use crate::{Backend, Changes, Directory, Error, PfrAddr, Result, Table};

/// Where the sets of tables are.
#[derive(Clone, Copy)]
pub struct Store<'a> {
    /// pf, real or simulated; without it (reload = false) the files are all.
    pub pf: Option<&'a dyn Backend>,
    /// The table files.
    pub directory: &'a Directory,
}

impl Store<'_> {
    /// Publishes a set, which is ascending (IPv4 first) and disjoint: asks pf, writes the file, then
    /// replaces the table; if that fails, the old file, where there was one, comes back. What has the
    /// set already is neither written nor sent. Answers what changed, or for a trial would change.
    ///
    /// A repair brings file and table back to the set in force, where somebody has lost or changed
    /// either. What was in the file does not become the set before, which is the administrator's way
    /// back; nor does it come back when pf fails then.
    pub fn publish(&self, table: &Table, set: &[PfrAddr], purpose: Purpose) -> Result<Changes> {
        let (same, file) = (Changes::default(), table.file("pftable"));
        let mut changes = self.pf.map_or(Ok(same), |pf| pf.replace(table, set, true))?;
        let pf = self.pf.filter(|_| changes != same);
        changes.file = !self.directory.has(&file, set)?;
        if changes != same && set.is_empty() && table.kind == prefix::Kind::Block {
            let why = format!("{}: an empty set would block nothing", table.name);
            return Err(Error::words(EPERM, why));
        }
        if purpose == Purpose::Trial {
            return Ok(changes);
        }
        let keep = purpose == Purpose::Publish;
        let kept = changes.file && self.directory.install(&file, set, keep)?;
        if let Some(pf) = pf {
            let replaced = pf.replace(table, set, false);
            replaced.map_err(|error| self.directory.undo(&file, kept, error))?;
        }
        // Both have the new set. What fails here is done before the next one is written.
        let _ = self.directory.settle(&file);
        Ok(changes)
    }

    /// Brings the set of the file to pf where pf has another: after a crash, or when somebody changed
    /// the table. Fails as a repair does, and without a file.
    pub fn mend(&self, table: &Table) -> Result<Changes> {
        let set = || self.directory.load(table, "pftable");
        let mended = |_| self.publish(table, &set()?, Purpose::Repair);
        self.pf.map_or(Ok(Changes::default()), mended)
    }
}
