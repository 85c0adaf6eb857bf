//! By what is judged, and which runs count.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use config::{Config, Feed};
use imsg::TableId;
use policy::{Guard, Measure, Protected, Reason, Run as Wanted, Together};

use crate::clock;
use crate::lists::{Copy, Source};
use crate::runs::Request;
use crate::source::feed;
use crate::state::{Policy, Row, State};
use crate::update::compose::Lists;

/// Lists whose copies the guards do not permit any more, by name, and why.
pub type Broken = BTreeMap<String, Reason>;

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

/// What tables are made of, and what there is to hold it against.
pub struct Composition<'a> {
    /// By what is judged.
    pub by: &'a Judge<'a>,
    /// What is in force.
    pub policy: &'a Policy,
    /// The lists in force that may not be any more.
    pub broken: &'a Broken,
    /// All lists that the tables are made of.
    pub lists: &'a Lists,
    /// What those of each table name together: with many lists this takes most of the time, once for the
    /// tables and for the second net.
    pub together: BTreeMap<TableId, Together<'a>>,
}

impl Judge<'_> {
    /// Who wants what a source brings, as far as its judgement goes: in its row of this run only what
    /// counts is scheduled.
    pub(super) fn wanted(&self, row: Row, source: Source) -> Wanted {
        let Self { config, request, .. } = self;
        match request.wanted {
            Wanted::Forced if !request.sources.contains(&source) => Wanted::Manual,
            Wanted::Scheduled if !row.may_count(clock::now(), interval(config, source)) => {
                Wanted::Manual
            }
            wanted => wanted,
        }
    }

    /// Why a list that has come is more than its feed may bring.
    pub(super) fn excess(&self, come: &Copy) -> Option<Reason> {
        feed::excess(feed_of(self.config, come.source)?, &come.list)
    }
}

/// How long a source waits between two runs.
fn interval(config: &Config, source: Source) -> Duration {
    feed_of(config, source).map_or(config.policy.interval, |feed| feed.interval)
}

fn feed_of(config: &Config, source: Source) -> Option<&Feed> {
    match source {
        Source::Feed(name) => feed::of(config, name),
        _ => None,
    }
}
