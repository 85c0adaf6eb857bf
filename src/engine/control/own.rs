//! `block`, `allow`, `forget` and `show own`: what was said is kept, then published, then answered.

use std::io;

use config::Config;
use control::{Action, Forgotten, Kept, PREFIXES_A_REPLY, Reply};
use imsg::TableId;
use policy::Guard;
use prefix::{Kind, Prefix};
use serde_json::json;

use super::client::Client;
use crate::clock;
use crate::protect::Protect;
use crate::source::own::{Entry, Own, read_prefix};
use crate::state::State;
use crate::update::{Update, unknown};

/// Protected networks that an answer names.
const NAMED: usize = 3;

/// What somebody says of a prefix.
pub struct Said {
    /// What is to become of it.
    pub action: Action,
    /// Who says it.
    pub uid: u32,
    /// Of what.
    pub prefix: String,
    /// For how long.
    pub seconds: Option<u64>,
    /// Why.
    pub reason: String,
}

/// What these commands work with.
pub struct Book {
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

impl Book {
    /// `block` and `allow`.
    ///
    /// # Errors
    /// When the client is gone.
    pub async fn keep(&self, client: &mut Client, said: Said) -> io::Result<()> {
        let Said { action, uid, prefix, seconds, reason } = said;
        let word = action.word();
        let entry = Entry::read((action, uid), &prefix, seconds, &reason, clock::now());
        let entry = match entry {
            Ok(entry) => entry,
            Err(why) => return client.fail(word, why).await,
        };
        let (prefix, until) = (entry.prefix, entry.until);
        if let Err(why) = self.own.keep(entry, &self.guard.bounds) {
            return client.fail(word, why).await;
        }
        let end = until.map(|until| format!(" until {}", clock::date(until))).unwrap_or_default();
        let because = if reason.is_empty() { reason } else { format!(": {reason}") };
        logger::info(format_args!("{word} {prefix}{end}, said by uid {uid}{because}"));
        if let Err(change) = self.update.recompose().await {
            return client.fail(word, kept_only(prefix, "kept", &change.why, change.again)).await;
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
        prefix: Option<String>,
    ) -> io::Result<()> {
        let word = "forget";
        let prefix = match prefix.map(|prefix| read_prefix(&prefix)).transpose() {
            Ok(prefix) => prefix,
            Err(why) => return client.fail(word, why).await,
        };
        let forgotten = match self.own.forget(prefix, clock::now()) {
            Ok(forgotten) => forgotten,
            Err(why) => return client.fail(word, why).await,
        };
        let what = prefix.map_or_else(|| "all".to_owned(), |prefix| prefix.to_string());
        logger::info(format_args!("forget {what}, said by uid {uid}"));
        if let Err(change) = self.update.recompose().await {
            return client
                .fail(word, kept_only(what, "forgotten", &change.why, change.again))
                .await;
        }
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
        client.done(Forgotten { forgotten: forgotten as u64, blocked, why }).await
    }

    /// `show own`.
    ///
    /// # Errors
    /// When the client is gone.
    pub async fn show(&self, client: &mut Client) -> io::Result<()> {
        let entries = self.own.shown();
        for part in entries.chunks(PREFIXES_A_REPLY) {
            client.send(&Reply::Own(part.to_vec())).await?;
        }
        client.done(json!({})).await
    }

    /// Whether a prefix is blocked now, all of it where that was asked for and some of it else; and what
    /// is in the way of what was asked for.
    fn effect(&self, action: Action, prefix: Prefix) -> (bool, Option<String>) {
        match action {
            // a set is the shortest there is: one entry has all of it, or none
            Action::Block => {
                let policy = self.state.policy();
                let found = policy.set(TableId::BLOCK).and_then(|block| block.find(prefix.addr()));
                let blocked = found.is_some_and(|entry| entry.len() <= prefix.len());
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

/// What is said where something is kept, but not in force.
fn kept_only(what: impl ToString, word: &str, why: &str, again: bool) -> String {
    let way_out = if again { "; it is tried again" } else { "" };
    format!("{} is {word}, but that is not in force: {why}{way_out}", what.to_string())
}
