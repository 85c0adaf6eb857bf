//! One run, from the servers to the tables.

use std::rc::Rc;

use control::{Change, LastUpdate, Updated};
use imsg::{Purpose, TableId};
use policy::{
    Accepted, HeldRuns, Kept, LeftOut, List, Measure, Ranges, Run as Wanted, Together, Trial,
    compose_allow, compose_block, unrouted,
};
use prefix::PrefixSet;

use super::fetch::{self, Fetched};
use super::publish::publish;
use super::relieve::relieve;
use super::summary::{self, Time, change, differs, unchanged};
use super::today::guard;
use super::{Ended, Run};
use crate::alarm::QUIET;
use crate::protect::{self, protected};
use crate::state::{HeldBack, Policy, history, points};
use crate::{Engine, clock, interfaces, watch};

/// Runs an update.
pub async fn run(engine: &Rc<Engine>, run: &Run) -> Ended {
    let time = Time::start();
    // a scheduled run that begins later may publish again, however this one ends
    if !run.request.dry_run && run.request.wanted != Wanted::Scheduled {
        let rolled_back = engine.state.memory().rolled_back;
        if rolled_back.is_some() {
            engine.state.remember(|memory| memory.rolled_back = None);
        }
    }
    let ended = attempt(engine, run, time).await;
    if !run.request.dry_run && ended.result.is_err() && !engine.given.interfaces.leaving() {
        relieve(engine).await;
    }
    ended
}

async fn attempt(engine: &Rc<Engine>, run: &Run, time: Time) -> Ended {
    run.say(format!("Starting ThreatSTOP update on {}", clock::date(time.started)));
    if let Some(why) = interfaces::look(engine, !run.request.dry_run)
        && !run.request.dry_run
    {
        run.say(format!("Failed: {why}"));
        return Ended { result: Err(why), preview: None, failed: true };
    }
    let (fetched, ()) = tokio::join!(fetch::fetch(engine, run), protect::beside_a_run(engine));
    let fetched = match fetched {
        Ok(fetched) => fetched,
        Err(failure) => {
            if !run.request.dry_run {
                let _turn = engine.runs.turn().await;
                mend(engine, run).await;
            }
            note_failure(engine, run, &time, &failure);
            return Ended { result: Err(failure.why), preview: None, failed: true };
        }
    };
    run.say("Completed getting all the lists");
    let _turn = engine.runs.turn().await;
    let mut work = Work::new(engine, run, fetched);
    let sets = work.compose();
    if run.request.dry_run {
        work.preview(sets, time).await
    } else {
        work.mended = mend(engine, run).await;
        work.carry_out(sets, time).await
    }
}

/// Puts right what somebody has done to tables and files, before a set is put in their place: it
/// has to be told, and what stood there is not the set before.
async fn mend(engine: &Engine, run: &Run) -> Vec<String> {
    let found = watch::mend(engine, watch::Depth::Whole).await.found;
    for sentence in &found {
        run.say(format!("Warning: {sentence}"));
    }
    found
}

fn together(lists: &[List]) -> Together<'_> {
    Together::of(&lists.iter().collect::<Vec<_>>())
}

/// A run whose lists have come.
struct Work<'a> {
    engine: &'a Rc<Engine>,
    run: &'a Run,
    before: Rc<Policy>,
    fetched: Fetched,
    held_runs: [HeldRuns; 2],
    /// Who wants the run, as far as its judgement goes.
    wanted: Wanted,
    warnings: Vec<String>,
    /// What somebody had done to the tables, and was undone.
    mended: Vec<String>,
    /// Why not all of it is published.
    kept: [Option<Kept>; 2],
    /// How what is published was accepted.
    accepted: [Option<Accepted>; 2],
}

impl<'a> Work<'a> {
    fn new(engine: &'a Rc<Engine>, run: &'a Run, fetched: Fetched) -> Self {
        let memory = engine.state.memory();
        let held_runs = memory.held_rows.map(HeldRuns::from);
        let counts = memory.may_count(clock::now(), engine.config.policy.interval);
        let wanted = match run.request.wanted {
            Wanted::Scheduled if !counts => Wanted::Manual,
            wanted => wanted,
        };
        let warnings = fetched.warnings.clone();
        let before = engine.state.policy();
        let (mended, kept, accepted) = (Vec::new(), [None, None], [None, None]);
        Self { engine, run, before, fetched, held_runs, wanted, warnings, mended, kept, accepted }
    }

    /// Judges a composed set; one that is kept back is said and remembered. `allow` is the allow set
    /// that a block set was composed against.
    fn judge(
        &mut self,
        id: TableId,
        composed: Result<PrefixSet, Kept>,
        allow: &PrefixSet,
    ) -> Option<PrefixSet> {
        let held = &mut self.held_runs[id as usize];
        let history = history(&self.engine.state.memory().history[id as usize]);
        let judged = match composed {
            Ok(set) => {
                let trial = Trial {
                    table: id.kind(),
                    set: &set,
                    before: self.before.set(id),
                    day_before: history.day_before(clock::now()),
                    allow,
                };
                trial.judge(&guard(self.engine), self.wanted, held).map(|how| (set, how))
            }
            Err(kept) => {
                held.end();
                Err(kept)
            }
        };
        match judged {
            Ok((set, how)) => {
                self.accepted[id as usize] = Some(how);
                if how == Accepted::ThirdRun {
                    self.warn(format!(
                        "{} list: {} entries accepted, as in three runs in a row",
                        id.word(),
                        set.len()
                    ));
                }
                Some(set)
            }
            Err(kept) => {
                self.run.say(kept.to_string());
                logger::warn(&kept);
                self.kept[id as usize] = Some(kept);
                None
            }
        }
    }

    fn warn(&mut self, warning: String) {
        self.run.say(format!("Warning: {warning}"));
        logger::warn(&warning);
        self.warnings.push(warning);
    }

    /// Says what no table may have; the log hears of it when it is another than that of the run
    /// before, for it is as it should be.
    fn note(&self, left_out: &[LeftOut]) {
        let note = summary::left_out(left_out);
        if let Some(note) = &note {
            self.run.say(note.as_str());
        }
        let state = &self.engine.state;
        if self.run.request.dry_run || state.memory().left_out == note {
            return;
        }
        logger::info(note.as_deref().unwrap_or("Note: no entry is left out any more"));
        state.remember(|memory| memory.left_out = note);
    }

    /// Makes the new sets: allow first, for block is composed against the allow set that will
    /// really be in force.
    fn compose(&mut self) -> [Option<PrefixSet>; 2] {
        let guard = guard(self.engine);
        let composed = compose_allow(&together(&self.fetched.allow), &unrouted(), &guard);
        let mut left_out = Vec::new();
        let composed = composed.map(|composed| {
            left_out.extend(composed.removed.left_out);
            composed.set
        });
        let empty = PrefixSet::default();
        let allow = self.judge(TableId::Allow, composed, &empty);
        let emptied = |set: &PrefixSet| {
            set.is_empty() && self.before.allow.as_ref().is_some_and(|before| !before.is_empty())
        };
        if allow.as_ref().is_some_and(emptied) {
            self.warn("the allow list has become empty: nothing is allowed by it any more".into());
        }
        let before = Rc::clone(&self.before);
        let in_force = allow.as_ref().or(before.allow.as_ref()).unwrap_or(&empty);
        let protected = protected(self.engine);
        let exempt = Ranges::from(in_force);
        let composed = compose_block(&together(&self.fetched.block), &exempt, &protected, &guard);
        let block = match composed {
            Ok(composed) => {
                for hit in &composed.removed.hits {
                    logger::debug(hit);
                }
                left_out.extend(composed.removed.left_out);
                match composed.removed.allowed.entries {
                    0 => {}
                    1 => logger::info("1 entry of the block lists is allowed"),
                    n => logger::info(format_args!("{n} entries of the block lists are allowed")),
                }
                self.judge(TableId::Block, Ok(composed.set), in_force)
            }
            Err(kept) => self.judge(TableId::Block, Err(kept), in_force),
        };
        self.note(&left_out);
        [block, allow]
    }

    /// `update -n`: asks the helper too, for only the kernel knows whether the sets fit.
    async fn preview(mut self, sets: [Option<PrefixSet>; 2], time: Time) -> Ended {
        let [block, allow] = sets;
        let mut next = Policy { block, allow, ..Policy::default() };
        let mut changes = [Change::default(); 2];
        let mut failures = self.kept_back();
        for id in TableId::PUBLISH_ORDER {
            match next.set(id) {
                Some(set) => match publish(self.engine, id, set, Purpose::Trial).await {
                    Ok(()) => changes[id as usize] = change(self.before.set(id), set),
                    Err(why) => failures.push(why),
                },
                None => changes[id as usize] = unchanged(self.before.set(id)),
            }
        }
        next.block = next.block.or_else(|| self.before.block.clone());
        next.allow = next.allow.or_else(|| self.before.allow.clone());
        let result = self.result(changes, failures, &time);
        Ended { result, preview: Some((self.before, next)), failed: false }
    }

    /// Publishes what was accepted, unless the run keeps a rollback, and remembers how it went.
    async fn carry_out(mut self, sets: [Option<PrefixSet>; 2], time: Time) -> Ended {
        let engine = self.engine;
        if self.run.keeps_rollback(engine) {
            let sentence = "Rolled back: nothing is published until threatstopctl update";
            self.run.say(sentence);
            let changes = TableId::BY_NUMBER.map(|id| unchanged(self.before.set(id)));
            summary::totals(&changes, [false; 2]).into_iter().for_each(|line| self.run.say(line));
            // somebody may have asked for it, or joined it
            let overtaken = self.run.is_overtaken(engine);
            let failures = if overtaken { vec![sentence.to_owned()] } else { Vec::new() };
            let result = self.result(changes, failures, &time);
            engine.state.remember(|memory| {
                memory.last = Some(self.last("rolled back", None, &time));
                memory.failures = 0;
            });
            logger::info(format_args!(
                "update fetched in {:.2} s from {}; rolled back: nothing is published until \
                 threatstopctl update",
                time.seconds(),
                self.fetched.server
            ));
            return Ended { result, preview: None, failed: false };
        }
        let mut failures = self.kept_back();
        let mut changes = TableId::BY_NUMBER.map(|id| unchanged(self.before.set(id)));
        let (mut published, mut failed) = ([false; 2], false);
        for id in TableId::PUBLISH_ORDER {
            let Some(set) = &sets[id as usize] else { continue };
            match publish(engine, id, set, Purpose::Publish).await {
                Ok(()) => {
                    changes[id as usize] = change(self.before.set(id), set);
                    published[id as usize] = true;
                }
                Err(why) => {
                    let word = id.word();
                    logger::err(format_args!("{word} table: {why}"));
                    self.run.say(format!("Failed: {word} table: {why}"));
                    failures.push(why);
                    failed = true;
                    // a block set composed against an allow set that is not in force may lock out
                    break;
                }
            }
        }
        engine.watch.forget();
        if let Ok(stats) = engine.link.stats().await {
            for warning in watch::warnings(engine, &stats) {
                self.warn(warning.text);
            }
        }
        self.say_totals(&changes, published, failures.is_empty());
        self.put_in_force(sets, published, &time);
        self.remember(&changes, published, &failures, &time);
        let result = self.result(changes, failures, &time);
        Ended { result, preview: None, failed }
    }

    /// The sentences of what was kept back.
    fn kept_back(&self) -> Vec<String> {
        self.kept.iter().flatten().map(ToString::to_string).collect()
    }

    fn say_totals(&self, changes: &[Change; 2], published: [bool; 2], good: bool) {
        let changed = changes.iter().any(differs);
        if good && !changed && self.mended.is_empty() {
            self.run.say("No changes");
            return;
        }
        summary::totals(changes, published).into_iter().for_each(|line| self.run.say(line));
        self.run.say(summary::changed(changes));
        if self.engine.config.tables.reload && changed {
            self.run.say("Reloading pf...done");
        }
    }

    fn put_in_force(&mut self, sets: [Option<PrefixSet>; 2], published: [bool; 2], time: &Time) {
        let before = &self.before;
        let [block, allow] = sets;
        // what stays in force, which a publication that failed may have changed, keeps its lists
        let mut next = Policy::clone(&self.engine.state.policy());
        if published[TableId::Allow as usize] {
            next.allow = allow;
            next.allow_lists = std::mem::take(&mut self.fetched.allow);
        }
        if let Some(block) = block.filter(|_| published[TableId::Block as usize]) {
            next.since = before.since_with(&block, time.started);
            next.block = Some(block);
            next.block_lists = std::mem::take(&mut self.fetched.block);
        }
        if published.iter().any(|&published| published) {
            self.engine.state.set_policy(next);
        }
        if published[TableId::Block as usize] {
            self.engine.runs.set_stays(None);
        }
    }

    fn remember(
        &self,
        changes: &[Change; 2],
        published: [bool; 2],
        failures: &[String],
        time: &Time,
    ) {
        let now = clock::now();
        let changed = |id: TableId| differs(&changes[id as usize]);
        let word = if self.kept.iter().any(Option::is_some) {
            "held back"
        } else if !failures.is_empty() {
            "failed"
        } else if TableId::PUBLISH_ORDER.into_iter().any(changed) {
            "published"
        } else {
            "unchanged"
        };
        let why = (!failures.is_empty()).then(|| failures.join("; "));
        let [block, allow] = changes;
        logger::info(format_args!(
            "update {word} in {:.2} s from {}: {} blocked (+{} -{}), {} allowed (+{} -{})",
            time.seconds(),
            self.fetched.server,
            block.entries,
            block.added,
            block.removed,
            allow.entries,
            allow.added,
            allow.removed
        ));
        let last = self.last(word, why, time);
        self.engine.state.remember(|memory| {
            let order = memory.next_order();
            memory.last = Some(last);
            memory.waiting = false;
            memory.apl.extend(self.fetched.apl.iter().cloned());
            if failures.is_empty() {
                memory.last_good = Some(now);
                memory.failures = 0;
            } else {
                memory.failures += 1;
            }
            let held = |kept: &Kept| kept.reason.is_hold();
            if self.wanted == Wanted::Scheduled && self.kept.iter().flatten().any(held) {
                memory.held_at = Some(time.started);
            }
            for id in TableId::PUBLISH_ORDER {
                let at = id as usize;
                // a set that was accepted and could not be published has to be accepted again
                if published[at] || self.kept[at].is_some() {
                    memory.held_rows[at] = self.held_runs[at].into();
                }
                if published[at] && changed(id) {
                    let before = self.before.set(id);
                    memory.note_change(id, order, now, before);
                    // put_in_force() has the new one there by now
                    let new = self.engine.state.policy().set(id).map(Measure::of);
                    let accepted = self.accepted[at] != Some(Accepted::Usual);
                    let mut history = history(&memory.history[at]);
                    history.note(now, before.map(Measure::of), new.unwrap_or_default(), accepted);
                    memory.history[at] = points(&history);
                }
                memory.held[at] = self.kept[at].as_ref().map(|kept| HeldBack {
                    since: memory.held[at].as_ref().map_or(now, |held| held.since),
                    text: kept.to_string(),
                    can_force: kept.reason.is_hold(),
                });
            }
        });
    }

    fn last(&self, result: &str, why: Option<String>, time: &Time) -> LastUpdate {
        LastUpdate {
            started: time.started,
            seconds: time.seconds(),
            result: result.into(),
            why,
            server: Some(self.fetched.server.clone()),
            ttl: self.fetched.ttl,
        }
    }

    /// The last lines, and the end for who asked.
    fn result(
        &mut self,
        changes: [Change; 2],
        failures: Vec<String>,
        time: &Time,
    ) -> Result<Updated, String> {
        time.last_lines().into_iter().for_each(|line| self.run.say(line));
        if !failures.is_empty() {
            return Err(failures.join("; "));
        }
        let [block, allow] = changes;
        Ok(Updated {
            started: time.started,
            seconds: time.seconds(),
            server: Some(self.fetched.server.clone()),
            dry_run: self.run.request.dry_run,
            block,
            allow,
            warnings: self.mended.drain(..).chain(self.warnings.drain(..)).collect(),
        })
    }
}

/// Remembers and logs a run that got no lists.
fn note_failure(engine: &Engine, run: &Run, time: &Time, failure: &fetch::Failure) {
    time.last_lines().into_iter().for_each(|line| run.say(line));
    if run.request.dry_run {
        return;
    }
    let new_device = engine.state.policy().block.as_ref().is_none_or(PrefixSet::is_empty);
    let waiting = failure.unprovisioned && new_device;
    engine.state.remember(|memory| {
        memory.failures += 1;
        memory.waiting = waiting;
        memory.last = Some(LastUpdate {
            started: time.started,
            seconds: time.seconds(),
            result: "failed".into(),
            why: Some(failure.why.clone()),
            server: None,
            ttl: None,
        });
    });
    let quiet = time.started.saturating_sub(engine.state.memory().first_start) < QUIET;
    if waiting && quiet {
        logger::info(format_args!("waiting for provisioning: {}", failure.why));
    } else {
        logger::err(format_args!("update failed, the previous policy stays: {}", failure.why));
    }
}
