//! Requests, and who may make them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What is asked of the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "lowercase", deny_unknown_fields)]
pub enum Request {
    /// The state of everything; answered by [`crate::Status`].
    Status {},
    /// Gather and publish now, or join the run that is under way.
    Update {
        /// The sources to be asked; all of them if there are none.
        #[serde(default)]
        sources: Vec<String>,
        /// Override max_shrink and max_growth for these sources.
        #[serde(default)]
        force: bool,
        /// Only say what would change.
        #[serde(default)]
        dry_run: bool,
    },
    /// Block a prefix from now on; answered by [`crate::Kept`].
    Block {
        /// The prefix.
        prefix: String,
        /// Seconds until the entry ends, within [`crate::OWN_SECONDS`]; else it lasts until `forget`.
        #[serde(default)]
        seconds: Option<u64>,
        /// Why, at most [`crate::MAX_REASON`] characters.
        #[serde(default)]
        reason: String,
    },
    /// Take a prefix out of every block table from now on; answered by [`crate::Kept`].
    Allow {
        /// The prefix.
        prefix: String,
        /// As with `block`.
        #[serde(default)]
        seconds: Option<u64>,
        /// As with `block`.
        #[serde(default)]
        reason: String,
    },
    /// Take back what `block` and `allow` said; answered by [`crate::Forgotten`].
    Forget {
        /// Of this prefix; of all without one.
        #[serde(default)]
        prefix: Option<String>,
    },
    /// Send what is due of the log now.
    Upload {
        /// Only print the request.
        #[serde(default)]
        dry_run: bool,
    },
    /// Print a table, the last change, the hits, or the lists.
    Show {
        /// What is to be shown.
        what: Show,
    },
    /// Print a table, as the kernel has it.
    Table {
        /// The name of the table.
        name: String,
        /// What is shown where no table has that very name, which begins the word for it, too.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        or: Option<Show>,
    },
    /// Hand out tables as they are in force, all of one moment; answered by a [`crate::Snapshot`] and
    /// the prefixes, table by table, each with IPv4 first.
    Export {
        /// Their names, as of `show`.
        tables: Vec<String>,
    },
    /// Why addresses are blocked, or are not; answered by a [`crate::Why`] each, in this order.
    Why {
        /// The addresses, at most [`crate::ADDRESSES_A_REQUEST`].
        addresses: Vec<IpAddr>,
    },
    /// Try servers, lists, log host and the addresses that must be blocked.
    Test {},
    /// Put the previous set back and stop publishing.
    Rollback {},
    /// Read the configuration again.
    Reload {
        /// It does not load, says the one who asks, who has looked: where, for log and status.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        broken: Option<String>,
    },
    /// More or less log.
    Log {
        /// Debug messages too.
        verbose: bool,
    },
    /// Counters as OpenMetrics text.
    Metrics {},
    /// What happened in the last days; answered by [`crate::Report`].
    Report {
        /// How many, that of now included: from 1 to [`crate::MOST_REPORT_DAYS`].
        days: u32,
    },
    /// Each event as it happens; answered by [`crate::Event`] without an end.
    Watch {
        /// From this number on, as far as they are kept; else from now on.
        #[serde(default)]
        from: Option<u64>,
    },
}

/// What can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Show {
    /// The block table, as the kernel has it.
    Block,
    /// The allow table, as the kernel has it.
    Allow,
    /// What the last update changed.
    Diff,
    /// Hits by address, list, direction and port.
    Hits,
    /// Where the lists come from, and how each of them is; answered by [`crate::Lists`].
    Lists,
    /// The same, and which of them have the most in common.
    Overlaps,
    /// What `block` and `allow` said.
    Own,
}

/// Whom a request is open to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// All who can connect, which the mode of the socket leaves to wheel.
    Member,
    /// Root alone.
    Root,
}

impl Request {
    /// The word of the command line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Status {} => "status",
            Self::Update { .. } => "update",
            Self::Block { .. } => "block",
            Self::Allow { .. } => "allow",
            Self::Forget { .. } => "forget",
            Self::Upload { .. } => "upload",
            Self::Show { .. } | Self::Table { .. } | Self::Export { .. } => "show",
            Self::Why { .. } => "why",
            Self::Test {} => "test",
            Self::Rollback {} => "rollback",
            Self::Reload { .. } => "reload",
            Self::Log { .. } => "log",
            Self::Metrics {} => "metrics",
            Self::Report { .. } => "report",
            Self::Watch { .. } => "watch",
        }
    }

    /// Whom the request is open to.
    pub fn rights(&self) -> Rights {
        match self {
            Self::Status {} | Self::Show { .. } | Self::Why { .. } | Self::Test {} => {
                Rights::Member
            }
            Self::Table { .. } | Self::Export { .. } => Rights::Member,
            Self::Metrics {} | Self::Report { .. } | Self::Watch { .. } => Rights::Member,
            Self::Block { .. } | Self::Allow { .. } | Self::Forget { .. } => Rights::Root,
            Self::Update { .. } | Self::Upload { .. } => Rights::Root,
            Self::Rollback {} | Self::Reload { .. } | Self::Log { .. } => Rights::Root,
        }
    }
}
