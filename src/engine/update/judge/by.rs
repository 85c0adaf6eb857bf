//! By what is judged, and which runs count.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use config::Config;
use imsg::TableId;
use policy::{Guard, Measure, Protected, Run as Wanted};

use crate::clock;
use crate::lists::{Copy, Source};
use crate::runs::Request;
use crate::source::feed;
use crate::state::{Row, State};

/// By what is judged.
pub struct Judge<'a> {
    /// The sources, and how often the service is asked.
    pub config: &'a Config,
    /// The bounds.
    pub guard: &'a Guard,
    /// What is in force, and what was judged before.
    pub state: &'a State,
    /// What no block table may touch.
    pub protected: &'a [Protected],
    /// What the administrator says.
    pub own: &'a [Rc<Copy>],
    /// Who wants the run.
    pub request: &'a Request,
    /// The numbers of what the lists in force of each table name together, where they are known.
    pub measures: BTreeMap<TableId, Measure>,
}

impl Judge<'_> {
    /// Who wants a list, or with no source a table, as far as its judgement goes.
    pub(super) fn wanted(&self, row: Row, source: Option<Source>) -> Wanted {
        let Self { config, request, .. } = self;
        match request.wanted {
            Wanted::Forced if source.is_some_and(|source| !request.sources.contains(&source)) => {
                Wanted::Manual
            }
            Wanted::Scheduled if !row.may_count(clock::now(), interval(config, source)) => {
                Wanted::Manual
            }
            wanted => wanted,
        }
    }
}

/// How long a source waits between two runs.
fn interval(config: &Config, source: Option<Source>) -> Duration {
    let feed = match source {
        Some(Source::Feed(name)) => feed::of(config, name),
        _ => None,
    };
    feed.map_or(config.policy.interval, |feed| feed.interval)
}
