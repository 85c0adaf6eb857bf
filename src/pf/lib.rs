//! Tables of pf(4): the kernel's, simulated ones for other systems, and the files from which
//! pf.conf(5) loads them at boot.
//!
//! Linked into the root helper. Sets arrive as sorted, disjoint slices that somebody else has
//! judged; from here on file and table have the old set or the new one, whole, and both the same.
//!
//! * In: a table, and the sorted, disjoint set that it is to have.
//! * Out: the same set in pf and in the file, and what that has changed; else the old set in both,
//!   the call that failed and its number.
//! * Never: judge a set, follow a link, leave a part of a file under its name; after `open`, ask
//!   pf for more than pledge(2) "pf" allows.

mod abi;
mod error;
mod fault;
mod file;
mod kernel;
mod publish;
mod simulated;
#[cfg(test)]
mod tests;

pub use abi::{PfiocTable, PfrAddr, PfrTable};
pub use file::Directory;
pub use imsg::{Changes, Failed as Error, TableStat};
pub use kernel::Kernel;
pub use simulated::{NO_PF, Simulated};

type Result<T> = core::result::Result<T, Error>;

/// A table: where it lives, and what it is for. One of what to block is never empty.
#[derive(Clone, Debug)]
pub struct Table {
    name: String,
    /// Whether what is in it is blocked or let through.
    pub kind: prefix::Kind,
    /// The form in which requests name it.
    pub pfr: PfrTable,
}

impl Table {
    /// A table by its anchor ("" is the main ruleset) and name, in the form that the configuration has
    /// them. `None` where they are longer than pf takes: 31 octets, and 958 of an anchor.
    pub fn new(anchor: &str, name: &str, kind: prefix::Kind) -> Option<Self> {
        let mut pfr = abi::PfrTable::default(); // NUL to the ends, which pf insists on
        let room = &mut pfr.name[..abi::PF_TABLE_NAME_SIZE - 1];
        room.get_mut(..name.len())?.copy_from_slice(name.as_bytes());
        let room = &mut pfr.anchor.as_flattened_mut()[..abi::PF_ANCHOR_MAXPATH - 1];
        room.get_mut(..anchor.len())?.copy_from_slice(anchor.as_bytes());
        Some(Self { name: name.into(), kind, pfr })
    }

    fn file(&self, kind: &str) -> String {
        format!("{}.{kind}", self.name)
    }
}

/// The tables of a pf, real or simulated.
pub trait Backend {
    /// Replaces the content of a table at once, or with `dummy` tells what that would do. The table
    /// is created if, and only if, it does not exist: securelevel 2 forbids that, but no trial. On error (EPERM
    /// const or securelevel, EINVAL not canonical, ENOMEM too many) the old content stays.
    fn replace(&self, table: &Table, set: &[PfrAddr], dummy: bool) -> Result<Changes>;
    /// Whether pf is enabled.
    fn running(&self) -> Result<bool>;
    /// What pf knows of a table. A later answer differs, packets aside, when somebody has filled,
    /// emptied or recreated it, or loaded other rules.
    fn stats(&self, table: &Table) -> Result<TableStat>;
    /// The content, sorted; what is no plain prefix ([`PfrAddr::prefix`]) comes first. Fails with
    /// ESRCH without the table, ENOMEM without the memory.
    fn list(&self, table: &Table) -> Result<Vec<PfrAddr>>;
}
