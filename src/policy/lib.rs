//! From the lists of a run to the tables: what is blocked, what is allowed, and whether to
//! believe it.
//!
//! A [`List`] is made of the items of one list as soon as they have come, and keeps only the
//! addresses that the list names. [`compose_allow`] and [`compose_block`] make the tables of them,
//! [`Trial::judge`] compares a table with its guards and with the set before, [`diff`] shows the
//! difference and [`why`] explains a single address. The order matters: allow is composed and
//! judged first, and block is composed against the allow set that will really be in force, which
//! is the previous one when the new one was not accepted.
//!
//! Nothing here does I/O or reads a clock. Memory is linear in the items handed in: 8 octets for
//! an IPv4 prefix in a list, the same in a table, and 4 for its age.

mod compose;
mod diff;
mod held;
mod judge;
mod left_out;
mod list;
mod local;
mod measure;
mod since;
mod sort;
mod sweep;
mod why;

#[cfg(test)]
mod tests;

pub use compose::{
    Composed, Hit, MAX_HITS, Protected, Removed, compose_allow, compose_block, unrouted,
};
pub use diff::{Change, diff};
pub use held::HeldRuns;
pub use judge::{Accepted, Brought, Guard, Kept, Reason, Run, Step, Trial, Unit};
pub use left_out::LeftOut;
pub use list::List;
pub use local::{
    LOCAL_MAX_ENTRIES, LOCAL_MAX_LINE, LOCAL_MAX_OCTETS, LocalError, LocalProblem, parse_local,
};
pub use measure::{History, Measure};
pub use since::{Since, SinceError};
pub use sweep::Count;
pub use why::{Evidence, Why, why};
