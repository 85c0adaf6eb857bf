//! Putting the previous sets back.

use std::rc::Rc;

use control::{Change, Updated};
use imsg::{Source, TableId};
use policy::{List, compose_allow, compose_block};
use prefix::{Item, Items, PrefixSet};

use super::publish::publish;
use super::run::{Time, change, guard};
use crate::protect::protected;
use crate::state::{Policy, floor};
use crate::{Engine, clock};

/// The set that a table had before the last change; `None` when that left the table alone, whose
/// file `.prev` is then of an older one.
///
/// # Errors
/// When there is no such set.
pub async fn set_before(engine: &Engine, table: TableId) -> Result<Option<PrefixSet>, String> {
    let changed = engine.state.memory().changed;
    if changed[table as usize] < changed.into_iter().max().flatten() {
        return Ok(None);
    }
    engine.link.list(table, Source::Previous).await.map(Some)
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
    let as_list = |set: &PrefixSet| {
        let items = Items {
            v4: set.v4().iter().copied().map(Item::positive).collect(),
            v6: set.v6().iter().copied().map(Item::positive).collect(),
        };
        List::new("the previous set", items, floor(&engine.config))
    };
    let before = engine.state.policy();
    let block = set_before(engine, TableId::Block)
        .await
        .map_err(|why| format!("there is no previous set to put back: {why}"))?
        .or_else(|| before.block.clone())
        .unwrap_or_default();
    // An allow set may never have changed.
    let allow = set_before(engine, TableId::Allow).await.ok().flatten();
    let allow = allow.or_else(|| before.allow.clone()).unwrap_or_default();
    let allow =
        compose_allow(&[as_list(&allow)], &guard).map_err(|kept| kept.reason.to_string())?;
    let protected = protected(engine);
    let block = compose_block(&[as_list(&block)], &allow, &protected, &guard)
        .map_err(|kept| kept.reason.to_string())?
        .set;
    let held_before = engine.state.memory().rolled_back;
    engine.state.remember(|memory| memory.rolled_back = Some(time.started));
    let mut changes = [Change::default(); 2];
    engine.watch.forget();
    for (table, set) in [(TableId::Allow, &allow), (TableId::Block, &block)] {
        if let Err(why) = publish(engine, table, set, false).await {
            // nothing was put back that scheduled runs would have to leave alone
            engine.state.remember(|memory| memory.rolled_back = held_before);
            return Err(why);
        }
        changes[table as usize] = change(before.set(table), set);
    }
    engine.runs.rollbacks.set(engine.runs.rollbacks.get().wrapping_add(1));
    let since = before.since_with(&block, time.started);
    engine.state.remember(|memory| {
        for table in TableId::BY_NUMBER {
            let change = changes[table as usize];
            if change.added + change.removed > 0 {
                memory.changed[table as usize] = Some(clock::now());
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
