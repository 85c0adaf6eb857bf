//! What this process may have open at once.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Files that the other tests of the process may have open meanwhile.
const OTHERS: u64 = 256;

/// Makes room for so many open files, beside those of the other tests, by a higher soft limit. Gives
/// how many there is room for: fewer when the hard limit is too low, 0 when it is very low.
pub fn room_for_files(wanted: u64) -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit of open files");
    let limit = soft.max((wanted + OTHERS).min(hard));
    if limit > soft {
        setrlimit(Resource::RLIMIT_NOFILE, limit, hard).expect("a soft limit below the hard one");
    }
    wanted.min(limit.saturating_sub(OTHERS))
}
