//! What something can be wrong with, by the name that events have for it: each once, whatever feeds,
//! lists, tables and hosts are called. These names are kept over restarts and read by watchers.

/// The file of the configuration.
pub const CONFIGURATION: &str = "configuration";
/// What cannot be taken out of the block tables because a copy is lost.
pub const UNKNOWN: &str = "lost allow feeds";
/// What stays blocked that should not be.
pub const STAYS: &str = "what stays blocked";
/// A policy of the service that is old.
pub const AGE: &str = "age of the policy";
/// Lists and tables that are held back for long and have no alarm of their own.
pub const OTHERS: &str = "others held back";
/// Packet filter and rules as a whole.
pub const PF: &str = "pf";
/// Where packets are read.
pub const PACKET_LOG: &str = "packet log";
/// Where they wait for the upload.
pub const SPOOL: &str = "spool";
/// What is remembered of runs.
pub const MEMORY: &str = "memory of runs";
/// What is remembered of the last days.
pub const DAYS: &str = "counts of days";
/// What is remembered of the addresses behind never_block_names.
pub const NAMES: &str = "addresses of names";
/// What is kept of `block` and `allow`.
pub const OWN: &str = "block and allow";
/// What sends the packet log to the service.
pub const UPLOAD: &str = "upload";

/// A feed, by its name, which may be that of anything else.
pub fn of_feed(name: &str) -> String {
    format!("feed {name}")
}

/// A list, by its name.
pub fn of_list(name: &str) -> String {
    format!("list {name}")
}

/// The copy of a list, by its name.
pub fn of_copy(name: &str) -> String {
    format!("copy of list {name}")
}

/// A name of guard.never_block_names, which may be that of a server, too.
pub fn of_never(name: &str) -> String {
    format!("never_block_names {name}")
}

/// The name of a host that the engine connects to.
pub fn of_host(name: &str) -> String {
    format!("name {name}")
}

/// A table, by its word.
pub fn of_table(word: &str) -> String {
    format!("{word} table")
}

/// Its publication.
pub fn of_update(word: &str) -> String {
    format!("update of the {word} table")
}

/// How it is brought back to its set.
pub fn of_repair(word: &str) -> String {
    format!("repair of the {word} table")
}

/// Since when it has its entries.
pub fn of_ages(word: &str) -> String {
    format!("ages of the {word} table")
}

/// The rules for a table, by its name in pf.
pub fn of_rules(name: &str) -> String {
    format!("pf table <{name}>")
}
