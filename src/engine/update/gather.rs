//! The first step of a run: what the sources bring.

use std::rc::Rc;

use super::running::Run;
use crate::source::local::Look;
use crate::source::{Copy, Failure, Source, Sources, policy};
use crate::{Engine, alarm, clock, protect};

/// What has come, and what has not.
#[derive(Default)]
pub struct Gathered {
    /// The sources that were asked.
    pub asked: Sources,
    /// The lists that have come. A local file that is the one in force brings none.
    pub lists: Vec<Copy>,
    /// The sources that brought nothing, and why.
    pub failed: Vec<(Source, Failure)>,
    /// The server that gave the lists of the service.
    pub server: Option<String>,
    /// The smallest time to live of its answers, in seconds.
    pub ttl: Option<u32>,
    /// The lists that came as APL.
    pub apl: Vec<String>,
    /// What an administrator should look at.
    pub warnings: Vec<String>,
}

/// Asks the sources of a run, side by side. Local files are looked at in any case.
pub async fn gather(engine: &Rc<Engine>, run: &Run) -> Gathered {
    let wanted = &run.request.sources;
    let mut gathered = local(engine).await;
    gathered.asked.extend(wanted.iter().copied());
    if wanted.contains(&Source::Policy) {
        let say = |line: String| run.say(line);
        let (brought, ()) =
            tokio::join!(policy::fetch(engine, &say), protect::beside_a_run(engine));
        match brought {
            Ok(brought) => {
                gathered.lists.extend(brought.lists);
                gathered.server = Some(brought.server);
                gathered.ttl = brought.ttl;
                gathered.apl = brought.apl;
                gathered.warnings = brought.warnings;
            }
            Err(failure) => gathered.failed.push((Source::Policy, failure)),
        }
    }
    gathered
}

/// Looks at the local files alone.
pub async fn local(engine: &Engine) -> Gathered {
    let mut gathered = Gathered::default();
    for source in Source::all(&engine.config).into_iter().filter(|source| source.is_local()) {
        gathered.asked.insert(source);
        match engine.local.look(&engine.link, &engine.config, source).await {
            Ok(Look::Same) => {}
            Ok(Look::Read(copy)) => gathered.lists.push(copy),
            Err(failure) => gathered.failed.push((source, failure)),
        }
    }
    gathered
}

impl Gathered {
    /// The sentence about a source that failed: `Failed: local_block: WHY; its copy of 3 hours ago
    /// stays`.
    pub fn sentence(engine: &Engine, source: Source, failure: &Failure) -> String {
        let copies = engine.state.policy();
        let mut copies = copies.lists.iter().filter(|copy| copy.source == source);
        let (name, why) = (source.name(), &failure.why);
        let Some(first) = copies.next() else { return why.clone() };
        let memory = engine.state.memory();
        let confirmed = memory.list(first.list.name()).map_or(0, |list| list.confirmed);
        let ago = alarm::span(clock::now().saturating_sub(confirmed.max(first.changed)));
        match copies.next() {
            None => format!("{name}: {why}; its copy of {ago} ago stays"),
            Some(_) => format!("{name}: {why}; its copies of {ago} ago stay"),
        }
    }
}
