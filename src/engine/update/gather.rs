//! The first step of a run: what the sources bring, each by itself.

use std::collections::BTreeSet;
use std::future::pending;
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use config::{Config, FeedName};
use policy::Run as Wanted;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::lists::{Copy, Source, Sources};
use crate::protect::Protect;
use crate::runs::Run;
use crate::source::Failure;
use crate::source::feed::{self, Feeds};
use crate::source::kept::kept;
use crate::source::local::{Files, Look};
use crate::source::policy::{Brought, Service};
use crate::state::{Policy, State};

/// What has come, and what has not.
#[derive(Default)]
pub struct Gathered {
    /// The sources that were asked and are done.
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

/// What a source has brought, or why nothing.
enum Came {
    Service(Result<Brought, Failure>),
    Feed(FeedName, Result<feed::Look, Failure>),
}

/// The sources of a run that are not on this host, as they come.
pub struct Coming {
    come: mpsc::UnboundedReceiver<Came>,
    left: usize,
    given_up: bool,
}

/// Asks them, all at once and each in a task of its own, so that none waits for another nor for what
/// becomes of the others' lists. What is protected by name is looked up beside the service. Lists that
/// came as `apl` once have to again; those of the service may be those of the `policy` in force.
pub fn ask(
    run: &Rc<Run>,
    service: &'static Service,
    feeds: &'static Feeds,
    (apl, policy): (BTreeSet<String>, &Policy),
    protect: &'static Protect,
) -> Coming {
    let (done, come) = mpsc::unbounded_channel();
    let mut left = 0;
    let mut apl = Some(apl);
    for source in &run.request.sources {
        let (run, done) = (Rc::clone(run), done.clone());
        match *source {
            Source::Policy => {
                let apl = apl.take().unwrap_or_default();
                let before = service.before(policy, run.request.wanted == Wanted::Forced);
                tokio::task::spawn_local(async move {
                    let say = |line: String| run.say(line);
                    let (brought, ()) =
                        tokio::join!(service.fetch(&apl, &before, &say), protect.beside_a_run());
                    // who asked waits for it
                    let _ = done.send(Came::Service(brought));
                });
            }
            Source::Feed(name) => {
                run.say(format!("Processing {} feed {name}", feeds.kind(name)));
                tokio::task::spawn_local(async move {
                    let _ = done.send(Came::Feed(name, feeds.look(name).await));
                });
            }
            Source::LocalBlock | Source::LocalAllow | Source::Own => continue,
        }
        left += 1;
    }
    Coming { come, left, given_up: false }
}

impl Coming {
    /// Whether all have come.
    pub fn is_done(&self) -> bool {
        self.left == 0
    }

    /// Whether nobody waits for the others any more.
    pub fn is_given_up(&self) -> bool {
        self.given_up
    }

    /// Waits for the next, and then at most so long for others that may share its tables, unless what
    /// has come `cannot_wait`. Nothing where there is nobody to wait for. Once there is no `time` left it
    /// gives what has come and gives up the others.
    pub async fn next(
        &mut self,
        patience: Duration,
        cannot_wait: impl Fn(&Gathered) -> bool,
        time: impl Future<Output = ()>,
    ) -> Gathered {
        let (mut gathered, mut end, mut time) = (Gathered::default(), None, pin!(time));
        while !self.is_done() && !cannot_wait(&gathered) {
            tokio::select! {
                // what has come is not lost
                biased;
                came = self.come.recv() => match came {
                    Some(came) => {
                        self.left -= 1;
                        gathered.take(came);
                    }
                    None => break,
                },
                () = &mut time => {
                    self.given_up = true;
                    break;
                }
                () = until(end) => break,
            }
            end = end.or_else(|| Instant::now().checked_add(patience));
        }
        gathered
    }
}

/// Waits for this moment, if there is one.
async fn until(end: Option<Instant>) {
    match end {
        Some(end) => sleep_until(end).await,
        None => pending().await,
    }
}

impl Gathered {
    fn take(&mut self, came: Came) {
        match came {
            Came::Service(brought) => {
                self.asked.insert(Source::Policy);
                match brought {
                    Ok(brought) => {
                        match brought.lists {
                            Some(lists) => self.lists.extend(lists),
                            None => drop(self.same.insert(Source::Policy)),
                        }
                        self.server = Some(brought.server);
                        self.ttl = brought.ttl;
                        self.apl = brought.apl;
                        self.warnings = brought.warnings;
                    }
                    Err(failure) => self.failed.push((Source::Policy, failure)),
                }
            }
            Came::Feed(name, looked) => {
                let source = Source::Feed(name);
                self.asked.insert(source);
                match looked {
                    Ok(feed::Look::Same) => drop(self.same.insert(source)),
                    Ok(feed::Look::Come(copy, told)) => {
                        if told.first.is_some() {
                            self.notes.push((source, format!("{}: {told}", source.title())));
                        }
                        self.lists.push(*copy);
                    }
                    Err(failure) => self.failed.push((source, failure)),
                }
            }
        }
    }
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

#[cfg(test)]
mod tests;
