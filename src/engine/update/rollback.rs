//! Putting the previous sets back.

use std::rc::Rc;

use control::{Change, Updated};
use imsg::{Source, TableId};
use policy::{List, Since, compose_allow, compose_block};
use prefix::{Item, Items, PrefixSet};

use super::publish::publish;
use super::run::{Time, change, guard};
use crate::state::{Policy, floor};
use crate::{Engine, clock};

/// Puts the sets before back, and publishes nothing more until somebody updates.
///
/// The guards and the protected networks may have changed since, so that the old sets go through
/// them again: what is protected now is not blocked again.
///
/// # Errors
/// When there is no set before, or it cannot be published.
pub async fn rollback(engine: &Rc<Engine>) -> Result<Updated, String> {
    let time = Time::start();
    let guard = guard(engine);
    let previous = |table| engine.link.list(table, Source::Previous);
    let as_list = |set: &PrefixSet| {
        let items = Items {
            v4: set.v4().iter().copied().map(Item::positive).collect(),
            v6: set.v6().iter().copied().map(Item::positive).collect(),
        };
        List::new("the previous set", items, floor(&engine.config))
    };
    let before = engine.state.policy();
    // There is always a block set before; an allow set may never have changed.
    let block = previous(TableId::Block).await?;
    let allow = previous(TableId::Allow).await.ok().or_else(|| before.allow.clone());
    let allow = allow.unwrap_or_default();
    let allow = compose_allow(&[as_list(&allow)], &guard).map_err(|kept| kept.reason.to_string())?;
    let protected = &engine.given.protected;
    let block = compose_block(&[as_list(&block)], &allow, protected, &guard)
        .map_err(|kept| kept.reason.to_string())?
        .set;
    // From here on no scheduled run may overtake.
    engine.state.remember(|memory| memory.rolled_back = Some(time.started));
    let mut changes = [Change::default(); 2];
    for (table, set) in [(TableId::Allow, &allow), (TableId::Block, &block)] {
        publish(engine, table, set, false).await?;
        changes[table as usize] = change(before.set(table), set);
    }
    if let Ok(stats) = engine.link.stats().await {
        engine.watch.settle(&stats);
    }
    let since = match &before.block {
        Some(old) => before.since.follow(old, &block, time.started),
        None => Since::new(&block, time.started),
    };
    engine.state.remember(|memory| memory.changed = [Some(clock::now()); 2]);
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
