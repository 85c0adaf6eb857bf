//! What is protected or allowed and stays blocked all the same, because no other block table may be.

use policy::{Guard, Hit, Protected, Together, compose_block};

use super::compose::{self, as_list};
use super::judge::Judged;
use super::publish::Published;
use crate::state::Policy;
use crate::warning::Warning;

/// Networks that a sentence names.
const NAMED: usize = 4;

/// The warning of a run that could not put its block table in force, so that this `policy` is.
pub fn stays(
    guard: &Guard,
    policy: &Policy,
    protected: &[Protected],
    judged: &Judged,
    published: &Published,
) -> Option<Warning> {
    let block = policy.block.as_ref().filter(|_| !published.done[0])?;
    let allow = policy.allow.clone().unwrap_or_default();
    let exempt = compose::exempt(&allow, &policy.lists);
    let list = as_list(prefix::Kind::Block, block);
    let composed = compose_block(&Together::of(&[&list]), &exempt, protected, guard).ok()?;
    let removed = composed.removed;
    if removed.protected.entries + removed.allowed.entries == 0 {
        return None;
    }
    let what = named(&removed.hits);
    if composed.set.is_empty() {
        let text = format!(
            "all of the block table is protected or allowed now, but it is never made empty: \
             {what} stays blocked"
        );
        let way_out = "threatstopctl update, once a list has something else to block";
        return Some(Warning::new(text, way_out));
    }
    let kept = judged.kept_tables[0].as_ref().map(|kept| kept.reason.to_string());
    let why = kept.or_else(|| published.failures.first().cloned()).unwrap_or_default();
    let text = format!("{what} stays blocked: {why}");
    Some(Warning::new(text, "threatstopctl update tries again"))
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
