//! The eye on pf: has somebody changed a table, and is anything blocked at all?

use core::fmt::Display;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use config::Tables;
use control::{Change, Mended};
use imsg::{Purpose, TableId, TableStat};
use policy::Guard;
use prefix::PrefixSet;

use crate::change::change;
use crate::clock;
use crate::events::subject::{PF, of_repair, of_rules};
use crate::events::{Event, Events};
use crate::guard;
use crate::link::{Link, Outcome, Source, TableResult};
use crate::runs::Runs;
use crate::state::{Policy, State};
use crate::tables::{Stats, Table, Tables as AllTables};
use crate::told::Told;
use crate::warning::Warning;

/// How long a table may have another content that its counters do not show.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How often in a minute a table is compared that looks as it did, whoever asks for it: root drops an engine
/// that has it compared twice as often.
const COMPARED: usize = 50;
const MINUTE: Duration = Duration::from_secs(60);

/// What a change of a table by somebody else would change too.
type Mark = (bool, u32, [u32; 2], u64);

fn mark(stat: &TableStat) -> Mark {
    (stat.present, stat.entries, [stat.rules, stat.anchors], stat.since)
}

/// How often the contents of so many entries are compared though all looks untouched: who adds one
/// entry and removes another leaves no trace in what pf counts. A millisecond for each entry is a
/// thousand times what it takes (20 ms for 20,000 on OpenBSD 7.8), so that up to 300,000 are
/// compared at each look by default.
fn pace(entries: u32) -> Duration {
    Duration::from_millis(entries.into()).min(LONGEST)
}

/// A table and its file as they were when they had our set.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Known {
    table: Mark,
    file: [u64; 2],
    compared: Instant,
}

/// How closely to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// At contents where something looks changed, and now and then.
    Marks,
    /// At all contents.
    Whole,
}

/// What a look has brought.
pub struct Look {
    /// The state of pf after it; `None` when the helper could not be asked.
    pub stats: Option<Stats>,
    /// What somebody had done, and that it was undone; logged and remembered.
    pub found: Vec<String>,
}

/// Where the rules come from.
const RULES: &str = "put the lines of threatstopctl setup into /etc/pf.conf, then \
                     pfctl -f /etc/pf.conf";

/// What the log is told about when a monitor does as it was told to.
const MONITORING: &str = "monitoring";

const MONITOR: &str = "set tables.monitor to false, then put the lines of threatstopctl setup into \
                       /etc/pf.conf";

/// Whether there is something in a table.
fn has_set(policy: &Policy, table: &Table) -> bool {
    policy.set(table.id).is_some_and(|set| !set.is_empty())
}

/// Tells what is `found`, and what is over; of tables that is known where pf answers.
fn tell(
    events: &Events,
    told: &Told,
    (tables, stats): (&AllTables, &Stats),
    found: Vec<(Option<String>, Warning)>,
) {
    let answers = stats.failure.is_empty();
    if answers && stats.running {
        events.end(PF, "pf is enabled and answers again");
    }
    for table in tables.iter().filter(|_| answers) {
        let (stat, subject) = (table.stat(stats), of_rules(&table.name));
        if !found.iter().any(|(of, _)| of.as_ref() == Some(&subject)) {
            let is_used = stat.rules + stat.anchors > 0;
            let how = if is_used { "is used by a rule again" } else { "needs no rule any more" };
            events.end(&subject, format!("{subject} {how}"));
        }
    }
    for (subject, warning) in found {
        match subject {
            Some(subject) => events.say(&Event::TableUnused { subject, warning }),
            None if told.is_news(MONITORING, &warning.text, clock::now()) => logger::warn(warning),
            None => {}
        }
    }
}

/// The eye on the tables, and what it remembers of those that are known to be ours.
pub struct Watch {
    tables: &'static Tables,
    guard: &'static Guard,
    link: &'static Link,
    state: &'static State,
    events: &'static Events,
    known: RefCell<BTreeMap<TableId, Known>>,
    /// Of those that could not be brought back to our set, why.
    failing: RefCell<BTreeMap<TableId, Warning>>,
    /// Since when it is counted how many tables were compared, and how many.
    compared: Cell<(Instant, usize)>,
    /// What was told of a monitor, of which there is nothing that could end.
    told: Told,
}

impl Watch {
    /// Nothing is known of the tables yet.
    pub fn new(
        tables: &'static Tables,
        guard: &'static Guard,
        link: &'static Link,
        state: &'static State,
        events: &'static Events,
    ) -> Self {
        let (known, failing, told) = (RefCell::default(), RefCell::default(), Told::default());
        let compared = Cell::new((Instant::now(), 0));
        Self { tables, guard, link, state, events, known, failing, compared, told }
    }

    /// How many tables were compared in this minute, and when that began.
    fn compared(&self) -> (Instant, usize) {
        let (since, count) = self.compared.get();
        if since.elapsed() < MINUTE { (since, count) } else { (Instant::now(), 0) }
    }

    /// Takes a table and its file for ours as they are now, since we have just published them with so
    /// many entries. What somebody has made of them in the same moment the next comparison finds; the
    /// set is not handed over once more to look for it.
    pub async fn published(&self, table: &Table, entries: usize) {
        let id = table.id;
        self.is_well(table);
        let (stats, file) = (self.link.stats().await, self.link.mark(id).await);
        let stat = stats.ok().and_then(|stats| stats.tables.get(id.number()).copied());
        let marked = match stat {
            _ if !self.tables.reload => Mark::default(),
            Some(stat) if stat.entries as usize == entries => mark(&stat),
            _ => return self.forget(id),
        };
        let known = Known { table: marked, file, compared: Instant::now() };
        self.known.borrow_mut().insert(id, known);
    }

    /// Tells of what somebody had done to a table that was ours at the last look, when a publication has
    /// overwritten it: pf has taken in or out more than leads from the set before to the new one. The
    /// sentence, if there is one.
    pub fn overwritten(&self, table: &Table, result: TableResult, way: &Change) -> Option<String> {
        let added = result.added.saturating_sub(way.added);
        let deleted = result.deleted.saturating_sub(way.removed);
        if !self.tables.reload || added + deleted == 0 {
            return None;
        }
        self.tell(table, TableResult { outcome: Outcome::Mended, added, deleted, ..result })
    }

    /// A table has its set: what goes wrong with it from now on is told at once.
    fn is_well(&self, table: &Table) {
        self.failing.borrow_mut().remove(&table.id);
        let text = format!("pf table <{}>: has its set again", table.name);
        self.events.end(&of_repair(&table.word), text);
    }

    /// Has a table and its file compared at the next look.
    pub fn forget(&self, id: TableId) {
        self.known.borrow_mut().remove(&id);
    }

    /// Whether the last look has seen our set in the table and in its file.
    pub fn is_ours(&self, id: TableId) -> bool {
        self.known.borrow().contains_key(&id)
    }

    /// Sentences that nobody may overlook; empty when all is well.
    pub fn warnings(&self, stats: &Stats) -> Vec<Warning> {
        let packets = |stat: &TableStat| stat.matched.iter().sum::<u64>();
        let matched: u64 = stats.tables.iter().map(packets).sum();
        let monitoring = format_args!("{matched} packets would have been blocked, nothing is");
        let found = self.fail_open(stats, monitoring).into_iter().map(|(_, warning)| warning);
        found.chain(self.failing.borrow().values().cloned()).collect()
    }

    /// The same, where of a monitor this is said, each with its subject; what is as it was told to has
    /// none.
    fn fail_open(&self, stats: &Stats, monitoring: impl Display) -> Vec<(Option<String>, Warning)> {
        let tables = self.tables;
        if !tables.reload {
            return Vec::new();
        }
        if !stats.failure.is_empty() {
            let warning = Warning::new(&stats.failure, "threatstopctl doctor");
            return vec![(Some(PF.to_owned()), warning)];
        }
        let mut found = Vec::new();
        if !stats.running {
            let way_out = "pfctl -e, and rcctl enable pf for the next boot";
            let warning = Warning::new("pf is disabled: nothing is blocked", way_out);
            found.push((Some(PF.to_owned()), warning));
        }
        if tables.monitor {
            found.push((None, Warning::new(format!("monitoring: {monitoring}"), MONITOR)));
        }
        let policy = self.state.policy();
        for table in self.state.tables.iter() {
            let stat = table.stat(stats);
            let is_wanted = match table.blocks() {
                // of a monitor that has been said
                true => !tables.monitor && (table.id == TableId::BLOCK || has_set(&policy, table)),
                false => has_set(&policy, table),
            };
            if stat.rules + stat.anchors > 0 || !is_wanted {
                continue;
            }
            let what = match table.id {
                TableId::BLOCK => "nothing is blocked",
                TableId::ALLOW => "nothing is allowed by it",
                _ => "nothing is blocked by it",
            };
            let name = &table.name;
            let text = format!("pf table <{name}> is not used by any rule: {what}");
            found.push((Some(of_rules(name)), Warning::new(text, RULES)));
        }
        found
    }

    /// The same of this moment, where the helper can be asked; whoever else has to hear of it does.
    pub async fn warnings_now(&self) -> Vec<Warning> {
        let Ok(stats) = self.link.stats().await else { return Vec::new() };
        self.tell_of_pf(&stats);
        self.warnings(&stats)
    }

    fn tell_of_pf(&self, stats: &Stats) {
        // how many packets there were is not told each time
        let found = self.fail_open(stats, "nothing is blocked");
        tell(self.events, &self.told, (self.state.tables, stats), found);
    }

    /// Looks every `check_interval`, mends, and warns; never returns.
    pub async fn watch(&self, runs: &Runs) {
        let interval = self.tables.check_interval;
        // what happened while nobody watched
        let mut depth = Depth::Whole;
        loop {
            // not while a run publishes; one that waits for a slow server holds up nothing
            let turn = runs.turn().await;
            let look = self.mend(depth).await;
            drop(turn);
            // the update of the start warns first
            if let Some(stats) = look.stats.filter(|_| depth == Depth::Marks) {
                self.tell_of_pf(&stats);
            }
            depth = Depth::Marks;
            tokio::time::sleep(interval).await;
        }
    }

    /// Looks at tables and files, and brings them back to the sets in force where somebody has changed
    /// them. For who has the turn.
    pub async fn mend(&self, depth: Depth) -> Look {
        let mut look = Look { stats: self.link.stats().await.ok(), found: Vec::new() };
        let reload = self.tables.reload;
        let Some(stats) = &look.stats else { return look };
        if reload && !stats.failure.is_empty() {
            return look;
        }
        let mut touched = false;
        let policy = self.state.policy();
        for table_of in self.state.tables.in_order() {
            let id = table_of.id;
            let stat = &table_of.stat(stats);
            let known = self.known.borrow().get(&id).copied();
            // without reload, pf is not ours to look at
            let table = if reload { mark(stat) } else { Mark::default() };
            let file = self.link.mark(id).await;
            let same_file = known.is_some_and(|known| known.file == file);
            let same_table = known.is_some_and(|known| known.table == table);
            let Some(set) = policy.set(id) else { continue };
            let is_due = known.is_some_and(|known| known.compared.elapsed() >= pace(stat.entries));
            // a file that is known to be ours has nothing beside it that could differ
            let is_wanted = reload && (is_due || depth == Depth::Whole);
            let (since, count) = self.compared();
            let is_often = count >= COMPARED * self.state.tables.iter().count();
            if same_file && same_table && (is_often || !is_wanted) {
                continue;
            }
            self.compared.set((since, count + 1));
            // a file that is known to be ours need not be compared with what it was written from
            let adopt = !same_file && !guard::is_taken(self.guard, policy.allow(), table_of, set);
            let result = match same_file || adopt {
                true => self.link.mend(id, set.len()).await,
                false => self.repair(id, set).await,
            };
            let Ok(result) = result else { continue };
            let ours = result.outcome == Outcome::Unchanged;
            // a set that the guards of today forbid cannot be written anew: what the file has counts
            if adopt
                && !ours
                && let Ok(file) = self.link.list(id, Source::File).await
            {
                self.state.take(id, file);
            }
            // what was mended, or could not be, is looked at again the next time
            match ours {
                true => {
                    let known = Known { table, file, compared: Instant::now() };
                    self.known.borrow_mut().insert(id, known);
                }
                false => self.forget(id),
            }
            touched |= !ours;
            look.found.extend(self.tell(table_of, result));
        }
        if touched {
            look.stats = self.link.stats().await.ok();
        }
        look
    }

    /// Has file and table brought back to a set; where it was the file alone, what counts is what that
    /// lacked.
    async fn repair(&self, id: TableId, set: &PrefixSet) -> Result<TableResult, String> {
        let file = self.link.list(id, Source::File).await.unwrap_or_default();
        let mut result = self.link.publish(id, set, Purpose::Repair).await?;
        if result.outcome == Outcome::FileMended {
            let change = change(Some(&file), set);
            (result.added, result.deleted) = (change.added, change.removed);
        }
        Ok(result)
    }

    /// Tells and remembers what a table or its file was found to be; the sentence, if somebody did it.
    fn tell(&self, table: &Table, result: TableResult) -> Option<String> {
        let name = &table.name;
        let TableResult { outcome, added, deleted, failure, .. } = result;
        let prefixes =
            |count| format!("{count} {}", if count == 1 { "prefix" } else { "prefixes" });
        if outcome != Outcome::Failed {
            self.is_well(table);
        }
        let text = match outcome {
            Outcome::Unchanged => return None,
            Outcome::Failed => {
                // it is tried again at each look
                let text = format!("pf table <{name}>: {failure}");
                let warning = Warning::new(&text, "it is tried again; threatstopctl doctor looks");
                self.failing.borrow_mut().insert(table.id, warning);
                let source = Some(of_repair(&table.word));
                self.events.say(&Event::Failed { source, text, grave: false });
                return None;
            }
            Outcome::Created => {
                let text =
                    format!("pf table <{name}> did not exist; made with {}", prefixes(added));
                if added == 0 {
                    // as after setup, without lines in pf.conf
                    logger::info(text);
                    return None;
                }
                text
            }
            Outcome::FileMended => format!(
                "{} was gone or had been changed by somebody: {} put back, {deleted} removed",
                table.file,
                prefixes(added),
            ),
            _ => format!(
                "pf table <{name}> had been changed by somebody: {} put back, {deleted} removed",
                prefixes(added)
            ),
        };
        self.events.say(&Event::Mended { table: table.word.clone(), text: text.clone() });
        let mended = Mended { at: clock::now(), text: text.clone() };
        self.state.remember(|memory| memory.table_mut(&table.word).mended = Some(mended));
        Some(text)
    }
}

#[cfg(test)]
mod tests;
