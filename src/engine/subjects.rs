//! What can be wrong under a configuration, and under any.

use std::collections::BTreeSet;

use config::Config;

use crate::events::subject::{
    AGE, CONFIGURATION, DAYS, MEMORY, NAMES, OTHERS, OWN, PACKET_LOG, PF, SPOOL, STAYS, UNKNOWN,
    UPLOAD, of_ages, of_copy, of_feed, of_host, of_list, of_never, of_repair, of_rules, of_table,
    of_update,
};
use crate::hosts;
use crate::lists::Source;
use crate::tables::Tables;

/// Whether something can be wrong under a configuration.
type IsOf = fn(&Config) -> bool;

/// What has the same name under all configurations.
const FIXED: [(&str, IsOf); 13] = [
    (CONFIGURATION, |_| true),
    (UNKNOWN, |_| true),
    (STAYS, |_| true),
    (AGE, |config| config.policy.is_asked()),
    (OTHERS, |_| true),
    (PF, |config| config.tables.reload),
    (PACKET_LOG, |config| config.log.enabled),
    (SPOOL, |_| true),
    (UPLOAD, Config::uploads),
    (MEMORY, |_| true),
    (DAYS, |_| true),
    (OWN, |_| true),
    (NAMES, |config| !config.guard.never_block_names.is_empty()),
];

/// What has a name behind its kind.
const NAMED: [fn(&str) -> String; 5] = [of_feed, of_list, of_copy, of_never, of_host];

/// All those of a configuration. Of no other can anything end to be wrong under it.
pub fn all(config: &Config, tables: &Tables) -> BTreeSet<String> {
    let fixed = FIXED.iter().filter(|(_, is_of)| is_of(config));
    let mut all: BTreeSet<String> = fixed.map(|(name, _)| (*name).to_owned()).collect();
    for source in Source::all(config) {
        all.insert(source.title());
        let names = source.lists(config).into_iter().map(|(name, _)| name);
        all.extend(names.flat_map(|name| [of_list(name), of_copy(name)]));
    }
    for table in tables.iter() {
        let word = &table.word;
        all.extend([of_table(word), of_update(word), of_repair(word), of_ages(word)]);
        all.extend(config.tables.reload.then(|| of_rules(&table.name)));
    }
    all.extend(hosts::named(config).keys().map(|name| of_host(name)));
    let never = config.guard.never_block_names.iter();
    all.extend(never.map(|name| of_never(name.as_str())));
    all
}

/// Whether anything could be called so under some configuration; a version before had other names.
pub fn is_any(subject: &str) -> bool {
    let sources = [Source::Policy, Source::LocalBlock, Source::LocalAllow];
    FIXED.iter().any(|(name, _)| *name == subject)
        || sources.iter().any(|source| source.name() == subject)
        || NAMED.iter().any(|of| subject.starts_with(&of("")))
        || subject.starts_with("pf table <")
        || subject.ends_with(" table")
}

#[cfg(test)]
mod tests;
