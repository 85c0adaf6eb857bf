//! What can go wrong, and the way out.

use nix::errno::Errno::{
    self, EACCES, EDQUOT, EFBIG, EINVAL, EIO, ENODEV, ENOSPC, ENOTTY, EPERM, EROFS, ESRCH,
};

/// A failed operation on a table or a table file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// A system call failed: on which file or table, which call, why.
    System(String, &'static str, Errno),
    /// We refuse: what, and why.
    Refused(String, &'static str),
    /// A line, from 1, that is not the canonical text of the next prefix: of which table file.
    Text(String, usize),
    /// A set does not fit into pf: for which table, its entries, pf's limit of them.
    Limit(String, usize, usize),
}

/// The call by which a table is listed, which pf refuses for other reasons than a change.
pub(crate) const LISTING: &str = "DIOCRSETADDRS to list";

impl Error {
    /// What helps against an error of a file, as the end of a sentence; nothing where the error says so.
    fn way_out(&self) -> &'static str {
        match self {
            Self::System(_, call, _) if call.starts_with("DIOC") => "",
            Self::System(_, _, errno) => match *errno {
                EACCES | EPERM => ": look at owners, modes and flags by ls -lao",
                ENOSPC | EDQUOT => ": make room there",
                EROFS => ": mount it for writing",
                EFBIG => ": raise filesize of its class in login.conf(5)",
                EIO => ": its disk fails, see dmesg",
                _ => ": threatstopctl doctor looks at it",
            },
            _ => "",
        }
    }

    pub(crate) fn on(name: &str, call: &'static str) -> impl Fn(Errno) -> Self {
        move |errno| Self::System(name.into(), call, errno)
    }
}

/// The `set limit table-entries` to recommend for a set: `pfctl -f` holds it twice, and whatever
/// filled `limit` stays. Rounded up to a whole 100,000.
pub(crate) fn suggested_limit(entries: usize, limit: usize) -> usize {
    (2 * entries).max(limit + entries).next_multiple_of(100_000)
}

impl core::fmt::Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let (on, what, errno) = match self {
            Self::System(on, what, errno) => (on, *what, errno),
            Self::Refused(what, why) => return write!(f, "{what}: {why}"),
            Self::Text(path, line) => {
                return write!(f, "{path}:{line}: not the next prefix; run threatstopctl update");
            }
            Self::Limit(table, n, limit) => {
                write!(f, "{table}: {n} entries do not fit; put \"set limit table-entries ")?;
                return write!(f, "{}\" above the tables of pf.conf", suggested_limit(*n, *limit));
            }
        };
        let why = match errno {
            _ if !what.starts_with("DIOC") => errno.desc(),
            ENOTTY | ENODEV => "this build does not match the kernel's pf; rebuild the port",
            EPERM if what == "DIOCRADDTABLES" => "not at this securelevel; declare it in pf.conf",
            EPERM if what == LISTING => {
                "a const table; remove that word in pf.conf and load it; until then only pfctl(8) \
                 lists it"
            }
            EPERM => "a const table; remove that word in pf.conf",
            EINVAL => "not a name, anchor or prefix that pf takes",
            ESRCH => "no such table; declare it in pf.conf",
            errno => errno.desc(),
        };
        write!(f, "{on}: {what}: {why}")
    }
}

impl core::error::Error for Error {}

/// Why a set was not published, and what is there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishError {
    /// What failed.
    pub error: Error,
    /// The file has the new set and did not take the old one back, which pf still has: [`crate::mend`]
    /// brings the new one to pf. Else nothing was touched, or is as it was again.
    pub differ: bool,
}

impl From<Error> for PublishError {
    fn from(error: Error) -> Self {
        Self { error, differ: false }
    }
}

impl core::fmt::Display for PublishError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.differ {
            false => write!(f, "{}; the old set stays{}", self.error, self.error.way_out()),
            true => write!(f, "{}; file and table differ; run threatstopctl update", self.error),
        }
    }
}

impl core::error::Error for PublishError {}
