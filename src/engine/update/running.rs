//! A run under way: what it says, and how it ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use control::Updated;
use policy::Run as Wanted;
use tokio::sync::Notify;

use super::request::Request;
use crate::source::{Source, Sources};
use crate::state::{Failing, Memory, Policy, why};

/// How a run ended.
pub struct Ended {
    /// The sources that it asked.
    pub sources: Sources,
    /// What it did.
    pub updated: Updated,
    /// Why that is not all.
    pub failing: Vec<Failing>,
    /// For a dry run: the policy in force, and the one that would follow it.
    pub preview: Option<(Rc<Policy>, Policy)>,
    /// Whether to try again soon: no policy could be had, or it could not be published. What is
    /// held back does not count as that.
    pub failed: bool,
    /// The sources that brought nothing, and for how long they want to be left alone.
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

/// A run under way, which others may join.
pub struct Run {
    /// What it was asked for.
    pub request: Request,
    /// How many rollbacks there had been at its beginning.
    rollbacks: u32,
    lines: RefCell<Vec<String>>,
    ended: RefCell<Option<Rc<Ended>>>,
    news: Notify,
}

impl Run {
    /// A run that begins, after so many rollbacks.
    pub fn new(request: Request, rollbacks: u32) -> Self {
        let (lines, ended, news) = (RefCell::default(), RefCell::default(), Notify::new());
        Self { request, rollbacks, lines, ended, news }
    }

    /// It has ended.
    pub fn end(&self, ended: Rc<Ended>) {
        self.ended.replace(Some(ended));
        self.news.notify_waiters();
    }

    /// Says something to those who follow the run.
    pub fn say(&self, line: impl Into<String>) {
        let line = line.into();
        logger::debug(&line);
        self.lines.borrow_mut().push(line);
        self.news.notify_waiters();
    }

    /// Waits for line number `index`; `None` when the run ended without it.
    pub async fn line(&self, index: usize) -> Option<String> {
        loop {
            let news = self.news.notified();
            if let Some(line) = self.lines.borrow().get(index) {
                return Some(line.clone());
            }
            if self.ended.borrow().is_some() {
                return None;
            }
            news.await;
        }
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

    /// Waits for the end.
    pub async fn ended(&self) -> Rc<Ended> {
        loop {
            let news = self.news.notified();
            if let Some(ended) = &*self.ended.borrow() {
                return Rc::clone(ended);
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
                sources: [Source::Policy, Source::LocalBlock].into(),
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
                failed: true,
                without: Vec::new(),
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
