//! Alarms about time: a policy that grows old, and one that is held back too long.

use std::time::Duration;

use config::Config;

use crate::clock::{self, span};
use crate::events::subject::{AGE, OTHERS, of_list, of_table};
use crate::events::{Event, Events};
use crate::lists::Source;
use crate::monitor::Monitor;
use crate::state::{Memory, State};
use crate::warning::Warning;

/// How often is looked.
const LOOK: Duration = Duration::from_secs(60);
/// So many intervals without a good run are too many.
const MISSED: u64 = 3;
/// Lists and tables held back that have an alarm of their own.
const NAMED: usize = 4;
/// What is the same of an alarm each time: how old something is, and how many there are, is not.
const LONG: &str = "for long";

/// What an alarm is about.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Kind {
    /// The policy is old, or there is none.
    Old,
    /// This table or list is held back.
    Held(String),
    /// And more.
    More,
}

impl Kind {
    /// An alarm of this kind, as it is said.
    fn event(&self, alarm: &Warning) -> Event {
        let text = alarm.to_string();
        let held =
            |name: &str| Event::Held { name: name.to_owned(), text: text.clone(), long: true };
        match self {
            Self::Old => {
                let source = Some(AGE.to_owned());
                Event::Failed { source, text, grave: true }
            }
            Self::Held(name) => held(name),
            Self::More => held(OTHERS),
        }
    }
}

/// Who looks for them.
pub struct Alarm {
    state: &'static State,
    monitor: &'static Monitor,
    events: &'static Events,
    /// How long the engine may go without a good run, in seconds.
    patience: u64,
    /// Whether there are lists of the service.
    service: bool,
}

impl Alarm {
    /// Looks at what is remembered, for an engine of this configuration.
    pub fn new(
        config: &Config,
        state: &'static State,
        monitor: &'static Monitor,
        events: &'static Events,
    ) -> Self {
        let (patience, service) = (patience(config.policy.interval), config.policy.is_asked());
        Self { state, monitor, events, patience, service }
    }

    /// Looks every minute; never returns.
    pub async fn watch(&self) {
        loop {
            tokio::time::sleep(LOOK).await;
            tell(self.events, &self.look());
        }
    }

    /// The alarms of this moment.
    pub fn alarms(&self) -> Vec<Warning> {
        self.look().into_iter().map(|(_, alarm)| alarm).collect()
    }

    fn look(&self) -> Vec<(Kind, Warning)> {
        let up = self.monitor.engine_uptime().as_secs();
        let mut found = found(&self.state.memory(), self.patience, clock::now(), up);
        // without lists of the service there is no policy that could be old
        found.retain(|(kind, _)| self.service || *kind != Kind::Old);
        found
    }
}

/// Tells of the alarms of this moment, and of what is over.
fn tell(events: &Events, found: &[(Kind, Warning)]) {
    let has = |kind: Kind| found.iter().any(|(found, _)| *found == kind);
    if !has(Kind::Old) {
        events.end(AGE, "the policy is up to date again");
    }
    if !has(Kind::More) {
        events.end(OTHERS, "held back for long besides: none of the lists and tables");
    }
    found.iter().for_each(|(kind, alarm)| events.say_as(&kind.event(alarm), LONG));
}

/// How long what is asked for each `interval` may go without coming, in seconds.
pub fn patience(interval: Duration) -> u64 {
    MISSED * interval.as_secs()
}

/// The alarms at `now` of an engine that has been `up` so many seconds, where `patience` is how
/// long it may go without a good run.
fn found(memory: &Memory, patience: u64, now: u64, up: u64) -> Vec<(Kind, Warning)> {
    // Of a time to come, because the clock was set back, nobody knows how long ago it was; but it
    // was before this engine or in its time.
    let age = |since: u64| now.checked_sub(since).unwrap_or(up);
    let mut found = Vec::new();
    let policy_age = age(memory.last_good.unwrap_or(memory.first_start));
    if policy_age > patience {
        let of_policy = memory.sources.get(Source::Policy.name());
        let why = of_policy.and_then(|fared| fared.error.as_deref());
        let why = why.or_else(|| memory.last.as_ref().and_then(|last| last.why.as_deref()));
        let (why, way_out) = match (why, memory.rolled_back) {
            (Some(why), _) => (why, "threatstopctl test tries servers and lists"),
            (None, Some(_)) => ("rolled back", "nothing is published until threatstopctl update"),
            (None, None) => ("no update has ended since", "threatstopctl update joins the run"),
        };
        let span = span(policy_age);
        let text = match memory.last_good {
            Some(_) => format!("the policy is {span} old: {why}"),
            None => format!("no policy for {span}: {why}"),
        };
        found.push((Kind::Old, Warning::new(text, way_out)));
    }
    let tables = memory.held().map(|(word, held)| (of_table(word), held));
    let lists = memory.lists.iter().flatten();
    let lists = lists.filter_map(|(name, list)| Some((of_list(name), list.held.as_ref()?)));
    let long: Vec<_> = tables.chain(lists).filter(|(_, held)| age(held.since) > patience).collect();
    for (name, held) in long.iter().take(NAMED) {
        let text = format!("held back for {}: {}", span(age(held.since)), held.text);
        let way_out = match held.can_force {
            true => "threatstopctl update -fn shows what would change with it",
            false => "threatstopctl test tries servers and lists",
        };
        found.push((Kind::Held(name.clone()), Warning::new(text, way_out)));
    }
    if let Some(more @ 1..) = long.len().checked_sub(NAMED) {
        let text = format!("held back for long besides: {more} of the lists and tables");
        found.push((Kind::More, Warning::new(text, "threatstopctl show lists names them")));
    }
    found
}

#[cfg(test)]
mod tests;
