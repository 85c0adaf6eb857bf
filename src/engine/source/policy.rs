//! The lists of the service, over DNS: all of them from one server, or none.

use std::collections::BTreeSet;

use apl::ListName;
use config::Config;
use policy::List;
use prefix::Kind;

use super::{Copy, Failure, Source};
use crate::clock;
use crate::dns::{self, Event, Limits, Servers, Wanted, retrieve};
use crate::protect::Names;
use crate::told::Told;

/// What the log is told about when one of several servers fails.
const SERVERS: &str = "servers";

/// What came.
pub struct Brought {
    /// The lists.
    pub lists: Vec<Copy>,
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

    /// Reads all lists, or fails; `say` hears of each step. Those that came as `apl` once are not read
    /// in a weaker form.
    ///
    /// # Errors
    /// When no server has them all.
    pub async fn fetch(
        &self,
        apl: &BTreeSet<String>,
        say: &dyn Fn(String),
    ) -> Result<Brought, Failure> {
        let Self { config, servers, names, told } = *self;
        let lists = Source::Policy.lists(config);
        let mut wanted: Vec<Wanted> = Vec::new();
        for (name, _) in &lists {
            let apl_before = apl.contains(*name);
            wanted.push(Wanted { name: parse(name)?, apl_before });
        }
        let suffix = parse(config.policy.suffix.as_str())?;
        let kind = |name: &str| {
            let known = lists.iter().find(|(known, _)| *known == name);
            known.map_or(Kind::Block, |(_, kind)| *kind)
        };
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
                say(format!("Processing {} list {name}", kind(&name.to_string())));
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

        let floor = config.guard.floor();
        let mut brought = Brought {
            lists: Vec::new(),
            server: retrieved.server,
            ttl: retrieved.lists.iter().map(|list| list.ttl).min(),
            apl: Vec::new(),
            warnings: Vec::new(),
        };
        for list in retrieved.lists {
            let name = list.name.to_string();
            brought.warnings.extend(list.warnings.iter().map(|why| format!("list {name}: {why}")));
            if list.apl {
                brought.apl.push(name.clone());
            }
            brought.lists.push(Copy {
                source: Source::Policy,
                kind: kind(&name),
                list: List::new(name, list.items, floor),
                changed: clock::now(),
                origin: None,
            });
        }
        Ok(brought)
    }
}

fn parse(name: &str) -> Result<ListName, String> {
    ListName::parse(name).map_err(|error| format!("list {name}: {error}"))
}
