//! The eye on pf: has somebody changed a table, and is anything blocked at all?

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use imsg::{Outcome, Purpose, Stats, TableId, TableStat};
use prefix::PrefixSet;

use crate::Engine;
use crate::warning::Warning;

/// How often the contents are compared even though the counters look untouched.
const COMPARE: Duration = Duration::from_secs(24 * 60 * 60);
/// How often a state of alarm is logged again.
const REMIND: Duration = Duration::from_secs(24 * 60 * 60);

/// What a change of a table by somebody else would change too.
type Mark = (bool, u32, [u32; 2], u64);

fn mark(stat: &TableStat) -> Mark {
    (stat.present, stat.entries, [stat.rules, stat.anchors], stat.since)
}

/// What the watch remembers: the state of each table whose content is known to be ours.
#[derive(Default)]
pub struct Watch {
    marks: Cell<[Option<Mark>; 2]>,
}

impl Watch {
    /// Has the tables compared at the next look, since we have just published them: what pf says of
    /// them now may already be what somebody else has made of them, or not be what we wanted.
    pub fn forget(&self) {
        self.marks.set([None; 2]);
    }
}

/// Where the rules come from.
const RULES: &str = "threatstopctl setup prints the rules for /etc/pf.conf; then \
                     pfctl -f /etc/pf.conf";

/// Sentences that nobody may overlook; empty when all is well.
pub fn warnings(engine: &Engine, stats: &Stats) -> Vec<Warning> {
    let tables = &engine.config.tables;
    if !tables.reload {
        return Vec::new();
    }
    if !stats.failure.is_empty() {
        return vec![Warning::new(&stats.failure, "threatstopctl doctor")];
    }
    let mut found = Vec::new();
    if !stats.running {
        let way_out = "pfctl -e, and rcctl enable pf for the next boot";
        found.push(Warning::new("pf is disabled: nothing is blocked", way_out));
    }
    let [block, allow] = &stats.tables;
    if block.rules + block.anchors == 0 {
        let name = &tables.block;
        let text = format!("pf table <{name}> is not used by any rule: nothing is blocked");
        found.push(Warning::new(text, RULES));
    }
    let wanted = engine.state.policy().allow.as_ref().is_some_and(|set| !set.is_empty());
    if allow.rules + allow.anchors == 0 && wanted {
        let name = &tables.allow;
        let text = format!("pf table <{name}> is not used by any rule: nothing is allowed by it");
        found.push(Warning::new(text, RULES));
    }
    found
}

/// Looks every `check_interval`, mends, and warns; never returns.
pub async fn watch(engine: Rc<Engine>) {
    let interval = engine.config.tables.check_interval;
    let mut compared = Instant::now();
    let mut warned: (Vec<Warning>, Instant) = (Vec::new(), Instant::now());
    // what happened while nobody watched
    look(&engine, true).await;
    loop {
        tokio::time::sleep(interval).await;
        let compare = compared.elapsed() >= COMPARE;
        if compare {
            compared = Instant::now();
        }
        let Some(stats) = look(&engine, compare).await else { continue };
        let found = warnings(&engine, &stats);
        if found != warned.0 || (!found.is_empty() && warned.1.elapsed() >= REMIND) {
            found.iter().for_each(logger::warn);
            if found.is_empty() {
                logger::info("pf is enabled again and rules refer to the tables");
            }
            warned = (found, Instant::now());
        }
    }
}

/// Looks once; compares the contents when a table looks changed, or when told to.
async fn look(engine: &Engine, compare: bool) -> Option<Stats> {
    if !engine.config.tables.reload {
        return None;
    }
    // not while a run publishes; one that waits for a slow server holds up nothing
    let _turn = engine.runs.turn().await;
    let stats = engine.link.stats().await.ok()?;
    if !stats.failure.is_empty() {
        return Some(stats);
    }
    let (mut known, mut mended) = (engine.watch.marks.get(), false);
    let policy = engine.state.policy();
    for table in TableId::PUBLISH_ORDER {
        let at = table as usize;
        let now = mark(&stats.tables[at]);
        if known[at] == Some(now) && !compare {
            continue;
        }
        let done = match policy.set(table) {
            Some(set) => mend(engine, table, set).await,
            None => Some(false),
        };
        // what was mended, or could not be, is looked at again the next time
        known[at] = (done == Some(false)).then_some(now);
        if done == Some(true) {
            mended = true;
            engine.state.reread(table, &engine.link).await;
        }
    }
    engine.watch.marks.set(known);
    if mended { engine.link.stats().await.ok() } else { Some(stats) }
}

/// Has the helper compare file and kernel; writes the file anew when that is gone or damaged.
/// Whether that was needed; `None` when it failed.
async fn mend(engine: &Engine, table: TableId, set: &PrefixSet) -> Option<bool> {
    let name = match table {
        TableId::Block => &engine.config.tables.block,
        TableId::Allow => &engine.config.tables.allow,
    };
    let mended = match engine.link.mend(table).await {
        Ok(result) if result.outcome == Outcome::Failed => {
            // An empty block table is refused by the helper, so there is always something to give.
            engine.link.publish(table, set, Purpose::Repair).await
        }
        other => other,
    };
    match mended {
        Ok(result) => match result.outcome {
            Outcome::Unchanged => Some(false),
            Outcome::FileMended => {
                logger::warn(format_args!(
                    "the file of <{name}> was gone or changed: written anew"
                ));
                Some(true)
            }
            Outcome::Failed => {
                logger::err(format_args!("pf table <{name}>: {}", result.failure));
                None
            }
            Outcome::Created => {
                let added = result.added;
                let what = format!("pf table <{name}> did not exist; made with {added} prefixes");
                if added == 0 {
                    logger::info(what)
                } else {
                    logger::warn(what)
                }
                Some(true)
            }
            _ => {
                let (added, deleted) = (result.added, result.deleted);
                let noun = if added == 1 { "prefix" } else { "prefixes" };
                logger::warn(format_args!(
                    "pf table <{name}> had been changed by somebody: {added} {noun} put back, \
                     {deleted} removed"
                ));
                Some(true)
            }
        },
        Err(_) => None,
    }
}
