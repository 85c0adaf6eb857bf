//! A run under way: what it says, and how it ends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use control::Updated;
use policy::Run as Wanted;
use tokio::sync::Notify;

use super::request::Request;
use crate::lists::{Source, Sources};
use crate::state::{Failing, Memory, Policy, why};

/// How a run ended, or how far it is.
pub struct Ended {
    /// What it did.
    pub updated: Updated,
    /// Why that is not all.
    pub failing: Vec<Failing>,
    /// For a dry run: the policy in force, and the one that would follow it.
    pub preview: Option<(Rc<Policy>, Policy)>,
}

/// The numbers of a run, once it has them: what comes late is of the same run, unless another one has
/// changed a list or a table since. Both begin anew then, so that what a rollback undoes is what `show
/// diff` shows.
#[derive(Default)]
pub struct Numbers {
    run: Cell<u64>,
    order: Cell<u64>,
    /// What both were of the memory after the last change of this run.
    after: Cell<Option<[u64; 2]>>,
}

/// The numbers of the last run that changed a list, and of the last that changed a table.
fn both(memory: &Memory) -> [u64; 2] {
    [memory.run, memory.last_order()]
}

impl Numbers {
    /// Its number among those that changed a list, see [`Memory::run`], as long as it counts.
    pub fn run(&self, memory: &Memory) -> Option<u64> {
        let run = self.run.get();
        (run != 0 && run == memory.run && self.are_last(memory)).then_some(run)
    }

    /// Its number among those that changed a table, see [`Memory::last_order`], as long as it counts.
    pub fn order(&self, memory: &Memory) -> Option<u64> {
        let order = self.order.get();
        (order != 0 && order == memory.last_order() && self.are_last(memory)).then_some(order)
    }

    /// Whether it has brought a list before, of which the copy from before the run is kept already.
    pub fn has_brought(&self, memory: &Memory, list: &str) -> bool {
        let run = self.run(memory);
        run.is_some() && memory.list(list).map(|listed| listed.run) == run
    }

    /// It has changed a list, or a table, as which the memory has it already.
    pub fn note(&self, memory: &Memory, run: Option<u64>, order: Option<u64>) {
        self.run.set(run.unwrap_or(self.run.get()));
        self.order.set(order.unwrap_or(self.order.get()));
        if run.or(order).is_some() {
            self.after.set(Some(both(memory)));
        }
    }

    /// Whether the last change was one of this run.
    fn are_last(&self, memory: &Memory) -> bool {
        self.after.get() == Some(both(memory))
    }
}

/// How sources fared of a run that publishes.
pub struct Noted {
    /// The sources, which are done.
    pub sources: Sources,
    /// Whether to try again soon: no policy could be had, or it could not be published. What is
    /// held back does not count as that.
    pub failed: bool,
    /// Those that brought nothing, and for how long they want to be left alone.
    pub without: Vec<(Source, Option<Duration>)>,
}

impl Ended {
    /// What the run did, or why it did not, for who asked these sources: another one that failed
    /// beside them is none of his business.
    ///
    /// # Errors
    /// What failed of the sources, or of the tables.
    pub fn result(&self, sources: &Sources) -> Result<&Updated, String> {
        let is_asked = |one: &&Failing| {
            one.source.as_deref().is_none_or(|name| sources.iter().any(|of| of.name() == name))
        };
        why(self.failing.iter().filter(is_asked)).map_or(Ok(&self.updated), Err)
    }
}

/// What a run waits for: files of this host are there at any time, so that they are waited for only
/// where nobody else is asked.
fn waited_for(sources: &Sources) -> Sources {
    let away: Sources = sources.iter().copied().filter(|source| !source.is_local()).collect();
    if away.is_empty() { sources.clone() } else { away }
}

/// A run under way, which others may join.
pub struct Run {
    /// What it was asked for.
    pub request: Request,
    /// Its numbers.
    pub numbers: Numbers,
    /// Whether somebody asked for it, or joined it.
    by_hand: Cell<bool>,
    /// The sources of what is being put in force, for which the files of this host and what the
    /// administrator says were looked at already; empty while it waits for others.
    settles: RefCell<Sources>,
    /// How many rollbacks there had been at its beginning.
    rollbacks: u32,
    /// The sources that are not done yet.
    coming: RefCell<Sources>,
    lines: RefCell<Vec<String>>,
    ended: RefCell<Option<Rc<Ended>>>,
    news: Notify,
}

impl Run {
    /// A run that begins, after so many rollbacks.
    pub fn new(request: Request, rollbacks: u32) -> Self {
        let coming = RefCell::new(waited_for(&request.sources));
        let by_hand = Cell::new(request.wanted != Wanted::Scheduled);
        let (settles, lines, ended) = Default::default();
        let (numbers, news) = (Numbers::default(), Notify::new());
        Self { request, numbers, by_hand, settles, rollbacks, coming, lines, ended, news }
    }

    /// Somebody who wants this joins it.
    pub fn join(&self, request: &Request) {
        self.by_hand.set(self.by_hand.get() || request.wanted != Wanted::Scheduled);
    }

    /// Whether somebody asked for it, or has joined it.
    pub fn is_by_hand(&self) -> bool {
        self.by_hand.get()
    }

    /// What these sources brought is put in force from now on; all that is still to come if none are left
    /// to wait for.
    pub fn settles(&self, come: &Sources, is_last: bool) {
        self.settles.replace(if is_last { self.coming() } else { come.clone() });
    }

    /// Whether it puts in force what any of these sources brought: whoever asks for them now may want
    /// what it has not looked at.
    pub fn is_settling(&self, sources: &Sources) -> bool {
        !waited_for(sources).is_disjoint(&self.settles.borrow())
    }

    /// The sources that are not done yet.
    pub fn coming(&self) -> Sources {
        self.coming.borrow().clone()
    }

    /// Those among the sources of a request that are not done yet.
    pub fn shares(&self, sources: &Sources) -> Sources {
        waited_for(sources).intersection(&self.coming.borrow()).copied().collect()
    }

    /// Whether it will bring all of these sources.
    pub fn brings(&self, sources: &Sources) -> bool {
        waited_for(sources).is_subset(&self.coming.borrow())
    }

    /// So far it has come: these sources are done.
    pub fn done(&self, sources: &Sources, so_far: Ended) {
        self.coming.borrow_mut().retain(|source| !sources.contains(source));
        self.settles.take();
        self.ended.replace(Some(Rc::new(so_far)));
        self.news.notify_waiters();
    }

    /// It has ended.
    pub fn end(&self, ended: Ended) {
        self.coming.take();
        self.ended.replace(Some(Rc::new(ended)));
        self.news.notify_waiters();
    }

    /// Waits until it says something, or another source is done.
    pub async fn changed(&self) {
        self.news.notified().await;
    }

    /// Says something to those who follow the run.
    pub fn say(&self, line: impl Into<String>) {
        let line = line.into();
        logger::debug(&line);
        self.lines.borrow_mut().push(line);
        self.news.notify_waiters();
    }

    /// Waits for line number `index`; `None` when these sources are done without it.
    pub async fn line(&self, index: usize, sources: &Sources) -> Option<String> {
        loop {
            let news = self.news.notified();
            if let Some(line) = self.lines.borrow().get(index) {
                return Some(line.clone());
            }
            if self.is_done(sources).is_some() {
                return None;
            }
            news.await;
        }
    }

    /// How it ended, or how far it is when all of these sources are done.
    fn is_done(&self, sources: &Sources) -> Option<Rc<Ended>> {
        let waits = !self.shares(sources).is_empty();
        self.ended.borrow().clone().filter(|_| !waits)
    }

    /// Whether somebody has rolled back since it began, when there have been so many rollbacks now.
    pub fn is_overtaken(&self, rollbacks: u32) -> bool {
        self.rollbacks != rollbacks
    }

    /// Whether it leaves alone what was rolled back to, as a scheduled run does, and one that
    /// somebody asked for before the rollback.
    pub fn keeps_rollback(&self, rollbacks: u32, memory: &Memory) -> bool {
        let scheduled = self.request.wanted == Wanted::Scheduled;
        self.is_overtaken(rollbacks) || scheduled && memory.rolled_back.is_some()
    }

    /// Waits until these sources are done, whatever others it waits for.
    pub async fn ended(&self, sources: &Sources) -> Rc<Ended> {
        loop {
            let news = self.news.notified();
            if let Some(ended) = self.is_done(sources) {
                return ended;
            }
            news.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lists::Source;

    /// Fails when who asks while a run puts in force what has come is told of a part of it that has looked at
    /// the files of this host before he asked.
    #[test]
    fn nobody_joins_a_run_that_has_looked_already() {
        let sources = Sources::from([Source::Policy, Source::LocalBlock]);
        let run = Run::new(Request::scheduled(sources.clone()), 0);
        let by_hand = Request { wanted: Wanted::Manual, ..Request::scheduled(sources.clone()) };
        assert!(run.brings(&sources) && !run.is_settling(&sources) && !run.is_by_hand());
        run.join(&run.request);
        assert!(!run.is_by_hand());
        run.join(&by_hand);
        assert!(run.is_by_hand());
        run.settles(&Sources::new(), false);
        assert!(!run.is_settling(&sources));
        run.settles(&Sources::new(), true);
        assert!(run.brings(&sources) && run.is_settling(&sources));
        assert!(!run.is_settling(&[Source::LocalBlock].into()), "of which it is not waited for");
    }

    /// Fails when a late part of a run counts among the lists with another run than among the tables: then
    /// a rollback would undo something else than `show diff` shows.
    #[test]
    fn both_numbers_of_a_run_end_with_the_change_of_another() {
        let mut memory = Memory { run: 4, ..Memory::default() };
        memory.table_mut("block").order = 7;
        let numbers = || {
            let numbers = Numbers::default();
            numbers.note(&memory, Some(4), Some(7));
            numbers
        };
        let of = |numbers: &Numbers, memory: &Memory| (numbers.run(memory), numbers.order(memory));
        assert_eq!(of(&Numbers::default(), &memory), (None, None));
        assert_eq!(of(&numbers(), &memory), (Some(4), Some(7)));
        let mut list = memory.clone();
        list.run = 5;
        let mut table = memory.clone();
        table.table_mut("allow").order = 8;
        for memory in [list, table] {
            assert_eq!(of(&numbers(), &memory), (None, None));
        }
        // what was no change is none of either
        let (first, lists_alone) = (Numbers::default(), Numbers::default());
        first.note(&memory, None, None);
        assert_eq!(of(&first, &memory), (None, None));
        lists_alone.note(&memory, Some(4), None);
        assert_eq!(of(&lists_alone, &memory), (Some(4), None));
        memory.list_mut("a").run = 4;
        assert!(lists_alone.has_brought(&memory, "a") && !lists_alone.has_brought(&memory, "b"));
        assert!(!first.has_brought(&memory, "a") && !first.has_brought(&memory, "b"));
    }

    /// Fails when who joins a run hears of a source that he has not asked, or not of his own or of a
    /// table.
    #[test]
    fn each_hears_of_the_sources_that_he_asked() {
        let failing = |source: Option<Source>, text: &str| Failing {
            source: source.map(|source| source.name().to_owned()),
            text: text.to_owned(),
        };
        let service = failing(Some(Source::Policy), "no server");
        let file = failing(Some(Source::LocalBlock), "line 3");
        let table = failing(None, "no room");
        let said = |all: &[&Failing], of: Source| {
            let ended = Ended {
                updated: Updated {
                    started: 1,
                    seconds: 0.5,
                    server: None,
                    dry_run: false,
                    block: control::Change::default(),
                    allow: control::Change::default(),
                    warnings: Vec::new(),
                    undone: Vec::new(),
                },
                failing: all.iter().map(|one| (*one).clone()).collect(),
                preview: None,
            };
            ended.result(&[of].into()).err()
        };
        assert_eq!(said(&[&service], Source::LocalBlock), None);
        assert_eq!(said(&[&service, &file], Source::LocalBlock), Some("line 3".into()));
        assert_eq!(said(&[&service, &file], Source::Policy), Some("no server".into()));
        let both = Some("no server; no room".into());
        assert_eq!(said(&[&service, &file, &table], Source::Policy), both);
    }
}
