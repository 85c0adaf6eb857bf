//! What became of a set that was handed to the helper.

use imsg::{Changed, Purpose, TableId};

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// File and kernel had this content already; nothing was written or sent.
    Unchanged,
    /// File and kernel have the new content.
    Published,
    /// A dry run: counted, nothing changed.
    Counted,
    /// The kernel had another content and has the right one again.
    Mended,
    /// Not published; the text says why, and what is there instead.
    Failed,
    /// The kernel had no such table and has it now, with the file's content.
    Created,
    /// The kernel had the content, but the file was missing or had another; it has it again.
    FileMended,
}

/// What the helper has made of a set, or of what a table's file has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableResult {
    /// Which table.
    pub table: TableId,
    /// How it ended.
    pub outcome: Outcome,
    /// Prefixes in the set; 0 after a mend, which hands none over.
    pub entries: u32,
    /// Prefixes that came into the table; or into the file, where the table had the set already.
    pub added: u32,
    /// Prefixes that went.
    pub deleted: u32,
    /// It failed because pf has no room for so many entries.
    pub full: bool,
    /// Why it failed, and the way out; empty when it did not.
    pub failure: String,
}

impl TableResult {
    /// What an answer of the helper says of a set of so many entries that was to be published, tried
    /// or put back.
    pub fn of(table: TableId, entries: u32, purpose: Purpose, changed: Changed) -> Self {
        let outcome = match (purpose, &changed) {
            (_, Changed { failure, .. }) if !failure.is_empty() => Outcome::Failed,
            (Purpose::Trial, _) => Outcome::Counted,
            (_, same) if *same == Changed::default() => Outcome::Unchanged,
            (Purpose::Publish, _) => Outcome::Published,
            (Purpose::Repair, Changed { file: true, .. }) => Outcome::FileMended,
            (Purpose::Repair, Changed { created: true, .. }) => Outcome::Created,
            (Purpose::Repair, _) => Outcome::Mended,
        };
        let Changed { added, deleted, full, failure, .. } = changed;
        Self { table, outcome, entries, added, deleted, full, failure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_says_how_it_ended() {
        use Outcome::{Counted, Created, Failed, FileMended, Mended, Published, Unchanged};
        let same = Changed::default();
        let changed =
            |created, file, negated| Changed { created, file, changed: negated, ..same.clone() };
        let failed = Changed { failure: "no".into(), ..same.clone() };
        for (changed, [publish, trial, repair]) in [
            (same.clone(), [Unchanged, Counted, Unchanged]),
            (failed, [Failed; 3]),
            (Changed { added: 1, ..same.clone() }, [Published, Counted, Mended]),
            (Changed { deleted: 1, ..same.clone() }, [Published, Counted, Mended]),
            (changed(false, false, 1), [Published, Counted, Mended]),
            (changed(true, false, 0), [Published, Counted, Created]),
            (changed(false, true, 0), [Published, Counted, FileMended]),
            (changed(true, true, 0), [Published, Counted, FileMended]),
        ] {
            let of = |purpose| TableResult::of(TableId::Block, 1, purpose, changed.clone()).outcome;
            let all = [Purpose::Publish, Purpose::Trial, Purpose::Repair].map(of);
            assert_eq!(all, [publish, trial, repair], "{changed:?}");
        }
    }
}
