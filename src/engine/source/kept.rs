//! What is in force of a source that brings nothing.

use config::Config;
use prefix::Kind;

use crate::clock;
use crate::lists::{Copy, Source};
use crate::state::State;

/// When a copy was as its source has it: when it last came so, in epoch seconds.
pub fn as_of(state: &State, copy: &Copy) -> u64 {
    let memory = state.memory();
    memory.list(copy.list.name()).map_or(0, |list| list.confirmed).max(copy.changed)
}

/// The end of a sentence about a source that fails: `; its copy of 3 hours ago stays`; nothing where
/// nothing of it has ever been in force.
pub fn kept(config: &Config, state: &State, source: Source) -> String {
    let policy = state.policy();
    let mut copies = policy.lists.iter().filter(|copy| copy.source == source);
    let Some(first) = copies.next() else {
        let lost = state.lost(config);
        let own = source.lists(config);
        return match own.iter().any(|(name, _)| lost.iter().any(|lost| lost.name == *name)) {
            true if own.iter().any(|(_, kind)| *kind == Kind::Allow) && source.exempts() => {
                "; its copy is lost, and the block tables stay as they are until it comes".into()
            }
            true => "; its copy is lost, and the table in force stands in for it".into(),
            false => String::new(),
        };
    };
    let ago = clock::span(clock::now().saturating_sub(as_of(state, first)));
    match copies.next() {
        None => format!("; its copy of {ago} ago stays"),
        Some(_) => format!("; its copies of {ago} ago stay"),
    }
}
