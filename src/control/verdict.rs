//! The verdict: how well it is, in one line, the same wherever it stands.

use crate::status::{Attempt, Held, HeldReason, SourceKind, SourceStatus, Status, TableKind};
use crate::units::{ago, count, duration};

/// What stands before a sentence that nobody may overlook.
pub const WARNING: &str = "warning: ";

impl Status {
    /// Whether there is nothing to warn of.
    pub fn is_well(&self) -> bool {
        self.pf.warnings.is_empty()
    }

    /// The first line of `status`, as of `now` in epoch seconds: the first of the warnings or, without
    /// any, how well it is. Servers are quoted in it, control characters and all.
    pub fn verdict(&self, now: u64) -> String {
        match self.pf.warnings.first() {
            Some(warning) => format!("{WARNING}{warning}"),
            None => self.well(now),
        }
    }

    fn well(&self, now: u64) -> String {
        let blocks = self.tables.iter().filter(|table| table.kind == TableKind::Block);
        let entries: u64 = blocks.filter_map(|table| table.entries).sum();
        let prefixes = count(entries, "prefix", "prefixes");
        let mut text = match self.pf.reload {
            true => format!("ok: blocking {prefixes}"),
            false => format!("ok: {prefixes} in the files, pf is left alone"),
        };
        // where the service brings nothing, there is no policy of it
        let own = |source: &SourceStatus| source.kind != SourceKind::Policy;
        let lists = !self.sources.is_empty() && self.sources.iter().all(own);
        let what = if lists { "lists" } else { "policy" };
        text += &match self.update.last_good {
            Some(at) => format!(", {what} {} old", duration(now.saturating_sub(at))),
            None => format!(", {what} of unknown age"),
        };
        if self.upload.enabled {
            text += &match (&self.upload.last, self.upload.last_good) {
                (Some(Attempt { ok: false, at, .. }), _) => {
                    let since = self.upload.failing.unwrap_or(*at);
                    format!(", log failing for {}", duration(now.saturating_sub(since)))
                }
                (_, Some(at)) => format!(", log confirmed {}", ago(at, now)),
                (_, None) => ", no log sent yet".into(),
            };
        }
        let (rolled_back, held): (Vec<&Held>, Vec<&Held>) =
            self.held.iter().partition(|held| held.reason == HeldReason::Rollback);
        text += &match held.as_slice() {
            [] => String::new(),
            [held] => format!(", {} held back", held.name()),
            all => format!(", {} lists or tables held back", all.len()),
        };
        text += if rolled_back.is_empty() { "" } else { ", rolled back" };
        text
    }
}

impl Held {
    /// The table or list that is held back, in words.
    pub fn name(&self) -> String {
        match (&self.table, &self.list) {
            (Some(table), _) if self.reason == HeldReason::Rollback => format!("{table} tables"),
            (Some(table), _) => format!("{table} table"),
            (None, list) => format!("list {}", list.as_deref().unwrap_or_default()),
        }
    }
}
