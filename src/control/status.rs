//! The answer to `status`.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// The state of everything.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// Seconds since the service started.
    pub uptime: u64,
    /// The file of the configuration.
    #[serde(default)]
    pub config: Option<String>,
    /// The engine, which may have started later.
    pub engine: EngineStatus,
    /// pf itself.
    pub pf: PfStatus,
    /// The tables, those of what is blocked first.
    pub tables: Vec<TableStatus>,
    /// Where lists come from.
    pub sources: Vec<SourceStatus>,
    /// Updates of the policy.
    pub update: Update,
    /// Uploads of the log.
    pub upload: Upload,
    /// The policy servers, in the order of the configuration.
    pub servers: Vec<ServerStatus>,
    /// What waits to be uploaded.
    pub spool: Spool,
    /// What is held back and why; nothing most of the time.
    pub held: Vec<Held>,
    /// Hosts on our side that send to what is blocked.
    #[serde(default)]
    pub suspects: Suspects,
}

/// Hosts on our side that have sent to an address in a block table in the last day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspects {
    /// How many, as far as they are among the thousand that sent most.
    pub hosts: u64,
    /// The one that did last; absent when none did.
    pub last: Option<IpAddr>,
}

/// The life of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineStatus {
    /// Seconds since it started.
    pub uptime: u64,
    /// How often it was started anew since the service started; absent when unknown.
    pub restarts: Option<u64>,
}

/// The state of pf.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PfStatus {
    /// Whether it is enabled; absent when pf could not be asked.
    pub enabled: Option<bool>,
    /// `pf` or `simulated`.
    pub backend: String,
    /// Whether `tables.reload` is set; without it pf is left alone and only files are written.
    pub reload: bool,
    /// `table-entries` as read at start; absent when unknown.
    pub limit: Option<u64>,
    /// Why pf could not be asked.
    pub error: Option<String>,
    /// Sentences that nobody may overlook: a reload was taken back, nothing is blocked, pf cannot be
    /// asked, there is no policy or it is old or held back for long, the packet log cannot be
    /// followed, the spool is full or cannot be written, no log was uploaded for a day.
    pub warnings: Vec<String>,
    /// The way out of each of them, in the same order.
    pub ways_out: Vec<String>,
    /// What somebody last did to a table or its file behind our back; at most one for each table.
    pub mended: Vec<Mended>,
}

/// What a table is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TableKind {
    /// Addresses to be blocked.
    Block,
    /// Addresses to be let through whatever the others say.
    Allow,
}

/// The direction of the packets that a table is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Those that come in.
    In,
    /// Those that go out.
    Out,
    /// All.
    Both,
}

/// The state of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStatus {
    /// Its name in pf.
    pub name: String,
    /// What it is for.
    pub kind: TableKind,
    /// The direction of its rules.
    pub direction: Direction,
    /// Whether the kernel has it; absent when pf could not be asked.
    pub present: Option<bool>,
    /// Prefixes in the kernel's table, without `tables.reload` in the file; absent when pf could
    /// not be asked.
    pub entries: Option<u64>,
    /// When its content last changed.
    pub changed: Option<u64>,
    /// Packets that rules blocked because of it, in and out.
    pub blocked_packets: Option<[u64; 2]>,
    /// Packets that rules passed because of it, in and out.
    pub passed_packets: Option<[u64; 2]>,
    /// What refers to it.
    pub used: Option<UsedBy>,
}

/// What somebody did to a table or its file, and that it was undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mended {
    /// When it was found.
    pub at: u64,
    /// The sentence about it.
    pub text: String,
}

/// What refers to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedBy {
    /// Rules that refer to it.
    pub rules: u32,
    /// Anchors that have its name, for this table or one of their own.
    pub anchors: u32,
}

/// Updates of the policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Update {
    /// `waiting for provisioning`, `idle`, `running`, `failing`, `held back` or `rolled back`.
    pub state: String,
    /// The last run that ended; absent before the first.
    pub last: Option<LastUpdate>,
    /// The last run that published or found nothing to change.
    pub last_good: Option<u64>,
    /// When the next run is due.
    pub next: Option<u64>,
    /// Runs since the last good one that failed or held a table back.
    pub failures: u32,
}

/// How the last run ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastUpdate {
    /// When it began.
    pub started: u64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// `published`, `unchanged`, `held back`, `rolled back` (fetched and not published) or
    /// `failed`.
    pub result: String,
    /// Why it failed or was held back.
    pub why: Option<String>,
    /// The server that gave the lists.
    pub server: Option<String>,
    /// Smallest time to live of the answers, in seconds; shown, not obeyed.
    pub ttl: Option<u32>,
}

/// Uploads of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    /// Whether the log is sent.
    pub enabled: bool,
    /// Why it is not, where something is missing for it.
    #[serde(default)]
    pub off: Option<String>,
    /// The last attempt.
    pub last: Option<Attempt>,
    /// The last one that the server confirmed.
    pub last_good: Option<u64>,
    /// When the next is due.
    pub next: Option<u64>,
    /// Since when every attempt has failed; absent when the last one did not.
    pub failing: Option<u64>,
    /// How often the packet log was truncated, or rotated away before it was read.
    pub gaps: u64,
    /// Files of the packet log that were damaged.
    pub damaged: u64,
}

/// An attempt to upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it ended, epoch seconds.
    pub at: u64,
    /// Whether the server confirmed it.
    pub ok: bool,
    /// What it said, or why there was no answer.
    pub text: String,
}

/// What is known of a policy server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerStatus {
    /// As in the configuration.
    pub server: String,
    /// The last attempt.
    pub last: Option<Attempted>,
    /// Attempts in a row that failed on it; a run may make several.
    pub failures: u32,
}

/// The last attempt on a policy server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempted {
    /// When it ended, epoch seconds.
    pub at: u64,
    /// Address and port.
    pub address: Option<String>,
    /// Why it failed; absent when it did not.
    pub error: Option<String>,
}

/// What waits to be uploaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spool {
    /// Slices that wait.
    pub slices: u64,
    /// Octets of their files, together.
    pub octets: u64,
    /// Octets that it may hold.
    pub limit: u64,
    /// Slices that were dropped: the spool was full, they waited too long, they were damaged, or a
    /// single record was too large for the server.
    pub dropped: u64,
}

/// A source of lists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Its name, as `update` takes it.
    pub name: String,
    /// What it is.
    pub kind: SourceKind,
    /// The worst of its own state and those of its lists.
    pub state: SourceState,
    /// When it was last tried.
    pub last: Option<u64>,
    /// When it last brought its lists.
    pub last_good: Option<u64>,
    /// When it is due; absent where it is looked at in each run.
    pub next: Option<u64>,
    /// Why it brought nothing the last time.
    pub error: Option<String>,
    /// Its lists, in the order of the configuration.
    pub lists: Vec<ListStatus>,
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// The service.
    Policy,
    /// A list from a web server.
    Feed,
    /// A file of the administrator.
    Local,
    /// What `block` and `allow` said.
    Own,
}

/// How a source or a list is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceState {
    /// What came last is in force.
    Good,
    /// It has not been confirmed for long.
    Stale,
    /// Nothing came the last time, or there is no copy yet.
    Failing,
    /// What came changes too much, which `update -f` accepts.
    Held,
    /// What came may not be.
    Refused,
}

impl SourceState {
    /// The word for people, the same as in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Stale => "stale",
            Self::Failing => "failing",
            Self::Held => "held",
            Self::Refused => "refused",
        }
    }
}

/// A list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListStatus {
    /// Its name.
    pub name: String,
    /// Entries of its copy; absent when there is none.
    pub entries: Option<u64>,
    /// When the content of the copy came.
    pub changed: Option<u64>,
    /// How it is.
    pub state: SourceState,
}

/// Something held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// `block`, `allow` or the name of another one, or `both` after a rollback; absent for a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<String>,
    /// The list, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// The kind of reason.
    pub reason: HeldReason,
    /// Since when it is held back, epoch seconds.
    pub since: u64,
    /// The sentence, with the way out.
    pub text: String,
    /// Whether `update -f` would accept it.
    pub can_force: bool,
}

/// Why something is held back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeldReason {
    /// A change beyond max_shrink or max_growth.
    Change,
    /// A set that no `update -f` makes acceptable.
    Refused,
    /// The administrator rolled back.
    Rollback,
}
