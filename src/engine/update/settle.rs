//! What has come goes from its judgement into force.

use imsg::{Purpose, TableId};

use super::composed::Composed;
use super::gather::Gathered;
use super::judge::{Judge, Judged};
use super::note::{self, End};
use super::publish::Published;
use super::stays::stays;
use super::summary::Time;
use super::tell::Voice;
use super::unpublished::unpublished;
use super::whole::{Settled, of_tables};
use super::wiring::Update;
use crate::change::differs;
use crate::lists::Source;
use crate::runs::{Numbers, Request};
use crate::state::Failing;
use crate::tables::Table;
use crate::watch::Depth;

impl Update {
    /// Judges what has come, of which a rollback leaves nothing, and says what is held back.
    pub(super) fn judged(
        &self,
        request: &Request,
        voice: &Voice<'_>,
        gathered: &mut Gathered,
        rolled_back: bool,
    ) -> Judged {
        let come = std::mem::take(&mut gathered.lists);
        let come = if rolled_back { Vec::new() } else { come };
        let (protected, own) = (self.protect.all(), self.own.lists());
        let composed = self.composed.borrow();
        let known = composed.as_ref().and_then(|composed| composed.measures(&self.state.policy()));
        let judge = Judge {
            config: self.config,
            guard: self.guard,
            state: self.state,
            protected: &protected,
            own: &own,
            request,
            measures: known.cloned().unwrap_or_default(),
        };
        let holds = |composed: &&Composed| composed.holds(&self.state.policy(), &protected, &own);
        let told = composed.as_ref().filter(holds).map(|composed| &composed.told);
        let judged = judge.judge(come, &gathered.same, told);
        voice.judged(&judged, request);
        judged
    }

    /// Publishes what was judged and notes what is in force.
    pub(super) async fn settle(
        &self,
        voice: &Voice<'_>,
        mut judged: Judged,
        purpose: Purpose,
        (gathered, numbers, mended): (&Gathered, Option<&Numbers>, Vec<String>),
        time: &Time,
    ) -> Settled {
        let before = self.state.policy();
        for (sentence, is_new) in self.protect.never.note(&judged.lists.copies) {
            if is_new {
                voice.warn_of(sentence);
            } else {
                voice.logged(&sentence);
            }
        }
        let order = numbers.and_then(|numbers| numbers.order(&self.state.memory()));
        // the set before is the one before the run, however often that changes the table
        let purpose_of = |table: &Table| {
            let last = self.state.memory().table(&table.word).order;
            if order == Some(last) { Purpose::Repair } else { purpose }
        };
        let mut published = self.hand_over(&mut judged, purpose_of).await;
        self.take_relieved(&mut judged, &mut published);
        voice.published(self.runs, &judged, &published);
        published.found.iter().for_each(|sentence| voice.logged(sentence));
        let mended = [mended, published.found.clone()].concat();
        let mut failing: Vec<Failing> = judged.failing().collect();
        failing.extend(published.failures.values().cloned().map(of_tables));
        let unpublished = unpublished(self.state.tables, &judged, &published);
        let come = judged.new.len();
        let is_whole = published.holding.is_empty()
            && judged.made.sets.keys().all(|id| published.done.contains(id));
        let new = note::in_force(self.state, &mut judged, &published, time);
        new.iter().for_each(|new| self.days.note_list(new.copy.list.name()));
        note::keep(self.state, self.files, (&judged, &before, &new), numbers);
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
        voice.in_force(&judged, &new, &before);
        let protected = self.protect.all();
        let stays = stays(self.guard, self.state, &protected, &judged, &unpublished);
        voice.stays(stays.as_ref());
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
        if judged.is_as_before {
            let mut composed = self.composed.borrow_mut();
            composed.iter_mut().for_each(|composed| composed.follow(&before, &self.state.policy()));
        } else {
            let is_whole = is_whole && new.len() == come;
            let composed = Composed::of(&self.state.policy(), judged).filter(|_| is_whole);
            self.composed.replace(composed);
        }
        Settled { published, changed, held, service_held, mended, failing }
    }

    /// Hands over what was judged, each table for its `purpose`. Of tables that are as before only those
    /// are, that somebody may have changed, or that could not be mended.
    pub(super) async fn hand_over(
        &self,
        judged: &mut Judged,
        purpose: impl Fn(&Table) -> Purpose,
    ) -> Published {
        if !judged.is_as_before {
            judged.made.sets.append(&mut judged.made.relieved);
            return self.publisher.publish_all(&judged.made.sets, purpose).await;
        }
        let before = self.state.policy();
        let touched = |table: &Table| {
            let set = before.set(table.id).filter(|_| !self.watch.is_ours(table.id));
            set.cloned()
        };
        judged.made.sets = self.state.tables.each(touched);
        let mut published = self.publisher.publish_all(&judged.made.sets, purpose).await;
        let others = before.sets.keys().filter(|id| !judged.made.sets.contains_key(id));
        published.done.extend(others);
        published
    }

    /// What is left of tables that stay is in force of the lists of before: those of the run are not.
    fn take_relieved(&self, judged: &mut Judged, published: &mut Published) {
        for id in judged.made.refused.keys() {
            let Some(set) = judged.made.sets.remove(id) else { continue };
            let held = published.holding.remove(id);
            if published.done.remove(id) {
                self.state.take(*id, held.unwrap_or(set));
            }
        }
    }

    /// Has tables and files brought back to what is in force, and says what somebody had done to them.
    pub(super) async fn mended(&self, voice: &Voice<'_>, depth: Depth) -> Vec<String> {
        let mended = self.watch.mend(depth).await.found;
        mended.iter().for_each(|sentence| voice.logged(sentence));
        mended
    }
}
