//! Letting through what has come to be protected or allowed, without waiting for a block list.

use std::rc::Rc;

use imsg::{Purpose, TableId};
use policy::Hit;

use super::publish::publish;
use super::today;
use crate::warning::Warning;
use crate::{Engine, clock};

/// Networks that a sentence names.
const NAMED: usize = 4;

/// Takes what is protected or allowed now out of the block table that is in force.
///
/// Each update that publishes does so anyway; but who adds an address to `never_block` is often
/// cut off from the policy servers by that very entry, and has to be let through without them.
pub async fn relieve(engine: &Rc<Engine>) {
    let _turn = engine.runs.turn().await;
    let stays = attempt(engine).await.err();
    if let Some(why) = stays.as_ref().filter(|_| stays != engine.runs.stays()) {
        // said once; status says it as long as it is so
        logger::err(why);
    }
    engine.runs.set_stays(stays);
}

/// Relieves, or says what stays blocked and why.
async fn attempt(engine: &Rc<Engine>) -> Result<(), Warning> {
    let before = engine.state.policy();
    let tell = |text: String| Warning::new(text, "threatstopctl update tries again");
    let Some(block) = &before.block else { return Ok(()) };
    let allow = before.allow.clone().unwrap_or_default();
    let composed = today::block(engine, block, &allow)
        .map_err(|kept| tell(format!("what is protected now may stay blocked: {}", kept.reason)))?;
    let removed = composed.removed;
    if removed.protected.entries + removed.allowed.entries == 0 {
        return Ok(());
    }
    let what = named(&removed.hits);
    if composed.set.is_empty() {
        let text = format!(
            "all of the block table is protected or allowed now, but it is never made empty: \
             {what} stays blocked"
        );
        let way_out = "threatstopctl update, once a list has something else to block";
        return Err(Warning::new(text, way_out));
    }
    today::may_be(TableId::Block, &composed.set, &allow, &today::guard(engine))
        .map_err(|kept| tell(format!("{what} stays blocked: {}", kept.reason)))?;
    engine.watch.forget();
    // the set before is that of an update, which the administrator may want back
    publish(engine, TableId::Block, &composed.set, Purpose::Repair)
        .await
        .map_err(|why| tell(format!("{what} stays blocked: {why}")))?;
    for hit in &removed.hits {
        logger::warn(format_args!("unblocked at once: {hit}"));
    }
    if removed.allowed.entries > 0 {
        logger::warn(format_args!(
            "unblocked at once: what is allowed of the block table, entries: {}",
            removed.allowed.entries
        ));
    }
    engine.state.remember(|memory| memory.changed[TableId::Block as usize] = Some(clock::now()));
    engine.state.take(TableId::Block, composed.set);
    Ok(())
}

/// The protected networks, as a subject.
fn named(hits: &[Hit]) -> String {
    let one = |hit: &Hit| format!("{} ({})", hit.protected.net, hit.protected.reason);
    let named: Vec<String> = hits.iter().take(NAMED).map(one).collect();
    match hits.len() {
        0 => "what is allowed now".into(),
        1..=NAMED => named.join(", "),
        all => format!("{} and {} more", named.join(", "), all - NAMED),
    }
}
