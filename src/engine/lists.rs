//! The lists that a configuration wants: which source has to bring which, what a table is made of, and
//! each list as it is in force or has come.
//!
//! * In: the configuration; lists that a source has brought.
//! * Out: sources and their lists; [copies](struct@Copy), and the files that keep them over restarts.
//! * Never: ask a source, or believe a copy on disk whose sum is wrong.

pub mod copies;

use std::collections::BTreeSet;

use config::{Config, Feed, FeedKind, FeedName};
use policy::List;
use prefix::Kind;

use crate::events::subject::of_feed;
use crate::tables::Table;
use copies::Origin;

/// A source of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The service, which brings all of its lists or none.
    Policy,
    /// A list from a web server.
    Feed(FeedName),
    /// The administrator's file of what to block.
    LocalBlock,
    /// The administrator's file of what to let through.
    LocalAllow,
    /// What `block` and `allow` said, which nobody has to be asked for.
    Own,
}

/// The names of the administrator's lists.
const LOCAL_BLOCK: &str = "local_block";
const LOCAL_ALLOW: &str = "local_allow";

/// Whether a feed names what to block or what to let through.
pub fn kind(feed: &Feed) -> Kind {
    match feed.kind {
        FeedKind::Block => Kind::Block,
        FeedKind::Allow => Kind::Allow,
    }
}

/// Some of the sources.
pub type Sources = BTreeSet<Source>;

impl Source {
    /// The sources of a configuration in its order, which are those that are asked.
    pub fn all(config: &Config) -> Vec<Self> {
        let policy = &config.policy;
        let mut all = Vec::new();
        all.extend(policy.is_asked().then_some(Self::Policy));
        all.extend(config.feed.iter().map(|feed| Self::Feed(feed.name)));
        all.extend(policy.local_block.is_some().then_some(Self::LocalBlock));
        all.extend(policy.local_allow.is_some().then_some(Self::LocalAllow));
        all
    }

    /// Those of a configuration of whose lists a table is made.
    pub fn of_table(config: &Config, table: &Table) -> Sources {
        let is_of = |source: &Self| {
            let mut lists = source.lists(config).into_iter();
            let is_exemption = |kind| kind == Kind::Allow && source.exempts();
            lists.any(|(name, kind)| match is_exemption(kind) {
                true => table.blocks(),
                false => table.has(name, kind),
            })
        };
        Self::all(config).into_iter().filter(is_of).collect()
    }

    /// Its name, as `update` takes it.
    pub fn name(&self) -> &str {
        match self {
            Self::Policy => "policy",
            Self::Feed(name) => name.as_str(),
            Self::LocalBlock => LOCAL_BLOCK,
            Self::LocalAllow => LOCAL_ALLOW,
            Self::Own => "own",
        }
    }

    /// What it is called in a sentence, and as the subject of events.
    pub fn title(&self) -> String {
        match self {
            Self::Feed(name) => of_feed(name.as_str()),
            other => other.name().to_owned(),
        }
    }

    /// Whether it is a file of this host, which costs nothing to look at.
    pub fn is_local(self) -> bool {
        matches!(self, Self::LocalBlock | Self::LocalAllow)
    }

    /// Whether what it allows is only taken out of what is blocked, and never in the allow table, whose
    /// rules let past all the others: that is for the lists of the service and the administrator's
    /// file.
    pub fn exempts(self) -> bool {
        matches!(self, Self::Own | Self::Feed(_))
    }

    /// The lists that it has to bring under a configuration, by name and kind, each once.
    pub fn lists(self, config: &Config) -> Vec<(&str, Kind)> {
        let policy = &config.policy;
        match self {
            Self::LocalBlock => vec![(LOCAL_BLOCK, Kind::Block)],
            Self::LocalAllow => vec![(LOCAL_ALLOW, Kind::Allow)],
            Self::Feed(name) => {
                let feed = config.feed.iter().filter(|feed| feed.name == name);
                feed.map(|feed| (feed.name.as_str(), kind(feed))).collect()
            }
            Self::Own => Vec::new(),
            Self::Policy => {
                let allow = policy.allow.iter().map(|name| (name.as_str(), Kind::Allow));
                let block = policy.block.iter().map(|name| (name.as_str(), Kind::Block));
                let mut lists: Vec<(&str, Kind)> = Vec::new();
                for (name, kind) in allow.chain(block) {
                    if !lists.iter().any(|(known, _)| *known == name) {
                        lists.push((name, kind));
                    }
                }
                lists
            }
        }
    }
}

/// A list as it is in force, or as it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
    /// Who brought it.
    pub source: Source,
    /// Whether it names what to block or what to let through.
    pub kind: Kind,
    /// Its addresses, under its name.
    pub list: List,
    /// When its content came for the first time, in epoch seconds.
    pub changed: u64,
    /// Of a feed, what its server said of it; of a list of the service, its serial.
    pub origin: Option<Origin>,
}

impl Copy {
    /// Whether it is only taken out of what is blocked, see [`Source::exempts`].
    pub fn is_exemption(&self) -> bool {
        self.kind == Kind::Allow && self.source.exempts()
    }

    /// Whether it changes a table.
    pub fn changes(&self, table: &Table) -> bool {
        match self.is_exemption() {
            true => table.blocks(),
            false => table.has(self.list.name(), self.kind),
        }
    }
}
