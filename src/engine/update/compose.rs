//! The second step of a run: tables of lists.

use std::collections::BTreeSet;
use std::rc::Rc;

use config::Config;
use imsg::TableId;
use policy::{
    Guard, Hit, Kept, LeftOut, List, Protected, Ranges, Together, check_table, compose_allow,
    compose_block, unrouted,
};
use prefix::{Floor, Item, Items, Kind, PrefixSet};

use crate::source::{Copy, Source};
use crate::state::{Policy, table};

/// The lists that tables are made of.
#[derive(Default)]
pub struct Lists {
    /// The lists, in the order of the configuration.
    pub copies: Vec<Rc<Copy>>,
    /// The names of those among them that no table is made of.
    pub left_out: BTreeSet<String>,
    /// The tables in force, for lists whose copies are gone.
    pub stand_ins: Vec<(Kind, List)>,
}

impl Lists {
    /// All that a table of a kind is made of: what root lets through by hand is taken out of what is
    /// blocked, and is never in the allow table, whose rules let past all the others.
    fn of(&self, kind: Kind) -> Together<'_> {
        let stand_ins = self.stand_ins.iter().filter(|(of, _)| *of == kind).map(|(_, list)| list);
        Together::of(&self.copies(kind).chain(stand_ins).collect::<Vec<_>>())
    }

    /// The same without what stands in for lists.
    pub fn copies(&self, kind: Kind) -> impl Iterator<Item = &List> {
        let left_out = &self.left_out;
        let in_table = move |copy: &&Rc<Copy>| {
            copy.kind == kind && !is_own_allow(copy) && !left_out.contains(copy.list.name())
        };
        self.copies.iter().filter(in_table).map(|copy| &copy.list)
    }

    /// What each table is made of: block, allow.
    pub fn together(&self) -> [Together<'_>; 2] {
        [Kind::Block, Kind::Allow].map(|kind| self.of(kind))
    }
}

/// What no block table may have: what is in the allow table, and what root lets through.
pub fn exempt(allow: &PrefixSet, lists: &[Rc<Copy>]) -> Ranges {
    let own = lists.iter().filter(|copy| is_own_allow(copy)).map(|copy| copy.list.ranges());
    Ranges::union(own.chain([&Ranges::from(allow)]))
}

fn is_own_allow(copy: &Copy) -> bool {
    copy.source == Source::Own && copy.kind == Kind::Allow
}

/// What the lists make.
#[derive(Default)]
pub struct Tables {
    /// The sets: block, allow.
    pub sets: [Option<PrefixSet>; 2],
    /// What forbids one. Where there is neither, there is nothing to make a table of yet.
    pub refused: [Option<Kept>; 2],
    /// What the lists name and no table may have.
    pub left_out: Vec<LeftOut>,
    /// Which protected network met which list.
    pub hits: Vec<Hit>,
    /// Entries of the block lists that are allowed.
    pub allowed: usize,
}

/// The guards of a configuration, where the helper refuses what is `given`.
pub fn guard(config: &Config, given: &[Protected]) -> Guard {
    let guard = &config.guard;
    Guard {
        bounds: guard.bounds(),
        // what the engine protects besides, the helper does not know of
        shield: given.iter().map(|protected| protected.net).collect(),
        max_shrink: guard.max_shrink.into(),
        max_growth: guard.max_growth,
    }
}

/// Makes the tables of the `lists`, which are these `together`, in place of the `policy` in force, and
/// holds each against the guards that hold whatever went before it and whoever wants it. Allow comes first, for block is composed against
/// the allow set that will be in force.
pub fn compose(
    guard: &Guard,
    policy: &Policy,
    protected: &[Protected],
    lists: &Lists,
    [block, allow]: &[Together<'_>; 2],
) -> Tables {
    let (mut left_out, mut hits, mut allowed) = (Vec::new(), Vec::new(), 0);
    if policy.block.is_none() && block.lists().is_empty() {
        return Tables::default();
    }
    let allow = compose_allow(allow, &unrouted(), guard).and_then(|composed| {
        left_out.extend(composed.removed.left_out);
        check_table(Kind::Allow, &composed.set, &composed.set, guard)?;
        Ok(composed.set)
    });
    let empty = PrefixSet::default();
    let in_force = allow.as_ref().ok().or(policy.allow.as_ref()).unwrap_or(&empty);
    let exempt = exempt(in_force, &lists.copies);
    let block = compose_block(block, &exempt, protected, guard);
    let block = block.and_then(|composed| {
        left_out.extend(composed.removed.left_out);
        hits = composed.removed.hits;
        allowed = composed.removed.allowed.entries;
        check_table(Kind::Block, &composed.set, in_force, guard)?;
        Ok(composed.set)
    });
    let (block, no_block) = apart(block);
    let (allow, no_allow) = apart(allow);
    let (sets, refused) = ([block, allow], [no_block, no_allow]);
    Tables { sets, refused, left_out, hits, allowed }
}

fn apart(composed: Result<PrefixSet, Kept>) -> (Option<PrefixSet>, Option<Kept>) {
    match composed {
        Ok(set) => (Some(set), None),
        Err(kept) => (None, Some(kept)),
    }
}

/// Whether the helper would take the set as it is.
pub fn is_taken(guard: &Guard, policy: &Policy, id: TableId, set: &PrefixSet) -> bool {
    let allow = policy.allow.clone().unwrap_or_default();
    check_table(id.kind(), set, &allow, guard).is_ok()
}

/// The tables in force as lists, for these lists, whose copies are gone.
pub fn stand_ins(policy: &Policy, lost: &[(String, Kind)]) -> Vec<(Kind, List)> {
    let of = |kind: Kind| {
        lost.iter().find(|(_, of)| *of == kind)?;
        Some((kind, as_list(kind, policy.set(table(kind))?)))
    };
    [Kind::Block, Kind::Allow].into_iter().filter_map(of).collect()
}

/// What is wider than the floor of now is cut up; to refuse it would leave it blocked as it is.
pub fn as_list(kind: Kind, set: &PrefixSet) -> List {
    let items = Items {
        v4: set.v4().iter().copied().map(Item::positive).collect(),
        v6: set.v6().iter().copied().map(Item::positive).collect(),
    };
    List::new(format!("the {kind} table"), items, Floor { v4: 0, v6: 0 })
}
