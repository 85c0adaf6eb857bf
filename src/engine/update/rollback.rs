//! Putting the previous sets back.

use std::rc::Rc;

use control::{Change, Updated};
use imsg::{Purpose, TableId};
use policy::{Kept, Reason};
use prefix::{PrefixSet, Refusal};

use super::publish::publish;
use super::summary::{Time, change, differs};
use super::today;
use crate::link::Source;
use crate::state::Policy;
use crate::{Engine, clock, watch};

/// What a table had before the last change.
pub enum Before {
    /// The same: that change left it alone, and its file `.prev` is of an older one.
    Same,
    /// No set: that change was the first.
    Nothing,
    /// Another set.
    Set(PrefixSet),
}

/// Finds what a table had before the last change.
///
/// # Errors
/// When the previous set cannot be read.
pub async fn set_before(engine: &Engine, table: TableId) -> Result<Before, String> {
    let (order, was_first) = {
        let memory = engine.state.memory();
        (memory.order, memory.was_first[table as usize])
    };
    if Some(order[table as usize]) < order.into_iter().max() {
        return Ok(Before::Same);
    }
    if was_first {
        return Ok(Before::Nothing);
    }
    engine.link.list(table, Source::Previous).await.map(Before::Set)
}

/// Puts the sets before the last change back, both or none, and publishes nothing more until
/// somebody updates.
///
/// The guards and the protected networks may have changed since, so that the old sets go through
/// them again: what is protected now is not blocked again.
///
/// # Errors
/// When it was done already, when there is no set before, or when not all of it can be published;
/// then everything is as it was.
pub async fn rollback(engine: &Rc<Engine>) -> Result<Updated, String> {
    let time = Time::start();
    let _turn = engine.runs.turn().await;
    if let Some(at) = engine.state.memory().rolled_back {
        let date = clock::date(at);
        return Err(format!("already rolled back on {date}; threatstopctl update ends that"));
    }
    let sets = wanted(engine).await?;
    for id in TableId::PUBLISH_ORDER {
        let tried = publish(engine, id, &sets[id as usize], Purpose::Trial).await;
        tried.map_err(|why| format!("{} table: {why}", id.word()))?;
    }
    let warnings = watch::mend(engine, watch::Depth::Whole).await.found;
    let changes = publish_both(engine, &sets).await?;
    put_in_force(engine, sets, &changes, &time);
    engine.runs.overtake();
    engine.runs.set_stays(None);
    logger::warn("rolled back: nothing is published until threatstopctl update");
    let [block, allow] = changes;
    Ok(Updated {
        started: time.started,
        seconds: time.seconds(),
        server: None,
        dry_run: false,
        block,
        allow,
        warnings,
    })
}

/// The sets before the last change as they may be today, by the number of the table.
async fn wanted(engine: &Engine) -> Result<[PrefixSet; 2], String> {
    let now = engine.state.policy();
    let none = "there is no previous set to put back";
    let block = match set_before(engine, TableId::Block).await {
        Ok(Before::Set(set)) => set,
        Ok(Before::Same) => now.block.clone().unwrap_or_default(),
        Ok(Before::Nothing) => return Err(format!("{none}: the first is in force")),
        Err(why) => return Err(format!("{none}: {why}")),
    };
    // An allow set may never have changed.
    let allow = match set_before(engine, TableId::Allow).await {
        Ok(Before::Set(set)) => set,
        Ok(Before::Nothing) => PrefixSet::default(),
        Ok(Before::Same) | Err(_) => now.allow.clone().unwrap_or_default(),
    };
    let allow = today::allow(engine, &allow).map_err(refused)?;
    let block = today::block(engine, &block, &allow).map_err(refused)?.set;
    today::may_be(TableId::Block, &block, &allow, &today::guard(engine)).map_err(refused)?;
    Ok([block, allow])
}

/// Why nothing is put back.
fn refused(Kept { table, reason }: Kept) -> String {
    match reason {
        Reason::Refused(Refusal::Empty) => {
            "nothing would be blocked: what the previous block table had is protected \
                          or allowed now; both tables stay as they are"
                .into()
        }
        reason => format!("the previous {table} table: {reason}; both tables stay as they are"),
    }
}

/// Publishes both sets; when the second cannot be, the first is taken back.
async fn publish_both(engine: &Rc<Engine>, sets: &[PrefixSet; 2]) -> Result<[Change; 2], String> {
    let before = engine.state.policy();
    let mut changes = [Change::default(); 2];
    engine.watch.forget();
    for id in TableId::PUBLISH_ORDER {
        let set = &sets[id as usize];
        let Err(why) = publish(engine, id, set, Purpose::Publish).await else {
            changes[id as usize] = change(before.set(id), set);
            continue;
        };
        let mut why = format!("{} table: {why}", id.word());
        if differs(&changes[TableId::Allow as usize]) {
            let allow = before.allow.clone().unwrap_or_default();
            // the set before comes back by this as well
            if let Err(also) = publish(engine, TableId::Allow, &allow, Purpose::Publish).await {
                engine.state.take(TableId::Allow, sets[TableId::Allow as usize].clone());
                why = format!("{why}; allow table, which was put back already: {also}");
            }
        }
        return Err(why);
    }
    Ok(changes)
}

fn put_in_force(engine: &Engine, sets: [PrefixSet; 2], changes: &[Change; 2], time: &Time) {
    let before = engine.state.policy();
    let [block, allow] = sets;
    engine.state.remember(|memory| {
        let now = clock::now();
        let order = memory.next_order();
        for id in TableId::BY_NUMBER {
            if differs(&changes[id as usize]) {
                memory.note_change(id, order, now, before.set(id));
            }
        }
        memory.rolled_back = Some(time.started);
    });
    engine.state.set_policy(Policy {
        since: before.since_with(&block, time.started),
        block: Some(block),
        allow: Some(allow),
        block_lists: before.block_lists.clone(),
        allow_lists: before.allow_lists.clone(),
    });
}
