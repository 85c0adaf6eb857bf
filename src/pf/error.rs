//! What can go wrong, and the way out.

use nix::errno::Errno::{self, EINVAL, ENODEV, ENOTTY, EPERM, ESRCH};

/// A failed operation on a table or a table file: on which, which call, why, and the way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub(crate) text: String,
    /// What comes nearest: ENOENT without the file, EILSEQ for one that is not in the form of a table
    /// file, ENOMEM for a set that pf has no room for, EPERM for what we refuse.
    pub errno: Errno,
    /// A publication failed, the file has the new set and did not take the old one back, which pf
    /// still has. Else nothing was touched, or is as it was again.
    pub differ: bool,
    /// A call on a file failed, for which the errno says what helps.
    pub of_file: bool,
}

/// The call by which a table is listed, which pf refuses for other reasons than a change.
pub(crate) const LISTING: &str = "DIOCRSETADDRS to list";

impl Error {
    pub(crate) fn new(errno: Errno, text: String) -> Self {
        Self { text, errno, differ: false, of_file: false }
    }

    pub(crate) fn on(name: &str, call: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self {
            of_file: !call.starts_with("DIOC"),
            ..Self::new(errno, format!("{name}: {call}: {}", why(call, errno)))
        }
    }

    /// A set has more entries than fit pf's limit of them.
    pub(crate) fn full(table: &str, entries: usize, limit: usize) -> Self {
        let advice = suggested_limit(entries, limit);
        let put = format!("put \"set limit table-entries {advice}\" above the tables of pf.conf");
        Self::new(Errno::ENOMEM, format!("{table}: {entries} entries do not fit; {put}"))
    }
}

/// The `set limit table-entries` to recommend for a set: `pfctl -f` holds it twice, and whatever
/// filled `limit` stays. Rounded up to a whole 100,000.
pub(crate) fn suggested_limit(entries: usize, limit: usize) -> usize {
    (2 * entries).max(limit + entries).next_multiple_of(100_000)
}

fn why(call: &str, errno: Errno) -> &'static str {
    match errno {
        _ if !call.starts_with("DIOC") => errno.desc(),
        ENOTTY | ENODEV => "this build does not match the kernel's pf; rebuild the port",
        EPERM if call == "DIOCRADDTABLES" => "not at this securelevel; declare it in pf.conf",
        EPERM if call == LISTING => {
            "a const table; remove that word in pf.conf and load it; until then only pfctl(8) \
             lists it"
        }
        EPERM => "a const table; remove that word in pf.conf",
        EINVAL => "not a name, anchor or prefix that pf takes",
        ESRCH => "no such table; declare it in pf.conf",
        errno => errno.desc(),
    }
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&self.text)
    }
}

impl core::error::Error for Error {}
