//! From lists to tables.

use core::fmt;

use prefix::{Address, Bounds, Floor, Kind, Net, Prefix, PrefixSet, Range, Refusal};

use crate::judge::{Guard, Kept, Reason};
use crate::left_out::{self, LeftOut, Protected};
use crate::list::List;
use crate::ranges::{Ranges, by_family};
use crate::sweep::{Count, Cover, Holes, overlap};
use crate::together::Together;

/// [`Removed::hits`] holds at most so many.
pub const MAX_HITS: usize = 64;

/// What is reserved and never routed, and left out of every list.
pub fn unrouted() -> Vec<Protected> {
    prefix::unrouted().map(Protected::from).collect()
}

/// A table and what was taken out of it.
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
    /// The protected networks that the lists name something of, each entry of all lists together
    /// counted for one of them: in the order in which the networks were handed in.
    pub left_out: Vec<LeftOut>,
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

/// What the allow lists of every origin name together: what no block table has.
///
/// No guard is asked, since each list has passed its own; and what is wider than the floor, or
/// reserved, may be taken out of a table as well as anything else.
pub fn exempt(lists: &[&List]) -> Ranges {
    Ranges::union(lists.iter().map(|list| list.ranges()))
}

/// Makes the allow table: the union of the lists, without `unrouted`, which is that of
/// [`unrouted`].
///
/// A private network that a list names wider than the floor is left out as well: no table may have
/// it, and it is no mistake that opens the firewall to the Internet.
///
/// # Errors
/// [`Reason::Wider`] when a list has another item wider than the floor, [`Refusal::Entries`] when
/// there are more than `max_entries`.
pub fn compose_allow(
    lists: &Together<'_>,
    unrouted: &[Protected],
    guard: &Guard,
) -> Result<Composed, Kept> {
    compose(Kind::Allow, lists, &Ranges::default(), unrouted, &guard.bounds)
        .map_err(|reason| Kept { table: Kind::Allow, reason })
}

/// Makes a block table: the union of its lists, without what is `exempt` and without the protected
/// networks.
///
/// `exempt` is what the allow lists of every origin name, see [`exempt()`], of the lists that will be
/// in force together with the result. It may be more than the allow table has.
///
/// # Errors
/// [`Reason::Wider`] when a list has an item wider than the floor of which not all is protected or
/// private (lists of bogons name 224.0.0.0/3 and fc00::/7), [`Refusal::Entries`] when there are more
/// than `max_entries`.
pub fn compose_block(
    lists: &Together<'_>,
    exempt: &Ranges,
    protected: &[Protected],
    guard: &Guard,
) -> Result<Composed, Kept> {
    compose(Kind::Block, lists, exempt, protected, &guard.bounds)
        .map_err(|reason| Kept { table: Kind::Block, reason })
}

/// Makes a table of either kind.
pub(crate) fn compose(
    kind: Kind,
    lists: &Together<'_>,
    exempt: &Ranges,
    never: &[Protected],
    bounds: &Bounds,
) -> Result<Composed, Reason> {
    if kind == Kind::Block {
        return table(lists, exempt, never, bounds);
    }
    let wide = |(net, _): &(Prefix, &str)| {
        lists.lists().iter().flat_map(|l| l.wide()).any(|item| meet(*net, *item))
    };
    let mut holes = never.to_vec();
    holes.extend(prefix::private().filter(wide).map(Protected::from));
    table(lists, exempt, &holes, bounds)
}

/// Refuses items wider than the floor, except where all of an item is left out anyway, or private:
/// what of that is not left out is wanted, and becomes prefixes as wide as the floor.
fn narrow(lists: &[&List], holes: &[Protected], floor: Floor) -> Result<(), Reason> {
    if lists.iter().all(|list| list.wide().is_empty()) {
        return Ok(());
    }
    let private = prefix::private().map(|(net, _)| net);
    let harmless: Ranges = holes.iter().map(|hole| hole.net).chain(private).collect();
    for list in lists {
        for &net in list.wide() {
            if !harmless.span(net) {
                let floor = floor.of(net);
                return Err(Reason::Wider { list: list.name().to_owned(), net, floor });
            }
        }
    }
    Ok(())
}

fn meet(a: Prefix, b: Prefix) -> bool {
    a.contains(b.addr()) || b.contains(a.addr())
}

fn table(
    lists: &Together<'_>,
    exempt: &Ranges,
    protected: &[Protected],
    bounds: &Bounds,
) -> Result<Composed, Reason> {
    narrow(lists.lists(), protected, bounds.floor)?;
    let nets = || protected.iter().map(|protected| protected.net);
    let (holes, (each4, each6)) = (nets().collect::<Ranges>(), by_family(nets()));
    let mut removed = Removed::default();
    protected.iter().for_each(|protected| removed.note(lists.lists(), protected));
    let max_entries = bounds.max_entries;
    let max = usize::try_from(max_entries).unwrap_or(usize::MAX);
    let all = lists.ranges().v4();
    let (v4, entries4) = family(all, exempt.v4(), holes.v4(), bounds.floor, max, &mut removed);
    let mut counts4 = left_out::count(all, &each4).into_iter();
    let all = lists.ranges().v6();
    let (v6, entries6) = family(all, exempt.v6(), holes.v6(), bounds.floor, max, &mut removed);
    let mut counts6 = left_out::count(all, &each6).into_iter();
    for protected in protected {
        let entries = match protected.net {
            Prefix::V4(_) => counts4.next(),
            Prefix::V6(_) => counts6.next(),
        };
        if let Some(entries @ 1..) = entries {
            removed.left_out.push(LeftOut { protected: protected.clone(), entries });
        }
    }
    let entries = (entries4 + entries6) as u64;
    let too_many = Reason::Refused(Refusal::Entries { entries, max: max_entries });
    if entries > max_entries {
        return Err(too_many);
    }
    // A cover is ascending and disjoint, so this cannot fail.
    let set = PrefixSet::new(v4, v6).map_err(|_| too_many)?;
    Ok(Composed { set, removed })
}

/// One family of a table: the one sweep of subtraction and cover.
fn family<A: Address>(
    all: &[Range<A>],
    exempt: &[Range<A>],
    protected: &[Range<A>],
    floor: Floor,
    max: usize,
    removed: &mut Removed,
) -> (Vec<Net<A>>, usize) {
    let mut exempt = Holes::new(exempt.iter().copied());
    let mut protected = Holes::new(protected.iter().copied());
    let mut cover = Cover::new(floor.bits::<A>(), max, all.len());
    // nothing is cut out of what ends before that, which is nearly all
    let mut hole = A::ZERO;
    for range in all {
        if range.last() < hole {
            cover.push(*range);
            continue;
        }
        exempt.cut(*range, |range| protected.cut(range, |range| cover.push(range)));
        hole = exempt.start().min(protected.start());
    }
    removed.allowed.add(exempt.removed);
    removed.protected.add(protected.removed);
    cover.finish()
}

impl Removed {
    /// Notes which of the lists the protected network meets.
    fn note(&mut self, lists: &[&List], protected: &Protected) {
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
