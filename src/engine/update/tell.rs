//! What a run says: to those who follow it, and to the log.

use std::cell::RefCell;
use std::collections::BTreeSet;

use config::Config;
use imsg::TableId;
use policy::{Accepted, Hit};
use prefix::PrefixSet;

use super::gather::Gathered;
use super::judge::{Judged, New};
use super::publish::Published;
use super::summary;
use crate::change::differs;
use crate::clock;
use crate::events::subject::{STAYS, UNKNOWN, of_list, of_table, of_update};
use crate::events::{Event, Events};
use crate::lists::{Source, Sources};
use crate::runs::{Request, Run, Runs};
use crate::state::{Failing, Policy, State};
use crate::told::{Told, numberless};
use crate::warning::Warning;

/// How long a new device may wait quietly for its first policy, in seconds.
const QUIET: u64 = 60 * 60;

/// The voice of a run.
pub struct Voice<'a> {
    config: &'a Config,
    state: &'a State,
    /// What the log has been told.
    told: &'a Told,
    /// Where changes of state are said.
    events: &'a Events,
    /// Who follows it; nobody hears of a run that asks no server.
    run: Option<&'a Run>,
    /// What it has said: each part of a run looks at the files of this host and at all tables anew.
    said: RefCell<BTreeSet<String>>,
    warnings: RefCell<Vec<String>>,
}

impl<'a> Voice<'a> {
    /// The voice of a run, or of one that nobody follows.
    pub fn new(
        config: &'a Config,
        state: &'a State,
        (told, events): (&'a Told, &'a Events),
        run: Option<&'a Run>,
    ) -> Self {
        let (said, warnings) = Default::default();
        Self { config, state, told, events, run, said, warnings }
    }

    /// Whether somebody follows the run.
    pub fn is_heard(&self) -> bool {
        self.run.is_some()
    }

    /// Says a line, once.
    pub fn say(&self, line: impl Into<String>) {
        let line = line.into();
        if self.is_news(&line)
            && let Some(run) = self.run
        {
            run.say(line);
        }
    }

    /// Whether something was not said in this run before. It counts as said then.
    fn is_news(&self, what: &str) -> bool {
        self.said.borrow_mut().insert(what.to_owned())
    }

    /// Says, logs and keeps what an administrator should look at.
    pub fn warn(&self, warning: String) {
        if self.is_news(&warning) {
            logger::warn(&warning);
            self.note_warning(warning);
        }
    }

    fn note_warning(&self, warning: String) {
        self.say(format!("Warning: {warning}"));
        self.warnings.borrow_mut().push(warning);
    }

    /// The same of what is new, or has happened just now.
    pub fn warn_of(&self, news: String) {
        if self.is_news(&news) {
            self.events.say(&Event::Warned(news.clone()));
            self.note_warning(news);
        }
    }

    /// What it has warned of.
    pub fn warnings(&self) -> Vec<String> {
        self.warnings.borrow().clone()
    }

    /// Says for which of these sources what these brought does not wait.
    pub fn missing(&self, coming: &Sources, come: &Sources) {
        let missing: Vec<String> = coming.difference(come).map(Source::title).collect();
        let line = format!("Not here yet: {}; what has come is published", missing.join(", "));
        self.say(line.as_str());
        // the first policy is of what there is
        if self.state.policy().blocked().next().is_none() {
            logger::info(line);
        }
    }

    /// Says what has come and what has not; gives what failed.
    pub fn gathered(&self, gathered: &Gathered, request: &Request) -> Vec<Failing> {
        gathered.warnings.iter().for_each(|warning| self.warn(warning.clone()));
        for (source, note) in &gathered.notes {
            self.say(format!("Note: {note}"));
            let subject = format!("note of {}", source.title());
            if !request.dry_run && self.told.is_news(&subject, note, clock::now()) {
                logger::info(note);
            }
        }
        let mut failing = Vec::new();
        let failed = |source: &Source| gathered.failed.iter().any(|(failed, _)| failed == source);
        if !request.dry_run {
            let good = gathered.asked.iter().filter(|source| !failed(source));
            for source in good {
                self.told.forget(source.name());
                let text = format!("{}: brings its lists again", source.title());
                self.events.end(&source.title(), text);
            }
        }
        for (source, failure) in &gathered.failed {
            let sentence = Gathered::sentence(self.config, self.state, *source, failure);
            // how old the copy is differs each time
            if self.is_news(&format!("{}: {}", source.title(), failure.why)) {
                self.say(format!("Failed: {sentence}"));
                if !request.dry_run {
                    self.log_failure(*source, &failure.why, failure.unprovisioned, &sentence);
                }
            }
            failing.push(Failing { source: Some(source.name().to_owned()), text: sentence });
        }
        failing
    }

    fn log_failure(&self, source: Source, why: &str, unprovisioned: bool, sentence: &str) {
        let young = clock::now().saturating_sub(self.state.memory().first_start) < QUIET;
        let waits = unprovisioned && self.state.policy().blocked().next().is_none() && young;
        let is_policy = source == Source::Policy;
        if is_policy && waits {
            let line = format!("waiting for provisioning: {why}");
            match self.told.is_news(source.name(), why, clock::now()) {
                true => logger::info(line),
                false => logger::debug(line),
            }
            return;
        }
        let text = match is_policy {
            true => format!("update failed, the previous policy stays: {why}"),
            false => sentence.to_owned(),
        };
        let source = Some(source.title());
        // how old the copy is differs each time
        self.events.say_as(&Event::Failed { source, text, grave: false }, why);
    }

    /// Says what is not to be in force.
    pub fn judged(&self, judged: &Judged, request: &Request) {
        let lists = judged.kept.iter().map(|kept| (of_list(&kept.kept.list), kept.to_string()));
        let tables = judged.kept_tables.values();
        let tables = tables.map(|kept| (of_table(&kept.table), kept.to_string()));
        for (name, text) in lists.chain(tables) {
            self.say(text.as_str());
            match request.dry_run {
                true => logger::debug(text),
                false => {
                    // how much it is differs each time
                    let said = numberless(&text);
                    self.events.say_as(&Event::Held { name, text, long: false }, &said);
                }
            }
        }
        if let Some(why) = &judged.unknown {
            if !request.dry_run {
                let (name, text) = (UNKNOWN.to_owned(), why.clone());
                self.events.say(&Event::Held { name, text, long: false });
            }
            self.logged(why);
        }
        // a run that only says what it would do changes nothing
        if request.dry_run {
            let (policy, allow) = (self.state.policy(), judged.made.sets.get(&TableId::ALLOW));
            let accepted = accepted(&judged.new, [policy.allow(), allow]);
            accepted.iter().for_each(|text| self.logged(text));
        }
        self.left_out(judged, request);
    }

    /// Says what of a run is in force that was published and noted: the lists that are `new`, what was
    /// accepted of them although it is much, and what is not held back any more. Whatever is the next time
    /// is news.
    pub fn in_force(&self, judged: &Judged, new: &[New], before: &Policy) {
        let policy = self.state.policy();
        let accepted = accepted(new, [before.allow(), policy.allow()]);
        accepted.into_iter().for_each(|text| self.warn_of(text));
        if judged.unknown.is_none() {
            self.events.end(UNKNOWN, "no copy of an allow feed is lost any more");
        }
        // of what a run has not asked for nothing new is remembered either
        let memory = self.state.memory();
        for (name, _) in memory.lists.iter().flatten().filter(|(_, list)| list.held.is_none()) {
            self.events.end(&of_list(name), format!("list {name}: not held back any more"));
        }
        for table in self.state.tables.iter() {
            let word = &table.word;
            if memory.table(word).held.is_none() {
                self.events.end(&of_table(word), format!("{word} table: not held back any more"));
            }
        }
    }

    /// Says what no table may have; the log hears of it when it is another than that of the run
    /// before, for it is as it should be.
    fn left_out(&self, judged: &Judged, request: &Request) {
        judged.made.told.hits.iter().for_each(logger::debug);
        match judged.made.told.allowed {
            0 => {}
            1 => logger::debug("1 entry of the block lists is allowed"),
            n => logger::debug(format_args!("{n} entries of the block lists are allowed")),
        }
        let note = summary::left_out(&judged.made.told.left_out);
        if let Some(note) = &note {
            self.say(note.as_str());
        }
        if request.dry_run || self.state.memory().left_out == note {
            return;
        }
        logger::info(note.as_deref().unwrap_or("Note: no entry is left out any more"));
        self.state.remember(|memory| memory.left_out = note);
    }

    /// Says what the tables have now. `held` are those of which something was held back, and a run in
    /// which nothing else is to be told is `plain`.
    pub fn totals(&self, published: &Published, held: &BTreeSet<TableId>, plain: bool) {
        let changes = &published.changes;
        let changed = changes.values().any(differs);
        if plain && !changed {
            self.say("No changes");
            return;
        }
        let is_new = |id| {
            published.done.contains(&id)
                && !published.failures.contains_key(&id)
                && (!held.contains(&id) || changes.get(&id).is_some_and(differs))
        };
        let totals = summary::totals(self.state.tables, changes, is_new);
        totals.into_iter().for_each(|line| self.say(line));
        self.say(summary::changed(summary::both(changes)));
        if self.config.tables.reload && changed {
            self.say("Reloading pf...done");
        }
    }

    /// Says and keeps what an administrator should look at and the log has already, or need not have.
    pub fn logged(&self, sentence: &str) {
        if self.is_news(sentence) {
            self.note_warning(sentence.to_owned());
        }
    }

    /// Says why tables could not be published, for which of the sources that have come; and which can be
    /// again, or need not be any more because these bring something else.
    pub fn published(&self, runs: &Runs, judged: &Judged, published: &Published) {
        for table in self.state.tables.iter() {
            let (id, word, subject) = (table.id, &table.word, of_update(&table.word));
            if let Some(failure) = published.failures.get(&id) {
                self.say(format!("Failed: {failure}"));
                runs.hinder(id, failure, &judged.come, judged.sources_of(table));
                let (source, text) = (Some(subject), failure.clone());
                // how many entries do not fit differs each time
                let said = numberless(failure);
                self.events.say_as(&Event::Failed { source, text, grave: false }, &said);
                continue;
            }
            if !published.done.contains(&id) || !self.events.is_open(&subject) {
                continue;
            }
            let all = || Source::of_table(self.config, table);
            let taken = published.taken.contains(&id);
            // a set with the old copies of those that had brought too much says nothing of what they bring
            if runs.unhinder(id, (&judged.come, taken), all) {
                let what = match taken {
                    true => "can be published again",
                    false => "nothing waits to be published",
                };
                self.events.end(&subject, format!("{word} table: {what}"));
            }
        }
    }

    /// Tells of what stays blocked though it is protected or allowed now, and that nothing does any more.
    pub fn stays(&self, stays: Option<&Warning>) {
        match stays {
            None => self.events.end(STAYS, "nothing stays blocked that is protected or allowed"),
            Some(stays) => {
                let (source, text) = (Some(STAYS.to_owned()), stays.to_string());
                // how many entries do not fit differs each time
                let said = numberless(&text);
                self.events.say_as(&Event::Failed { source, text, grave: false }, &said);
            }
        }
    }

    /// Tells that lists and tables are not what was held back or could not be published, because of a
    /// rollback of these lists, of the sources that are `undone`, which has changed some tables. What others
    /// have brought waits as before.
    pub fn rolled_back<'n>(
        &self,
        runs: &Runs,
        lists: impl IntoIterator<Item = &'n String>,
        undone: &Sources,
        is_changed: impl Fn(TableId) -> bool,
    ) {
        self.stays(None);
        for name in lists {
            self.events.end(&of_list(name), format!("list {name}: rolled back"));
        }
        let memory = self.state.memory();
        for table in self.state.tables.iter() {
            let (id, word) = (table.id, &table.word);
            let text = format!("{word} table: rolled back");
            if memory.table(word).held.is_none() {
                self.events.end(&of_table(word), text.as_str());
            }
            let all = || Source::of_table(self.config, table);
            let subject = of_update(word);
            if self.events.is_open(&subject) && runs.unhinder(id, (undone, is_changed(id)), all) {
                self.events.end(&subject, text);
            }
        }
    }

    /// Logs how a run ended, in numbers.
    pub fn log_end(&self, word: &str, published: &Published, seconds: f64, server: Option<&str>) {
        let [block, allow] = summary::both(&published.changes);
        let from = server.map(|server| format!(" from {server}")).unwrap_or_default();
        let what = if self.run.is_some() { "update" } else { "change of the tables" };
        let text = format!(
            "{what} {word} in {seconds:.2} s{from}: {} blocked (+{} -{}), {} allowed (+{} -{})",
            block.entries, block.added, block.removed, allow.entries, allow.added, allow.removed
        );
        match differs(&block) || differs(&allow) {
            true => self.events.say(&Event::Published { text, rollback: false }),
            false => logger::info(text),
        }
    }

    /// Tells what a run that asked no server has let through, by the protected networks.
    pub fn let_through(&self, hits: &[Hit], before: &Policy) {
        let now = self.state.policy();
        for hit in hits {
            let blocks =
                |policy: &Policy| policy.blocked().any(|(_, block)| block.meets(hit.protected.net));
            if blocks(before) && !blocks(&now) {
                self.events.say(&Event::Warned(format!("unblocked at once: {hit}")));
            }
        }
    }
}

/// What was accepted although it is much, where the allow set goes from one to another.
fn accepted(new: &[New], [before, now]: [Option<&PrefixSet>; 2]) -> Vec<String> {
    let third = new.iter().filter(|new| new.accepted == Accepted::ThirdRun).map(|new| {
        let list = &new.copy.list;
        let (name, entries) = (list.name(), list.len());
        format!("list {name}: {entries} entries accepted, as in three runs in a row")
    });
    let is_empty = |set: Option<&PrefixSet>| set.map(PrefixSet::is_empty);
    let emptied = (is_empty(before) == Some(false) && is_empty(now) == Some(true))
        .then(|| "the allow list has become empty: nothing is allowed by it any more".to_owned());
    third.chain(emptied).collect()
}

#[cfg(test)]
mod tests;
