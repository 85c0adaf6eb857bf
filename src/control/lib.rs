//! The control protocol: what threatstopctl asks of the engine over the control socket.
//!
//! One connection, one request: a line of JSON, at most [`MAX_REQUEST`] octets. The engine answers
//! with [`Reply`] values, a line of JSON each, of which the last is `done` or `error`; then it
//! closes. The values below are also what `threatstopctl -j` prints, so their names are part of
//! the interface and documented in threatstopctl(8). Times are epoch seconds.
//!
//! Sentences that both sides say are made here.
//!
//! * In: requests and replies as values of these types, or as lines of JSON from the other side of
//!   the socket.
//! * Out: the same as lines, or as values; the units and sentences that both sides show.
//! * Never: I/O; a name in JSON that threatstopctl(8) does not document.

mod event;
mod hits;
mod lists;
mod own;
mod reply;
mod report;
mod request;
mod status;
pub mod units;
mod verdict;

pub use event::Event;
pub use hits::{AddressHits, Hits, HostHits, ListHits, Missed, PortHits, ProtocolHits};
pub use lists::{HitsOfDays, ListShown, Lists, MAX_OVERLAPS, Overlap};
pub use own::{Action, Forgotten, Kept, MAX_OWN, MAX_REASON, OWN_SECONDS, OwnEntry};
pub use reply::{
    Change, Check, Exported, Failure, Reply, Snapshot, Tested, Updated, Uploaded, Why,
};
pub use report::{
    DayReport, DayTable, ListReport, MOST_REPORT_DAYS, MissedOfDays, REPORT_DAYS, REPORT_FAILURES,
    REPORT_ROWS, Report, RunCounts, SuspectHost, TableReport, TableSize, Trouble, UploadCounts,
    Warned,
};
pub use request::{Request, Rights, Show};
pub use status::{
    Attempt, Attempted, Direction, EngineStatus, Held, HeldReason, LastUpdate, ListStatus, Mended,
    PfStatus, ServerStatus, SourceKind, SourceState, SourceStatus, Spool, Status, Suspects,
    TableKind, TableStatus, Update, Upload, UsedBy,
};
pub use verdict::WARNING;

/// Longest request in octets, the line feed included.
pub const MAX_REQUEST: usize = 4096;

/// Most addresses in one request: as many as fit whatever they are.
pub const ADDRESSES_A_REQUEST: usize = 64;

/// Most prefixes in one reply; longer lists come in several.
pub const PREFIXES_A_REPLY: usize = 500;

/// How the warning of [`Status`] begins while the configuration before is in use, for the one of the
/// file does not load. `threatstopctl reload` fails by it.
pub const BROKEN: &str = "the configuration file does not load, and the one before it is in use: ";

/// How it begins while nothing could be started with the configuration of the file, likewise.
pub const REVERTED: &str = "the last reload was taken back, for nothing could be started with that \
                            configuration: ";

/// The way out of both.
pub const REVERTED_WAY_OUT: &str = "mend the file, then threatstopctl reload";
