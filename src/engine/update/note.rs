//! The last step of a run: what is in force is kept, with the copies of its lists, and how the run
//! went is remembered. A crash before it means that a list is fetched once more.

use std::rc::Rc;

use config::Config;
use imsg::Purpose;
use policy::Accepted;

use super::gather::Gathered;
use super::judge::{Judged, New, Stays};
use super::publish::Published;
use super::summary::Time;
use crate::change::differs;
use crate::clock;
use crate::lists::copies;
use crate::lists::{Copy, Source};
use crate::runs::Numbers;
use crate::source::local::Files;
use crate::state::{Fared, HeldBack, Memory, Policy, State, history, points};
use crate::tables::{Table, Tables};

/// What is in force from now on: the sets, and the lists all of whose tables are there. Gives the
/// lists that are new.
pub fn in_force(
    state: &State,
    judged: &mut Judged,
    published: &Published,
    time: &Time,
) -> Vec<New> {
    if judged.is_as_before && judged.renewed.is_empty() {
        return Vec::new();
    }
    let before = state.policy();
    let is_there = |new: &New| {
        let mut tables = state.tables.iter();
        let has = |table: &Table| new.copy.changes(table);
        // what is only taken out of tables need not wait for one that there is nothing to make of
        let none_yet = |table: &Table| {
            let (made, refused) = (&judged.made.sets, &judged.made.refused);
            new.copy.is_exemption()
                && before.set(table.id).is_none()
                && !made.contains_key(&table.id)
                && !refused.contains_key(&table.id)
        };
        tables.all(|table| !has(table) || published.done.contains(&table.id) || none_yet(table))
    };
    let (new, left): (Vec<New>, Vec<New>) =
        std::mem::take(&mut judged.new).into_iter().partition(is_there);
    // what could not be published stays as it was
    let lists = judged.lists.copies.drain(..);
    let lists =
        lists.filter_map(|copy| match left.iter().any(|left| Rc::ptr_eq(&left.copy, &copy)) {
            true => before.copy(copy.list.name()).cloned(),
            false => Some(copy),
        });
    let renewed = |copy: Rc<Copy>| {
        let renewed = judged.renewed.iter().find(|new| new.list.name() == copy.list.name());
        renewed.cloned().unwrap_or(copy)
    };
    let lists = lists.map(renewed).collect();
    let mut next = Policy { lists, ..Policy::clone(&before) };
    for (id, set) in std::mem::take(&mut judged.made.sets) {
        if published.done.contains(&id) {
            let set = published.holding.get(&id).cloned().unwrap_or(set);
            next.put(id, set, time.started);
        }
    }
    state.set_policy(next);
    new
}

/// Whether a list had a copy before this run, though it may have been lost.
fn replaced(judged: &Judged, before: &Policy, name: &str) -> bool {
    before.copy(name).is_some() || judged.lost.iter().any(|lost| lost.name == name)
}

/// Whether the copy from before the last run is kept of a list: by a run that brings it again, or from a
/// run before what changes now by itself, as a local file does, which is nothing to roll back to.
fn is_kept_from_before(memory: &Memory, numbers: Option<&Numbers>, name: &str) -> bool {
    match numbers {
        Some(numbers) => numbers.has_brought(memory, name),
        None => memory.run != 0 && memory.list(name).is_some_and(|list| list.run == memory.run),
    }
}

/// Keeps the copies of the lists that are new, and what there is to know of the others. The copy before is
/// that from before the run, however often that brings the list.
pub fn keep(
    state: &State,
    files: &Files,
    (judged, before, new): (&Judged, &Policy, &[New]),
    numbers: Option<&Numbers>,
) {
    judged.renewed.iter().for_each(|copy| state.keep_copy(copy, false));
    for New { copy, .. } in new {
        let name = copy.list.name();
        let again = is_kept_from_before(&state.memory(), numbers, name);
        state.keep_copy(copy, replaced(judged, before, name) && !again);
        if copy.source.is_local() {
            files.note(copy.source);
        }
    }
    let confirmed = judged.confirmed.iter().filter_map(|name| before.copy(name));
    confirmed.filter(|copy| copy.source.is_local()).for_each(|copy| files.note(copy.source));
}

/// How a run ended.
#[derive(Clone, Copy)]
pub struct End<'a> {
    /// What came.
    pub gathered: &'a Gathered,
    /// What was judged.
    pub judged: &'a Judged,
    /// What became of the tables.
    pub published: &'a Published,
    /// The lists that are in force now and were not before.
    pub new: &'a [New],
    /// What was in force before.
    pub before: &'a Policy,
    /// The numbers of a run that asked the sources; only such a run is one that can be rolled back.
    pub numbers: Option<&'a Numbers>,
    /// What its tables were published for.
    pub purpose: Purpose,
    /// When it began.
    pub started: u64,
}

/// Remembers what became of lists and tables.
pub fn remember(config: &Config, state: &State, end: &End<'_>) {
    let now = clock::now();
    state.remember(|memory| {
        note_kept(memory, end);
        // of what is remembered so far, and not of half of what comes
        let of = |number: fn(&Numbers, &Memory) -> Option<u64>| number(end.numbers?, memory);
        let (run, order) = (of(Numbers::run), of(Numbers::order));
        let run = note_lists(memory, state.tables, end, run, now);
        let order = note_tables(memory, state.tables, end, order, now);
        if let Some(numbers) = end.numbers {
            numbers.note(memory, run, order);
        }
        note_places(memory, state);
        note_sources(memory, end);
        forget(config, state, memory);
    });
}

/// Remembers which lists had a copy: that is known from now on, also after what is remembered was lost.
fn note_kept(memory: &mut Memory, end: &End<'_>) {
    let had = end.judged.lost.iter().map(|lost| lost.name.as_str());
    let copies = end.before.lists.iter().filter(|copy| copy.source != Source::Own);
    let had = had.chain(copies.map(|copy| copy.list.name()));
    had.for_each(|name| memory.list_mut(name).kept = true);
    // and from the first table on that no other list had one: it may be the administrator's alone
    memory.lists.get_or_insert_default();
}

/// Remembers the lists: what was confirmed, what is held back, and what is new, by the number of the run that
/// brought it, which is `run` where it has brought some before. Gives the number, if any is new.
fn note_lists(
    memory: &mut Memory,
    tables: &Tables,
    end: &End<'_>,
    run: Option<u64>,
    now: u64,
) -> Option<u64> {
    let End { judged, new, before, numbers, .. } = *end;
    let again = |new: &New| is_kept_from_before(memory, numbers, new.copy.list.name());
    let again: Vec<bool> = new.iter().map(again).collect();
    let run = numbers.filter(|_| !new.is_empty()).map(|_| {
        memory.run = run.unwrap_or(memory.run.saturating_add(1));
        memory.run
    });
    let is_kept = |name: &String| judged.kept.iter().any(|kept| kept.kept.list == *name);
    // a list that was accepted and is not in force has to be accepted again
    let counts = |name: &String| {
        judged.confirmed.contains(name)
            || is_kept(name)
            || new.iter().any(|new| new.copy.list.name() == name)
    };
    for (name, row) in judged.rows.iter().filter(|(name, _)| counts(name)) {
        memory.list_mut(name).row = *row;
    }
    for name in &judged.confirmed {
        let list = memory.list_mut(name);
        (list.kept, list.confirmed) = (true, now);
        // it is the copy that may not be, as before
        list.held.take_if(|_| !is_kept(name));
    }
    for (_, list) in memory.lists.iter_mut().flatten().filter(|(name, _)| !is_kept(name)) {
        // the guards are others again
        list.held.take_if(|held| held.of_copy);
    }
    for kept in &judged.kept {
        let list = memory.list_mut(&kept.kept.list);
        list.held = Some(HeldBack {
            since: list.held.as_ref().map_or(now, |held| held.since),
            text: kept.to_string(),
            can_force: kept.kept.reason.is_hold(),
            of: [kept.source.name().to_owned()].into(),
            of_copy: kept.stays == Stays::NoCopy,
        });
    }
    for (one, again) in new.iter().zip(again) {
        let name = one.copy.list.name();
        let listed = memory.list_mut(name);
        let (run, replaced) = match again {
            true => (run.unwrap_or(listed.run), listed.replaced),
            false => (run.unwrap_or_default(), replaced(judged, before, name)),
        };
        note_list(memory, (tables, before), one, run, replaced, now);
    }
    run
}

/// Remembers the tables: what has changed, by the number of the update that changed it, which is `order`
/// where it has changed one before. Gives the number, if any has.
fn note_tables(
    memory: &mut Memory,
    tables: &Tables,
    end: &End<'_>,
    order: Option<u64>,
    now: u64,
) -> Option<u64> {
    let End { published, before, numbers, purpose, .. } = *end;
    // what changes besides is no update; without any, the first set counts as one
    let (last, next) = (memory.last_order(), memory.next_order());
    let counts = last == 0 || purpose == Purpose::Publish && numbers.is_some();
    let order = counts.then(|| order.unwrap_or(next));
    let mut changed_one = false;
    for table in tables.iter() {
        let changed = published.changes.get(&table.id).is_some_and(differs);
        if changed && published.done.contains(&table.id) {
            memory.note_change(&table.word, order, now, before.set(table.id));
            changed_one = true;
        }
        note_table(memory, table, end, now);
    }
    order.filter(|_| changed_one)
}

/// Remembers in which tables each list is, should its copy be lost.
fn note_places(memory: &mut Memory, state: &State) {
    for copy in &state.policy().lists {
        let (name, kind) = (copy.list.name(), copy.kind);
        let has = state.tables.iter().filter(|table| table.has(name, kind));
        if let Some(listed) = memory.lists.as_mut().and_then(|lists| lists.get_mut(name)) {
            listed.tables = has.map(|table| table.word.clone()).collect();
        }
    }
}

/// Remembers how the sources fared that were asked.
fn note_sources(memory: &mut Memory, end: &End<'_>) {
    let End { gathered, judged, numbers, started, .. } = *end;
    for source in &gathered.asked {
        let failed = gathered.failed.iter().find(|(failed, _)| failed == source);
        let error = failed.map(|(_, failure)| failure.why.clone());
        let fared = memory.sources.entry(source.name().to_owned()).or_default();
        let last_good = if error.is_none() { Some(started) } else { fared.last_good };
        let is_good = error.is_none() && !judged.kept.iter().any(|kept| kept.source == *source);
        *fared = Fared { last: Some(started), last_good, error, again: false };
        if is_good && numbers.is_none() {
            memory.mend(source.name());
        }
    }
}

/// Remembers whether a table is held back.
fn note_table(memory: &mut Memory, table: &Table, end: &End<'_>, now: u64) {
    let End { judged, published, .. } = *end;
    let come = |name: &str| judged.has_come_from(name);
    let known = memory.table_mut(&table.word);
    let before = known.held.take();
    let kept = judged.kept_tables.get(&table.id);
    known.held = match kept {
        Some(kept) => Some(HeldBack {
            since: before.as_ref().map_or(now, |held| held.since),
            text: kept.to_string(),
            can_force: kept.reason.is_hold(),
            of: {
                let others = before.and_then(|held| held.without(come));
                let names = kept.of.iter().map(|source| source.name().to_owned());
                others.into_iter().flat_map(|held| held.of).chain(names).collect()
            },
            of_copy: false,
        }),
        // no block table was judged
        None if judged.unknown.is_some() && table.blocks() => before,
        // what may be is not in force yet
        None if !published.done.contains(&table.id) => before,
        // the lists that are at fault did not come, and may be as they were
        None => before.and_then(|held| held.without(come)),
    };
    for ((id, source), row) in &judged.table_rows {
        if *id == table.id {
            known.set_row(source.name(), *row);
        }
    }
}

/// Remembers a list that is new.
fn note_list(
    memory: &mut Memory,
    (tables, before): (&Tables, &Policy),
    new: &New,
    run: u64,
    replaced: bool,
    now: u64,
) {
    let New { copy, accepted } = new;
    let copy_before = before.copy(copy.list.name());
    let listed = memory.list_mut(copy.list.name());
    let mut known = history(&listed.history);
    let old = copy_before.map(|copy| copy.list.measure());
    known.note(now, old, copy.list.measure(), *accepted != Accepted::Usual);
    listed.history = points(&known);
    (listed.kept, listed.run, listed.replaced) = (true, run, replaced);
    (listed.confirmed, listed.held) = (now, None);
    if *accepted != Accepted::Usual {
        // what was accepted in the rows of its source is in force
        for table in tables.iter().filter(|table| copy.changes(table)) {
            memory.table_mut(&table.word).rows.remove(copy.source.name());
        }
    }
}

/// Forgets the lists that have left the configuration, and what held a table back of which they are not.
fn forget(config: &Config, state: &State, memory: &mut Memory) {
    let sources = Source::all(config);
    let names: Vec<&str> =
        sources.iter().flat_map(|source| source.lists(config)).map(|(name, _)| name).collect();
    if let Some(lists) = &mut memory.lists {
        lists.retain(|name, _| {
            let stays = names.contains(&name.as_str());
            if !stays && let Err(why) = copies::forget(state.directory(), name) {
                logger::warn(why);
            }
            stays
        });
    }
    let stays = |name: &String| sources.iter().any(|source| source.name() == name);
    memory.sources.retain(|name, _| stays(name));
    for (word, known) in &mut memory.tables {
        let of = state.tables.iter().find(|table| table.word == *word);
        let is_of = |name: &str| of.is_some_and(|of| may_hold(config, state, of, name));
        known.rows.retain(|name, _| is_of(name));
        let Some(held) = known.held.take() else { continue };
        known.held = match held.of.is_empty() {
            true => of.is_some().then_some(held),
            false => held.without(|name| !is_of(name)),
        };
    }
}

/// Whether a source may be at fault where a table is held back: with its lists in the table, or in the allow
/// table, which may empty what is blocked.
fn may_hold(config: &Config, state: &State, table: &Table, source: &str) -> bool {
    let is_one = |one: &&Table| one.id == table.id || table.blocks() && !one.blocks();
    let mut tables = state.tables.iter().filter(is_one);
    tables.any(|one| Source::of_table(config, one).iter().any(|of| of.name() == source))
}

#[cfg(test)]
mod tests;
