//! One run: gather, judge and compose, publish, note. Each step takes what the one before it made. What
//! is slow to come goes the same way later, and the rest does not wait for it.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use config::Config;
use control::LastUpdate;
use imsg::{Purpose, TableId};
use policy::{Guard, Run as Wanted};
use prefix::Kind;

use super::gather::{self, Gathered};
use super::judge::{Judge, Judged};
use super::note::{self, End};
use super::publish::Hand;
use super::request::Request;
use super::running::{Ended, Noted, Numbers, Run};
use super::runs::{Runs, Unpublished};
use super::stays::stays;
use super::summary::{Time, differs};
use super::tell::Voice;
use super::unpublished::unpublished;
use super::whole::{Settled, Whole, of_tables};
use crate::clock;
use crate::days::{self, Days};
use crate::events::Events;
use crate::leave::Leave;
use crate::protect::Protect;
use crate::source::feed::Feeds;
use crate::source::local::Files;
use crate::source::own::Own;
use crate::source::policy::Service;
use crate::source::{Copy, Source, Sources};
use crate::state::{Failing, Policy, State, why};
use crate::tables::Table;
use crate::watch::{Depth, Watch};

/// How long what has come waits for others that may share its tables, as sources share a run.
const TOGETHER: Duration = Duration::from_secs(5);

/// What a run says of a rollback that it leaves alone.
const ROLLED_BACK: &str = "Rolled back: nothing is published until threatstopctl update";

/// The one way to a table.
pub struct Update {
    pub(super) config: &'static Config,
    pub(super) guard: &'static Guard,
    pub(super) state: &'static State,
    pub(super) runs: &'static Runs,
    pub(super) protect: &'static Protect,
    service: Service,
    feeds: &'static Feeds,
    pub(super) files: &'static Files,
    pub(super) own: &'static Own,
    pub(super) watch: &'static Watch,
    pub(super) hand: Hand,
    leave: &'static Leave,
    days: &'static Days,
    pub(super) events: &'static Events,
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
        hand: Hand,
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
            hand,
            leave,
            days,
            events,
        }
    }

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
                if run.brings(&request.sources) && request.is_served_by(&run.request, keeps) {
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
            let ended = self.run(&running).await;
            self.runs.end(&running, ended);
        });
        run
    }

    fn voice<'a>(&'a self, run: Option<&'a Run>) -> Voice<'a> {
        Voice::new(self.config, self.state, (&self.runs.told, self.events), run)
    }

    /// A run that asks sources.
    async fn run(&'static self, run: &Rc<Run>) -> Ended {
        let (time, request) = (Time::start(), &run.request);
        let voice = self.voice(Some(run));
        if self.runs.are_leaving() && !run.coming().iter().all(|source| source.is_local()) {
            return self.gives_up(run, &voice, Whole::default(), &time);
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
                return self.gives_up(run, &voice, whole, &time);
            }
            let _turn = self.runs.turn().await;
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
                return self.gives_up(run, &voice, whole, &time);
            }
        }
    }

    /// Ends a run that waits no longer. What has not come says nothing of its source: the next engine asks
    /// it when it is due.
    fn gives_up(&self, run: &Run, voice: &Voice<'_>, mut whole: Whole, time: &Time) -> Ended {
        let left = run.coming();
        let titles: Vec<String> = left.iter().map(Source::title).collect();
        let titles = titles.join(", ");
        let line =
            format!("update ends early, for threatstopd starts anew; not here yet: {titles}");
        match run.request.wanted {
            Wanted::Scheduled => logger::debug(line),
            Wanted::Manual | Wanted::Forced => logger::info(line),
        }
        whole.failing.extend(left.iter().map(|source| {
            let text = format!(
                "{}: not waited for, because threatstopd starts anew: threatstopctl update asks again",
                source.title()
            );
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
        let judged = self.judged(request, voice, &mut gathered, false);
        let published = self.hand.publish_all(&judged.made.sets, |_| Purpose::Trial).await;
        whole.failing.extend(judged.failing());
        whole.failing.extend(published.failures.values().cloned().map(of_tables));
        let preview = Some((self.state.policy(), preview(&self.state.policy(), judged)));
        whole.published = published;
        Ended { preview, ..whole.end(voice, request, time) }
    }

    /// Puts in force what has come of a run, and notes how its sources fared, of which there is to be said
    /// why some are `failing`.
    async fn part(
        &self,
        run: &Run,
        voice: &Voice<'_>,
        (mut gathered, mut failing): (Gathered, Vec<Failing>),
        whole: &mut Whole,
        (time, is_last): (&Time, bool),
    ) {
        let request = &run.request;
        let rolled_back = run.keeps_rollback(self.runs.rollbacks(), &self.state.memory());
        let judged = self.judged(request, voice, &mut gathered, rolled_back);
        // the set before is that of a run that brought something
        let purpose = if judged.new.is_empty() { Purpose::Repair } else { Purpose::Publish };
        let come: Vec<Rc<Copy>> = judged.new.iter().map(|new| Rc::clone(&new.copy)).collect();
        let settled =
            self.settle(voice, judged, purpose, (&gathered, Some(&run.numbers)), time).await;
        let policy = self.state.policy();
        let is_in_force = |copy: &Rc<Copy>| policy.lists.iter().any(|one| Rc::ptr_eq(one, copy));
        let left: Sources =
            come.iter().filter(|copy| !is_in_force(copy)).map(|copy| copy.source).collect();
        let policy_failed = gathered.failed.iter().any(|(source, _)| *source == Source::Policy);
        let failed = policy_failed || !settled.published.failures.is_empty();
        let published = settled.published.clone();
        whole.add(&settled, failed);
        failing.extend(settled.failing);
        if is_last && whole.published.done.iter().any(|id| *id != TableId::ALLOW) {
            // a table that blocks nothing is never silent
            self.watch
                .warnings_now()
                .await
                .into_iter()
                .for_each(|warning| voice.warn(warning.text));
        }
        if rolled_back && is_last {
            voice.say(ROLLED_BACK);
            // somebody may have asked for it, or joined it
            let is_overtaken = run.is_overtaken(self.runs.rollbacks());
            failing.extend(is_overtaken.then(|| of_tables(ROLLED_BACK.to_owned())));
        }
        whole.lacks(&failing, &gathered.asked);
        let word = whole.word(rolled_back);
        if is_last {
            let plain = whole.failing.is_empty() && !whole.mended && !rolled_back;
            voice.totals(&whole.published, &whole.held, plain);
            self.days.note_run(match () {
                () if rolled_back || !whole.held.is_empty() => days::Fared::Held,
                () if whole.failed => days::Fared::Failed,
                () => days::Fared::Good,
            });
        }
        // what a file of this host has does not make the policy of the service old
        let good = !failed && !rolled_back && !settled.service_held;
        let all = is_last && request.sources == Source::all(self.config);
        let of_service = gathered.asked.contains(&Source::Policy);
        let fared = Fared {
            word,
            failed,
            good,
            of_policy: of_service || all && !self.config.policy.is_asked(),
        };
        self.remember(&gathered, (whole, &failing), &fared, time);
        if settled.changed || is_last && !failed && !whole.changed {
            voice.log_end(word, &published, time.seconds(), gathered.server.as_deref());
        }
        let without = gathered.failed.iter();
        let without = without.map(|(source, failure)| (*source, failure.retry_after));
        // what could not be published has to come once more
        let without = without.chain(left.into_iter().map(|source| (source, None))).collect();
        let sources = gathered.asked.clone();
        self.runs.note(Noted { sources, failed, without });
        if !is_last {
            run.done(&gathered.asked, whole.so_far(voice, request, time));
        }
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
        let judged = self.judged(&request, &voice, &mut gathered, rolled_back);
        let hits = judged.made.hits.clone();
        let settled = self.settle(&voice, judged, Purpose::Repair, (&gathered, None), &time).await;
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

    /// Judges what has come, of which a rollback leaves nothing, and says what is held back.
    fn judged(
        &self,
        request: &Request,
        voice: &Voice<'_>,
        gathered: &mut Gathered,
        rolled_back: bool,
    ) -> Judged {
        let come = std::mem::take(&mut gathered.lists);
        let come = if rolled_back { Vec::new() } else { come };
        let judge = Judge {
            config: self.config,
            guard: self.guard,
            state: self.state,
            protected: &self.protect.all(),
            own: &self.own.lists(),
            request,
        };
        let judged = judge.judge(come, &gathered.same);
        voice.judged(&judged, gathered, request);
        judged
    }

    /// Publishes what was judged and notes what is in force.
    async fn settle(
        &self,
        voice: &Voice<'_>,
        mut judged: Judged,
        purpose: Purpose,
        (gathered, numbers): (&Gathered, Option<&Numbers>),
        time: &Time,
    ) -> Settled {
        let before = self.state.policy();
        // what somebody has done to tables and files is to be told before it is gone
        let depth = if voice.is_heard() { Depth::Whole } else { Depth::Marks };
        let mended = self.watch.mend(depth).await.found;
        mended.iter().for_each(|sentence| voice.logged(sentence));
        for (sentence, is_new) in self.protect.never.note(&judged.lists.copies) {
            if is_new {
                voice.warn(sentence);
            } else {
                voice.logged(&sentence);
            }
        }
        let last = {
            let memory = self.state.memory();
            let is_of_run = numbers.is_some_and(|numbers| numbers.are_last(&memory));
            is_of_run.then(|| memory.last_order())
        };
        // the set before is the one before the run, however often that changes the table
        let purpose_of = |table: &Table| {
            let order = self.state.memory().table(&table.word).order;
            if last == Some(order) { Purpose::Repair } else { purpose }
        };
        let published = self.hand.publish_all(&judged.made.sets, purpose_of).await;
        voice.published(&published);
        let mut failing: Vec<Failing> = judged.failing().collect();
        failing.extend(published.failures.values().cloned().map(of_tables));
        let unpublished = unpublished(self.state.tables, &judged, &published);
        let new = note::in_force(self.state, &mut judged, &published, time);
        new.iter().for_each(|new| self.days.note_list(new.copy.list.name()));
        for (id, change) in published.changes.iter().filter(|(_, change)| differs(change)) {
            self.days.note_table(self.state.tables.word(*id), change);
        }
        note::keep(self.state, self.files, &judged, &before, &new);
        let end = End {
            gathered,
            judged: &judged,
            published: &published,
            new: &new,
            before: &before,
            numbers,
            purpose,
            started: time.started,
        };
        note::remember(self.config, self.state, &end);
        let protected = self.protect.all();
        let stays = stays(self.guard, self.state, &protected, &judged, &unpublished);
        if let Some(stays) = stays.as_ref().filter(|_| stays != self.runs.stays()) {
            // said once; status says it as long as it is so
            logger::err(stays);
        }
        self.runs.set_stays(stays);
        let changed = published.changes.values().any(differs);
        let known = self.runs.unpublished();
        // what a source has brought and could not be published has to come once more
        let counts = |id: &TableId| !voice.is_heard() || known.contains_key(id);
        self.runs.set_unpublished(unpublished.into_iter().filter(|(id, _)| counts(id)).collect());
        let of_list = |table: &Table| {
            let mut kept = judged.kept.iter();
            kept.any(|kept| table.has(&kept.kept.list, kept.kind))
        };
        let tables = self.state.tables.iter();
        let held =
            tables.filter(|table| judged.kept_tables.contains_key(&table.id) || of_list(table));
        let held = held.map(|table| table.id).collect();
        let service_held = !judged.kept_tables.is_empty()
            || judged.kept.iter().any(|kept| kept.source == Source::Policy);
        Settled { published, changed, held, service_held, mended, failing }
    }

    /// Remembers how far a run is that asks sources.
    fn remember(
        &self,
        gathered: &Gathered,
        (whole, new): (&Whole, &[Failing]),
        &Fared { word, failed, good, of_policy }: &Fared,
        time: &Time,
    ) {
        let unprovisioned = gathered.failed.iter().any(|(_, failure)| failure.unprovisioned);
        let waiting = unprovisioned && self.state.policy().blocked().next().is_none();
        self.state.remember(|memory| {
            // of what came before, another run may have come to know better
            let is_so = |one: &&Failing| new.contains(one) || memory.failing.contains(one);
            let failing: Vec<Failing> = whole.failing.iter().filter(is_so).cloned().collect();
            memory.last = Some(LastUpdate {
                started: time.started,
                seconds: time.seconds(),
                result: word.into(),
                why: why(&failing),
                server: whole.server.clone(),
                ttl: whole.ttl,
            });
            memory.failing = failing;
            memory.apl.extend(gathered.apl.iter().cloned());
            // a run for a local file says nothing of the policy
            if of_policy {
                memory.waiting = waiting;
                memory.failures = if failed { memory.failures.saturating_add(1) } else { 0 };
                if good {
                    memory.last_good = Some(clock::now());
                }
            }
        });
    }
}

/// How what came of a run fared.
struct Fared {
    /// In a word.
    word: &'static str,
    /// Whether the service failed, or a table could not be published.
    failed: bool,
    /// Whether all that came of the service is in force.
    good: bool,
    /// Whether it says something of the policy.
    of_policy: bool,
}

/// The policy that a dry run would put in force.
fn preview(before: &Policy, judged: Judged) -> Policy {
    let mut sets = before.sets.clone();
    sets.extend(judged.made.sets);
    Policy { sets, ..Policy::default() }
}
