//! The control protocol: what threatstopctl asks of the engine over the control socket.
//!
//! One connection, one request: a line of JSON, at most [`MAX_REQUEST`] octets. The engine answers
//! with [`Reply`] values, a line of JSON each, of which the last is `done` or `error`; then it
//! closes. The values below are also what `threatstopctl -j` prints, so their names are part of
//! the interface and documented in threatstopctl(8). Times are epoch seconds.

mod hits;
mod reply;
mod request;
mod status;

pub use hits::{AddressHits, Hits, ListHits, PortHits, ProtocolHits};
pub use reply::{Change, Check, Failure, Reply, Tested, Updated, Uploaded, Why};
pub use request::{Request, Rights, Show};
pub use status::{
    Attempt, Attempted, Direction, EngineStatus, Held, HeldReason, LastUpdate, PfStatus,
    ServerStatus, Spool, Status, TableKind, TableStatus, Update, Upload, UsedBy,
};

/// The control socket unless `-s` names another.
pub const DEFAULT_SOCKET: &str = "/var/run/threatstopd.sock";

/// Longest request in octets, the line feed included.
pub const MAX_REQUEST: usize = 4096;

/// Most addresses in one request: as many as fit whatever they are.
pub const ADDRESSES_A_REQUEST: usize = 64;

/// Most prefixes in one reply; longer lists come in several.
pub const PREFIXES_A_REPLY: usize = 500;

/// The warning of [`Status`] while the configuration before the last reload is in use, since nothing
/// could be started with the one that was read. `threatstopctl reload` fails by it.
pub const REVERTED: &str = "the last reload was taken back, for threatstopd could not start with \
                            that configuration";

/// The way out of [`REVERTED`].
pub const REVERTED_WAY_OUT: &str = "see the log, mend it, and reload again";
