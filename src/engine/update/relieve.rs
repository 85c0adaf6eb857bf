//! Letting through what has come to be protected or allowed, without waiting for a block list.

use std::rc::Rc;

use imsg::{Purpose, TableId};
use policy::{Trial, compose_block};
use prefix::Floor;

use super::publish::publish;
use super::rollback::as_list;
use super::run::guard;
use crate::protect::protected;
use crate::{Engine, clock};

/// Takes what is protected or allowed now out of the block table that is in force.
///
/// Each update that publishes does so anyway; but who adds an address to `never_block` is often
/// cut off from the policy servers by that very entry, and has to be let through without them.
pub async fn relieve(engine: &Rc<Engine>) {
    let _turn = engine.runs.turn().await;
    let before = engine.state.policy();
    let Some(block) = &before.block else { return };
    let allow = before.allow.clone().unwrap_or_default();
    // what is wider than the floor of now is cut up; to refuse it would leave it blocked as it is
    let list = as_list("the block table", block, Floor { v4: 0, v6: 0 });
    let guard = guard(engine);
    let composed = match compose_block(&[list], &allow, &protected(engine), &guard) {
        Ok(composed) => composed,
        Err(kept) => return logger::err(format_args!("what is protected stays blocked: {kept}")),
    };
    let removed = composed.removed;
    if removed.protected.entries + removed.allowed.entries == 0 {
        return;
    }
    if composed.set.is_empty() {
        return logger::err(
            "all of the block table is protected or allowed now, but it is never made empty: it \
             stays until the next update",
        );
    }
    let trial = Trial::absolute(TableId::Block.kind(), &composed.set, &allow);
    if let Err(kept) = trial.check(&guard) {
        return logger::err(format_args!("what is protected stays blocked: {}", kept.reason));
    }
    engine.watch.forget();
    if let Err(why) = publish(engine, TableId::Block, &composed.set, Purpose::Publish).await {
        return logger::err(format_args!("what is protected stays blocked: {why}"));
    }
    for hit in &removed.hits {
        logger::warn(format_args!("unblocked at once: {hit}"));
    }
    if removed.allowed.entries > 0 {
        logger::warn(format_args!(
            "unblocked at once: what is allowed of the block table, entries: {}",
            removed.allowed.entries
        ));
    }
    let now = clock::now();
    engine.state.remember(|memory| {
        let at = memory.time_of_change(now);
        memory.note_change(TableId::Block, at, Some(block));
    });
    let mut next = (*before).clone();
    next.since = before.since_with(&composed.set, now);
    next.block = Some(composed.set);
    engine.state.set_policy(next);
}
