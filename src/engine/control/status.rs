//! `status`.

use std::rc::Rc;

use config::Config;
use control::{
    Attempted, Direction, EngineStatus, Held, HeldReason, PfStatus, REVERTED_WAY_OUT, ServerStatus,
    Status, TableKind, TableStatus, Update, Upload, UsedBy,
};

use super::sources;
use crate::alarm::Alarm;
use crate::clock;
use crate::dns::{Health, Servers};
use crate::events::Events;
use crate::events::subject::of_update;
use crate::link::Link;
use crate::lists::Source;
use crate::log::{self, Log};
use crate::monitor::Monitor;
use crate::protect::Protect;
use crate::runs::Runs;
use crate::source::feed::Feeds;
use crate::source::kept::as_of;
use crate::source::own::Own;
use crate::state::{HeldBack, Memory, Policy, State};
use crate::tables::{Stats, Table};
use crate::warning::Warning;
use crate::watch::Watch;

/// What `status` tells of.
pub struct Overview {
    /// The configuration.
    pub config: &'static Config,
    /// The limit table-entries of pf; 0 where that is unknown.
    pub limit: u32,
    /// What is in force, and what is remembered.
    pub state: &'static State,
    /// The way to the state of pf.
    pub link: &'static Link,
    /// The log path.
    pub log: &'static Log,
    /// The monitor.
    pub monitor: &'static Monitor,
    /// The policy servers.
    pub servers: &'static Servers,
    /// The runs.
    pub runs: &'static Runs,
    /// What the administrator says.
    pub own: &'static Own,
    /// The way to web servers with lists.
    pub feeds: &'static Feeds,
    /// What is never blocked.
    pub protect: &'static Protect,
    /// The eye on pf.
    pub watch: &'static Watch,
    /// The alarms.
    pub alarm: &'static Alarm,
    /// What is wrong.
    pub events: &'static Events,
}

/// Why no log is sent although it is followed.
fn off(config: &Config) -> Option<String> {
    (config.log.enabled && config.device_id.is_none()).then(|| log::OFF.to_owned())
}

/// As of when the lists are as their sources have them: the policy of the service or, without it, the
/// oldest of the feeds.
fn last_good(config: &Config, state: &State) -> Option<u64> {
    if config.policy.is_asked() || config.feed.is_empty() {
        return state.memory().last_good;
    }
    let policy = state.policy();
    let feeds = policy.lists.iter().filter(|copy| matches!(copy.source, Source::Feed(_)));
    feeds.map(|copy| as_of(state, copy)).min()
}

impl Overview {
    /// The state of everything.
    pub async fn status(&self) -> Status {
        let before = self.settled();
        let stats = self.link.stats().await.unwrap_or_else(|failure| Stats {
            running: false,
            tables: Default::default(),
            failure,
        });
        let now = self.settled();
        let settled = before.filter(|before| now.is_some_and(|now| Rc::ptr_eq(before, &now)));
        let asked = stats.failure.is_empty();
        let config = self.config;
        let memory = self.state.memory().clone();
        let mut log = self.log.figures();
        let limit = self.limit;
        let mut of_the_log = std::mem::take(&mut log.warnings);
        // what failed before it was turned off is nobody's worry
        of_the_log.retain(|_| config.uploads());
        let warnings = self.warnings(&stats, settled.as_deref(), of_the_log);
        let (warnings, ways_out) =
            warnings.into_iter().map(|warning| (warning.text, warning.way_out)).unzip();
        let uptime = self.monitor.engine_uptime().as_secs();
        let restarts = Some(self.monitor.restarts().into());
        Status {
            version: env!("CARGO_PKG_VERSION").into(),
            uptime: self.monitor.uptime().as_secs(),
            config: Some(self.monitor.config().to_owned()).filter(|path| !path.is_empty()),
            engine: EngineStatus { uptime, restarts },
            pf: PfStatus {
                enabled: asked.then_some(stats.running),
                backend: config.tables.backend.as_str().into(),
                reload: config.tables.reload,
                limit: (limit > 0).then_some(limit.into()),
                error: (!asked).then(|| stats.failure.clone()),
                warnings,
                ways_out,
                mended: memory.tables.values().filter_map(|table| table.mended.clone()).collect(),
            },
            tables: self.state.tables.iter().map(|table| self.table(&stats, table)).collect(),
            sources: sources::sources(config, self.state, self.own, self.runs),
            update: Update {
                state: self.update_state(),
                last: memory.last.clone(),
                last_good: last_good(config, self.state),
                next: self.runs.next(),
                failures: memory.failures,
            },
            upload: Upload {
                enabled: config.uploads(),
                off: off(config),
                last: log.last,
                last_good: log.last_good,
                next: log.next.filter(|_| config.uploads()),
                failing: log.failing,
                gaps: log.gaps,
                damaged: log.damaged,
            },
            servers: self.servers.health().into_iter().map(server).collect(),
            spool: log.spool,
            held: held(&self.state.memory()),
            suspects: self.log.suspects(clock::now()),
        }
    }

    /// What is in force, unless somebody is about to change it: pf has the next set then before we
    /// take it for the one in force.
    fn settled(&self) -> Option<Rc<Policy>> {
        self.runs.at_rest().then(|| self.state.policy())
    }

    /// All that nobody may overlook, the worst first. Pf is held against `settled`, where that was in
    /// force all the time that pf was asked.
    fn warnings(&self, stats: &Stats, settled: Option<&Policy>, log: Vec<Warning>) -> Vec<Warning> {
        let note = self.monitor.note().map(|note| Warning::new(note.text(), REVERTED_WAY_OUT));
        let mut all: Vec<Warning> = note.into_iter().collect();
        let alarms = self.alarm.alarms();
        // an alarm tells of it, too, once a new device had time enough
        if alarms.is_empty() {
            all.extend(self.nothing_yet());
        }
        all.extend(self.watch.warnings(stats));
        let tables = &self.config.tables;
        all.extend((tables.kill_states && !tables.reload).then(|| {
            let text = "tables.kill_states ends no state while tables.reload is false";
            Warning::new(text, "set tables.reload to true, or tables.kill_states to false")
        }));
        all.extend(settled.into_iter().flat_map(|policy| self.other_content(stats, policy)));
        match self.runs.stays() {
            Some(stays) => all.push(stays),
            None => {
                // the warning of a policy that is old, or never came, has the same reason
                let is_told =
                    |why: &str| all.iter().chain(&alarms).any(|one| one.text.contains(why));
                let unpublished = self.unpublished(is_told);
                all.extend(unpublished);
            }
        }
        all.extend(sources::warnings(self.config, self.state, self.own));
        all.extend(self.feeds.warnings());
        all.extend(self.protect.never.warnings());
        all.extend(alarms);
        all.extend(log);
        all
    }

    /// The warnings of what could not be published, of a source or of none, one for each table; but not of
    /// what `is_told` already.
    fn unpublished(&self, is_told: impl Fn(&str) -> bool) -> Vec<Warning> {
        let known = self.runs.unpublished();
        let is_rolled_back = self.state.memory().rolled_back.is_some();
        let of_source = |table: &Table| {
            let subject = of_update(&table.word);
            let said = self.runs.hindered(table.id).filter(|_| self.events.is_open(&subject));
            said.or_else(|| self.events.wrong(&subject))
        };
        let warning = |table: &Table| {
            let of_none = known.get(&table.id).filter(|change| change.again);
            // of what a source brought a rollback leaves nothing
            let way_out = match of_none {
                None if is_rolled_back => "nothing is published until threatstopctl update",
                _ => "it is tried again; threatstopctl update tries it now",
            };
            let why = of_none.map(|change| change.why.clone()).or_else(|| of_source(table))?;
            let text = format!("the {} table is not what it should be: {why}", table.word);
            (!is_told(&why)).then(|| Warning::new(text, way_out))
        };
        self.state.tables.iter().filter_map(warning).collect()
    }

    /// The warnings of tables that the kernel has otherwise than we do, until they are mended.
    fn other_content(&self, stats: &Stats, policy: &Policy) -> Vec<Warning> {
        if !self.config.tables.reload || !stats.failure.is_empty() {
            return Vec::new();
        }
        let warning = |table: &Table| {
            let (name, ours) = (&table.name, policy.set(table.id)?.len());
            let stat = table.stat(stats);
            let changed = "somebody changed it; threatstopctl update mends it at once";
            let (what, way_out) = match (stat.present, stat.entries as usize) {
                (_, entries) if entries == ours => return None,
                (true, 1) => (format!("has 1 prefix and not {ours}"), changed),
                (true, entries) => (format!("has {entries} prefixes and not {ours}"), changed),
                // no rules are loaded either at securelevel 2
                (false, _) => (
                    format!("is not there, but {ours} prefixes for it are"),
                    "threatstopctl update makes it; at securelevel 2 pf.conf has to, at the next boot",
                ),
            };
            Some(Warning::new(format!("pf table <{name}> {what}"), way_out))
        };
        self.state.tables.iter().filter_map(warning).collect()
    }

    /// The warning of a table that has never had anything in it.
    fn nothing_yet(&self) -> Option<Warning> {
        if self.state.policy().blocked().next().is_some() {
            return None;
        }
        let memory = self.state.memory();
        // a good run leaves one
        if memory.last_good.is_some() {
            let text = "what is blocked is not known: the table files are empty or cannot be read";
            let way_out = "threatstopctl doctor says why; then threatstopctl update";
            return Some(Warning::new(text, way_out));
        }
        let of_policy = memory.sources.get(Source::Policy.name());
        let why = of_policy.and_then(|fared| fared.error.as_deref());
        let why = why.or_else(|| memory.last.as_ref().and_then(|last| last.why.as_deref()));
        let text = match why {
            Some(why) => format!("no policy yet, nothing is blocked: {why}"),
            None => "no policy yet, nothing is blocked".to_owned(),
        };
        let way_out = match (why, memory.waiting) {
            (None, _) => "the first update is under way: threatstopctl update shows it",
            (Some(_), true) => {
                "waiting for provisioning, which may take an hour: threatstopctl test"
            }
            (Some(_), false) => "threatstopctl test tries servers and lists",
        };
        Some(Warning::new(text, way_out))
    }

    fn table(&self, stats: &Stats, table: &Table) -> TableStatus {
        let stat = table.stat(stats);
        let asked = stats.failure.is_empty();
        let tables = &self.config.tables;
        let kind = if table.blocks() { TableKind::Block } else { TableKind::Allow };
        let direction = match table.direction {
            config::Direction::In => Direction::In,
            config::Direction::Out => Direction::Out,
            config::Direction::Both => Direction::Both,
        };
        // without reload pf's table is not ours to tell of
        let entries = match tables.reload {
            true => asked.then_some(stat.entries.into()),
            false => self.state.policy().set(table.id).map(|set| set.len() as u64),
        };
        TableStatus {
            name: table.name.clone(),
            kind,
            direction,
            present: asked.then_some(stat.present),
            entries,
            changed: self.state.memory().table(&table.word).changed,
            blocked_packets: asked.then_some(stat.blocked),
            passed_packets: asked.then_some(stat.passed),
            used: asked.then_some(UsedBy { rules: stat.rules, anchors: stat.anchors }),
        }
    }

    fn update_state(&self) -> String {
        let memory = self.state.memory();
        if self.runs.running() {
            "running"
        } else if memory.rolled_back.is_some() {
            "rolled back"
        } else if is_held(&memory) {
            "held back"
        } else if memory.failures == 0 {
            "idle"
        } else if memory.waiting {
            "waiting for provisioning"
        } else {
            "failing"
        }
        .into()
    }
}

/// How a server fared.
fn server(health: Health) -> ServerStatus {
    let failed = health
        .last_failure
        // not by the clock, which may have been set, or count both in the same second
        .filter(|_| health.failures > 0);
    let last = match failed {
        Some(failure) => Some(Attempted {
            at: failure.at,
            address: failure.address.map(|address| address.to_string()),
            error: Some(failure.what),
        }),
        None => health.last_success.map(|at| Attempted {
            at,
            address: health.address.map(|address| address.to_string()),
            error: None,
        }),
    };
    ServerStatus { server: health.server, last, failures: health.failures }
}

/// Whether a table or list is held back.
fn is_held(memory: &Memory) -> bool {
    let lists = memory.lists.iter().flatten();
    memory.held().next().is_some() || lists.into_iter().any(|(_, list)| list.held.is_some())
}

fn held(memory: &Memory) -> Vec<Held> {
    let table = |(word, held): (&str, &HeldBack)| Held {
        table: Some(word.to_owned()),
        ..self::held_back(held)
    };
    let tables = memory.held().map(table);
    let lists = memory.lists.iter().flatten().filter_map(|(name, list)| {
        Some(Held { list: Some(name.clone()), ..self::held_back(list.held.as_ref()?) })
    });
    let rolled_back = memory.rolled_back.map(|since| Held {
        table: Some("both".into()),
        list: None,
        reason: HeldReason::Rollback,
        since,
        text: format!(
            "rolled back on {}: nothing is published until threatstopctl update",
            clock::date(since)
        ),
        can_force: false,
    });
    tables.chain(lists).chain(rolled_back).collect()
}

/// What is held back, of a table or list to be named.
fn held_back(held: &HeldBack) -> Held {
    Held {
        table: None,
        list: None,
        reason: if held.can_force { HeldReason::Change } else { HeldReason::Refused },
        since: held.since,
        text: held.text.clone(),
        can_force: held.can_force,
    }
}
