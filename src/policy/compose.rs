//! From lists to tables.

use core::fmt;

use prefix::{Address, Net, Prefix, PrefixSet, Range};

use crate::judge::{Guard, Kept, Reason, Table};
use crate::list::{Floor, List};
use crate::sweep::{Count, Cover, Holes, overlap, sort_and_join, union};

/// [`Removed::hits`] holds at most so many.
pub const MAX_HITS: usize = 64;

/// A network that is never blocked, and why: "interface em0", "policy server".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// The network.
    pub net: Prefix,
    /// The reason, for people.
    pub reason: String,
}

/// A block table and what was taken out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Composed {
    /// The table: the minimal cover by prefixes not wider than the floor.
    pub set: PrefixSet,
    /// What the lists name and the table has not.
    pub removed: Removed,
}

/// What allowed and protected networks have taken out of the block lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Taken out because allowed; an entry that was only cut counts as one.
    pub allowed: Count,
    /// Taken out because protected and not allowed.
    pub protected: Count,
    /// Which protected network met which list; the first [`MAX_HITS`] of them.
    pub hits: Vec<Hit>,
}

/// A list names addresses of a protected network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// The list.
    pub list: String,
    /// The network and why it is protected.
    pub protected: Protected,
    /// How much of the list lies in the network.
    pub count: Count,
}

impl fmt::Display for Hit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { list, protected: Protected { net, reason }, count: Count { entries, .. } } =
            self;
        let noun = if *entries == 1 { "entry" } else { "entries" };
        write!(f, "{list} has {entries} {noun} in {net}, which is never blocked ({reason})")
    }
}

/// Makes the allow table: the union of the allow lists and local_allow.
///
/// # Errors
/// [`Reason::Wider`] when a list has an item wider than the floor, [`Reason::Entries`] when
/// there are more than `max_entries`.
pub fn compose_allow(lists: &[List], guard: &Guard) -> Result<PrefixSet, Kept> {
    narrow(lists, &[], guard)
        .and_then(|()| table(lists, &PrefixSet::default(), &[], guard))
        .map(|composed| composed.set)
        .map_err(|reason| Kept { table: Table::Allow, reason })
}

/// Makes the block table: the union of the block lists and local_block, without `allow` and
/// without the protected networks.
///
/// `allow` is the allow table that will be in force together with the result.
///
/// # Errors
/// [`Reason::Wider`] when a list has an item wider than the floor that is not protected as a
/// whole (lists of bogons name 224.0.0.0/4), [`Reason::Entries`] when there are more than
/// `max_entries`.
pub fn compose_block(
    lists: &[List],
    allow: &PrefixSet,
    protected: &[Protected],
    guard: &Guard,
) -> Result<Composed, Kept> {
    narrow(lists, protected, guard)
        .and_then(|()| table(lists, allow, protected, guard))
        .map_err(|reason| Kept { table: Table::Block, reason })
}

/// Refuses items wider than the floor, except where all of them is protected anyway.
fn narrow(lists: &[List], protected: &[Protected], guard: &Guard) -> Result<(), Reason> {
    for list in lists {
        for &net in list.wide() {
            if !protected.iter().any(|p| contains_net(p.net, net)) {
                let floor = match net {
                    Prefix::V4(_) => guard.floor.v4,
                    Prefix::V6(_) => guard.floor.v6,
                };
                return Err(Reason::Wider { list: list.name().to_owned(), net, floor });
            }
        }
    }
    Ok(())
}

fn contains_net(outer: Prefix, inner: Prefix) -> bool {
    outer.len() <= inner.len() && outer.contains(inner.addr())
}

fn table(
    lists: &[List],
    allow: &PrefixSet,
    protected: &[Protected],
    guard: &Guard,
) -> Result<Composed, Reason> {
    let (mut protected4, mut protected6) = (Vec::new(), Vec::new());
    let mut removed = Removed::default();
    for p in protected {
        match p.net {
            Prefix::V4(net) => protected4.push(Range::from(net)),
            Prefix::V6(net) => protected6.push(Range::from(net)),
        }
        removed.note(lists, p);
    }
    let max = usize::try_from(guard.max_entries).unwrap_or(usize::MAX);
    let parts: Vec<_> = lists.iter().map(List::v4).collect();
    let (v4, entries4) = family(&parts, allow.v4(), protected4, guard.floor, max, &mut removed);
    let parts: Vec<_> = lists.iter().map(List::v6).collect();
    let (v6, entries6) = family(&parts, allow.v6(), protected6, guard.floor, max, &mut removed);
    let entries = (entries4 + entries6) as u64;
    let too_many = Reason::Entries { entries, max: guard.max_entries };
    if entries > guard.max_entries {
        return Err(too_many);
    }
    // A cover is ascending and disjoint, so this cannot fail.
    let set = PrefixSet::new(v4, v6).map_err(|_| too_many)?;
    Ok(Composed { set, removed })
}

/// One family of a table: the one sweep of union, subtraction and cover.
fn family<A: Address>(
    lists: &[&[Range<A>]],
    allow: &[Net<A>],
    mut protected: Vec<Range<A>>,
    floor: Floor,
    max: usize,
    removed: &mut Removed,
) -> (Vec<Net<A>>, usize) {
    sort_and_join(&mut protected);
    let all = union(lists);
    let mut allow = Holes::new(allow.iter().map(|net| Range::from(*net)));
    let mut protected = Holes::new(protected.into_iter());
    let mut cover = Cover::new(floor.bits::<A>(), max, all.len());
    for range in all.iter() {
        allow.cut(*range, |range| protected.cut(range, |range| cover.push(range)));
    }
    removed.allowed.add(allow.removed);
    removed.protected.add(protected.removed);
    cover.finish()
}

impl Removed {
    /// Notes which of the lists the protected network meets.
    fn note(&mut self, lists: &[List], protected: &Protected) {
        for list in lists {
            let count = match protected.net {
                Prefix::V4(net) => overlap(list.v4(), net.into()),
                Prefix::V6(net) => overlap(list.v6(), net.into()),
            };
            if count.entries == 0 {
                continue;
            }
            if self.hits.len() < MAX_HITS {
                let (list, protected) = (list.name().to_owned(), protected.clone());
                self.hits.push(Hit { list, protected, count });
            }
        }
    }
}

#[cfg(test)]
mod tests;
