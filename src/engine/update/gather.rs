//! The first step of a run: what the sources bring.

use std::collections::BTreeSet;

use config::Config;
use futures_util::future::join_all;

use super::running::Run;
use crate::protect::Protect;
use crate::source::feed::{self, Feeds};
use crate::source::kept::kept;
use crate::source::local::{Files, Look};
use crate::source::policy::Service;
use crate::source::{Copy, Failure, Source, Sources};
use crate::state::State;

/// What has come, and what has not.
#[derive(Default)]
pub struct Gathered {
    /// The sources that were asked.
    pub asked: Sources,
    /// The lists that have come.
    pub lists: Vec<Copy>,
    /// The sources whose lists are the ones in force still.
    pub same: Sources,
    /// What there is to say of lists that have come from web servers.
    pub notes: Vec<(Source, String)>,
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

/// Asks the sources of a run that are not on this host, side by side, and looks up beside that what is
/// protected by name. Lists that came as `apl` once have to again.
pub async fn gather(
    run: &Run,
    service: &Service,
    feeds: &Feeds,
    apl: &BTreeSet<String>,
    protect: &Protect,
) -> Gathered {
    let wanted = &run.request.sources;
    let mut gathered = Gathered { asked: wanted.clone(), ..Gathered::default() };
    let say = |line: String| run.say(line);
    let of_service = async {
        if !wanted.contains(&Source::Policy) {
            return None;
        }
        let (brought, ()) = tokio::join!(service.fetch(apl, &say), protect.beside_a_run());
        Some(brought)
    };
    let names = wanted.iter().filter_map(|source| match source {
        Source::Feed(name) => Some(*name),
        _ => None,
    });
    let of_feeds = join_all(names.map(|name| async move {
        run.say(format!("Processing {} feed {name}", feeds.kind(name)));
        (Source::Feed(name), feeds.look(name).await)
    }));
    let (of_service, of_feeds) = tokio::join!(of_service, of_feeds);
    if let Some(brought) = of_service {
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
    for (source, looked) in of_feeds {
        match looked {
            Ok(feed::Look::Same) => drop(gathered.same.insert(source)),
            Ok(feed::Look::Come(copy, told)) => {
                if told.first.is_some() {
                    gathered.notes.push((source, format!("{}: {told}", source.title())));
                }
                gathered.lists.push(*copy);
            }
            Err(failure) => gathered.failed.push((source, failure)),
        }
    }
    gathered
}

/// Looks at the local files, which every run does. For who has the turn.
pub async fn local(files: &Files, gathered: &mut Gathered, dry_run: bool) {
    for source in files.sources() {
        gathered.asked.insert(source);
        match files.look(source, !dry_run).await {
            Ok(Look::Same) => drop(gathered.same.insert(source)),
            Ok(Look::Read(copy)) => gathered.lists.push(*copy),
            Err(failure) => gathered.failed.push((source, failure)),
        }
    }
}

impl Gathered {
    /// The sentence about a source that failed: `Failed: local_block: WHY; its copy of 3 hours ago
    /// stays`.
    pub fn sentence(config: &Config, state: &State, source: Source, failure: &Failure) -> String {
        let kept = kept(config, state, source);
        match kept.as_str() {
            // of a service that has brought nothing yet, the servers are all there is to be named
            "" if source == Source::Policy => failure.why.clone(),
            kept => format!("{}: {}{kept}", source.title(), failure.why),
        }
    }
}
