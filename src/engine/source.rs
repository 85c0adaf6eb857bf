//! Where lists come from. A source brings its lists or fails, by itself: what it brought last is
//! kept, see [`crate::state::copies`], and nothing of the others depends on it.

pub mod kept;
pub mod local;
pub mod own;
pub mod policy;

use std::collections::BTreeSet;

use ::policy::List;
use config::Config;
use prefix::Kind;

/// A source of lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// The service, which brings all of its lists or none.
    Policy,
    /// The administrator's file of what to block.
    LocalBlock,
    /// The administrator's file of what to let through.
    LocalAllow,
    /// What `block` and `allow` said, see [`own::Own`]; nobody has to ask it.
    Own,
}

/// Some of the sources.
pub type Sources = BTreeSet<Source>;

impl Source {
    /// The sources of a configuration, which are those that are asked.
    pub fn all(config: &Config) -> Sources {
        let policy = &config.policy;
        let mut all = Sources::new();
        if !(policy.block.is_empty() && policy.allow.is_empty()) {
            all.insert(Self::Policy);
        }
        all.extend(policy.local_block.is_some().then_some(Self::LocalBlock));
        all.extend(policy.local_allow.is_some().then_some(Self::LocalAllow));
        all
    }

    /// Its name, as `update` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::LocalBlock => "local_block",
            Self::LocalAllow => "local_allow",
            Self::Own => "own",
        }
    }

    /// Whether it is a file of this host, which costs nothing to look at.
    pub fn is_local(self) -> bool {
        matches!(self, Self::LocalBlock | Self::LocalAllow)
    }

    /// The lists that it has to bring under a configuration, by name and kind, each once.
    pub fn lists(self, config: &Config) -> Vec<(&str, Kind)> {
        let policy = &config.policy;
        let name = self.name();
        match self {
            Self::LocalBlock => vec![(name, Kind::Block)],
            Self::LocalAllow => vec![(name, Kind::Allow)],
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
}

/// Why a source brings nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What, why, where, and what to do about it.
    pub why: String,
    /// Whether it looks like a device that is not yet provisioned.
    pub unprovisioned: bool,
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self { why, unprovisioned: false }
    }
}
