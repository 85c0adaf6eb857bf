//! `block`, `allow`, `forget` and `show own`: what was said is kept, then published, then answered.

use std::collections::BTreeMap;
use std::io;

use config::Config;
use control::{Action, Forgotten, Kept, PREFIXES_A_REPLY, Reply};
use imsg::TableId;
use policy::Guard;
use prefix::{Kind, Prefix};
use serde_json::json;

use super::client::Client;
use crate::clock;
use crate::lists::Source;
use crate::protect::Protect;
use crate::runs::Unpublished;
use crate::source::own::{Entry, Own, of_written, read_prefix};
use crate::state::{Policy, State};
use crate::tables::Table;
use crate::update::{Update, unknown};

/// Protected networks that an answer names.
const NAMED: usize = 3;

/// What stands behind an answer where only the files of tables are known.
pub const NOT_ASKED: &str = "tables.reload is false: pf is not asked, and may have another set";

/// What somebody says of a prefix.
pub struct Said {
    /// What is to become of it.
    pub action: Action,
    /// The user id of the one who says it.
    pub uid: u32,
    /// The prefix, as it was typed.
    pub prefix: String,
    /// For how many seconds; else until it is taken back.
    pub seconds: Option<u64>,
    /// The reason that was given; it may be empty.
    pub reason: String,
}

/// The commands, with what they work with.
pub struct OwnCommands {
    /// The lists that there are to be.
    pub config: &'static Config,
    /// What was said.
    pub own: &'static Own,
    /// What may be said.
    pub guard: &'static Guard,
    /// What is in force.
    pub state: &'static State,
    /// What stays unblocked.
    pub protect: &'static Protect,
    /// The way to the tables.
    pub update: &'static Update,
}

impl OwnCommands {
    /// `block` and `allow`.
    ///
    /// # Errors
    /// When the client is gone.
    pub async fn keep(&self, client: &mut Client, said: Said) -> io::Result<()> {
        let Said { action, uid, prefix: written, seconds, reason } = said;
        let word = action.word();
        let entry = Entry::read((action, uid), &written, seconds, &reason, clock::now());
        let entry = match entry {
            Ok(entry) => entry,
            Err(why) => return client.fail(word, why).await,
        };
        let (prefix, until) = (entry.prefix, entry.until);
        if let Err(why) = self.own.keep(entry, &self.guard.bounds) {
            return client.fail(word, of_written(&written, prefix, &why)).await;
        }
        let end = until.map(|until| format!(" until {}", clock::date(until))).unwrap_or_default();
        let because = if reason.is_empty() { reason } else { format!(": {reason}") };
        logger::info(format_args!("{word} {prefix}{end}, said by uid {uid}{because}"));
        let unpublished = self.update.recompose().await;
        let lacks = |policy: &Policy, table: &Table| lacks_said(policy, table, action, prefix);
        if let Some(change) = self.lacks(&unpublished, lacks) {
            return client.fail(word, kept_only(prefix, "kept", change)).await;
        }
        let (blocked, why) = self.effect(action, prefix);
        let line = match (action, &why) {
            (Action::Block, None) => format!("{prefix} is blocked{end}"),
            (Action::Block, Some(why)) if blocked => format!("{prefix} is blocked{end}: {why}"),
            (Action::Block, Some(why)) => {
                format!("{prefix} is kept{end}, but not all blocked: {why}")
            }
            (Action::Allow, None) => format!("{prefix} is allowed{end}"),
            (Action::Allow, Some(why)) => {
                format!("{prefix} is kept{end}, but blocked still: {why}")
            }
        };
        client.send(&Reply::Line(line)).await?;
        self.note(client).await?;
        client.done(Kept { prefix: prefix.to_string(), until, kept: true, blocked, why }).await
    }

    /// `forget`; all without a prefix.
    ///
    /// # Errors
    /// When the client is gone.
    pub async fn forget(
        &self,
        client: &mut Client,
        uid: u32,
        written: Option<String>,
    ) -> io::Result<()> {
        let word = "forget";
        let prefix = match written.as_deref().map(read_prefix).transpose() {
            Ok(prefix) => prefix,
            Err(why) => return client.fail(word, why).await,
        };
        let forgotten = match self.own.forget(prefix, clock::now()) {
            Ok(forgotten) => forgotten,
            Err(why) => {
                let why = match written.zip(prefix) {
                    Some((written, prefix)) => of_written(&written, prefix, &why),
                    None => why,
                };
                return client.fail(word, why).await;
            }
        };
        let what = prefix.map_or_else(|| "all".to_owned(), |prefix| prefix.to_string());
        logger::info(format_args!("forget {what}, said by uid {uid}"));
        let unpublished = self.update.recompose().await;
        let lacks = |policy: &Policy, table: &Table| {
            let mut forgotten = forgotten.iter();
            forgotten.any(|(prefix, action)| lacks_forgotten(policy, table, *action, *prefix))
        };
        if let Some(change) = self.lacks(&unpublished, lacks) {
            return client.fail(word, kept_only(what, "forgotten", change)).await;
        }
        let forgotten = forgotten.len();
        let still = prefix.map(|prefix| (self.meets(prefix), self.listed(prefix)));
        let (blocked, why) = match still {
            Some((true, listed)) => (Some(true), Some(listed)),
            Some((false, _)) => (Some(false), None),
            None => (None, None),
        };
        let line = match (prefix, &why) {
            (None, _) => format!("{forgotten} forgotten"),
            (Some(prefix), None) => format!("{prefix} is forgotten"),
            (Some(prefix), Some(why)) => {
                format!("{prefix} is forgotten; something of it is blocked: {why}")
            }
        };
        client.send(&Reply::Line(line)).await?;
        self.note(client).await?;
        client.done(Forgotten { forgotten: forgotten as u64, blocked, why }).await
    }

    /// Says that pf may block something else.
    async fn note(&self, client: &mut Client) -> io::Result<()> {
        if self.config.tables.reload {
            return Ok(());
        }
        let line = format!("Note: {NOT_ASKED}; threatstopctl doctor compares");
        client.send(&Reply::Line(line)).await
    }

    /// `show own`.
    ///
    /// # Errors
    /// When the client is gone.
    pub async fn show(&self, client: &mut Client) -> io::Result<()> {
        // of what cannot be read nobody knows that it is nothing
        if let Some(why) = self.own.unread() {
            return client.fail("show", why).await;
        }
        let entries = self.own.shown();
        for part in entries.chunks(PREFIXES_A_REPLY) {
            client.send(&Reply::Own(part.to_vec())).await?;
        }
        client.done(json!({})).await
    }

    /// Why a table that could not be published `lacks` what was said, if there is one: what became of the
    /// others is no answer.
    fn lacks<'u>(
        &self,
        unpublished: &'u BTreeMap<TableId, Unpublished>,
        lacks: impl Fn(&Policy, &Table) -> bool,
    ) -> Option<&'u Unpublished> {
        let policy = self.state.policy();
        let mut tables = self.state.tables.iter();
        tables.find_map(|table| unpublished.get(&table.id).filter(|_| lacks(&policy, table)))
    }

    /// Whether a prefix is blocked now, all of it where that was asked for and some of it else; and what
    /// is in the way of what was asked for.
    fn effect(&self, action: Action, prefix: Prefix) -> (bool, Option<String>) {
        match action {
            // a set is the shortest there is: one entry has all of it, or none
            Action::Block => {
                let policy = self.state.policy();
                let mut own = self.state.tables.iter().filter(|table| is_own(table));
                let blocked = own.all(|table| has(&policy, table, prefix));
                (blocked, (!blocked).then(|| self.wins(prefix)))
            }
            Action::Allow => {
                let blocked = self.meets(prefix);
                (blocked, blocked.then(|| self.listed(prefix)))
            }
        }
    }

    /// What wins over a block list in a prefix.
    fn wins(&self, prefix: Prefix) -> String {
        let policy = self.state.policy();
        let allow =
            policy.lists(Kind::Allow).into_iter().filter(|list| list.ranges().meets(prefix));
        let mut words: Vec<String> =
            allow.map(|list| format!("allowed by {}", list.name())).collect();
        let nets = self.protect.all();
        let nets = nets
            .iter()
            .filter(|one| prefix.contains(one.net.addr()) || one.net.contains(prefix.addr()));
        let mut nets: Vec<String> =
            nets.map(|one| format!("protected by {} ({})", one.net, one.reason)).collect();
        if nets.len() > NAMED {
            let more = nets.split_off(NAMED).len();
            nets.push(format!("{more} more protected networks"));
        }
        words.extend(nets);
        words.extend(unknown(&self.state.lost(self.config)));
        match words.is_empty() {
            true => "something of it is in the allow table".to_owned(),
            false => words.join(", "),
        }
    }

    /// The block lists that name something of a prefix.
    fn listed(&self, prefix: Prefix) -> String {
        let policy = self.state.policy();
        let lists =
            policy.lists(Kind::Block).into_iter().filter(|list| list.ranges().meets(prefix));
        let names: Vec<&str> = lists.map(|list| list.name()).collect();
        match names.is_empty() {
            true => "the table in force stands in for a list that has to come again".to_owned(),
            false => format!("listed by {}", names.join(", ")),
        }
    }

    /// Whether something of a prefix is blocked now.
    fn meets(&self, prefix: Prefix) -> bool {
        let policy = self.state.policy();
        policy.blocked().any(|(_, block)| block.meets(prefix))
    }
}

/// Whether what `block` says goes into a table.
fn is_own(table: &Table) -> bool {
    table.has(Source::Own.name(), Kind::Block)
}

/// Whether all of a prefix is in a table. A set is the shortest there is: one entry has all of it, or
/// none.
fn has(policy: &Policy, table: &Table, prefix: Prefix) -> bool {
    let found = policy.set(table.id).and_then(|set| set.find(prefix.addr()));
    found.is_some_and(|entry| entry.len() <= prefix.len())
}

/// Whether something of a prefix is in a table.
fn meets(policy: &Policy, table: &Table, prefix: Prefix) -> bool {
    policy.set(table.id).is_some_and(|set| set.meets(prefix))
}

/// Whether a table is not as it is to be once something was said of a prefix.
fn lacks_said(policy: &Policy, table: &Table, action: Action, prefix: Prefix) -> bool {
    match action {
        Action::Block => is_own(table) && !has(policy, table, prefix),
        Action::Allow => table.blocks() && meets(policy, table, prefix),
    }
}

/// The same once that is forgotten.
fn lacks_forgotten(policy: &Policy, table: &Table, action: Action, prefix: Prefix) -> bool {
    let is_listed = || {
        let mut lists = policy.lists.iter();
        lists.any(|copy| table.has(copy.list.name(), copy.kind) && copy.list.ranges().meets(prefix))
    };
    match action {
        Action::Block => is_own(table) && meets(policy, table, prefix),
        Action::Allow => table.blocks() && !meets(policy, table, prefix) && is_listed(),
    }
}

/// What is said where something is kept, but not in force.
fn kept_only(what: impl ToString, word: &str, Unpublished { why, again }: &Unpublished) -> String {
    let way_out = if *again { "; it is tried again" } else { "" };
    format!("{} is {word}, but that is not in force: {why}{way_out}", what.to_string())
}
