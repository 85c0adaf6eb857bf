//! What root says by a number, and what helps.

use imsg::{Failed, Of};
use nix::errno::Errno::{self, EINVAL, ENODEV, ENOMEM, ENOTTY, EPERM, ESRCH};

/// How a sentence ends about a set that is in the file and not in pf, ...
const DIFFER: &str = "; file and table differ; run threatstopctl update";
/// ... and about one that is in neither.
const STAYS: &str = "; the old set stays";

/// Why a set of so many entries is not in force, what is there instead, and what helps. `limit` is pf's
/// limit of entries.
pub fn of_set(failed: &Failed, entries: u32, limit: u32) -> String {
    let why = match (is_full(failed), failed.what.rsplit_once(": ")) {
        (true, Some((table, _))) => format!(
            "{table}: {entries} entries do not fit; put \"set limit table-entries {}\" above the \
             tables of pf.conf",
            suggested_limit(entries, limit)
        ),
        _ => why(failed, false),
    };
    match (failed.differ, failed.of) {
        // an update could not make the table either; pf.conf makes it of the file
        (true, Of::Creation) if failed.errno == EPERM => why,
        (true, _) => format!("{why}{DIFFER}"),
        (false, Of::File) => format!("{why}{STAYS}{}", way_out(failed.errno)),
        (false, _) => format!("{why}{STAYS}"),
    }
}

/// The same of a set whose file was taken back after all.
pub fn taken_back(sentence: String) -> String {
    sentence.strip_suffix(DIFFER).map(|why| format!("{why}{STAYS}")).unwrap_or(sentence)
}

/// Why a table or file cannot be read, and what helps.
pub fn of_file(failed: &Failed) -> String {
    why(failed, true)
}

/// Whether pf has no room for so many entries.
pub fn is_full(failed: &Failed) -> bool {
    failed.of == Of::Pf && failed.errno == ENOMEM
}

/// The `set limit table-entries` to recommend for a set: `pfctl -f` holds it twice, and whatever
/// filled `limit` stays. Rounded up to a whole 100,000.
fn suggested_limit(entries: u32, limit: u32) -> u64 {
    let (entries, limit) = (u64::from(entries), u64::from(limit));
    (2 * entries).max(limit + entries).next_multiple_of(100_000)
}

fn why(failed: &Failed, to_list: bool) -> String {
    let reason = match (failed.of, failed.errno) {
        (Of::Words | Of::File, _) => return failed.to_string(),
        (_, ENOTTY | ENODEV) => "this build does not match the kernel's pf; rebuild the port",
        (Of::Creation, EPERM) => "not at this securelevel; declare it in pf.conf",
        (Of::Pf, EPERM) if to_list => {
            "a const table; remove that word in pf.conf and load it; until then only pfctl(8) \
             lists it"
        }
        (Of::Pf, EPERM) => "a const table; remove that word in pf.conf",
        (Of::Pf, EINVAL) => "not a name, anchor or prefix that pf takes",
        (Of::Pf, ESRCH) => "no such table; declare it in pf.conf",
        (_, errno) => errno.desc(),
    };
    format!("{}: {reason}", failed.what)
}

/// What helps against an error of a file, as the end of a sentence.
fn way_out(errno: Errno) -> &'static str {
    match errno {
        Errno::EACCES | EPERM => ": look at owners, modes and flags by ls -lao",
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

    fn failed(of: Of, errno: Errno, what: &str) -> Failed {
        Failed { of, ..Failed::words(errno, what) }
    }

    /// Fails when somebody is told that nothing was published and not what to do.
    #[test]
    fn each_error_of_a_file_has_its_way_out() {
        for (errno, way_out) in [
            (Errno::EACCES, ": look at owners, modes and flags by ls -lao"),
            (Errno::ENOSPC, ": make room there"),
            (Errno::EROFS, ": mount it for writing"),
            (Errno::EFBIG, ": raise filesize of its class in login.conf(5)"),
            (Errno::EIO, ": its disk fails, see dmesg"),
            (Errno::ENOTDIR, ": threatstopctl doctor looks at it"),
        ] {
            let said = of_set(&failed(Of::File, errno, "/t: fsync"), 1, 1);
            let why = errno.desc();
            assert_eq!(said, format!("/t: fsync: {why}; the old set stays{way_out}"));
        }
    }

    #[test]
    fn each_refusal_of_pf_is_worded() {
        let (set, make) = ("T: DIOCRSETADDRS", "T: DIOCRADDTABLES");
        let mismatch = "this build does not match the kernel's pf; rebuild the port";
        for (of, errno, what, why, list) in [
            (Of::Creation, EPERM, make, "not at this securelevel; declare it in pf.conf", None),
            (
                Of::Pf,
                EPERM,
                set,
                "a const table; remove that word in pf.conf",
                Some(" and load it; until then only pfctl(8) lists it"),
            ),
            (Of::Pf, EINVAL, set, "not a name, anchor or prefix that pf takes", None),
            (Of::Pf, ESRCH, set, "no such table; declare it in pf.conf", None),
            (Of::Pf, ENOTTY, set, mismatch, None),
            (Of::Creation, ENODEV, make, mismatch, None),
            (Of::Pf, Errno::EAGAIN, set, Errno::EAGAIN.desc(), None),
        ] {
            let failed = failed(of, errno, what);
            let said = format!("{what}: {why}");
            assert_eq!(of_set(&failed, 5, 5), format!("{said}; the old set stays"));
            assert_eq!(of_file(&failed), format!("{said}{}", list.unwrap_or_default()));
        }
        let full = failed(Of::Pf, ENOMEM, set);
        let put = "put \"set limit table-entries 100000\" above the tables of pf.conf";
        let said = format!("T: 5 entries do not fit; {put}; the old set stays");
        assert_eq!(of_set(&full, 5, 7), said);
    }

    #[test]
    fn a_file_that_is_ahead_of_its_table_is_told() {
        let failed = Failed { differ: true, ..failed(Of::File, Errno::EIO, "/t: undo") };
        let said = "/t: undo: I/O error; file and table differ; run threatstopctl update";
        assert_eq!(of_set(&failed, 1, 1), said);
        assert_eq!(taken_back(said.into()), "/t: undo: I/O error; the old set stays");
        assert_eq!(taken_back("other".into()), "other");
    }

    /// Fails when an update is recommended where none can help.
    #[test]
    fn what_no_update_can_make_is_left_to_pf_conf() {
        let refused = failed(Of::Creation, EPERM, "T: DIOCRADDTABLES");
        let said = of_set(&Failed { differ: true, ..refused }, 1, 1);
        assert_eq!(said, "T: DIOCRADDTABLES: not at this securelevel; declare it in pf.conf");
    }

    #[test]
    fn limits_to_recommend() {
        assert_eq!(suggested_limit(845_023, 200_000), 1_700_000);
        assert_eq!(suggested_limit(26_424, 200_000), 300_000);
        assert_eq!(suggested_limit(0, 0), 0);
    }
}
