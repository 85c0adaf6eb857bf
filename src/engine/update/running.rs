//! A run under way: what it says, and how it ends.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use control::Updated;
use policy::Run as Wanted;
use tokio::sync::Notify;

use super::request::Request;
use crate::source::{Source, Sources};
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
/// changed something since.
#[derive(Default)]
pub struct Numbers {
    /// Among those that changed a list; see [`Memory::run`].
    pub run: Cell<u64>,
    /// Among those that changed a table; see [`Memory::last_order`].
    pub order: Cell<u64>,
}

impl Numbers {
    /// Whether the last change of a table was one of this run.
    pub fn are_last(&self, memory: &Memory) -> bool {
        let order = self.order.get();
        order != 0 && order == memory.last_order()
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
        let (lines, ended, news) = (RefCell::default(), RefCell::default(), Notify::new());
        Self { request, numbers: Numbers::default(), rollbacks, coming, lines, ended, news }
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
    use crate::source::Source;

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
