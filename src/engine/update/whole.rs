//! What a run has done, part by part as its sources have come.

use std::collections::BTreeSet;

use control::Updated;
use imsg::TableId;

use super::publish::Published;
use super::summary::{self, Time};
use super::tell::Voice;
use crate::lists::{Source, Sources};
use crate::runs::{Ended, Request};
use crate::state::Failing;

/// What became of what has come.
pub struct Settled {
    /// Of the tables.
    pub published: Published,
    /// Whether a table has changed.
    pub changed: bool,
    /// The tables of which something is held back.
    pub held: BTreeSet<TableId>,
    /// Whether what came of the service is among that, or all lists together.
    pub service_held: bool,
    /// What somebody had done to the tables.
    pub mended: Vec<String>,
    /// Why not all of it is in force.
    pub failing: Vec<Failing>,
}

/// What a run has done so far.
#[derive(Default)]
pub struct Whole {
    /// Why that is not all.
    pub failing: Vec<Failing>,
    /// Whether a source brought nothing.
    pub is_short: bool,
    /// What became of the tables.
    pub published: Published,
    /// The tables of which something is held back.
    pub held: BTreeSet<TableId>,
    /// Whether the service failed, or a table could not be published.
    pub failed: bool,
    /// Whether a table has changed.
    pub changed: bool,
    /// Whether somebody had done something to the tables.
    pub mended: bool,
    /// The server of the service.
    pub server: Option<String>,
    /// The smallest time to live of its answers, in seconds.
    pub ttl: Option<u32>,
}

impl Whole {
    /// Adds why what has come is not all. What there is to say of a source that was asked again, as files
    /// of this host are with each part, goes in the place of what was said before.
    pub fn lacks(&mut self, failing: &[Failing], asked: &Sources) {
        let is_of = |one: &Failing, source: &Source| one.source.as_deref() == Some(source.name());
        let again = |one: &Failing| asked.iter().any(|source| is_of(one, source));
        self.failing.retain(|one| !failing.contains(one) && !again(one));
        self.failing.extend(failing.iter().cloned());
    }

    /// Adds what became of what has come, and whether that failed.
    pub fn add(&mut self, settled: &Settled, failed: bool) {
        self.published.add(&settled.published);
        self.held.extend(&settled.held);
        self.failed |= failed;
        self.changed |= settled.changed;
        self.mended |= !settled.mended.is_empty();
    }

    /// How it went, in a word.
    pub fn word(&self, rolled_back: bool) -> &'static str {
        match () {
            () if rolled_back => "rolled back",
            () if !self.held.is_empty() => "held back",
            () if self.failed => "failed",
            () if self.changed => "published",
            () => "unchanged",
        }
    }

    /// What is to be told so far.
    pub fn so_far(&self, voice: &Voice<'_>, request: &Request, time: &Time) -> Ended {
        let [block, allow] = summary::both(&self.published.changes);
        let updated = Updated {
            started: time.started,
            seconds: time.seconds(),
            server: self.server.clone(),
            dry_run: request.dry_run,
            block,
            allow,
            warnings: voice.warnings(),
            undone: Vec::new(),
        };
        Ended { updated, failing: self.failing.clone(), preview: None }
    }

    /// Says the last lines, and gives what is to be told.
    pub fn end(&self, voice: &Voice<'_>, request: &Request, time: &Time) -> Ended {
        time.last_lines().into_iter().for_each(|line| voice.say(line));
        self.so_far(voice, request, time)
    }
}

/// A sentence about a table.
pub fn of_tables(text: String) -> Failing {
    Failing { source: None, text }
}
