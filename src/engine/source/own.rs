//! What the administrator blocks and allows himself: a source whose store is a file in the engine's
//! directory, and which asks nobody.
//!
//! * In: prefixes from `block`, `allow` and `forget`, who says so, until when and why.
//! * Out: at most two lists, and the file `own`.
//! * Never: ask anybody, have an entry in force that is not on disk, or take one that breaks a
//!   guard.

mod entry;
mod file;

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use control::{Action, MAX_OWN, OwnEntry};
use policy::List;
use prefix::{Bounds, Coverage, Floor, Items, Kind, Prefix, Refusal};

use crate::events::subject::OWN;
use crate::events::{Event, Events};
use crate::lists::{Copy, Source};
use crate::told::Told;
use crate::warning::Warning;
use entry::Entries;
pub use entry::{Entry, of_written, read_prefix};

/// What the log is told of: that ends are not kept.
const ENDED: &str = "own";
/// What comes of a file that cannot be read, and that it was read after all.
const NOT_IN_FORCE: &str = "what block and allow said is not in force";
const READ: &str = "what block and allow said can be read and is in force";

/// What is kept, and the lists that it makes.
pub struct Own {
    directory: PathBuf,
    entries: RefCell<Entries>,
    /// The lists that they make: of what to block, and of what to let through.
    lists: RefCell<Vec<Rc<Copy>>>,
    /// When something last came or went.
    changed: Cell<Option<u64>>,
    /// The damaged file that was put aside and was still there when that was last looked at. A start
    /// puts one aside, and nothing else does.
    aside: RefCell<Option<PathBuf>>,
    /// Why the file could not be read, as long as that is so: what is in it is not in force then, and nothing
    /// takes its place.
    unread: RefCell<Option<String>>,
    /// Whether it was read after all, and the tables have not been made of it for that yet.
    to_apply: Cell<bool>,
    events: &'static Events,
    /// What the log has been told of what cannot be kept.
    told: Told,
}

impl Own {
    /// What was kept in a directory. What is damaged is told of and put aside, and the rest holds; what
    /// cannot be read is told of and tried again.
    pub fn load(directory: &Path, now: u64, events: &'static Events) -> Self {
        let own = Self {
            directory: directory.to_owned(),
            entries: RefCell::default(),
            lists: RefCell::default(),
            changed: Cell::default(),
            aside: RefCell::default(),
            unread: RefCell::default(),
            to_apply: Cell::default(),
            events,
            told: Told::default(),
        };
        if own.read().is_ok() {
            own.end(now);
        }
        own
    }

    /// Has in force what the file has.
    fn read(&self) -> Result<(), String> {
        let damaged = |text| self.events.say(&Event::Damaged { text, grave: true });
        let read = file::load(&self.directory, damaged);
        self.aside.replace(file::first_aside(&self.directory));
        self.unread.replace(read.as_ref().err().cloned());
        if let Some(text) = self.unread() {
            self.events.say(&Event::Failed { source: Some(OWN.to_owned()), text, grave: true });
        }
        let entries = read?;
        self.lists.replace(lists(&entries));
        self.changed.set(entries.values().map(|entry| entry.since).max());
        self.entries.replace(entries);
        self.events.end(OWN, READ);
        Ok(())
    }

    /// Reads the file where that has failed so far, before anything takes its place. The tables hear of it by
    /// [`Self::end`], for the command that came first may be refused.
    fn read_again(&self) -> Result<(), String> {
        if self.unread.borrow().is_none() {
            return Ok(());
        }
        self.read()?;
        self.to_apply.set(true);
        Ok(())
    }

    /// Why what was said is not in force, as long as the file cannot be read.
    pub fn unread(&self) -> Option<String> {
        self.unread.borrow().as_ref().map(|why| format!("{why}; {NOT_IN_FORCE}"))
    }

    /// How many entries are in force.
    pub fn len(&self) -> usize {
        in_force(&self.entries.borrow()).count()
    }

    /// All of them, IPv4 first and each ascending.
    pub fn shown(&self) -> Vec<OwnEntry> {
        in_force(&self.entries.borrow()).map(Entry::shown).collect()
    }

    /// Those that name an address.
    pub fn naming(&self, addr: IpAddr) -> Vec<OwnEntry> {
        let addr = addr.to_canonical();
        let entries = self.entries.borrow();
        let naming = in_force(&entries).filter(|entry| entry.prefix.contains(addr));
        naming.map(Entry::shown).collect()
    }

    /// The lists that they make; of a kind of which there is nothing there is none.
    pub fn lists(&self) -> Vec<Rc<Copy>> {
        self.lists.borrow().clone()
    }

    /// When something last came or went.
    pub fn changed(&self) -> Option<u64> {
        self.changed.get()
    }

    /// Keeps what somebody said, in place of what was said of the same prefix, so that it is on disk
    /// when this returns.
    ///
    /// # Errors
    /// When it breaks a guard, there are too many, or it cannot be kept; then all is as it was.
    pub fn keep(&self, entry: Entry, bounds: &Bounds) -> Result<(), String> {
        self.read_again().map_err(not_kept)?;
        let mut next = self.entries.borrow().clone();
        let since = entry.since;
        let key = (entry.prefix, entry.action);
        next.insert(key, entry);
        if next.len() > MAX_OWN {
            next.retain(|_, entry| entry.holds());
        }
        if next.len() > MAX_OWN {
            return Err(format!("there are {MAX_OWN} already: threatstopctl forget some first"));
        }
        let lists = lists(&next);
        is_permitted(key, &lists, bounds)?;
        self.put(next, lists, since)
    }

    /// Takes back what was said of this very prefix, or of all; gives what that was.
    ///
    /// # Errors
    /// When there is nothing, or it cannot be taken back on disk.
    pub fn forget(
        &self,
        prefix: Option<Prefix>,
        now: u64,
    ) -> Result<Vec<(Prefix, Action)>, String> {
        self.read_again().map_err(not_kept)?;
        let mut next = self.entries.borrow().clone();
        let is_it = |kept: &Prefix| prefix.is_none_or(|prefix| *kept == prefix);
        let held = in_force(&next).filter(|entry| is_it(&entry.prefix));
        let gone: Vec<_> = held.map(|entry| (entry.prefix, entry.action)).collect();
        next.retain(|(kept, _), _| !is_it(kept));
        match (gone.as_slice(), prefix) {
            ([], Some(prefix)) => Err(format!(
                "{prefix}: neither block nor allow named it: threatstopctl show own has what they did"
            )),
            ([], None) => Err("neither block nor allow has anything".into()),
            _ => {
                let lists = lists(&next);
                self.put(next, lists, now)?;
                Ok(gone)
            }
        }
    }

    /// Takes back what has ended by the clock on the wall, and takes up again what has not ended after all, or
    /// could not be read so far; whether there was something.
    pub fn end(&self, now: u64) -> bool {
        // why not has been said
        let _ = self.read_again();
        let mut has_changed = self.to_apply.take();
        if !self.entries.borrow().values().any(|entry| entry.is_due(now)) {
            return has_changed;
        }
        let mut next = self.entries.borrow().clone();
        next.retain(|_, entry| {
            let (held, is_over) = (entry.holds(), entry.look(now));
            let holds = entry.holds() && !is_over;
            if holds != held {
                has_changed = true;
                let what = if holds { "is in force again: the clock was set" } else { "has ended" };
                logger::info(format_args!("{} {} {what}", entry.action.word(), entry.prefix));
            }
            !is_over
        });
        if next == *self.entries.borrow() {
            return has_changed;
        }
        let lists = lists(&next);
        // it would end again after a restart
        let failed = file::save(&self.directory, &next).err();
        self.told.fails(ENDED, failed.as_deref(), now, |why| {
            logger::err(format_args!("{why}; what has ended is still in the file"));
        });
        self.set(next, lists, now);
        has_changed
    }

    /// Puts others in the place of the entries, on disk first.
    fn put(&self, next: Entries, lists: Vec<Rc<Copy>>, now: u64) -> Result<(), String> {
        if let Err(why) = file::save(&self.directory, &next) {
            // where all that failed was to make the new file durable, it is there
            if let Err(also) = file::put_back(&self.directory, &self.entries.borrow()) {
                logger::err(format_args!("{also}; see threatstopctl show own after a restart"));
            }
            return Err(not_kept(why));
        }
        self.set(next, lists, now);
        Ok(())
    }

    fn set(&self, next: Entries, lists: Vec<Rc<Copy>>, now: u64) {
        self.entries.replace(next);
        self.lists.replace(lists);
        self.changed.set(Some(now));
    }

    /// What nobody may overlook: that the file cannot be read, or was damaged once.
    pub fn warning(&self) -> Option<Warning> {
        if let Some(text) = self.unread() {
            let way_out = "it is tried again, and in force as soon as it can be read";
            return Some(Warning::new(text, way_out));
        }
        if !self.aside.borrow().as_ref()?.exists() {
            self.aside.replace(file::first_aside(&self.directory));
        }
        let path = self.aside.borrow().clone()?;
        let text = format!(
            "what block and allow said was damaged on disk: what could be read is in force, and the \
             damaged file is {}",
            path.display()
        );
        let way_out = format!(
            "threatstopctl show own; say again what is missing, then rm {}",
            path.display()
        );
        Some(Warning::new(text, way_out))
    }
}

/// What is said of what is on disk as it was.
fn not_kept(why: String) -> String {
    format!("not kept: {why}")
}

/// Whether the entry of a key may be kept among those that make these lists.
fn is_permitted(
    (prefix, action): (Prefix, Action),
    lists: &[Rc<Copy>],
    bounds: &Bounds,
) -> Result<(), String> {
    let floor = bounds.floor.of(prefix);
    if prefix.len() < floor {
        return Err(Refusal::Wide { net: prefix, floor }.to_string());
    }
    let kind = kind(action);
    let mut coverage = Coverage::default();
    for list in lists.iter().filter(|copy| copy.kind == kind).map(|copy| &copy.list) {
        list.v4().iter().for_each(|range| coverage.add_v4(*range));
        list.v6().iter().for_each(|range| coverage.add_v6(*range));
    }
    let word = action.word();
    bounds.covers(kind, &coverage).map_err(|why| format!("all of {word} together: {why}"))?;
    let expected = bounds.expect.iter().find(|addr| prefix.contains(addr.to_canonical()));
    match expected {
        // no block table would be published any more
        Some(addr) if action == Action::Allow => {
            Err(format!("{addr} must be blocked (see expect in [guard])"))
        }
        _ => Ok(()),
    }
}

fn kind(action: Action) -> Kind {
    match action {
        Action::Block => Kind::Block,
        Action::Allow => Kind::Allow,
    }
}

/// Those in force; the others are kept for a while, in case the clock is set back.
fn in_force(entries: &Entries) -> impl Iterator<Item = &Entry> {
    entries.values().filter(|entry| entry.holds())
}

/// The lists that entries make.
fn lists(entries: &Entries) -> Vec<Rc<Copy>> {
    let list = |action: Action| {
        let (mut items, mut changed) = (Items::default(), 0);
        for entry in in_force(entries).filter(|entry| entry.action == action) {
            items.push(entry.prefix, false);
            changed = changed.max(entry.since);
        }
        // what is wider than the floor of now was not when it was said, and is cut up
        let list = List::kept(Source::Own.name(), items, Floor { v4: 0, v6: 0 });
        let kind = kind(action);
        let origin = None;
        (!list.is_empty())
            .then(|| Rc::new(Copy { source: Source::Own, kind, list, changed, origin }))
    };
    [Action::Block, Action::Allow].into_iter().filter_map(list).collect()
}

#[cfg(test)]
mod tests;
