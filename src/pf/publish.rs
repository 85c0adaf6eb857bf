//! Publication: file and table go from one set to the next together.

use imsg::Purpose;
use nix::errno::Errno::EPERM;

use crate::{Backend, Changes, Directory, Error, PfrAddr, Result, Table};

impl Directory {
    /// Publishes a set, which is ascending (IPv4 first) and disjoint: asks pf, writes the file, then
    /// replaces the table; if that fails, the old file, where there was one, comes back. What has the
    /// set already is neither written nor sent. Without `pf` (reload = false) the files are all. Answers
    /// what changed, or for a trial would change.
    ///
    /// A repair brings file and table back to the set in force, where somebody has lost or changed
    /// either. What was in the file does not become the set before, which is the administrator's way
    /// back; nor does it come back when pf fails then.
    pub fn publish(
        &self,
        pf: Option<&dyn Backend>,
        table: &Table,
        set: &[PfrAddr],
        purpose: Purpose,
    ) -> Result<Changes> {
        let (same, file) = (Changes::default(), table.file("pftable"));
        let mut changes = pf.map_or(Ok(same), |pf| pf.replace(table, set, true))?;
        let pf = pf.filter(|_| changes != same);
        changes.file = !self.has(&file, set)?;
        if changes != same && set.is_empty() && table.kind == prefix::Kind::Block {
            let why = format!("{}: an empty set would block nothing", table.name);
            return Err(Error::words(EPERM, why));
        }
        if purpose == Purpose::Trial {
            return Ok(changes);
        }
        let kept = changes.file && self.install(&file, set, purpose == Purpose::Publish)?;
        if let Some(pf) = pf {
            pf.replace(table, set, false).map_err(|error| self.undo(&file, kept, error))?;
        }
        // Both have the new set. What fails here is done before the next one is written.
        let _ = self.settle(&file);
        Ok(changes)
    }
}
