//! The lists of the service, over DNS: all of them from one server, or none.

use std::collections::BTreeSet;

use apl::{ListName, is_after};
use config::Config;
use policy::List;
use prefix::Kind;

use super::Failure;
use crate::clock;
use crate::dns::{self, Before, Event, Limits, Servers, Wanted, retrieve};
use crate::files::sum;
use crate::lists::copies::Origin;
use crate::lists::{Copy, Source};
use crate::protect::Names;
use crate::state::Policy;
use crate::told::Told;

/// What the log is told about when one of several servers fails.
const SERVERS: &str = "servers";

/// How long a serial is believed, in seconds: then all lists come once in full.
const BELIEVED: u64 = 24 * 60 * 60;

/// What the service has brought in a run.
pub struct Brought {
    /// The lists; none when they are those in force.
    pub lists: Option<Vec<Copy>>,
    /// The server that gave them.
    pub server: String,
    /// The smallest time to live, in seconds.
    pub ttl: Option<u32>,
    /// The lists that came as APL.
    pub apl: Vec<String>,
    /// What an administrator should look at.
    pub warnings: Vec<String>,
}

/// The service, as it is asked.
pub struct Service {
    config: &'static Config,
    servers: &'static Servers,
    names: &'static Names,
    /// What the log has been told.
    told: &'static Told,
}

impl Service {
    /// The service of a configuration, at these servers, some of which are known by these names.
    pub fn new(
        config: &'static Config,
        servers: &'static Servers,
        names: &'static Names,
        told: &'static Told,
    ) -> Self {
        Self { config, servers, names, told }
    }

    /// What is known of the zone by the copies in force, where its serial is asked for. With `forced`
    /// everything comes in full, whatever the serial is.
    pub fn before(&self, policy: &Policy, forced: bool) -> Option<Before> {
        let config = self.config;
        if !config.policy.serial {
            return None;
        }
        let (now, place) = (clock::now(), place(config));
        let lists = Source::Policy.lists(config);
        let copies = lists.iter().map(|(name, _)| policy.copy(name));
        let origins: Vec<Option<&Origin>> = copies
            .map(|copy| copy?.origin.as_ref().filter(|origin| origin.place == place))
            .collect();
        let serials = origins.iter().filter_map(|origin| (*origin)?.serial);
        let serial = serials.reduce(|one, other| if is_after(other, one) { other } else { one });
        let server = origins.first().and_then(|origin| (*origin)?.server.clone());
        // each of them has to be of just this server and serial, and of the last day
        let is_whole = |origin: &Option<&Origin>| {
            origin.is_some_and(|origin| {
                let age = now.checked_sub(origin.full);
                origin.serial == serial
                    && origin.server == server
                    && age.is_some_and(|age| age < BELIEVED)
            })
        };
        let is_same = !forced && origins.iter().all(is_whole);
        let server = server.filter(|_| is_same);
        Some(Before { serial, server, may_go_back: forced })
    }

    /// Reads all lists, or fails; `say` hears of each step. Those that came as `apl` once are not read
    /// in a weaker form, and those that are as `before` are not read at all.
    ///
    /// # Errors
    /// When no server has them all.
    pub async fn fetch(
        &self,
        apl: &BTreeSet<String>,
        before: &Option<Before>,
        say: &dyn Fn(String),
    ) -> Result<Brought, Failure> {
        let Self { config, servers, names, told } = *self;
        let mut wanted: Vec<Wanted> = Vec::new();
        for (name, _) in Source::Policy.lists(config) {
            let apl_before = apl.contains(name);
            wanted.push(Wanted { name: parse(name)?, apl_before });
        }
        let suffix = parse(config.policy.suffix.as_str())?;
        let mut failed: Vec<String> = Vec::new();
        // said once another attempt follows: the last one is in what is said of the whole
        let mut unsaid: Option<String> = None;
        let say_failed = |attempt: Option<String>| {
            attempt.into_iter().for_each(|attempt| say(format!("Failed: {attempt}")));
        };
        let mut tell = |event: Event<'_>| match event {
            Event::Server { server, .. } => {
                say_failed(unsaid.take());
                say(format!("Using DNS Server {server}"));
            }
            Event::Started(name) => {
                say(format!("Processing {} list {name}", kind(config, &name.to_string())));
            }
            Event::Finished(list) => logger::debug(format_args!(
                "list {}: {} items from {} names",
                list.name,
                list.items.len(),
                list.names
            )),
            Event::Failed(attempt) => {
                say_failed(unsaid.replace(attempt.to_string()));
                failed.push(attempt.to_string());
            }
        };
        servers.note_unresolved(|name| names.is_failing(name));
        let request = dns::Run {
            servers,
            lists: &wanted,
            suffix: &suffix,
            limits: Limits::new(config.policy.timeout),
            before: before.as_ref(),
        };
        let retrieved = retrieve(&request, &mut tell).await.map_err(|error| Failure {
            unprovisioned: error.is_unprovisioned(),
            why: error.to_string(),
            retry_after: None,
        })?;
        // without any server that has the lists, the error names every attempt
        let failed = failed.join("; ");
        match failed.as_str() {
            "" => told.forget(SERVERS),
            failed if told.is_news(SERVERS, failed, clock::now()) => logger::warn(failed),
            failed => logger::debug(failed),
        }

        Ok(self.brought(retrieved, &suffix, before.is_some(), say))
    }

    /// Makes copies of what was retrieved; `is_by_serial` where the serial of the zone `suffix` was asked for.
    fn brought(
        &self,
        dns::Retrieved { lists, server, serial }: dns::Retrieved,
        suffix: &ListName,
        is_by_serial: bool,
        say: &dyn Fn(String),
    ) -> Brought {
        let config = self.config;
        let mut brought =
            Brought { lists: None, server, ttl: None, apl: Vec::new(), warnings: Vec::new() };
        let Some(lists) = lists else {
            let serial = serial.unwrap_or_default();
            say(format!("Lists unchanged: {suffix} has the serial {serial} as before"));
            return brought;
        };
        if is_by_serial && serial.is_none() {
            brought.warnings.push(format!(
                "server {}: no SOA record of {suffix}, so that all lists come each time: set \
                 policy.suffix to the name of its zone, or policy.serial = false",
                brought.server
            ));
        }
        brought.ttl = lists.iter().map(|list| list.ttl).min();
        let origin = serial.map(|serial| Origin {
            etag: None,
            modified: None,
            full: clock::now(),
            place: place(config),
            server: Some(brought.server.clone()),
            serial: Some(serial),
        });
        let copies = brought.lists.insert(Vec::new());
        for list in lists {
            let name = list.name.to_string();
            brought.warnings.extend(list.warnings.iter().map(|why| format!("list {name}: {why}")));
            if list.apl {
                brought.apl.push(name.clone());
            }
            copies.push(Copy {
                source: Source::Policy,
                kind: kind(config, &name),
                list: List::new(name, list.items, config.guard.floor()),
                changed: clock::now(),
                origin: origin.clone(),
            });
        }
        brought
    }
}

/// What a list of the service is for.
fn kind(config: &Config, name: &str) -> Kind {
    let lists = Source::Policy.lists(config);
    let known = lists.iter().find(|(known, _)| *known == name);
    known.map_or(Kind::Block, |(_, kind)| *kind)
}

/// By what it is known whether a serial is one of the zone that is configured now.
fn place(config: &Config) -> u32 {
    sum(config.policy.suffix.as_str().as_bytes())
}

fn parse(name: &str) -> Result<ListName, String> {
    ListName::parse(name).map_err(|error| format!("list {name}: {error}"))
}
