//! One request: whether the client may, and the answer.

use core::future::pending;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use config::Config;
use control::{Action, Lists, MAX_REQUEST, MOST_REPORT_DAYS, Reply, Request, Rights, Show};
use imsg::End;
use prefix::PrefixSet;
use serde_json::{Value, json};
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::client::Client;
use super::export::{export, find, unread};
use super::own::{NOT_ASKED, OwnCommands, Said};
use super::places::Seat;
use super::status::Overview;
use super::test_log::{self, LogChecks};
use super::watch::Watchers;
use super::{hits, lists, metrics, report, test, upload, why};
use crate::days::Days;
use crate::dns::Servers;
use crate::errors::of_json;
use crate::events::Events;
use crate::leave::Leave;
use crate::link::{Link, Source};
use crate::log::Log;
use crate::monitor::Monitor;
use crate::runs;
use crate::source::feed::Feeds;
use crate::state::State;
use crate::update::{self, Before, Update};

/// How long a client may take to say what it wants.
const REQUEST: Duration = Duration::from_secs(5);

/// Who the client is; nobody, where that cannot be known.
pub fn uid(stream: &UnixStream) -> u32 {
    stream.peer_cred().map_or(u32::MAX, |peer| peer.uid())
}

/// Handles the requests of clients, with what they may ask for.
pub struct Handler {
    /// The configuration.
    pub config: &'static Config,
    /// Who may do everything beside root.
    pub owner: u32,
    /// The monitor.
    pub monitor: &'static Monitor,
    /// The way to the helper.
    pub link: &'static Link,
    /// What is in force.
    pub state: &'static State,
    /// The policy servers.
    pub servers: &'static Servers,
    /// The web servers of the feeds.
    pub feeds: &'static Feeds,
    /// The log path.
    pub log: &'static Log,
    /// The checks of the log service that are under way.
    pub log_checks: LogChecks,
    /// What happened on each day.
    pub days: &'static Days,
    /// What is told of.
    pub events: &'static Events,
    /// Who is told.
    pub watchers: Watchers,
    /// The way to the tables.
    pub update: &'static Update,
    /// The way out.
    pub leave: &'static Leave,
    /// What `block`, `allow` and `forget` do.
    pub own_commands: OwnCommands,
    /// What status tells of.
    pub overview: Overview,
}

impl Handler {
    /// Whether a user may do everything. With the simulated backend whoever started the daemon counts as
    /// root.
    pub fn is_root(&self, uid: u32) -> bool {
        uid == 0 || uid == self.owner
    }

    /// Serves one client, who is `uid`, to its end.
    ///
    /// # Errors
    /// When it is gone, or does not behave.
    pub async fn serve(&self, stream: UnixStream, uid: u32, seat: &Seat) -> io::Result<()> {
        let mut client = Client::new(stream);
        let line = timeout(REQUEST, client.line(MAX_REQUEST as u64)).await??;
        seat.spoken();
        let request: Request = match serde_json::from_slice(&line) {
            Ok(request) => request,
            Err(error) => {
                let why = of_json(&error) + "; is threatstopctl of the same version?";
                return client.fail("request", why).await;
            }
        };
        if request.rights() == Rights::Root && !self.is_root(uid) {
            return client.fail(request.word(), "need root privileges").await;
        }
        self.answer(&mut client, request, uid).await
    }

    async fn answer(&self, client: &mut Client, request: Request, uid: u32) -> io::Result<()> {
        let word = request.word();
        match request {
            Request::Status {} => client.done(self.overview.status().await).await,
            Request::Update { sources, force, dry_run } => {
                match runs::Request::by_hand(self.config, &sources, force, dry_run) {
                    Ok(request) => self.update(client, word, request).await,
                    Err(why) => client.fail(word, why).await,
                }
            }
            Request::Block { prefix, seconds, reason } => {
                self.own_commands
                    .keep(client, Said { action: Action::Block, uid, prefix, seconds, reason })
                    .await
            }
            Request::Allow { prefix, seconds, reason } => {
                self.own_commands
                    .keep(client, Said { action: Action::Allow, uid, prefix, seconds, reason })
                    .await
            }
            Request::Forget { prefix } => self.own_commands.forget(client, uid, prefix).await,
            Request::Show { what: Show::Own } => self.own_commands.show(client).await,
            Request::Show { what: Show::Block } => self.show(client, "block").await,
            Request::Show { what: Show::Allow } => self.show(client, "allow").await,
            Request::Table { name, or } => match (find(self.state.tables, &name), or) {
                (Err(_), Some(what)) => {
                    Box::pin(self.answer(client, Request::Show { what }, uid)).await
                }
                _ => self.show(client, &name).await,
            },
            Request::Export { tables } => export(self.state, client, &tables).await,
            Request::Show { what: Show::Diff } => self.changes(client, word).await,
            Request::Why { addresses } => self.why(client, addresses).await,
            Request::Test {} => {
                let checks = || test_log::checks(self.config, self.log.https());
                // beside the servers: each may have to be waited for
                let log = self.config.uploads().then(|| self.log_checks.begin(checks()));
                let feeds = (self.feeds, self.is_root(uid));
                let places = (self.state, self.link);
                test::test(self.config, places, self.servers, feeds, log, client).await
            }
            Request::Rollback {} => self.rollback(client, word).await,
            Request::Reload { broken: Some(why) } => {
                self.monitor.refuse(&why, self.events, self.state);
                client.fail(word, why).await
            }
            Request::Reload { broken: None } => {
                client.done(Value::Object(Default::default())).await?;
                // by the end of the connection the client sees that this engine has ended; the next one
                // says what became of it
                self.leave.begin(End::Reload);
                pending().await
            }
            // root has nothing to add
            Request::Log { verbose } => {
                logger::set_verbose(verbose);
                client.done(Value::Object(Default::default())).await
            }
            Request::Upload { dry_run } => {
                upload::upload(self.config, self.log, client, dry_run).await
            }
            Request::Show { what: Show::Hits } => {
                let monitoring = self.config.tables.monitor;
                let hits = hits::hits(&self.log.hits(), &self.state.policy(), monitoring);
                client.done(hits).await
            }
            Request::Show { what: Show::Lists } => {
                client.done(lists::lists(self.config, self.state, self.days).await).await
            }
            Request::Show { what: Show::Overlaps } => {
                let overlaps = Some(lists::overlaps(self.state).await);
                let lists = lists::lists(self.config, self.state, self.days).await;
                client.done(Lists { overlaps, ..lists }).await
            }
            Request::Report { days } if (1..=MOST_REPORT_DAYS).contains(&days) => {
                let status = &self.overview.status().await;
                let &Self { config, state, days: of, events, .. } = self;
                let from = report::Sources { config, state, days: of, events, status };
                client.done(report::report(&from, days)).await
            }
            Request::Report { days } => {
                let why = format!("{days} days: it can be of 1 to {MOST_REPORT_DAYS}");
                client.fail(word, why).await
            }
            Request::Watch { from } => {
                self.watchers.watch(self.events, client, self.is_root(uid), from).await
            }
            Request::Metrics {} => {
                let (status, figures) = (self.overview.status().await, self.log.figures());
                let text = metrics::text(&status, &figures, &self.log.hits());
                client.done(json!({"text": text})).await
            }
        }
    }

    /// Waits for a run, and tells what it says of the sources that were asked for.
    async fn update(
        &self,
        client: &mut Client,
        word: &str,
        request: runs::Request,
    ) -> io::Result<()> {
        let asked = request.sources.clone();
        let run = self.update.begin(request).await;
        let mut sent = 0;
        while let Some(line) = run.line(sent, &asked).await {
            client.send(&Reply::Line(line)).await?;
            sent += 1;
        }
        let ended = run.ended(&asked).await;
        if let Some((before, after)) = &ended.preview {
            let empty = PrefixSet::default();
            let mut totals = Vec::new();
            for table in self.state.tables.iter() {
                let [old, new] =
                    [before.as_ref(), after].map(|policy| policy.set(table.id).unwrap_or(&empty));
                let (plus, minus) = client.difference(old, new).await?;
                let word = &table.word;
                totals.push(format!("{word} table: {plus} to add, {minus} to remove"));
            }
            // a set that is held back has them, too
            for line in totals {
                client.send(&Reply::Line(line)).await?;
            }
        }
        match ended.result(&asked) {
            Ok(updated) => client.done(updated).await,
            Err(why) => client.fail(word, why).await,
        }
    }

    /// What the last change of each table has added and removed.
    async fn changes(&self, client: &mut Client, word: &str) -> io::Result<()> {
        let (mut added, mut removed) = (0, 0);
        for table in self.state.tables.in_order() {
            let changed = self.state.memory().table(&table.word).changed;
            let old = match update::set_before(self.state, self.link, table).await {
                Ok(Before::Set(old)) => old,
                Ok(Before::Nothing) => PrefixSet::default(),
                Ok(Before::Same) => continue,
                // with nothing known of a change there need not be anything before it
                Err(_) if changed.is_none() => continue,
                Err(why) => return client.fail(word, why).await,
            };
            let policy = self.state.policy();
            let Some(new) = policy.set(table.id) else { continue };
            let (plus, minus) = client.difference(&old, new).await?;
            (added, removed) = (added + plus, removed + minus);
        }
        let at = self.state.memory().changed();
        client.done(json!({"added": added, "removed": removed, "at": at})).await
    }

    /// What holds for each address, and by which lists.
    async fn why(&self, client: &mut Client, addresses: Vec<IpAddr>) -> io::Result<()> {
        let (policy, protected) = (self.state.policy(), self.own_commands.protect.all());
        for address in addresses {
            let (tables, own) = (self.state.tables, self.own_commands.own);
            let mut why = why::why(tables, &policy, own, &protected, address);
            if !self.config.tables.reload {
                why.text += &format!(" ({NOT_ASKED})");
            }
            client.send(&Reply::Why(Box::new(why))).await?;
        }
        client.done(json!({})).await
    }

    /// Puts the tables of before in force.
    async fn rollback(&self, client: &mut Client, word: &str) -> io::Result<()> {
        let updated = match self.update.rollback().await {
            Ok(updated) => updated,
            Err(why) => return client.fail(word, why).await,
        };
        let (block, allow) = (updated.block.entries, updated.allow.entries);
        let line = format!(
            "The previous lists are back: {block} blocked, {allow} allowed addresses; undone: {}. \
             Nothing is published until threatstopctl update.",
            updated.undone.join(", ")
        );
        client.send(&Reply::Line(line)).await?;
        client.done(updated).await
    }

    /// Shows a table, by its word or name.
    async fn show(&self, client: &mut Client, name: &str) -> io::Result<()> {
        let table = match find(self.state.tables, name) {
            Ok(table) => table,
            Err(why) => return client.fail("show", why).await,
        };
        // without reload, pf's table is not ours to show
        let source = if self.config.tables.reload { Source::Kernel } else { Source::File };
        match self.link.list(table.id, source).await {
            Ok(set) => {
                let entries = client.prefixes(set.iter(), Reply::Prefixes).await?;
                client.done(json!({"table": table.word, "entries": entries})).await
            }
            Err(why) => client.fail("show", unread(self.state, table, why)).await,
        }
    }
}
