//! What happened on each of the last days: hits, changes of the tables, runs and uploads.
//!
//! A day is one of the local time zone, and has one of 36 files, by its number: a new one takes the
//! place of that of 36 days before, so that there are never more, whatever the clock does. A day that
//! the clock has never seen again, for it stood years ahead, is never shown, and ends the same way.
//!
//! The files are written once a minute, after each run and change of a table, and before the cursor of
//! the packet log moves on disk, the last day first. Each says how far the packet log is counted in it and
//! in those after it: what is read again after a crash is not counted twice, nor in another day, for the
//! clock was behind at one of the two times.
//!
//! * In: each hit, run, upload and change of a table, at the time at which it happens.
//! * Out: the days of a report; 36 files of together a mebibyte at most.
//! * Never: count a record twice, keep more keys than its bounds, or stop anything for what cannot
//!   be kept.

mod day;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use pflog::Record;
use prefix::PrefixSet;

pub use day::{Day, size};

use crate::events::{Event, Events, subject};
use crate::hits::Hit;
use crate::hits::busiest::Count;
use crate::hits::cursor::Cursor;
use crate::tables::Tables;
use crate::{clock, files};

/// Days that are shown.
pub const DAYS: i64 = control::MOST_REPORT_DAYS as i64;
/// Days that are kept: one more, for what is read late.
const SLOTS: i64 = DAYS + 1;
/// How often they are kept.
const KEEP: Duration = Duration::from_secs(60);
/// So long the local time zone has the same offset at least, in seconds, and so often it is looked
/// whether a day has begun.
const QUARTER: u32 = 15 * 60;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fared {
    /// As it was wanted.
    Good,
    /// The service failed, or a table could not be published.
    Failed,
    /// A list or table was held back, or there was a rollback.
    Held,
}

/// The days that are kept, of which the last is that of now.
pub struct Days {
    directory: PathBuf,
    tables: &'static Tables,
    inner: RefCell<Inner>,
    events: &'static Events,
}

#[derive(Default)]
struct Inner {
    /// By the remainder of their numbers.
    slots: Vec<Option<Day>>,
    /// Those that are not on disk as they are.
    dirty: BTreeSet<usize>,
    /// Those that may have counted already what comes now out of the packet log.
    ahead: BTreeSet<usize>,
    /// Where the follower is in the packet log.
    place: Option<Cursor>,
    /// The day of now.
    today: i64,
    /// The quarter of an hour of the last record, and its day.
    last: Option<(u32, i64)>,
}

/// A day as it is shown.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// Its number.
    pub number: i64,
    /// What is known of it; nothing where nothing ran.
    pub day: Option<&'a Day>,
    /// Whether packets were counted on it, though there may have been none.
    pub counted: bool,
}

fn slot(day: i64) -> usize {
    usize::try_from(day.rem_euclid(SLOTS)).unwrap_or_default()
}

fn file(slot: usize) -> String {
    format!("day.{slot}")
}

impl Days {
    /// The days as they were left. One that cannot be read is told of, and begins anew.
    pub fn load(directory: PathBuf, tables: &'static Tables, events: &'static Events) -> Self {
        let load = |slot| files::read_json(&directory, &file(slot), 4 * day::LARGEST as u64);
        let slots = (0..slot(-1) + 1).map(|slot| {
            load(slot).unwrap_or_else(|why| {
                let aside = files::put_aside(&directory, &file(slot));
                let text = format!("{why}; what was counted of that day is lost{aside}");
                events.say(&Event::Damaged { text, grave: false });
                None
            })
        });
        let slots: Vec<Option<Day>> = slots.collect();
        let counted = |day: &Day| day.counted.is_some();
        let ahead = slots.iter().enumerate();
        let ahead = ahead.filter(|(_, day)| day.as_ref().is_some_and(counted));
        let ahead = ahead.map(|(slot, _)| slot).collect();
        let inner = Inner { slots, ahead, ..Inner::default() };
        let days = Self { directory, tables, inner: RefCell::new(inner), events };
        days.look(clock::now());
        days
    }

    /// Takes note of the time, from time to time.
    pub fn look(&self, now: u64) {
        self.inner.borrow_mut().today = clock::day(now);
    }

    /// Takes note of where the follower is, behind all that was counted.
    pub fn stand(&self, place: Option<Cursor>) {
        self.inner.borrow_mut().place = place;
    }

    /// Counts a record of the file at hand that is a hit, unless it was counted before a crash.
    pub fn count(&self, hit: &Hit<'_>, record: &Record<'_>) {
        let mut inner = self.inner.borrow_mut();
        let own = inner.day_of(hit.at);
        // where its clock stood ahead of that of now, it is one of now
        let day = own.min(inner.today);
        if !inner.ahead.is_empty() {
            if inner.has_counted(own, record) {
                return;
            }
            inner.leave_behind(own, slot(day));
        }
        let words = hit.tables.iter().map(|id| self.tables.word(*id));
        if let Some(day) = inner.day(day) {
            day.add(hit, words);
        }
    }

    /// A run that asked sources has ended, after which the tables, by their words, have these sets.
    pub fn note_run<'a>(
        &self,
        fared: Fared,
        tables: impl Iterator<Item = (&'a str, &'a PrefixSet)>,
    ) {
        self.today(|day| {
            match fared {
                Fared::Good => day.runs.good += 1,
                Fared::Failed => day.runs.failed += 1,
                Fared::Held => day.runs.held += 1,
            }
            tables.for_each(|(word, set)| day.see(word, set));
        });
        self.save();
    }

    /// Another copy of a list is in force.
    pub fn note_list(&self, list: &str) {
        self.today(|day| *day.renewed.entry(list.to_owned()).or_default() += 1);
    }

    /// A table has another set than before; to be followed by [`Days::save`].
    pub fn note_table(&self, word: &str, before: Option<&PrefixSet>, set: &PrefixSet) {
        self.today(|day| day.change(word, before, set));
    }

    /// An upload has ended.
    pub fn note_upload(&self, ok: bool) {
        self.today(|day| match ok {
            true => day.uploads.confirmed += 1,
            false => day.uploads.failed += 1,
        });
    }

    fn today(&self, change: impl FnOnce(&mut Day)) {
        self.look(clock::now());
        let mut inner = self.inner.borrow_mut();
        let today = inner.today;
        inner.day(today).map(change);
    }

    /// What was counted of a list in the last so many days, that of now included.
    pub fn hits_of(&self, list: &str, days: i64) -> Count {
        self.look(clock::now());
        let inner = self.inner.borrow();
        let counts = inner.last(days).filter_map(|day| day.lists.count(list));
        counts.fold(Count::default(), |sum, count| sum.with(count))
    }

    /// Shows the last so many days, that of now included, the oldest first.
    pub fn show<T>(&self, days: i64, see: impl FnOnce(&[Seen<'_>]) -> T) -> T {
        self.begin(clock::now());
        self.shown(days, see)
    }

    fn shown<T>(&self, days: i64, see: impl FnOnce(&[Seen<'_>]) -> T) -> T {
        let inner = self.inner.borrow();
        let seen = |number| {
            let day = inner.slots.get(slot(number)).and_then(Option::as_ref);
            let day = day.filter(|day| day.number == number);
            let is_followed = number == inner.today && inner.place.is_some();
            let counted = |day: &Day| day.counted.is_some() || day.hits.total() > 0 || is_followed;
            Seen { number, day, counted: day.is_some_and(counted) }
        };
        let all: Vec<Seen<'_>> = (inner.today - days + 1..=inner.today).map(seen).collect();
        see(&all)
    }

    /// Takes note of the day of now: from then on it is one on which something ran.
    fn begin(&self, now: u64) {
        self.look(now);
        let mut inner = self.inner.borrow_mut();
        let today = inner.today;
        let known = inner.slots.get(slot(today)).and_then(Option::as_ref);
        if known.is_none_or(|known| known.number != today) {
            inner.day(today);
        }
    }

    /// Keeps what has changed, durably; what fails is tried again.
    pub fn save(&self) {
        let mut inner = self.inner.borrow_mut();
        let (place, mut all) = (inner.place, Ok(()));
        let number = |slot: usize| Some((inner.slots.get(slot)?.as_ref()?.number, slot));
        let mut dirty: Vec<_> = inner.dirty.iter().filter_map(|slot| number(*slot)).collect();
        if dirty.is_empty() {
            return;
        }
        // how far one is counted says the same of those after it: they are on disk before it
        dirty.sort_unstable();
        for (_, slot) in dirty.into_iter().rev() {
            // what is read again now is counted up to where it was
            let is_ahead = inner.ahead.contains(&slot);
            let Some(Some(day)) = inner.slots.get_mut(slot) else { continue };
            let before = day.counted;
            if !is_ahead {
                day.counted = place;
            }
            let saved = day.text();
            let saved =
                saved.and_then(|text| files::replace(&self.directory, &file(slot), [&text], true));
            if let Err(why) = saved {
                day.counted = before;
                all = Err(why);
                break;
            }
            inner.dirty.remove(&slot);
        }
        drop(inner);
        self.events.kept(subject::DAYS, all, "what was counted of the day waits for that");
    }

    /// Keeps them once a minute; never returns.
    pub async fn keep(&self) -> ! {
        loop {
            clock::sleep(KEEP).await;
            self.begin(clock::now());
            self.save();
        }
    }
}

impl Inner {
    /// The day of a record by its own clock.
    fn day_of(&mut self, at: u32) -> i64 {
        let quarter = at / QUARTER;
        let day = match self.last {
            Some((last, day)) if last == quarter => day,
            _ => clock::day(at.into()),
        };
        self.last = Some((quarter, day));
        day
    }

    /// Whether a record of a day was counted before, in that day or, where the clock stood before it, in
    /// the one of then: it stands before the place up to which that was done or, in another file, is not
    /// later than what its own day has.
    fn has_counted(&self, own: i64, record: &Record<'_>) -> bool {
        let Some(place) = self.place else { return false };
        let known = self.ahead.iter().filter_map(|slot| self.slots.get(*slot)?.as_ref());
        known.filter(|known| known.number <= own).any(|known| match known.counted {
            Some(counted) if counted.file == place.file => record.offset < counted.offset,
            Some(_) => known.number == own && record.seconds <= known.hits.last,
            None => false,
        })
    }

    /// A record of a day was not counted before: what comes now was not in any day up to that, nor in the
    /// one in which it is counted.
    fn leave_behind(&mut self, own: i64, slot: usize) {
        let is_later = |known: &Day| known.number > own;
        let known = |at: usize| self.slots.get(at).and_then(Option::as_ref);
        self.ahead.retain(|at| *at != slot && known(*at).is_some_and(is_later));
    }

    /// A day to be changed; none when that of its place is a later one that has been.
    fn day(&mut self, number: i64) -> Option<&mut Day> {
        let (today, slot) = (self.today, slot(number));
        let known = self.slots.get_mut(slot)?;
        if known.as_ref().is_none_or(|known| known.number != number) {
            if known.as_ref().is_some_and(|known| (number..=today).contains(&known.number)) {
                return None;
            }
            *known = Some(Day { number, ..Day::default() });
        }
        self.dirty.insert(slot);
        known.as_mut()
    }

    /// The last so many days, of which some may have nothing.
    fn last(&self, days: i64) -> impl Iterator<Item = &Day> {
        let shown = self.today - days + 1..=self.today;
        self.slots.iter().flatten().filter(move |day| shown.contains(&day.number))
    }
}

#[cfg(test)]
mod tests;
