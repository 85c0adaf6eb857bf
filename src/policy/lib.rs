//! From the lists of a run to the tables: what is blocked, what is allowed, and whether to
//! believe it.
//!
//! A [`List`] is made of the items of one list as soon as they have come, and keeps only the
//! addresses that the list names. [`ListTrial`] compares it with its guards and with its own last
//! good copy, and the better of both is in force. [`compose_allow`] and [`compose_block`] make the
//! tables of what the lists in force name [`Together`], [`check_table`] holds a table against what
//! holds for every table, and [`table_change`] is the second net below the guards of the lists.
//! [`hold`] says what a table keeps until another one has it,
//! [`diff`] shows what changed, [`why`] explains a single address, and [`Unique`] and [`Overlaps`]
//! say what a list is good for. The order matters: a block table is composed against the allow lists
//! that will really be in force.
//!
//! Memory is linear in the items handed in: 8 octets for an IPv4 prefix in a list, 5 for one in a table,
//! and for its age a bit, and 4 octets where it is another than that of the prefix before.
//!
//! * In: the items of lists, the guards, the sets and lists before, what is protected; times as
//!   numbers.
//! * Out: tables; what is refused or held, with the reason in words; what changed, and why an
//!   address is blocked.
//! * Never: I/O or a clock; take a list for good because it came.

mod compose;
mod cover;
mod diff;
mod held;
mod hold;
mod judge;
mod left_out;
mod list;
mod list_trial;
mod local;
mod measure;
mod overlap;
mod ranges;
mod since;
mod sort;
mod sweep;
mod table_trial;
mod times;
mod together;
mod unique;
mod why;

#[cfg(test)]
mod reading;
#[cfg(test)]
mod tests;

pub use compose::{
    Composed, Hit, MAX_HITS, Removed, compose_allow, compose_block, exempt, unrouted,
};
pub use cover::{cover_len, push_cover};
pub use diff::{Change, common, diff};
pub use held::HeldRuns;
pub use hold::{Elsewhere, hold};
pub use judge::{
    Accepted, Brought, Guard, Kept, KeptList, OfList, Reason, Run, Step, Unit, check_table,
};
pub use left_out::{LeftOut, Protected};
pub use list::{List, unmapped};
pub use list_trial::ListTrial;
pub use local::{
    LOCAL_MAX_ENTRIES, LOCAL_MAX_LINE, LOCAL_MAX_OCTETS, LocalError, LocalProblem, parse_local,
};
pub use measure::{History, Measure, coverage};
pub use overlap::{Overlap, Overlaps};
pub use ranges::Ranges;
pub use since::Since;
pub use sweep::Count;
pub use table_trial::{grew_most, table_change};
pub use times::Times;
pub use together::Together;
pub use unique::Unique;
pub use why::{Evidence, Why, why};
