//! A part of a run: what has come is put in force, and how its sources fared is remembered.

use std::rc::Rc;

use control::LastUpdate;
use imsg::{Purpose, TableId};

use super::gather::Gathered;
use super::summary::Time;
use super::tell::Voice;
use super::whole::{Whole, of_tables};
use super::wiring::Update;
use crate::clock;
use crate::days;
use crate::lists::{Copy, Source, Sources};
use crate::runs::{Noted, Run};
use crate::state::{Failing, why};
use crate::watch::Depth;

/// What a run says of a rollback that it leaves alone.
const ROLLED_BACK: &str = "Rolled back: nothing is published until threatstopctl update";

impl Update {
    /// Puts in force what has come of a run, and notes how its sources fared, of which there is to be said
    /// why some are `failing`.
    pub(super) async fn part(
        &self,
        run: &Run,
        voice: &Voice<'_>,
        (mut gathered, mut failing): (Gathered, Vec<Failing>),
        whole: &mut Whole,
        (time, is_last): (&Time, bool),
    ) {
        let request = &run.request;
        let rolled_back = run.keeps_rollback(self.runs.rollbacks(), &self.state.memory());
        // what somebody has done to tables and files is to be told before it is gone, and to who asks
        let is_quiet = !run.is_by_hand() && gathered.lists.is_empty();
        let depth = if is_quiet { Depth::Marks } else { Depth::Whole };
        let mended = self.mended(voice, depth).await;
        let judged = self.judged(request, voice, &mut gathered, rolled_back);
        // the set before is that of a run that brought something
        let purpose = if judged.new.is_empty() { Purpose::Repair } else { Purpose::Publish };
        let come: Vec<Rc<Copy>> = judged.new.iter().map(|new| Rc::clone(&new.copy)).collect();
        let of = (&gathered, Some(&run.numbers), mended);
        let settled = self.settle(voice, judged, purpose, of, time).await;
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
            let warnings = self.watch.warnings_now().await;
            warnings.iter().for_each(|warning| voice.logged(&warning.text));
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
            let fared = match () {
                () if rolled_back || !whole.held.is_empty() => days::Fared::Held,
                () if whole.failed => days::Fared::Failed,
                () => days::Fared::Good,
            };
            let policy = self.state.policy();
            let sets = policy.sets.iter().map(|(id, set)| (self.state.tables.word(*id), &**set));
            self.days.note_run(fared, sets);
        }
        // what a file of this host has does not make the policy of the service old
        let good = !failed && !rolled_back && !settled.service_held;
        let all = is_last && request.sources == Source::all(self.config).into_iter().collect();
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
