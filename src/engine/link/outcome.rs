//! What became of a set that was handed to the helper.

use imsg::{Changes, Failed, Purpose, TableId};

use super::words;

/// What became of a set.
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
    /// The table that the set is of.
    pub table: TableId,
    /// What became of the set.
    pub outcome: Outcome,
    /// Prefixes in the set.
    pub entries: u32,
    /// Prefixes that came into the table.
    pub added: u64,
    /// Prefixes that went from it.
    pub deleted: u64,
    /// It failed because pf has no room for so many entries.
    pub full: bool,
    /// Why it failed, and the way out; empty when it did not.
    pub failure: String,
}

impl TableResult {
    /// What an answer of the helper says of a set of so many entries that was to be published, tried
    /// or put back; `limit` is pf's limit of them.
    pub fn of(
        table: TableId,
        entries: u32,
        limit: u32,
        purpose: Purpose,
        done: Result<Changes, Failed>,
    ) -> Self {
        let in_file = Changes { file: true, ..Changes::default() };
        let outcome = match (purpose, &done) {
            (_, Err(_)) => Outcome::Failed,
            (Purpose::Trial, _) => Outcome::Counted,
            (_, Ok(same)) if *same == Changes::default() => Outcome::Unchanged,
            (Purpose::Publish, _) => Outcome::Published,
            (Purpose::Repair, Ok(changes)) if *changes == in_file => Outcome::FileMended,
            (Purpose::Repair, Ok(Changes { created: true, .. })) => Outcome::Created,
            (Purpose::Repair, _) => Outcome::Mended,
        };
        let changes = done.as_ref().copied().unwrap_or_default();
        let [added, deleted] = [changes.added, changes.deleted].map(u64::from);
        let failed = done.err();
        let full = failed.as_ref().is_some_and(words::is_full);
        let failure = failed.map(|failed| words::of_set(&failed, entries, limit));
        let failure = failure.unwrap_or_default();
        Self { table, outcome, entries, added, deleted, full, failure }
    }

    /// Why it failed, where the old file has been put back since.
    pub fn taken_back(self) -> String {
        words::taken_back(self.failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_says_how_it_ended() {
        use Outcome::{Counted, Created, Failed, FileMended, Mended, Published, Unchanged};
        let same = Changes::default();
        let no = super::Failed {
            of: imsg::Of::Pf,
            ..super::Failed::words(nix::errno::Errno::ENOMEM, "T: DIOCRSETADDRS")
        };
        for (done, [publish, trial, repair]) in [
            (Ok(same), [Unchanged, Counted, Unchanged]),
            (Err(no), [Failed; 3]),
            (Ok(Changes { added: 1, ..same }), [Published, Counted, Mended]),
            (Ok(Changes { deleted: 1, ..same }), [Published, Counted, Mended]),
            (Ok(Changes { created: true, ..same }), [Published, Counted, Created]),
            (Ok(Changes { file: true, ..same }), [Published, Counted, FileMended]),
            (Ok(Changes { added: 1, file: true, ..same }), [Published, Counted, Mended]),
            (Ok(Changes { created: true, file: true, ..same }), [Published, Counted, Created]),
        ] {
            let of = |purpose| TableResult::of(TableId::BLOCK, 1, 1, purpose, done.clone());
            let all =
                [Purpose::Publish, Purpose::Trial, Purpose::Repair].map(|one| of(one).outcome);
            assert_eq!(all, [publish, trial, repair], "{done:?}");
            assert_eq!(of(Purpose::Publish).full, done.is_err());
        }
    }
}
