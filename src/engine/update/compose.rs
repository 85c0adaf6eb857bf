//! The second step of a run: tables of lists.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use imsg::TableId;
use policy::{
    Composed, Guard, Hit, Kept, LeftOut, List, Measure, Protected, Ranges, Removed, Together,
    check_table, compose_allow, compose_block, unrouted,
};
use prefix::{Bounds, Floor, Item, Items, Kind, PrefixSet};

use crate::guard;
use crate::lists::Copy;
use crate::state::{Lost, Policy, State};
use crate::tables::{Table, Tables};

/// The lists that tables are made of.
#[derive(Default)]
pub struct Lists {
    /// The lists, in the order of the configuration.
    pub copies: Vec<Rc<Copy>>,
    /// The names of those among them that no table is made of.
    pub left_out: BTreeSet<String>,
    /// The tables in force, each for lists of it whose copies are gone.
    pub stand_ins: Vec<(TableId, List)>,
    /// Whether nobody knows what is to be taken out of the block tables, so that these are made of what
    /// stands in alone.
    pub unknown: bool,
}

impl Lists {
    /// All that a table is made of; what is only an exemption is in none.
    fn of<'a>(&'a self, table: &'a Table) -> Together<'a> {
        let stand_ins = self.stand_ins.iter().filter(|(of, _)| *of == table.id);
        let copies = self.copies(table).filter(|_| !(self.unknown && table.blocks()));
        let all = copies.chain(stand_ins.map(|(_, list)| list));
        Together::of(&all.collect::<Vec<_>>())
    }

    /// The same without what stands in for lists.
    pub fn copies<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = &'a List> {
        of_table(&self.copies, table).filter(|list| !self.left_out.contains(list.name()))
    }

    /// What each table is made of.
    pub fn together<'a>(&'a self, tables: &'a Tables) -> BTreeMap<TableId, Together<'a>> {
        tables.iter().map(|table| (table.id, self.of(table))).collect()
    }
}

/// Those of the copies that are in a table.
pub fn of_table<'a>(copies: &'a [Rc<Copy>], table: &'a Table) -> impl Iterator<Item = &'a List> {
    let in_table =
        |copy: &&Rc<Copy>| table.has(copy.list.name(), copy.kind) && !copy.is_exemption();
    copies.iter().filter(in_table).map(|copy| &copy.list)
}

/// What no block table may have: what is in the allow table, and what root lets through.
pub fn exempt(allow: &PrefixSet, lists: &[Rc<Copy>]) -> Ranges {
    let own = lists.iter().filter(|copy| copy.is_exemption()).map(|copy| copy.list.ranges());
    Ranges::union(own.chain([&Ranges::from(allow)]))
}

/// What the lists make.
#[derive(Default)]
pub struct Made {
    /// The sets.
    pub sets: BTreeMap<TableId, PrefixSet>,
    /// What forbids one. Of which there is neither, there is nothing to make a table of yet.
    pub refused: BTreeMap<TableId, Kept>,
    /// What is left of block tables that stay for that reason, without what may be in none now: what is
    /// protected or allowed waits for no list.
    pub relieved: BTreeMap<TableId, PrefixSet>,
    /// The numbers of what the lists of each table name together, where they are known.
    pub measures: BTreeMap<TableId, Measure>,
    /// What there is to say of it.
    pub told: Told,
}

/// What there is to say of what the lists make.
#[derive(Clone, Default)]
pub struct Told {
    /// What the lists name and no table may have.
    pub left_out: Vec<LeftOut>,
    /// Which protected network met which list.
    pub hits: Vec<Hit>,
    /// Entries of the block lists that are allowed.
    pub allowed: usize,
}

/// Makes the tables of the `lists`, which are these `together`, in place of the `policy` in force, and
/// holds each against the guards that hold whatever went before it and whoever wants it. Allow comes
/// first, for the others are composed against the allow set that will be in force.
pub fn compose(
    tables: &Tables,
    guard: &Guard,
    policy: &Policy,
    protected: &[Protected],
    lists: &Lists,
    together: &BTreeMap<TableId, Together<'_>>,
) -> Made {
    let mut made = Made::default();
    // before there is anything to block there is nothing to make
    let any = |table: &&Table| {
        policy.set(table.id).is_some()
            || together.get(&table.id).is_some_and(|lists| !lists.lists().is_empty())
    };
    if !tables.blocking().any(|table| any(&table)) {
        return made;
    }
    // the allow set that will be in force, and all that no block table may have: once for all of them
    let mut against = None;
    for table in tables.in_order().filter(|table| !table.blocks() || any(table)) {
        let Some(lists_of_it) = together.get(&table.id) else { continue };
        let guard = guard::of_table(guard, table);
        let (composed, allow) = match table.kind {
            Kind::Allow => (compose_allow(lists_of_it, &unrouted(), &guard), None),
            Kind::Block => {
                let (allow, exempt) = against.get_or_insert_with(|| {
                    let allow = made.sets.get(&TableId::ALLOW).or(policy.allow());
                    let allow = allow.cloned().unwrap_or_default();
                    let exempt = exempt(&allow, &lists.copies);
                    (allow, exempt)
                });
                (compose_block(lists_of_it, exempt, protected, &guard), Some(&*allow))
            }
        };
        let checked = composed.and_then(|composed| {
            made.told.left_out.extend(composed.removed.left_out);
            made.told.hits.extend(composed.removed.hits);
            made.told.allowed += composed.removed.allowed.entries;
            check_table(table.kind, &composed.set, allow.unwrap_or(&composed.set), &guard)?;
            Ok(composed.set)
        });
        match checked {
            Ok(set) => drop(made.sets.insert(table.id, set)),
            Err(kept) => {
                made.refused.insert(table.id, kept);
                let old = policy.set(table.id).zip(against.as_ref().filter(|_| table.blocks()));
                let left = old.and_then(|(old, (allow, exempt))| {
                    let set = freed(&guard, old, exempt, protected)?.set;
                    check_table(table.kind, &set, allow, &guard).is_ok().then_some(set)
                });
                made.relieved.extend(left.map(|set| (table.id, set)));
            }
        }
    }
    made
}

/// What is left of the block table in force without what may be in none now, and what that is; nothing where
/// it has nothing of that. How many entries are left is not looked at: that may be what forbids the table.
pub fn freed(
    guard: &Guard,
    in_force: &PrefixSet,
    exempt: &Ranges,
    protected: &[Protected],
) -> Option<Composed> {
    let list = as_list(Kind::Block, in_force);
    let bounds = Bounds { max_entries: u64::MAX, ..guard.bounds.clone() };
    let guard = Guard { bounds, ..guard.clone() };
    let composed = compose_block(&Together::of(&[&list]), exempt, protected, &guard).ok()?;
    let Removed { protected, allowed, .. } = &composed.removed;
    (protected.entries + allowed.entries > 0).then_some(composed)
}

/// The tables in force as lists, each for those of these lists that it has had or is to have, whose
/// copies are gone.
pub fn stand_ins(state: &State, policy: &Policy, lost: &[Lost]) -> Vec<(TableId, List)> {
    let of = |table: &Table| {
        lost.iter().find(|lost| state.tables_of(lost).any(|of| of.id == table.id))?;
        Some((table.id, as_list(table.kind, policy.set(table.id)?)))
    };
    state.tables.iter().filter_map(of).collect()
}

/// What is wider than the floor of now is cut up; to refuse it would leave it blocked as it is.
pub fn as_list(kind: Kind, set: &PrefixSet) -> List {
    let items = Items {
        v4: set.v4().iter().copied().map(|net| Item::new(net, false)).collect(),
        v6: set.v6().iter().copied().map(|net| Item::new(net, false)).collect(),
    };
    List::kept(format!("the {kind} table"), items, Floor { v4: 0, v6: 0 })
}
