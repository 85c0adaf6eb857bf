//! Lists from web servers, one from each URL: asked whether they have changed, and read as they come.
//!
//! * In: the URL, format and credential of a feed, and what its server said of the copy in force.
//! * Out: the list with what there is to say of it, or that it is the same; else why not.
//! * Never: ask a server twice at the same time, hold a body in memory, or take a list longer than
//!   the feed's bound.

mod body;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use config::{Config, Feed, FeedName};
use feed::{Format, Told};
use policy::{List, OfList, Reason, Unit};
use prefix::{Kind, Shield};
use tokio::sync::OnceCell;

use super::Failure;
use crate::clock;
use crate::files::sum;
use crate::https::{Failed, Fetch, Https, Met, Roots, Validators};
use crate::lists::copies::{self, Origin};
use crate::lists::{Copy, Source, kind};
use crate::state::{Policy, State};
use crate::tables::Tables;
use crate::warning::Warning;

/// How long a server's word that nothing has changed is believed: then the list comes once in full.
const BELIEVED: u64 = 7 * 24 * 60 * 60;
/// How long an answer is told to those who may not ask.
pub const REMEMBERED: Duration = Duration::from_secs(60);
/// Addresses of IPv4 (a 32nd of all) for each 1,024 /32 of IPv6 that a feed may cover.
const PER_1024: u64 = 134_217_728;

/// When a server was asked, and whether it was ready.
type Answer = (Instant, Result<(), String>);

/// The way to the servers, and what they said last.
pub struct Feeds {
    config: &'static Config,
    state: &'static State,
    /// The networks of this host, which no redirect may lead to.
    own: Shield,
    https: Option<Https>,
    /// Those who are asked now.
    asked: RefCell<BTreeMap<FeedName, Rc<OnceCell<Looked>>>>,
    answers: RefCell<BTreeMap<FeedName, Answer>>,
    /// Where their servers were the last time.
    met: RefCell<BTreeMap<FeedName, Met>>,
}

/// What came of a look, or why nothing.
type Looked = Result<Look, Failure>;

/// What a look at a list brings.
#[derive(Clone)]
pub enum Look {
    /// It is the one in force.
    Same,
    /// It has come, with what there is to say of it.
    Come(Box<Copy>, Told),
}

impl Feeds {
    /// Starts what fetches, where there is something to fetch, on a host with networks of its own.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn start(
        config: &'static Config,
        state: &'static State,
        own: Shield,
        roots: &Roots,
    ) -> Result<Self, String> {
        let https = match config.feed.is_empty() {
            true => None,
            false => Some(Https::for_lists(config, roots)?),
        };
        if let (Err(why), Some(_)) = (roots, &https) {
            logger::err(format_args!("https.ca_file: {why}; no feed comes"));
        }
        let (asked, answers, met) = Default::default();
        Ok(Self { config, state, own, https, asked, answers, met })
    }

    /// Asks the server of a feed as [`Self::look`] does, for who wants to know whether it is ready.
    ///
    /// # Errors
    /// Why it is not.
    pub async fn test(&self, feed: &Feed) -> Result<(), String> {
        said(feed, &self.look(feed.name).await)
    }

    /// What the server of a feed said in the last minute: that it is ready, or why not.
    pub fn answer(&self, name: FeedName) -> Option<Result<(), String>> {
        let answers = self.answers.borrow();
        let (at, said) = answers.get(&name)?;
        (at.elapsed() < REMEMBERED).then(|| said.clone())
    }

    /// Whether a feed names what to block or what to let through.
    pub fn kind(&self, name: FeedName) -> Kind {
        of(self.config, name).map_or(Kind::Block, kind)
    }

    /// Whether the server of a feed is asked now.
    pub fn is_asked(&self, name: FeedName) -> bool {
        self.asked.borrow().contains_key(&name)
    }

    /// Asks the server of a feed whether there is another list than the copy in force, and reads it. Who
    /// comes while it is asked hears the same.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn look(&self, name: FeedName) -> Result<Look, Failure> {
        let (Some(feed), Some(https)) = (of(self.config, name), &self.https) else {
            return Err("no feed of this configuration".to_owned().into());
        };
        let asked = Rc::clone(self.asked.borrow_mut().entry(name).or_default());
        asked
            .get_or_init(async || {
                let looked = self.ask(feed, https).await;
                self.answers.borrow_mut().insert(name, (Instant::now(), said(feed, &looked)));
                self.asked.borrow_mut().remove(&name);
                looked
            })
            .await;
        // a list may be long: only who is not the last to hear of it gets another one
        let looked = match Rc::try_unwrap(asked) {
            Ok(asked) => asked.into_inner(),
            Err(asked) => asked.get().cloned(),
        };
        looked.unwrap_or_else(|| Err("nobody was asked".to_owned().into()))
    }

    /// What nobody may overlook: that a server is in a block table, so that its list comes no more.
    pub fn warnings(&self) -> Vec<Warning> {
        let policy = self.state.policy();
        let known = self.met.borrow();
        let warning = |feed: &Feed| {
            let met = known.get(&feed.name)?.lock().unwrap_or_else(PoisonError::into_inner);
            let host = feed.url.host.to_string();
            met.iter().find_map(|addr| is_blocked(&policy, self.state.tables, feed, &host, *addr))
        };
        self.config.feed.iter().filter_map(warning).collect()
    }

    async fn ask(&self, feed: &Feed, https: &Https) -> Result<Look, Failure> {
        let Some(format) = Format::parse(feed.format.as_str()) else {
            return Err(format!("format {} is not known", feed.format.as_str()).into());
        };
        let now = clock::now();
        let policy = self.state.policy();
        let known = policy.copy(feed.name.as_str()).and_then(|copy| copy.origin.as_ref());
        let believed = |known: &&Origin| {
            let age = now.checked_sub(known.full);
            known.place == place(feed) && age.is_some_and(|age| age < BELIEVED)
        };
        let validators = known.filter(believed).map_or(Validators::default(), |known| Validators {
            etag: known.etag.clone(),
            modified: known.modified.clone(),
        });
        let met = Met::default();
        self.met.borrow_mut().insert(feed.name, Met::clone(&met));
        let job = body::Job {
            fetch: Fetch {
                url: feed.url.clone(),
                authorization: feed.authorization.clone(),
                validators,
                own: self.own.clone(),
                met,
            },
            format,
            name: feed.name.to_string(),
            max_entries: feed.max_entries as usize,
            floor: self.config.guard.floor(),
            directory: self.state.directory().to_owned(),
        };
        let brought = https.with(Some(&feed.url), move |turn| body::bring(turn, job)).await?;
        let Some(body::Brought { list, told, validators }) = brought? else {
            return Ok(Look::Same);
        };
        self.fits(feed, &list)?;
        let Validators { etag, modified } = validators;
        let (full, place) = (now, place(feed));
        let origin = Some(Origin { etag, modified, full, place, server: None, serial: None });
        let (source, kind) = (Source::Feed(feed.name), kind(feed));
        Ok(Look::Come(Box::new(Copy { source, kind, list, changed: now, origin }), told))
    }

    /// Whether the copy of a list has room beside those of the other feeds, and beside the one before.
    fn fits(&self, feed: &Feed, list: &List) -> Result<(), String> {
        let (directory, store) = (self.state.directory(), self.config.https.store);
        let kept = self.config.feed.iter().map(|other| {
            let [now, before] = copies::sizes(directory, other.name.as_str());
            // what is in force becomes the one before, and that one goes
            if other.name == feed.name { now } else { now + before }
        });
        let all = kept.sum::<u64>() + copies::size(list);
        if all > store.octets() {
            return Err(format!(
                "its copy has no room: with those of the other feeds it takes {all} octets, more \
                 than https.store ({store}): raise that, or take out a feed"
            ));
        }
        Ok(())
    }
}

/// The feed of this name.
pub fn of(config: &Config, name: FeedName) -> Option<&Feed> {
    config.feed.iter().find(|feed| feed.name == name)
}

/// By what it is known whether a copy is of the URL and format that are configured now.
pub fn place(feed: &Feed) -> u32 {
    sum(format!("{} {}", feed.url, feed.format.as_str()).as_bytes())
}

/// Whether an address of the server of a feed is blocked, by which list and in which table.
fn is_blocked(
    policy: &Policy,
    tables: &Tables,
    feed: &Feed,
    host: &str,
    addr: IpAddr,
) -> Option<Warning> {
    let (table, _) = policy.blocked().find(|(_, set)| set.find(addr).is_some())?;
    let (name, word) = (feed.name, tables.word(table));
    let lists = policy.lists(Kind::Block).into_iter();
    let lists = lists.filter(|list| list.contains(addr));
    let by = match lists.map(List::name).collect::<Vec<_>>().as_slice() {
        [] => String::new(),
        names => format!(" by {}", names.join(", ")),
    };
    let text =
        format!("feed {name}: its server {host} is blocked: {addr} is in the {word} table{by}");
    let way_out = format!("threatstopctl allow {addr}, or {host} in guard.never_block_names");
    Some(Warning::new(text, way_out))
}

/// Whether what came of a look at a feed can be in force, as far as that is seen by itself, or why not.
fn said(feed: &Feed, looked: &Looked) -> Result<(), String> {
    match looked {
        Ok(Look::Same) => Ok(()),
        Ok(Look::Come(copy, _)) => {
            excess(feed, &copy.list).map_or(Ok(()), |reason| Err(OfList(&reason).to_string()))
        }
        Err(failure) => Err(failure.why.clone()),
    }
}

/// Why a list that has come is more than its feed may bring, which holds from the first time on.
pub fn excess(feed: &Feed, list: &List) -> Option<Reason> {
    let (measure, most) = (list.measure(), feed.max_coverage);
    let most_v6 = most.saturating_mul(1024).div_ceil(PER_1024);
    let families = [(Unit::V4, measure.v4, most), (Unit::V6, measure.v6, most_v6)];
    let (unit, covered, most) = families.into_iter().find(|(_, covered, most)| covered > most)?;
    Some(Reason::OfFeed { unit, covered, most })
}

impl From<Failed> for Failure {
    fn from(Failed { why, retry_after, .. }: Failed) -> Self {
        Self { why, unprovisioned: false, retry_after }
    }
}

#[cfg(test)]
mod tests;
