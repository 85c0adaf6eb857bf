//! One run: gather, judge and compose, publish, note. Each step takes what the one before it made. What
//! is slow to come goes the same way later, and the rest does not wait for it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use imsg::{Purpose, TableId};
use policy::Run as Wanted;
use prefix::Kind;

use super::gather::{self, Gathered};
use super::judge::Judged;
use super::summary::Time;
use super::tell::Voice;
use super::whole::{Whole, of_tables};
use super::wiring::Update;
use crate::clock;
use crate::lists::{Copy, Source, Sources};
use crate::runs::{Ended, Noted, Request, Run, Unpublished};
use crate::state::{Failing, Policy};
use crate::tables::Table;
use crate::watch::Depth;

/// How long what has come waits for others that may share its tables, as sources share a run.
const TOGETHER: Duration = Duration::from_secs(5);

impl Update {
    /// Joins the run under way that does what is asked for; else begins one, which waits for no other but
    /// one that is about to publish what is asked for.
    pub async fn begin(&'static self, request: Request) -> Rc<Run> {
        'again: loop {
            for run in self.runs.under_way() {
                let shared = run.shares(&request.sources);
                if shared.is_empty() {
                    continue;
                }
                let keeps = run.keeps_rollback(self.runs.rollbacks(), &self.state.memory());
                if run.brings(&request.sources)
                    && !run.is_settling(&request.sources)
                    && request.is_served_by(&run.request, keeps)
                {
                    run.join(&request);
                    return run;
                }
                // what a web server is asked already is asked once for both
                let is_asked = |source: &Source| match source {
                    Source::Feed(name) => self.feeds.is_asked(*name),
                    _ => false,
                };
                if !shared.iter().all(is_asked) {
                    run.changed().await;
                    continue 'again;
                }
            }
            break;
        }
        let run = self.runs.begin(request);
        let running = Rc::clone(&run);
        tokio::task::spawn_local(async move {
            let ended = tokio::select! {
                biased;
                () = self.publisher.gone() => self.is_cut(&running),
                ended = self.run(&running) => ended,
            };
            self.runs.end(&running, ended);
        });
        run
    }

    /// A run that asks sources.
    async fn run(&'static self, run: &Rc<Run>) -> Ended {
        let (time, request) = (Time::start(), &run.request);
        let voice = self.voice(Some(run));
        if self.runs.are_leaving() && !run.coming().iter().all(|source| source.is_local()) {
            return self.gives_up(run, &voice, (Whole::default(), &time), false);
        }
        // a scheduled run that begins later may publish again, however this one ends
        if !request.dry_run && request.wanted != Wanted::Scheduled {
            self.end_rollback();
        }
        run.say(format!("Starting ThreatSTOP update on {}", clock::date(time.started)));
        let mut whole = Whole::default();
        if let Some(why) = self.protect.interfaces.look((!request.dry_run).then_some(self.leave))
            && !request.dry_run
        {
            run.say(format!("Failed: {why}"));
            whole.failing.push(of_tables(why));
            let without = request.sources.iter().map(|source| (*source, None)).collect();
            self.runs.note(Noted { sources: request.sources.clone(), failed: true, without });
            return whole.end(&voice, request, &time);
        }
        let policy = self.state.policy();
        let known = (self.state.memory().apl.clone(), &*policy);
        let mut coming = gather::ask(run, &self.service, self.feeds, known, self.protect);
        loop {
            // what would be can only be told of everything
            let patience = if request.dry_run { Duration::MAX } else { TOGETHER };
            let cannot_wait = |come: &Gathered| !request.dry_run && self.is_first(run, come);
            let mut gathered = coming.next(patience, cannot_wait, self.runs.left()).await;
            if coming.is_given_up() && (gathered.asked.is_empty() || request.dry_run) {
                return self.gives_up(run, &voice, (whole, &time), false);
            }
            let _turn = self.runs.turn().await;
            run.settles(&gathered.asked, coming.is_done());
            gather::local(self.files, &mut gathered, request.dry_run).await;
            let failing = voice.gathered(&gathered, request);
            whole.is_short |= !gathered.failed.is_empty();
            whole.server = gathered.server.clone().or(whole.server);
            whole.ttl = gathered.ttl.or(whole.ttl);
            match coming.is_done() {
                true if !whole.is_short => run.say("Completed getting all the lists"),
                true => {}
                false => voice.missing(&run.coming(), &gathered.asked),
            }
            if request.dry_run {
                whole.lacks(&failing, &gathered.asked);
                return self.tried(&voice, request, gathered, whole, &time).await;
            }
            let is_last = coming.is_done();
            self.part(run, &voice, (gathered, failing), &mut whole, (&time, is_last)).await;
            if is_last {
                return whole.end(&voice, request, &time);
            }
            if coming.is_given_up() {
                return self.gives_up(run, &voice, (whole, &time), false);
            }
        }
    }

    /// Ends a run whose helper is gone, without which nothing more of it comes into force. That is all the
    /// engine hears of a SIGHUP, or of a stop. Feeds alone are not asked at each start anyway.
    fn is_cut(&self, run: &Run) -> Ended {
        self.runs.leave();
        let again = !run.request.dry_run;
        if again {
            self.state.remember(|memory| {
                for source in run.coming() {
                    memory.sources.entry(source.name().to_owned()).or_default().again = true;
                }
            });
        }
        self.gives_up(run, &self.voice(Some(run)), (Whole::default(), &Time::start()), again)
    }

    /// Ends a run that waits no longer. What has not come says nothing of its source: the next engine asks
    /// it when it is due, or at once and `again`.
    fn gives_up(
        &self,
        run: &Run,
        voice: &Voice<'_>,
        (mut whole, time): (Whole, &Time),
        again: bool,
    ) -> Ended {
        let asks = "its next start asks again";
        let (why, what, then) = match again {
            true => ("ends or starts anew", asks, asks),
            false => ("starts anew", "not here yet", "threatstopctl update asks again"),
        };
        let left = run.coming();
        let titles: Vec<String> = left.iter().map(Source::title).collect();
        let titles = titles.join(", ");
        let line = format!("update ends early, for threatstopd {why}; {what}: {titles}");
        match run.request.wanted {
            Wanted::Scheduled => logger::debug(line),
            Wanted::Manual | Wanted::Forced => logger::info(line),
        }
        whole.failing.extend(left.iter().map(|source| {
            let title = source.title();
            let text = format!("{title}: not waited for, because threatstopd {why}: {then}");
            voice.say(format!("Failed: {text}"));
            Failing { source: Some(source.name().to_owned()), text }
        }));
        whole.end(voice, &run.request, time)
    }

    /// Whether what has come is to be in force without delay: nothing is blocked yet, or nothing of the
    /// service. Only a list that is to be taken out of it is worth to be waited for a little.
    fn is_first(&self, run: &Run, come: &Gathered) -> bool {
        let policy = self.state.policy();
        let of_service = |copy: &Copy| copy.source == Source::Policy;
        let has_service = policy.lists.iter().any(|copy| of_service(copy));
        let blocks = |copy: &Copy| copy.kind == Kind::Block;
        let is_first = come.lists.iter().any(blocks) && policy.blocked().next().is_none()
            || come.lists.iter().any(of_service) && !has_service;
        let exempts = |source: &Source| match source {
            Source::Feed(name) => self.feeds.kind(*name) == Kind::Allow,
            _ => false,
        };
        is_first && !run.coming().difference(&come.asked).any(exempts)
    }

    /// What a run that changes nothing would do.
    async fn tried(
        &self,
        voice: &Voice<'_>,
        request: &Request,
        mut gathered: Gathered,
        mut whole: Whole,
        time: &Time,
    ) -> Ended {
        let mut judged = self.judged(request, voice, &mut gathered, false);
        let published = self.hand_over(&mut judged, |_| Purpose::Trial).await;
        whole.failing.extend(judged.failing());
        whole.failing.extend(published.failures.values().cloned().map(of_tables));
        let preview = Some((self.state.policy(), preview(&self.state.policy(), judged)));
        whole.published = published;
        Ended { preview, ..whole.end(voice, request, time) }
    }

    /// Composes anew what is in force and publishes it, because something else has changed than what
    /// comes over the network: what is protected, a local file, what the administrator says, the
    /// configuration.
    ///
    /// Gives the tables that are not what that makes, and why.
    pub async fn recompose(&self) -> BTreeMap<TableId, Unpublished> {
        let time = Time::start();
        let _turn = self.runs.turn().await;
        // the helper that comes protects what the interfaces have
        if self.protect.interfaces.leaving() {
            let why = "the interfaces have changed, and threatstopd publishes it as soon as it protects \
                       their networks";
            let all = |_: &Table| Some(Unpublished { why: why.into(), again: false });
            return self.state.tables.each(all);
        }
        let mut gathered = Gathered::default();
        gather::local(self.files, &mut gathered, false).await;
        let request = Request { sources: Sources::new(), wanted: Wanted::Manual, dry_run: false };
        let voice = self.voice(None);
        voice.gathered(&gathered, &request);
        let rolled_back = self.state.memory().rolled_back.is_some();
        let before = self.state.policy();
        let mended = self.mended(&voice, Depth::Marks).await;
        let judged = self.judged(&request, &voice, &mut gathered, rolled_back);
        let hits = judged.made.told.hits.clone();
        let of = (&gathered, None, mended);
        let settled = self.settle(&voice, judged, Purpose::Repair, of, &time).await;
        if settled.changed {
            voice.let_through(&hits, &before);
            voice.log_end("made", &settled.published, time.seconds(), None);
        }
        self.runs.unpublished()
    }

    fn end_rollback(&self) {
        let rolled_back = self.state.memory().rolled_back;
        if rolled_back.is_some() {
            self.state.remember(|memory| memory.rolled_back = None);
        }
    }
}

/// The policy that a dry run would put in force.
fn preview(before: &Policy, judged: Judged) -> Policy {
    let mut sets = before.sets.clone();
    sets.extend(judged.made.sets.into_iter().map(|(id, set)| (id, Rc::new(set))));
    Policy { sets, ..Policy::default() }
}
