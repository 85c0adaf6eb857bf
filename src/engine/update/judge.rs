//! The third step of a run: which of the lists that have come may be in force, and what tables they
//! make. A list is held against its own copy; then the tables are looked at once more as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

use config::Config;
use imsg::TableId;
use policy::{
    Accepted, Guard, Kept as Held, KeptList as Kept, List, ListTrial, Measure, OfList, Protected,
    Reason, Run as Wanted, Together, grew_most, judge_table,
};
use prefix::{Kind, Refusal};

use super::compose::{Lists, Made, Told, as_list, compose, of_table, stand_ins};
use crate::clock;
use crate::lists::{Copy, Source, Sources};
use crate::runs::Request;
use crate::source::feed;
use crate::state::{Failing, Lost, Policy, Row, State, history};
use crate::tables::{Table, Tables};

/// Lists whose copies the guards do not permit any more, by name, and why.
type Broken = BTreeMap<String, Reason>;

/// A list that has come and is another one than its copy.
pub struct New {
    /// The list.
    pub copy: Rc<Copy>,
    /// How it was accepted.
    pub accepted: Accepted,
}

/// A list that has come and is not to be in force.
pub struct KeptList {
    /// Who brought it.
    pub source: Source,
    /// Which, and what forbids it.
    pub kept: Kept,
    /// Whether it names what to block or what to let through.
    pub kind: Kind,
    /// What is in force of it.
    pub stays: Stays,
}

/// What is in force of a list that is not to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// Its copy.
    Copy,
    /// Nothing, for there is no copy of it.
    Nothing,
    /// Nothing, for its copy is what the guards do not permit, which were others when it came.
    NoCopy,
}

/// A table that is not what all the lists would make.
#[derive(Clone)]
pub struct KeptTable {
    /// Which, in a word.
    pub table: String,
    /// What forbids that.
    pub reason: Reason,
    /// The list that grew most, where only all of them together are too much.
    pub grew_most: Option<String>,
    /// The sources whose new lists are at fault, or may be; none where it is what is in force.
    pub of: Sources,
}

impl KeptTable {
    fn new(table: String, reason: Reason, grew_most: Option<String>) -> Self {
        Self { table, reason, grew_most, of: Sources::new() }
    }
}

/// What a run may put in force.
#[derive(Default)]
pub struct Judged {
    /// The lists that had a copy once and have none.
    pub lost: Vec<Lost>,
    /// Why the block tables stay as they are, where nobody knows what is to be taken out of them.
    pub unknown: Option<String>,
    /// Whether block lists have come that are not to be for that reason.
    pub waits: bool,
    /// The sources that have come.
    pub come: Sources,
    /// All lists that the tables are made of.
    pub lists: Lists,
    /// Those among them that are new.
    pub new: Vec<New>,
    /// Those that have come as they are in force.
    pub confirmed: Vec<String>,
    /// Those that have come as they are in force, and of which their server says something new.
    pub renewed: Vec<Rc<Copy>>,
    /// Those that are not to be.
    pub kept: Vec<KeptList>,
    /// What the lists make.
    pub made: Made,
    /// Whether that is what is in force, so that no set was made anew.
    pub is_as_before: bool,
    /// What was protected then.
    pub protected: Vec<Protected>,
    /// What the administrator said.
    pub own: Vec<Rc<Copy>>,
    /// Why a table is not what all the lists would make.
    pub kept_tables: BTreeMap<TableId, KeptTable>,
    /// The row of runs of each list that was judged.
    pub rows: BTreeMap<String, Row>,
    /// The same of the tables.
    pub table_rows: BTreeMap<TableId, Row>,
    /// Those among them for which lists were at fault that have come, so that their rows are as the run
    /// leaves them.
    pub at_fault: BTreeSet<TableId>,
}

/// A table that may not be, and the one whose new lists are at fault.
type Refused<'t> = ((TableId, KeptTable), &'t Table);

impl fmt::Display for KeptTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, reason, grew_most, .. } = self;
        write!(f, "Keeping the previous {table} list: {reason}")?;
        match grew_most {
            Some(name) => write!(f, "; {name} grew most"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for KeptList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Kept { list, reason } = &self.kept;
        let why = match self.stays {
            Stays::Copy => return fmt::Display::fmt(&self.kept, f),
            Stays::Nothing => "of which there is no copy yet",
            Stays::NoCopy => "whose copy the guards do not permit any more",
        };
        write!(f, "Leaving out list {list}, {why}: {}", OfList(reason))
    }
}

/// Why the block tables stay as they are: with a list that is taken out of them its copy was lost, and
/// what it named may be none of what is blocked.
pub fn unknown(lost: &[Lost]) -> Option<String> {
    let names: Vec<&str> =
        lost.iter().filter(|lost| lost.exempts).map(|lost| lost.name.as_str()).collect();
    let all = names.join(", ");
    let (copy, is, it) = match names.len() {
        0 => return None,
        1 => ("copy of allow feed", "is", "it comes"),
        _ => ("copies of allow feeds", "are", "they come"),
    };
    Some(format!("the {copy} {all} {is} lost: the block tables stay as they are until {it} again"))
}

/// Whether these are the same lists, and not only equal ones.
fn are_one(these: &[&List], those: &[&List]) -> bool {
    these.len() == those.len() && these.iter().zip(those).all(|(one, other)| ptr::eq(*one, *other))
}

/// How long a source waits between two runs.
fn interval(config: &Config, source: Option<Source>) -> Duration {
    let feed = match source {
        Some(Source::Feed(name)) => feed::of(config, name),
        _ => None,
    };
    feed.map_or(config.policy.interval, |feed| feed.interval)
}

/// By what is judged.
pub struct Judge<'a> {
    /// The sources, and how often the service is asked.
    pub config: &'a Config,
    /// The bounds.
    pub guard: &'a Guard,
    /// What is in force, and what was judged before.
    pub state: &'a State,
    /// What no block table may touch.
    pub protected: &'a [Protected],
    /// What the administrator says.
    pub own: &'a [Rc<Copy>],
    /// Who wants the run.
    pub request: &'a Request,
    /// The numbers of what the lists in force of each table name together, where they are known.
    pub measures: BTreeMap<TableId, Measure>,
}

impl Judge<'_> {
    /// Who wants a list, or with no source a table, as far as its judgement goes.
    fn wanted(&self, row: Row, source: Option<Source>) -> Wanted {
        let Self { config, request, .. } = self;
        match request.wanted {
            Wanted::Forced if source.is_some_and(|source| !request.sources.contains(&source)) => {
                Wanted::Manual
            }
            Wanted::Scheduled if !row.may_count(clock::now(), interval(config, source)) => {
                Wanted::Manual
            }
            wanted => wanted,
        }
    }

    /// What is known without a look at what has come: the lists of these sources have come as they are in
    /// force.
    fn begin(&self, same: &Sources) -> Judged {
        let row = |table: &Table| Some(self.state.memory().table(&table.word).held_row);
        let mut judged = Judged {
            table_rows: self.state.tables.each(row),
            protected: self.protected.to_vec(),
            own: self.own.to_vec(),
            ..Judged::default()
        };
        judged.come.clone_from(same);
        let policy = self.state.policy();
        for source in same {
            let lists = source.lists(self.config).into_iter();
            // a rollback may have taken it away meanwhile
            for (name, _) in lists.filter(|(name, _)| policy.copy(name).is_some()) {
                let row = self.state.memory().list(name).map_or(Row::default(), |list| list.row);
                judged.confirm(name, self.wanted(row, Some(*source)));
            }
        }
        judged
    }

    /// Judges what has come. What the tables are made of is all that may be, and copies else; the lists
    /// of the sources that are the `same` have come as they are in force.
    ///
    /// Where all else that tables are made of is what those in force were made of, there is what was
    /// `told` of these. Then none is made anew, as long as all lists have come as they are in force: most
    /// runs are so, and cost next to nothing.
    pub fn judge(&self, come: Vec<Copy>, same: &Sources, told: Option<&Told>) -> Judged {
        let (policy, tables) = (&*self.state.policy(), self.state.tables);
        let mut judged = Judged { lost: self.state.lost(self.config), ..self.begin(same) };
        let broken = self.broken(policy);
        for copy in come {
            judged.come.insert(copy.source);
            judged.list(self, policy, &broken, copy);
        }
        let is_same = judged.new.is_empty() && judged.kept.is_empty();
        if let Some(told) = told.filter(|_| is_same) {
            tables.iter().for_each(|table| judged.end_row(self, policy, table));
            judged.is_as_before = true;
            judged.lists.copies.clone_from(&policy.lists);
            judged.made.told = told.clone();
            return judged;
        }
        loop {
            let still = judged.still_lost();
            judged.unknown = unknown(&still);
            if judged.unknown.is_some() {
                let come = judged.new.len();
                judged.new.retain(|new| new.copy.kind != Kind::Block);
                judged.waits |= judged.new.len() < come;
            }
            let is_new = |name: &str| judged.new.iter().any(|new| new.copy.list.name() == name);
            let left_out = broken.keys().filter(|name| !is_new(name)).cloned().collect();
            let lists = Lists {
                copies: self.in_order(policy, &judged.new),
                left_out,
                stand_ins: stand_ins(self.state, policy, &still),
                unknown: judged.unknown.is_some(),
            };
            // with many lists this takes most of the time: once for the tables and for the second net
            let together = lists.together(tables);
            judged.made = compose(tables, self.guard, policy, self.protected, &lists, &together);
            let refused = judged.refused(tables, policy);
            let is_refused = refused.is_some();
            let held = || judged.held(self, policy, &broken, &lists, &together);
            if let Some(((id, kept), of)) = refused.or_else(held) {
                let is_of = |new: &New| of.has(new.copy.list.name(), new.copy.kind);
                let (at_fault, others): (Vec<New>, Vec<New>) =
                    std::mem::take(&mut judged.new).into_iter().partition(is_of);
                judged.new = others;
                let at_fault: Sources = at_fault.iter().map(|new| new.copy.source).collect();
                let before = judged.kept_tables.insert(id, kept);
                if let Some(kept) = judged.kept_tables.get_mut(&id) {
                    kept.of.extend(before.map(|before| before.of).unwrap_or_default());
                    kept.of.extend(&at_fault);
                }
                if !at_fault.is_empty() {
                    judged.at_fault.insert(id);
                    if is_refused {
                        judged.break_row(self, id);
                    }
                    continue;
                }
                // nothing that has come is at fault: the table stays as it is
                judged.made.sets.remove(&id);
            }
            drop(together);
            judged.leave_out(policy, &lists.left_out, broken);
            judged.lists = lists;
            return judged;
        }
    }

    /// The block lists of which no table may be made any more, though they are in force: the guards
    /// were others when they came. They count as lists without a copy, so that no other has to stay as
    /// it is for their sake. Without an allow list something would be blocked that nobody meant to be:
    /// of these the table in force stays.
    fn broken(&self, policy: &Policy) -> Broken {
        let bounds = &self.guard.bounds;
        let check = |copy: &Rc<Copy>| {
            let (kind, list) = (copy.kind, &copy.list);
            let trial = ListTrial { kind, list, copy: None, day_before: None, bounds };
            Some((list.name().to_owned(), trial.check(self.protected).err()?))
        };
        let of_sources = |copy: &&Rc<Copy>| copy.kind == Kind::Block && copy.source != Source::Own;
        policy.lists.iter().filter(of_sources).filter_map(check).collect()
    }

    /// The copies of the policy in force, with those that are new in their places, in the order of the
    /// configuration; then what the administrator said.
    fn in_order(&self, policy: &Policy, new: &[New]) -> Vec<Rc<Copy>> {
        let mut all = Vec::new();
        for source in Source::all(self.config) {
            for (name, _) in source.lists(self.config) {
                let new = new.iter().map(|new| &new.copy).find(|copy| copy.list.name() == name);
                all.extend(new.or_else(|| policy.copy(name)).cloned());
            }
        }
        all.extend(self.own.iter().cloned());
        all
    }
}

impl Judged {
    /// Judges a list against its copy.
    fn list(&mut self, by: &Judge<'_>, policy: &Policy, broken: &Broken, come: Copy) {
        let name = come.list.name().to_owned();
        let known = by.state.memory().list(&name).cloned().unwrap_or_default();
        let wanted = by.wanted(known.row, Some(come.source));
        let copy = policy.copy(&name).filter(|_| !broken.contains_key(&name));
        let trial = ListTrial {
            kind: come.kind,
            list: &come.list,
            copy: copy.map(|copy| &copy.list),
            day_before: history(&known.history).day_before(clock::now()),
            bounds: &by.guard.bounds,
        };
        let mut runs = known.row.runs();
        // by what they name: of what is wider than the floor a list that is read back knows otherwise
        let is_same = copy.is_some_and(|copy| copy.list.ranges() == come.list.ranges());
        if is_same && trial.check(by.protected).is_ok() {
            self.confirm(&name, wanted);
            if let Some(known) = copy.filter(|copy| copy.origin != come.origin) {
                self.renewed.push(Rc::new(Copy { changed: known.changed, ..come }));
            }
            return;
        }
        let judged = trial.judge(by.guard, by.protected, wanted, &mut runs);
        let at = (wanted == Wanted::Scheduled && judged.is_err()).then(clock::now);
        self.rows.insert(name.clone(), known.row.after(runs, at));
        match judged {
            Ok(accepted) => self.new.push(New { copy: Rc::new(come), accepted }),
            Err(reason) => {
                let (source, kind) = (come.source, come.kind);
                let kept = Kept { list: name, reason };
                let stays = if copy.is_some() { Stays::Copy } else { Stays::Nothing };
                self.kept.push(KeptList { source, kept, kind, stays });
            }
        }
    }

    /// Says of which copies no table is made.
    fn leave_out(&mut self, policy: &Policy, names: &BTreeSet<String>, mut broken: Broken) {
        for name in names {
            let (Some(copy), Some(reason)) = (policy.copy(name), broken.remove(name)) else {
                continue;
            };
            let (source, kind, stays) = (copy.source, copy.kind, Stays::NoCopy);
            match self.kept.iter_mut().find(|kept| kept.kept.list == *name) {
                // what has come is no better
                Some(kept) => kept.stays = stays,
                None => {
                    let kept = Kept { list: name.clone(), reason };
                    self.kept.push(KeptList { source, kept, kind, stays });
                }
            }
        }
    }

    /// The sentences of what is not to be in force.
    pub fn failing(&self) -> impl Iterator<Item = Failing> {
        let lists = self.kept.iter().map(|kept| Failing {
            source: Some(kept.source.name().to_owned()),
            text: kept.to_string(),
        });
        let tables = self.kept_tables.values().map(ToString::to_string);
        let tables = tables.chain(self.unknown.clone().filter(|_| self.waits));
        lists.chain(tables.map(|text| Failing { source: None, text }))
    }

    /// A list has come as it is in force, which ends its row where the run counts.
    fn confirm(&mut self, name: &str, wanted: Wanted) {
        if wanted == Wanted::Scheduled {
            self.rows.insert(name.to_owned(), Row::default());
        }
        self.confirmed.push(name.to_owned());
    }

    /// The lists of a table are as they are in force, which ends its row where the run counts.
    fn end_row(&mut self, by: &Judge<'_>, policy: &Policy, table: &Table) {
        if self.at_fault.contains(&table.id) {
            // it is as it is in force without the lists that this run counts against it
            return;
        }
        if self.unknown.is_some() && table.blocks() {
            // it is as it is in force whatever has come
            return;
        }
        let has_come = || self.has_come(by.config, policy, table);
        let is_over = self.is_of_the_row(by, table).unwrap_or_else(has_come);
        if is_over && self.counts(by, table) {
            self.table_rows.insert(table.id, Row::default());
        }
    }

    /// The lists of a table are refused whatever went before, which ends its row as it does that of a list.
    fn break_row(&mut self, by: &Judge<'_>, id: TableId) {
        let table = by.state.tables.iter().find(|table| table.id == id);
        let Some(table) = table.filter(|table| self.counts(by, table)) else { return };
        if self.is_of_the_row(by, table) != Some(false) {
            self.table_rows.insert(id, Row::default());
        }
    }

    /// Whether the run counts in the row of a table.
    fn counts(&self, by: &Judge<'_>, table: &Table) -> bool {
        let row = by.state.memory().table(&table.word).held_row;
        by.wanted(row, None) == Wanted::Scheduled
    }

    /// Whether one has come whose lists hold a table back: each run in which that is so is one of its row,
    /// though others may be at fault as well. `None` where nobody's do.
    fn is_of_the_row(&self, by: &Judge<'_>, table: &Table) -> Option<bool> {
        let held = by.state.memory().table(&table.word).held?;
        (!held.of.is_empty()).then(|| held.of.iter().any(|name| self.has_come_from(name)))
    }

    /// Whether lists of a table have come as they are in force, of the service if it has to bring some:
    /// where that has failed, nothing is known.
    fn has_come(&self, config: &Config, policy: &Policy, table: &Table) -> bool {
        let service = config.policy.is_asked();
        let copies = self.confirmed.iter().filter_map(|name| policy.copy(name));
        let mut copies = copies.filter(|copy| table.has(copy.list.name(), copy.kind));
        copies.any(|copy| !service || copy.source == Source::Policy)
    }

    /// Whether a source has come, by its name.
    pub fn has_come_from(&self, name: &str) -> bool {
        self.come.iter().any(|source| source.name() == name)
    }

    /// The sources whose new lists change a table.
    pub fn sources_of(&self, table: &Table) -> Sources {
        let of = self.new.iter().filter(|new| new.copy.changes(table));
        of.map(|new| new.copy.source).collect()
    }

    /// The lists that are without a copy still.
    fn still_lost(&self) -> Vec<Lost> {
        let come = |name: &str| self.new.iter().any(|new| new.copy.list.name() == name);
        self.lost.iter().filter(|lost| !come(&lost.name)).cloned().collect()
    }

    /// A table that may not be, whatever went before it: why, and whose new lists keep their copies
    /// because of it. Without such lists the table stays as it is in force.
    fn refused<'t>(&mut self, tables: &'t Tables, policy: &Policy) -> Option<Refused<'t>> {
        for table in tables.in_order() {
            let Some(kept) = self.made.refused.get(&table.id) else { continue };
            let (word, reason) = (table.word.clone(), kept.reason.clone());
            let is_of = |of: &Table, new: &New| of.has(new.copy.list.name(), new.copy.kind);
            let has_new = |of: &&Table| self.new.iter().any(|new| is_of(of, new));
            // what is allowed now may be all that was to be blocked
            let emptied = matches!(reason, Reason::Refused(Refusal::Empty));
            let allow = tables.iter().filter(|table| emptied && !table.blocks());
            let Some(of) = [table].into_iter().chain(allow).find(has_new) else {
                // what is only taken out of a table is in none
                let of = self.sources_of(table);
                let kept = KeptTable { of, ..KeptTable::new(word, reason, None) };
                self.kept_tables.entry(table.id).or_insert(kept);
                continue;
            };
            let pairs: Vec<_> = (self.new.iter().filter(|new| is_of(of, new)))
                .map(|new| {
                    (policy.copy(new.copy.list.name()).map(|copy| &copy.list), &new.copy.list)
                })
                .collect();
            let grew_most = match &reason {
                Reason::Refused(refusal) => grew_most(&pairs, refusal).map(ToOwned::to_owned),
                _ => None,
            };
            return Some(((table.id, KeptTable::new(word, reason, grew_most)), of));
        }
        None
    }

    /// The second net: a table whose lists together have changed too much. Only lists that have a copy
    /// on both sides are looked at, and of these not the ones that somebody or three runs accepted.
    fn held<'a>(
        &mut self,
        by: &Judge<'_>,
        policy: &Policy,
        broken: &Broken,
        lists: &'a Lists,
        together: &BTreeMap<TableId, Together<'a>>,
    ) -> Option<Refused<'static>> {
        let still = self.still_lost();
        for table in by.state.tables.in_order() {
            let (id, kind) = (table.id, table.kind);
            // what has left a table for another may go out of it
            let is_of = |lost: &Lost| match lost.exempts {
                true => table.blocks(),
                false => table.has(&lost.name, lost.kind),
            };
            let row = by.state.memory().table(&table.word).held_row;
            let wanted = by.wanted(row, None);
            let mut runs = row.runs();
            let judged = if self.lost.iter().any(is_of) && !still.iter().any(is_of) {
                // what stood in for lists without a copy is all that they can be held against
                let (Some(old), Some(set)) = (policy.set(id), self.made.sets.get(&id)) else {
                    continue;
                };
                let [old, set] = [old, set].map(|set| as_list(kind, set));
                let both = (&Together::of(&[&old]), &Together::of(&[&set]));
                judge_table(kind, both, by.guard, wanted, &mut runs)
            } else {
                let both = lists.copies(table).filter_map(|list| {
                    let new = self.new.iter().find(|new| ptr::eq(&new.copy.list, list));
                    match new {
                        None => Some((list, list)),
                        Some(New { accepted: Accepted::Usual, .. })
                            if !broken.contains_key(list.name()) =>
                        {
                            Some((&policy.copy(list.name())?.list, list))
                        }
                        Some(_) => None,
                    }
                });
                let (old, now): (Vec<&List>, Vec<&List>) = both.unzip();
                let in_force: Vec<&List> = of_table(&policy.lists, table).collect();
                let known = by.measures.get(&id).filter(|_| are_one(&in_force, &old));
                let Some(all) = together.get(&id) else { continue };
                if are_one(&old, &now) {
                    // with a list that had no copy they name more from now on
                    let known = known.filter(|_| are_one(all.lists(), &now));
                    self.made.measures.extend(known.map(|known| (id, *known)));
                    self.end_row(by, policy, table);
                    continue;
                }
                let some = (now.len() < all.lists().len()).then(|| Together::of(&now));
                let before = match known {
                    Some(known) => Together::known(&old, *known),
                    None => Together::of(&old),
                };
                self.made.measures.insert(id, all.measure());
                judge_table(
                    kind,
                    (&before, some.as_ref().unwrap_or(all)),
                    by.guard,
                    wanted,
                    &mut runs,
                )
            };
            // what others bring does not end the row of those that are at fault
            let of_others =
                self.at_fault.contains(&id) || self.is_of_the_row(by, table) == Some(false);
            if judged.is_err() || !of_others {
                let at = (wanted == Wanted::Scheduled && judged.is_err()).then(clock::now);
                self.table_rows.insert(id, row.after(runs, at));
            }
            if let Err(Held { reason, .. }) = judged {
                let word = table.word.clone();
                return Some(((id, KeptTable::new(word, reason, None)), table));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests;
