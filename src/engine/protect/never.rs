//! The addresses behind the names of guard.never_block_names, which no list may block.
//!
//! Who answers for such a name decides what is let through. So only global addresses count, and few
//! of them; and each that takes something out of a list is told.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use config::Config;
use futures_util::future::join_all;
use policy::Protected;
use prefix::{Kind, Prefix};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::resolve::{MAX_ADDRESSES, PATIENCE, canonical, listed, resolve};
use crate::clock;
use crate::errors::words;
use crate::events::subject::{NAMES, of_never};
use crate::events::{Event, Events};
use crate::files::{put_aside, read_json, replace};
use crate::lists::Copy;
use crate::told::Told;
use crate::warning::Warning;

const FILE: &str = "names.json";
/// More than it ever has: 64 names of 253 octets with 32 addresses each.
const LARGEST: u64 = 1 << 20;
/// So many look-ups at the same time.
const SIDE_BY_SIDE: usize = 8;
/// Most addresses that are remembered of a name.
const REMEMBERED: usize = 32;
/// How long an address is kept after it was last in an answer.
const DAY: u64 = 24 * 60 * 60;
/// How long the last answer is kept while there is none.
const WEEK: u64 = 7 * DAY;
/// Addresses in lists that are named; the others are counted.
const NAMED: usize = 3;

/// What is known of a name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// The addresses, and when each was last in an answer.
    seen: BTreeMap<IpAddr, u64>,
    /// When there was an answer for the last time.
    answered: u64,
}

impl Known {
    /// An answer has come.
    fn answer(&mut self, addresses: &[IpAddr], now: u64) {
        // What was at a time to come, because the clock was ahead, was before `now`: else it would stay until
        // then, and push out what is answered now.
        self.seen.values_mut().for_each(|seen| *seen = now.saturating_sub(1).min(*seen));
        self.answered = now;
        self.seen.extend(addresses.iter().map(|addr| (*addr, now)));
        self.seen.retain(|_, seen| now.saturating_sub(*seen) < DAY);
        while self.seen.len() > REMEMBERED {
            let oldest = self.seen.iter().min_by_key(|(_, seen)| **seen).map(|(addr, _)| *addr);
            oldest.map(|addr| self.seen.remove(&addr));
        }
    }

    /// No answer has come. It may be the clock of now that is wrong, years behind until ntpd(8) sets it: what
    /// was at a time to come stays as it is, lest it is years old then.
    fn fail(&mut self, now: u64) {
        let (answered, since) = (self.answered, now.saturating_sub(self.answered));
        self.seen.retain(|_, seen| {
            now.saturating_sub(*seen) < DAY || (*seen == answered && since < WEEK)
        });
    }
}

/// What the resolver has answered, by name.
type Answers = BTreeMap<String, Known>;

/// The names, and what is known of them.
pub struct Never {
    directory: PathBuf,
    events: &'static Events,
    names: Vec<String>,
    /// Addresses that have to be blocked; a set without them would be refused.
    expect: Vec<IpAddr>,
    answers: RefCell<Answers>,
    /// Why a name could not be looked up the last time.
    failing: RefCell<BTreeMap<String, String>>,
    /// What was told of the answers for a name.
    told: Told,
    /// The addresses that take something out of a list, as sentences.
    met: RefCell<BTreeSet<String>>,
}

impl Never {
    /// The names of a configuration, and what is remembered of them in a directory.
    pub fn load(config: &Config, directory: &Path, events: &'static Events) -> Self {
        let guard = &config.guard;
        let names: BTreeSet<&str> =
            guard.never_block_names.iter().map(|name| name.as_str()).collect();
        let mut answers = load(directory).unwrap_or_else(|why| {
            let aside = put_aside(directory, FILE);
            let text = format!(
                "{why}; never_block_names protects nothing until they are looked up, which is done \
                 now{aside}"
            );
            events.say(&Event::Damaged { text, grave: false });
            Answers::new()
        });
        answers.retain(|name, _| names.contains(name.as_str()));
        Self {
            directory: directory.to_owned(),
            events,
            names: names.into_iter().map(ToOwned::to_owned).collect(),
            expect: guard.expect.iter().map(IpAddr::to_canonical).collect(),
            answers: RefCell::new(answers),
            failing: RefCell::default(),
            told: Told::default(),
            met: RefCell::default(),
        }
    }

    /// Whether there is no name.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// The known addresses, worded for people.
    pub fn protected(&self) -> Vec<Protected> {
        let answers = self.answers.borrow();
        let all = answers.iter().flat_map(|(name, known)| {
            known.seen.keys().map(move |addr| Protected {
                net: Prefix::host(*addr),
                reason: format!("never_block_names {name}"),
            })
        });
        all.collect()
    }

    /// What of an answer counts; `say` hears of the rest.
    fn counts(&self, name: &str, found: &[IpAddr], say: &mut dyn FnMut(String)) -> Vec<IpAddr> {
        let mut all = Vec::new();
        for addr in canonical(found) {
            if let Some(why) = no_global(addr) {
                say(format!("{name} has {addr}, which is left out: not a global address ({why})"));
            } else if self.expect.contains(&addr) {
                say(format!("{name} has {addr}, which is left out: guard.expect wants it blocked"));
            } else {
                all.push(addr);
            }
        }
        if all.len() > MAX_ADDRESSES {
            say(format!("{name} has {} addresses: only {MAX_ADDRESSES} of them count", all.len()));
            all.truncate(MAX_ADDRESSES);
        }
        all
    }

    /// Looks the names up; whether the addresses together are others than before.
    pub async fn refresh(&self) -> bool {
        self.look_up(clock::now(), PATIENCE, resolve).await
    }

    /// The same at `now`, each name by a resolver that may take so long.
    async fn look_up(
        &self,
        now: u64,
        limit: Duration,
        resolve: impl AsyncFn(&str) -> io::Result<Vec<IpAddr>>,
    ) -> bool {
        let (places, resolve) = (&Semaphore::new(SIDE_BY_SIDE), &resolve);
        let found = self.names.iter().map(|name| async move {
            let _place = places.acquire().await;
            let found = timeout(limit, resolve(name)).await;
            (name, found.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())))
        });
        let mut answers = self.answers.borrow().clone();
        let mut failing = BTreeMap::new();
        for (name, found) in join_all(found).await {
            let known = answers.entry(name.clone()).or_default();
            match found {
                Ok(found) => {
                    let mut say = |text: String| {
                        if self.told.is_news(name, &text, now) {
                            self.events.say(&Event::Warned(format!("never_block_names: {text}")));
                        }
                    };
                    known.answer(&self.counts(name, &found, &mut say), now);
                    let text = format!("never_block_names: {name}: looked up again");
                    self.events.end(&of_never(name), text);
                }
                Err(error) => {
                    known.fail(now);
                    let before: Vec<IpAddr> = known.seen.keys().copied().collect();
                    let (why, before) = (words(&error), listed(&before));
                    let text = format!(
                        "never_block_names: {name}: {why}; never blocked as before: {before}"
                    );
                    let source = Some(of_never(name));
                    self.events.say_as(&Event::Failed { source, text, grave: false }, &why);
                    failing.insert(name.clone(), why);
                }
            }
        }
        self.failing.replace(failing);
        self.put(answers)
    }

    /// Takes what is known now; whether the addresses together are others.
    fn put(&self, answers: Answers) -> bool {
        fn union(answers: &Answers) -> BTreeSet<IpAddr> {
            answers.values().flat_map(|known| known.seen.keys().copied()).collect()
        }
        let before = self.answers.replace(answers);
        let answers = self.answers.borrow();
        if *answers != before {
            let what = "never_block_names: unknown after a restart";
            self.events.kept(NAMES, save(&self.directory, &answers), what);
        }
        let (before, now) = (union(&before), union(&answers));
        for (verb, from, to) in [("no more", &now, &before), ("now", &before, &now)] {
            let differ: Vec<IpAddr> = to.difference(from).copied().collect();
            if !differ.is_empty() {
                logger::info(format_args!(
                    "never_block_names: never blocked {verb}: {}",
                    listed(&differ)
                ));
            }
        }
        before != now
    }

    /// Notes which known addresses the lists of a run name: a sentence for each, and whether it is
    /// said for the first time.
    pub fn note(&self, lists: &[Rc<Copy>]) -> Vec<(String, bool)> {
        let mut met = BTreeSet::new();
        let block = || lists.iter().filter(|copy| copy.kind == Kind::Block);
        for (name, known) in &*self.answers.borrow() {
            for addr in known.seen.keys() {
                for copy in block().filter(|copy| copy.list.contains(*addr)) {
                    let list = copy.list.name();
                    met.insert(format!(
                        "never_block_names: {addr} of {name} stays unblocked though list {list} has it"
                    ));
                }
            }
        }
        let before = self.met.replace(met.clone());
        met.into_iter().map(|text| (text.clone(), !before.contains(&text))).collect()
    }

    /// What nobody may overlook.
    pub fn warnings(&self) -> Vec<Warning> {
        let mut all = Vec::new();
        let met = self.met.borrow();
        for (number, text) in met.iter().enumerate() {
            let way_out = "who answers for the name decides that; take it out of guard if you do not \
                           trust him";
            if number == NAMED {
                let text = format!("never_block_names: {} more such addresses", met.len() - NAMED);
                all.push(Warning::new(text, "the log names them"));
                break;
            }
            all.push(Warning::new(text.as_str(), way_out));
        }
        let answers = self.answers.borrow();
        for (name, why) in &*self.failing.borrow() {
            if answers.get(name).is_none_or(|known| known.seen.is_empty()) {
                let text = format!("never_block_names: {name}: {why}: no address of it is known");
                let way_out = "mend name or resolver; until then its addresses may be blocked";
                all.push(Warning::new(text, way_out));
            }
        }
        all
    }
}

/// Why an address is none that all the Internet knows by it, if it is not.
fn no_global(addr: IpAddr) -> Option<&'static str> {
    let mut nets = prefix::unrouted().chain(prefix::private());
    nets.find(|(net, _)| net.contains(addr)).map(|(_, why)| why)
}

/// Without fsync(2): what is lost is looked up again.
fn save(directory: &Path, answers: &Answers) -> Result<(), String> {
    let text = serde_json::to_vec(answers).map_err(|error| format!("{FILE}: {error}"))?;
    replace(directory, FILE, [&text], false)
}

fn load(directory: &Path) -> Result<Answers, String> {
    Ok(read_json(directory, FILE, LARGEST)?.unwrap_or_default())
}

#[cfg(test)]
mod tests;
