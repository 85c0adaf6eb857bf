//! What something can be wrong with, by the name that events have for it: each once, whatever feeds,
//! lists, tables and hosts are called.

use std::collections::BTreeSet;

use config::{Config, Host, Server};

use crate::events::UPLOAD;
use crate::source::Source;
use crate::tables::Tables;

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

/// A source of lists: a feed may have the name of anything else.
pub fn of_source(source: Source) -> String {
    source.title()
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

/// All those of a configuration. Of no other can anything end to be wrong under it.
pub fn all(config: &Config, tables: &Tables) -> BTreeSet<String> {
    let fixed = [CONFIGURATION, UNKNOWN, STAYS, OTHERS, SPOOL, MEMORY, DAYS];
    let mut all: BTreeSet<String> = fixed.map(str::to_owned).into();
    let mut also = |is_so: bool, names: &[&str]| {
        all.extend(names.iter().filter(|_| is_so).map(|name| (*name).to_owned()));
    };
    also(config.policy.is_asked(), &[AGE]);
    also(config.tables.reload, &[PF]);
    also(config.log.enabled, &[PACKET_LOG]);
    also(config.uploads(), &[UPLOAD]);
    for source in Source::all(config) {
        all.insert(of_source(source));
        let names = source.lists(config).into_iter().map(|(name, _)| name);
        all.extend(names.flat_map(|name| [of_list(name), of_copy(name)]));
    }
    for table in tables.iter() {
        let word = &table.word;
        all.extend([of_table(word), of_update(word), of_repair(word), of_ages(word)]);
        all.extend(config.tables.reload.then(|| of_rules(&table.name)));
    }
    let hosts = [Some(&config.log.url.host), config.https.proxy.as_ref().map(|proxy| &proxy.host)];
    let hosts = hosts.into_iter().flatten().filter(|_| config.log.enabled);
    all.extend(hosts.filter_map(|host| match host {
        Host::Name(name) => Some(of_host(name.as_str())),
        _ => None,
    }));
    all.extend(config.policy.servers.iter().filter_map(|server| match server {
        Server::Name(name) | Server::NamePort(name, _) => Some(of_host(name.as_str())),
        _ => None,
    }));
    let never = &config.guard.never_block_names;
    all.extend(never.iter().map(|name| of_never(name.as_str())));
    all.extend((!never.is_empty()).then(|| NAMES.to_owned()));
    all
}

/// Whether anything could be called so under some configuration; a version before had other names.
pub fn is_any(subject: &str) -> bool {
    let fixed = [CONFIGURATION, UNKNOWN, STAYS, AGE, OTHERS, PF, PACKET_LOG, SPOOL, MEMORY, DAYS];
    let others = [NAMES, UPLOAD, Source::Policy.name()];
    let local = [Source::LocalBlock.name(), Source::LocalAllow.name()];
    let starts = ["feed ", "list ", "copy of list ", "never_block_names ", "name ", "pf table <"];
    fixed.contains(&subject)
        || others.contains(&subject)
        || local.contains(&subject)
        || starts.iter().any(|start| subject.starts_with(start))
        || subject.ends_with(" table")
}

#[cfg(test)]
mod tests;
