//! Replies, line by line.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Event;
use crate::own::OwnEntry;

/// One line of an answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reply {
    /// A line for people, as it happens; `-j` leaves these out.
    Line(String),
    /// What is waited for now, for whoever watches; it counts for nothing.
    Progress(String),
    /// What tables come now.
    Snapshot(Snapshot),
    /// A part of a table.
    Prefixes(Vec<String>),
    /// Prefixes that a change adds.
    Add(Vec<String>),
    /// Prefixes that a change removes.
    Remove(Vec<String>),
    /// A part of what `block` and `allow` said.
    Own(Vec<OwnEntry>),
    /// One of the things that `test` tried.
    Check(Check),
    /// An event of `watch`: the line for people, and the event.
    Event(String, Box<Event>),
    /// So many events before the first one of `watch` are not kept any more.
    Lost(u64),
    /// What there is to say of one address of `why`.
    Why(Box<Why>),
    /// The end: what was asked for. Its form belongs to the command.
    Done(Value),
    /// The end: it was not done.
    Error(Failure),
}

/// Tables as they were in force at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The number of this content: it grows with each change of any table, and only then (RFC 1982).
    pub serial: u32,
    /// The tables, in the order in which their prefixes come.
    pub tables: Vec<Exported>,
}

/// A table of a snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Its name in pf.
    pub name: String,
    /// `block`, `allow`, or its name again.
    pub word: String,
    /// Prefixes of IPv4 in it.
    pub v4: u64,
    /// Prefixes of IPv6 in it.
    pub v6: u64,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What failed: a source, a table, a command.
    pub what: String,
    /// Why, and the way out.
    pub why: String,
}

/// What became of one trial of `test`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was tried: `server`, `list`, `feed`, `log`, `validip`, `expect` or `indicator`.
    pub what: String,
    /// On what: an address, a list.
    pub subject: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// A sentence for people.
    pub text: String,
}

/// The end of `test`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tested {
    /// How many trials there were.
    pub tried: u32,
    /// How many failed.
    pub failed: u32,
}

/// The end of `update` and `rollback`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Updated {
    /// When the run began.
    pub started: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The server that gave the lists; absent after a rollback.
    pub server: Option<String>,
    /// Whether nothing was to be changed (`-n`).
    pub dry_run: bool,
    /// All block tables together.
    pub block: Change,
    /// The allow table.
    pub allow: Change,
    /// What an administrator should look at.
    pub warnings: Vec<String>,
    /// The sources that a rollback has undone.
    #[serde(default)]
    pub undone: Vec<String>,
}

/// What happened to one table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Prefixes in the table now.
    pub entries: u64,
    /// Prefixes that were not there before.
    pub added: u64,
    /// Prefixes that are not there any more.
    pub removed: u64,
}

/// The end of `upload`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Uploaded {
    /// Slices that the server confirmed.
    pub slices: u64,
    /// Records in them.
    pub records: u64,
    /// Octets of text in them.
    pub octets: u64,
    /// Slices that are still in the spool.
    pub left: u64,
    /// With `-n` the head of the request that would be sent next; absent when nothing is due.
    pub request: Option<Vec<String>>,
}

/// What there is to say of an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The address asked for.
    pub address: IpAddr,
    /// Whether the block table covers it.
    pub blocked: bool,
    /// The prefix of the block table that covers it.
    pub prefix: Option<String>,
    /// The block tables that have it, by their names in pf.
    #[serde(default)]
    pub tables: Vec<String>,
    /// The lists that name it, whether or not it is blocked.
    pub lists: Vec<String>,
    /// For each of them its own item that covers the address, in the same order. Where the list has
    /// negated items, the part around the address that they leave.
    pub items: Vec<String>,
    /// Since when it is blocked.
    pub since: Option<u64>,
    /// The allow lists that let it through.
    pub allowed_by: Vec<String>,
    /// The protected network that covers it, and why that is protected.
    pub protected_by: Option<String>,
    /// What `block` and `allow` said of it.
    #[serde(default)]
    pub own: Vec<OwnEntry>,
    /// The answer in a sentence for people.
    pub text: String,
}
