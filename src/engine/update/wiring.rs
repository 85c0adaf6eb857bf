//! What an update works with. Its steps are functions of the same type, in the files that are named
//! after them, each of which may call those of the steps within it.

use std::cell::RefCell;

use config::Config;
use policy::Guard;

use super::composed::Composed;
use super::publish::Publisher;
use super::tell::Voice;
use crate::days::Days;
use crate::events::Events;
use crate::leave::Leave;
use crate::protect::Protect;
use crate::runs::{Run, Runs};
use crate::source::feed::Feeds;
use crate::source::local::Files;
use crate::source::own::Own;
use crate::source::policy::Service;
use crate::state::State;
use crate::watch::Watch;

/// The one way to a table.
pub struct Update {
    /// The configuration.
    pub(super) config: &'static Config,
    /// The bounds of tables and lists.
    pub(super) guard: &'static Guard,
    /// What is in force and what is remembered.
    pub(super) state: &'static State,
    /// The runs under way, and whose turn it is to publish.
    pub(super) runs: &'static Runs,
    /// What no block table may touch.
    pub(super) protect: &'static Protect,
    /// The service, as it is asked.
    pub(super) service: Service,
    /// The web servers, as they are asked.
    pub(super) feeds: &'static Feeds,
    /// The administrator's files.
    pub(super) files: &'static Files,
    /// What `block` and `allow` said.
    pub(super) own: &'static Own,
    /// What somebody else has done to tables and files.
    pub(super) watch: &'static Watch,
    /// The way of sets to the helper.
    pub(super) publisher: Publisher,
    /// The end of this engine, when the interfaces have changed.
    pub(super) leave: &'static Leave,
    /// Where runs and new lists are counted.
    pub(super) days: &'static Days,
    /// Where changes of state are said.
    pub(super) events: &'static Events,
    /// What the tables in force were made of, as long as they are as they were made.
    pub(super) composed: RefCell<Option<Composed>>,
}

/// The sources of lists, as they are asked.
pub struct Asked {
    /// The service.
    pub service: Service,
    /// The web servers.
    pub feeds: &'static Feeds,
    /// The files of the administrator.
    pub files: &'static Files,
    /// What he says.
    pub own: &'static Own,
}

impl Update {
    /// From these sources by these guards to the tables.
    pub fn new(
        (config, guard): (&'static Config, &'static Guard),
        (state, runs, days, events): (
            &'static State,
            &'static Runs,
            &'static Days,
            &'static Events,
        ),
        protect: &'static Protect,
        Asked { service, feeds, files, own }: Asked,
        publisher: Publisher,
        watch: &'static Watch,
        leave: &'static Leave,
    ) -> Self {
        Self {
            config,
            guard,
            state,
            runs,
            protect,
            service,
            feeds,
            files,
            own,
            watch,
            publisher,
            leave,
            days,
            events,
            composed: RefCell::default(),
        }
    }

    /// What tells of a run, or of what is done without one.
    pub(super) fn voice<'a>(&'a self, run: Option<&'a Run>) -> Voice<'a> {
        Voice::new(self.config, self.state, (&self.runs.told, self.events), run)
    }
}
