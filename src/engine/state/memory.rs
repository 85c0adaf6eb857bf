//! What is remembered of runs: a few values, as JSON in `state.json`.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use policy::{HeldRuns, History, Measure};
use prefix::PrefixSet;
use serde::{Deserialize, Serialize};

use super::serial::Numbered;
use crate::files;

const FILE: &str = "state.json";
/// Far more than it ever has.
const LARGEST: u64 = 1 << 20;
/// What the service is called among the sources.
const SERVICE: &str = "policy";

/// Addresses by the name of their host.
pub type Known = BTreeMap<String, Vec<IpAddr>>;

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// When the engine ran for the first time.
    pub first_start: u64,
    /// The last run that gathered and ended.
    pub last: Option<control::LastUpdate>,
    /// Why it was not as it was wanted, of which `last` has the sentences.
    pub failing: Vec<Failing>,
    /// The last run in which the service brought its lists and all of them are in force.
    pub last_good: Option<u64>,
    /// What the last run left out of the lists, as it said it.
    pub left_out: Option<String>,
    /// Runs that failed since the last good one.
    pub failures: u32,
    /// Whether the last failure looks like that of a device that is not yet provisioned.
    pub waiting: bool,
    /// What is remembered of tables, by the word for each.
    pub tables: BTreeMap<String, Tabled>,
    /// The number of the last run that gathered and changed a list.
    pub run: u64,
    /// The lists that had a copy, or were held back, by name; absent as long as nothing is known.
    pub lists: Option<BTreeMap<String, Listed>>,
    /// How the sources fared, by name.
    pub sources: BTreeMap<String, Fared>,
    /// When the administrator rolled back; nothing is published until he updates.
    pub rolled_back: Option<u64>,
    /// The number of the run that was rolled back last; 0 before the first.
    pub undone: u64,
    /// Lists that came as APL once: they are not read in a weaker form any more.
    pub apl: BTreeSet<String>,
    /// The addresses behind the names of servers, as they were looked up last.
    pub resolved: Known,
    /// The number of the tables in force.
    pub numbered: Numbered,
    /// Why the file of the configuration is not the one in use.
    pub refused: Option<Refused>,
}

/// What is remembered of a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Tabled {
    /// When its content last changed.
    pub changed: Option<u64>,
    /// The number of the last run or rollback that changed it; 0 before the first. Clocks are set, so
    /// that times tell no order.
    pub order: u64,
    /// Whether there was no set before that change.
    pub was_first: bool,
    /// What somebody last did to it or its file.
    pub mended: Option<control::Mended>,
    /// Why it is held back.
    pub held: Option<HeldBack>,
    /// Runs in a row in which it was held back for what a source brought, by the name of that.
    pub rows: BTreeMap<String, Row>,
    /// The same of a version that counted those of all sources together.
    #[serde(skip_serializing)]
    held_row: Row,
}

impl Tabled {
    /// Notes the row of a source after a run.
    pub fn set_row(&mut self, source: &str, row: Row) {
        match row == Row::default() {
            true => drop(self.rows.remove(source)),
            false => drop(self.rows.insert(source.to_owned(), row)),
        }
    }

    /// Takes over the row of a version that counted those of all sources together, which is that of each
    /// source at fault. Its numbers are those of the table: where others have lists in that as well, the
    /// next run may not agree.
    fn split_row(&mut self) {
        let row = std::mem::take(&mut self.held_row);
        if row != Row::default() {
            let of = self.held.iter().flat_map(|held| held.of.iter().cloned());
            self.rows.extend(of.map(|source| (source, row)));
        }
    }
}

/// The same as a version wrote it that had two tables: block, allow.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Former {
    changed: [Option<u64>; 2],
    order: [u64; 2],
    was_first: [bool; 2],
    mended: [Option<control::Mended>; 2],
    held: [Option<HeldBack>; 2],
    held_rows: [Row; 2],
}

impl Former {
    fn tables(self) -> BTreeMap<String, Tabled> {
        let Self { changed, order, was_first, mut mended, mut held, held_rows } = self;
        let of = |(at, word): (usize, &str)| {
            let (mended, held) = (mended[at].take(), held[at].take());
            let (changed, order, was_first) = (changed[at], order[at], was_first[at]);
            let (rows, held_row) = (BTreeMap::new(), held_rows[at]);
            (word.to_owned(), Tabled { changed, order, was_first, mended, held, rows, held_row })
        };
        ["block", "allow"].into_iter().enumerate().map(of).collect()
    }
}

/// What is remembered of a list.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listed {
    /// Whether there is a copy of it.
    pub kept: bool,
    /// The tables that had it last, by the word for each.
    pub tables: Vec<String>,
    /// The number of the run that brought the copy.
    pub run: u64,
    /// Whether that run replaced another copy, which is kept beside it.
    pub replaced: bool,
    /// When its content was last confirmed.
    pub confirmed: u64,
    /// Why what came last is not in force.
    pub held: Option<HeldBack>,
    /// Runs in a row in which it was held back.
    pub row: Row,
    /// What it measured after each change of the last day.
    pub history: Vec<Point>,
}

/// How a source fared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fared {
    /// When it was last tried.
    pub last: Option<u64>,
    /// When it last brought its lists.
    pub last_good: Option<u64>,
    /// Why it did not the last time.
    pub error: Option<String>,
    /// Whether an engine has asked since, and had to leave before that came to something.
    pub again: bool,
}

/// Why a run is not as it was wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failing {
    /// The source that it is about, by name; none when it is about a table.
    pub source: Option<String>,
    /// What, and why.
    pub text: String,
}

/// The sentences together; none of none.
pub fn why<'a>(failing: impl IntoIterator<Item = &'a Failing>) -> Option<String> {
    let texts: Vec<&str> = failing.into_iter().map(|one| one.text.as_str()).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// A set that was held back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "AnyHeld")]
pub struct HeldBack {
    /// Since when it is held back, epoch seconds.
    pub since: u64,
    /// The sentence about it.
    pub text: String,
    /// Whether `update -f` would accept it.
    pub can_force: bool,
    /// The sources, by name, whose lists are at fault: without them nobody knows whether it is over. None
    /// where it is what is in force, which any run finds.
    pub of: BTreeSet<String>,
    /// Whether it is the copy that is not permitted, which any run finds.
    pub of_copy: bool,
}

/// The same as any version wrote it.
#[derive(Deserialize)]
struct AnyHeld {
    since: u64,
    text: String,
    can_force: bool,
    #[serde(default)]
    of: BTreeSet<String>,
    #[serde(default)]
    of_copy: bool,
    /// Of a version that knew no other source that could be at fault: whether it was the service.
    #[serde(default)]
    of_service: bool,
}

impl From<AnyHeld> for HeldBack {
    fn from(any: AnyHeld) -> Self {
        let AnyHeld { since, text, can_force, mut of, of_copy, of_service } = any;
        of.extend(of_service.then(|| SERVICE.to_owned()));
        Self { since, text, can_force, of, of_copy }
    }
}

impl HeldBack {
    /// What is left of it when a run has found it no more to which those sources have come.
    pub fn without(mut self, come: impl Fn(&str) -> bool) -> Option<Self> {
        self.of.retain(|name| !come(name));
        (!self.of.is_empty()).then_some(self)
    }
}

/// Why the file of the configuration was refused, by somebody else than the monitor, which knows nothing
/// of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Why it does not load.
    pub why: String,
    /// How often helper or engine had been started again then: a start that is none of these has read the
    /// file once more.
    pub restarts: u32,
    /// Whether this engine wants another one in its place, for another reason.
    #[serde(default)]
    pub renewed: bool,
}

/// [`Measure`] for serde: entries, IPv4 addresses, /32 of IPv6.
type Numbers = [u64; 3];

fn numbers(measure: Measure) -> Numbers {
    [measure.entries, measure.v4, measure.v6]
}

fn measure([entries, v4, v6]: Numbers) -> Measure {
    Measure { entries, v4, v6 }
}

/// [`HeldRuns`] for serde, and when a run last counted in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Row {
    before: Option<Numbers>,
    last: Option<Numbers>,
    at: Option<u64>,
}

impl Row {
    /// The row as it is judged by.
    pub fn runs(self) -> HeldRuns {
        HeldRuns { before: self.before.map(measure), last: self.last.map(measure) }
    }

    /// The row after a run that began at `at` and counted, if it did.
    pub fn after(self, HeldRuns { before, last }: HeldRuns, at: Option<u64>) -> Self {
        Self { before: before.map(numbers), last: last.map(numbers), at: at.or(self.at) }
    }

    /// Whether a scheduled run may count in the row: at least half an interval after the last that
    /// did. Each start makes a scheduled run, and a server in trouble for some seconds must not have
    /// its way because somebody starts the daemon three times meanwhile.
    ///
    /// A clock that was set back does not hold up the row.
    pub fn may_count(self, now: u64, interval: Duration) -> bool {
        let since = self.at.and_then(|at| now.checked_sub(at));
        since.is_none_or(|since| since >= interval.as_secs() / 2)
    }
}

/// A point of [`History`] for serde: when, and what the set measured from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point(u64, Numbers);

/// The history of a table as it is remembered.
pub fn history(points: &[Point]) -> History {
    History(points.iter().map(|Point(at, numbers)| (*at, measure(*numbers))).collect())
}

/// A history for the memory.
pub fn points(history: &History) -> Vec<Point> {
    history.0.iter().map(|(at, measure)| Point(*at, numbers(*measure))).collect()
}

impl Memory {
    /// Nothing, of an engine that runs for the first time, as far as it knows.
    pub fn new(now: u64) -> Self {
        Self { first_start: now, ..Self::default() }
    }

    /// What is remembered of a list.
    pub fn list(&self, name: &str) -> Option<&Listed> {
        self.lists.as_ref()?.get(name)
    }

    /// The same, to be changed.
    pub fn list_mut(&mut self, name: &str) -> &mut Listed {
        let lists = self.lists.get_or_insert_default();
        lists.entry(name.to_owned()).or_default()
    }

    /// Nothing is wrong with a source any more.
    pub fn mend(&mut self, source: &str) {
        self.failing.retain(|one| one.source.as_deref() != Some(source));
        if let Some(last) = &mut self.last {
            last.why = why(&self.failing);
        }
    }

    /// What is remembered of a table.
    pub fn table(&self, word: &str) -> Tabled {
        self.tables.get(word).cloned().unwrap_or_default()
    }

    /// The same, to be changed.
    pub fn table_mut(&mut self, word: &str) -> &mut Tabled {
        self.tables.entry(word.to_owned()).or_default()
    }

    /// The row of a source at a table.
    pub fn row(&self, word: &str, source: &str) -> Row {
        let table = self.tables.get(word);
        table.and_then(|table| table.rows.get(source)).copied().unwrap_or_default()
    }

    /// Ends all rows: what the next runs bring is the first of theirs.
    pub fn end_rows(&mut self) {
        self.tables.values_mut().for_each(|table| table.rows.clear());
        self.lists.iter_mut().flatten().for_each(|(_, list)| list.row = Row::default());
    }

    /// Notes that a table was changed at `now` by the update or rollback of this number, which may do that
    /// more than once, and what it had before; or by neither.
    pub fn note_change(
        &mut self,
        word: &str,
        order: Option<u64>,
        now: u64,
        before: Option<&PrefixSet>,
    ) {
        let table = self.table_mut(word);
        table.changed = Some(now);
        if let Some(order) = order.filter(|order| *order != table.order) {
            (table.order, table.was_first) = (order, before.is_none());
        }
    }

    /// When a table last changed.
    pub fn changed(&self) -> Option<u64> {
        self.tables.values().filter_map(|table| table.changed).max()
    }

    /// The number of the last update or rollback that changed something.
    pub fn last_order(&self) -> u64 {
        self.tables.values().map(|table| table.order).max().unwrap_or_default()
    }

    /// The number of the next one.
    pub fn next_order(&self) -> u64 {
        self.last_order().saturating_add(1)
    }

    /// What is held back of tables, by the word for each.
    pub fn held(&self) -> impl Iterator<Item = (&str, &HeldBack)> {
        self.tables.iter().filter_map(|(word, table)| Some((word.as_str(), table.held.as_ref()?)))
    }
}

/// What was remembered; nothing when there is no file. One that cannot be read, or is damaged, is put aside,
/// for what is remembered next takes its place, and `damaged` hears of it.
pub fn load(directory: &Path, damaged: impl Fn(String)) -> Memory {
    let kept = read(directory).unwrap_or_else(|why| {
        let aside = files::put_aside(directory, FILE);
        damaged(format!(
            "{why}; the engine's memory begins anew, and the tables stay; if you had rolled back, that \
             is over: updates publish again{aside}"
        ));
        None
    });
    kept.unwrap_or_else(|| Memory::new(crate::clock::now()))
}

fn read(directory: &Path) -> Result<Option<Memory>, String> {
    let Some(text) = files::read(directory, FILE, LARGEST)? else { return Ok(None) };
    let mut memory: Memory = files::parse(directory, FILE, &text)?;
    if memory.tables.is_empty() {
        let former: Former = files::parse(directory, FILE, &text).unwrap_or_default();
        memory.tables = former.tables();
    }
    memory.tables.values_mut().for_each(Tabled::split_row);
    Ok(Some(memory))
}

/// Keeps what is remembered, in place of what was.
///
/// # Errors
/// When it cannot be written, with its path; the one before is there then.
pub fn save(directory: &Path, memory: &Memory) -> Result<(), String> {
    let text = serde_json::to_vec(memory).map_err(|error| format!("{FILE}: {error}"))?;
    files::replace(directory, FILE, [&text], true)
}

#[cfg(test)]
mod tests;
