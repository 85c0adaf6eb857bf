//! What a run is asked for.

use config::Config;
use policy::Run as Wanted;

use crate::lists::{Source, Sources};

/// Who wants a run, and of what kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The sources that are asked. Local files are looked at in any case.
    pub sources: Sources,
    /// As far as the judgement goes.
    pub wanted: Wanted,
    /// Whether nothing is to change.
    pub dry_run: bool,
}

impl Request {
    /// The timer of these sources.
    pub fn scheduled(sources: Sources) -> Self {
        Self { sources, wanted: Wanted::Scheduled, dry_run: false }
    }

    /// What SIGUSR1 asks for: all sources, as by hand.
    pub fn manual(config: &Config) -> Self {
        let sources = Source::all(config).into_iter().collect();
        Self { sources, wanted: Wanted::Manual, dry_run: false }
    }

    /// `threatstopctl update [-f] [-n] [source ...]`.
    ///
    /// # Errors
    /// When a source is none of this configuration.
    pub fn by_hand(
        config: &Config,
        names: &[String],
        force: bool,
        dry_run: bool,
    ) -> Result<Self, String> {
        let all = Source::all(config);
        let known = |name: &String| {
            let found = all.iter().find(|source| source.name() == name.as_str());
            found.copied().ok_or_else(|| {
                let all: Vec<&str> = all.iter().map(|source| source.name()).collect();
                format!("{name}: no source of this configuration, which has {}", all.join(", "))
            })
        };
        let sources = names.iter().map(known).collect::<Result<Sources, String>>()?;
        let sources = if sources.is_empty() { all.into_iter().collect() } else { sources };
        let wanted = if force { Wanted::Forced } else { Wanted::Manual };
        Ok(Self { sources, wanted, dry_run })
    }

    /// Whether a run of the other kind does what this one asks for.
    ///
    /// Any run of the same sources that publishes will do for those who do not force; one that
    /// `keeps_rollback` does not publish, and `update` has to.
    pub fn is_served_by(&self, other: &Self, keeps_rollback: bool) -> bool {
        if self.dry_run || other.dry_run {
            return self == other;
        }
        self.sources.is_subset(&other.sources)
            && match self.wanted {
                Wanted::Scheduled => true,
                Wanted::Manual => !keeps_rollback,
                // what others did not name is not to be forced
                Wanted::Forced => self == other && !keeps_rollback,
            }
    }
}
