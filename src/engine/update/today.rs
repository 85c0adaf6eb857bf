//! A set of the past under the guards and the protected networks of today: the helper drops an
//! engine that hands it a set which may not be, so that whatever was composed at another time has
//! to be composed and judged again before it is sent.

use imsg::TableId;
use policy::{
    Composed, Guard, Kept, List, Ranges, Together, Trial, compose_allow, compose_block, unrouted,
};
use prefix::{Floor, Item, Items, PrefixSet};

use crate::Engine;
use crate::protect::protected;

/// The guards of the configuration.
pub fn guard(engine: &Engine) -> Guard {
    let guard = &engine.config.guard;
    Guard {
        bounds: guard.bounds(),
        // what the engine protects besides, the helper does not know of
        shield: engine.given.protected.iter().map(|protected| protected.net).collect(),
        max_shrink: guard.max_shrink.into(),
        max_growth: guard.max_growth,
    }
}

/// The allow table that a set makes today.
///
/// # Errors
/// What forbids it.
pub fn allow(engine: &Engine, set: &PrefixSet) -> Result<PrefixSet, Kept> {
    let guard = guard(engine);
    let set =
        compose_allow(&Together::of(&[&as_list("the allow table", set)]), &unrouted(), &guard)?.set;
    may_be(TableId::Allow, &set, &set, &guard)?;
    Ok(set)
}

/// The block table that a set makes today beside this allow table, and what that lacks of the set.
/// Whether it may be is for [`may_be`] to say: who asks may have more to do with an empty one.
///
/// # Errors
/// What forbids to compose it.
pub fn block(engine: &Engine, set: &PrefixSet, allow: &PrefixSet) -> Result<Composed, Kept> {
    let list = as_list("the block table", set);
    compose_block(&Together::of(&[&list]), &Ranges::from(allow), &protected(engine), &guard(engine))
}

/// Looks at the guards that hold whatever went before a set and whoever wants it, beside this allow
/// table.
///
/// # Errors
/// What forbids the set.
pub fn may_be(id: TableId, set: &PrefixSet, allow: &PrefixSet, guard: &Guard) -> Result<(), Kept> {
    Trial::absolute(id.kind(), set, allow).check(guard)
}

/// Whether the helper would take the set as it is.
pub fn is_taken(engine: &Engine, id: TableId, set: &PrefixSet) -> bool {
    let policy = engine.state.policy();
    let allow = policy.allow.clone().unwrap_or_default();
    may_be(id, set, &allow, &guard(engine)).is_ok()
}

/// What is wider than the floor of now is cut up; to refuse it would leave it blocked as it is.
fn as_list(name: &str, set: &PrefixSet) -> List {
    let items = Items {
        v4: set.v4().iter().copied().map(Item::positive).collect(),
        v6: set.v6().iter().copied().map(Item::positive).collect(),
    };
    List::new(name, items, Floor { v4: 0, v6: 0 })
}
