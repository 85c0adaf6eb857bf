//! What became of a set that was handed to the helper.

use imsg::{Changes, Failed, Purpose, TableId};
use nix::errno::Errno;

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
    pub fn of(
        table: TableId,
        entries: u32,
        purpose: Purpose,
        done: Result<Changes, Failed>,
    ) -> Self {
        let outcome = match (purpose, &done) {
            (_, Err(_)) => Outcome::Failed,
            (Purpose::Trial, _) => Outcome::Counted,
            (_, Ok(same)) if *same == Changes::default() => Outcome::Unchanged,
            (Purpose::Publish, _) => Outcome::Published,
            (Purpose::Repair, Ok(Changes { file: true, .. })) => Outcome::FileMended,
            (Purpose::Repair, Ok(Changes { created: true, .. })) => Outcome::Created,
            (Purpose::Repair, _) => Outcome::Mended,
        };
        let Changes { added, deleted, .. } = done.clone().unwrap_or_default();
        let failed = |it: Failed| {
            let full = !it.of_file && it.errno == Errno::ENOMEM as u32;
            let helps = if it.of_file { way_out(it.errno) } else { "" };
            (full, format!("{}{helps}", it.why))
        };
        let (full, failure) = done.err().map_or_else(Default::default, failed);
        Self { table, outcome, entries, added, deleted, full, failure }
    }
}

/// What helps against an error of a file, as the end of a sentence.
fn way_out(errno: u32) -> &'static str {
    match Errno::from_raw(errno.cast_signed()) {
        Errno::EACCES | Errno::EPERM => ": look at owners, modes and flags by ls -lao",
        Errno::ENOSPC | Errno::EDQUOT => ": make room there",
        Errno::EROFS => ": mount it for writing",
        Errno::EFBIG => ": raise filesize of its class in login.conf(5)",
        Errno::EIO => ": its disk fails, see dmesg",
        _ => ": threatstopctl doctor looks at it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails when somebody is told that nothing was published and not what to do.
    #[test]
    fn each_error_of_a_file_has_its_way_out() {
        for (errno, way_out) in [
            (Errno::EACCES as u32, ": look at owners, modes and flags by ls -lao"),
            (Errno::ENOSPC as u32, ": make room there"),
            (Errno::EROFS as u32, ": mount it for writing"),
            (Errno::EFBIG as u32, ": raise filesize of its class in login.conf(5)"),
            (Errno::EIO as u32, ": its disk fails, see dmesg"),
            (Errno::ENOTDIR as u32, ": threatstopctl doctor looks at it"),
        ] {
            let failed = Failed { errno, of_file: true, why: "/t: the old set stays".into() };
            let result = TableResult::of(TableId::Block, 1, Purpose::Publish, Err(failed));
            assert_eq!(result.failure, format!("/t: the old set stays{way_out}"));
        }
    }

    #[test]
    fn what_changed_says_how_it_ended() {
        use Outcome::{Counted, Created, Failed, FileMended, Mended, Published, Unchanged};
        let same = Changes::default();
        let no = super::Failed { errno: Errno::ENOMEM as u32, of_file: false, why: "no".into() };
        for (done, [publish, trial, repair]) in [
            (Ok(same), [Unchanged, Counted, Unchanged]),
            (Err(no), [Failed; 3]),
            (Ok(Changes { added: 1, ..same }), [Published, Counted, Mended]),
            (Ok(Changes { deleted: 1, ..same }), [Published, Counted, Mended]),
            (Ok(Changes { changed: 1, ..same }), [Published, Counted, Mended]),
            (Ok(Changes { created: true, ..same }), [Published, Counted, Created]),
            (Ok(Changes { file: true, ..same }), [Published, Counted, FileMended]),
            (Ok(Changes { created: true, file: true, ..same }), [Published, Counted, FileMended]),
        ] {
            let of = |purpose| TableResult::of(TableId::Block, 1, purpose, done.clone());
            let all =
                [Purpose::Publish, Purpose::Trial, Purpose::Repair].map(|one| of(one).outcome);
            assert_eq!(all, [publish, trial, repair], "{done:?}");
            assert_eq!(of(Purpose::Publish).full, done.is_err());
        }
    }
}
