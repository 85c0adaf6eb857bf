//! Putting the previous sets back.

use std::rc::Rc;

use control::{Change, Updated};
use imsg::{Purpose, TableId};
use policy::{List, Trial, compose_allow, compose_block, unrouted};
use prefix::{Floor, Item, Items, PrefixSet};

use super::publish::publish;
use super::run::{Time, change, guard};
use crate::link::Source;
use crate::protect::protected;
use crate::state::Policy;
use crate::{Engine, clock};

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
    let (changed, was_first) = {
        let memory = engine.state.memory();
        (memory.changed, memory.was_first[table as usize])
    };
    if changed[table as usize] < changed.into_iter().max().flatten() {
        return Ok(Before::Same);
    }
    if was_first {
        return Ok(Before::Nothing);
    }
    engine.link.list(table, Source::Previous).await.map(Before::Set)
}

/// A set as a list, to be composed anew.
pub fn as_list(name: &str, set: &PrefixSet, floor: Floor) -> List {
    let items = Items {
        v4: set.v4().iter().copied().map(Item::positive).collect(),
        v6: set.v6().iter().copied().map(Item::positive).collect(),
    };
    List::new(name, items, floor)
}

/// Puts the sets before the last change back, and publishes nothing more until somebody updates.
///
/// The guards and the protected networks may have changed since, so that the old sets go through
/// them again: what is protected now is not blocked again.
///
/// # Errors
/// When there is no set before, or it cannot be published.
pub async fn rollback(engine: &Rc<Engine>) -> Result<Updated, String> {
    let time = Time::start();
    let _turn = engine.runs.turn().await;
    let guard = guard(engine);
    let as_list = |set: &PrefixSet| as_list("the previous set", set, guard.bounds.floor);
    let before = engine.state.policy();
    let block = match set_before(engine, TableId::Block).await {
        Ok(Before::Set(set)) => set,
        Ok(Before::Same) => before.block.clone().unwrap_or_default(),
        Ok(Before::Nothing) => {
            return Err("there is no previous set to put back: the first is in force".into());
        }
        Err(why) => return Err(format!("there is no previous set to put back: {why}")),
    };
    // An allow set may never have changed.
    let allow = match set_before(engine, TableId::Allow).await {
        Ok(Before::Set(set)) => set,
        Ok(Before::Nothing) => PrefixSet::default(),
        Ok(Before::Same) | Err(_) => before.allow.clone().unwrap_or_default(),
    };
    let allow = compose_allow(&[as_list(&allow)], &unrouted(), &guard)
        .map_err(|kept| kept.reason.to_string())?
        .set;
    let protected = protected(engine);
    let block = compose_block(&[as_list(&block)], &allow, &protected, &guard)
        .map_err(|kept| kept.reason.to_string())?
        .set;
    for (table, set) in [(TableId::Allow, &allow), (TableId::Block, &block)] {
        let trial = Trial::absolute(table.kind(), set, &allow);
        trial.check(&guard).map_err(|kept| kept.reason.to_string())?;
    }
    let held_before = engine.state.memory().rolled_back;
    engine.state.remember(|memory| memory.rolled_back = Some(time.started));
    let mut changes = [Change::default(); 2];
    engine.watch.forget();
    for (table, set) in [(TableId::Allow, &allow), (TableId::Block, &block)] {
        if let Err(why) = publish(engine, table, set, Purpose::Publish).await {
            // nothing was put back that scheduled runs would have to leave alone
            engine.state.remember(|memory| memory.rolled_back = held_before);
            return Err(why);
        }
        changes[table as usize] = change(before.set(table), set);
    }
    engine.runs.rollbacks.set(engine.runs.rollbacks.get().wrapping_add(1));
    let since = before.since_with(&block, time.started);
    engine.state.remember(|memory| {
        let at = memory.time_of_change(clock::now());
        for table in TableId::BY_NUMBER {
            let change = changes[table as usize];
            if change.added + change.removed > 0 {
                memory.note_change(table, at, before.set(table));
            }
        }
    });
    engine.state.set_policy(Policy {
        block: Some(block),
        allow: Some(allow),
        since,
        block_lists: before.block_lists.clone(),
        allow_lists: before.allow_lists.clone(),
    });
    logger::warn("rolled back: nothing is published until threatstopctl update");
    let [block, allow] = changes;
    Ok(Updated {
        started: time.started,
        seconds: time.seconds(),
        server: None,
        dry_run: false,
        block,
        allow,
        warnings: Vec::new(),
    })
}
