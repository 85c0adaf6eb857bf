//! What a table has to keep for a while, since another one is to have it and has it not yet.

use prefix::{Address, Floor, Net, PrefixSet, Range};

use crate::sweep::{Cover, Holes, shared, union};

/// The set of another table, as it is in force and as it is to be.
#[derive(Clone, Copy, Debug)]
pub struct Elsewhere<'a> {
    /// Its set in force.
    pub old: &'a PrefixSet,
    /// The set that it is to have.
    pub new: &'a PrefixSet,
}

/// The `new` set of a table with what would go from its `old` one to tables that do not have it yet;
/// `None` when there is no such thing. Tables can only be replaced one by one, and what goes from one to
/// another would be in neither between the two.
pub fn hold(
    old: &PrefixSet,
    new: &PrefixSet,
    others: &[Elsewhere<'_>],
    floor: Floor,
) -> Option<PrefixSet> {
    let others4: Vec<_> = others.iter().map(|other| [other.old.v4(), other.new.v4()]).collect();
    let v4 = family(old.v4(), new.v4(), &others4, floor);
    let others6: Vec<_> = others.iter().map(|other| [other.old.v6(), other.new.v6()]).collect();
    let v6 = family(old.v6(), new.v6(), &others6, floor);
    if v4.is_none() && v6.is_none() {
        return None;
    }
    let v4 = v4.unwrap_or_else(|| new.v4().to_vec());
    // a cover is ascending and disjoint
    PrefixSet::new(v4, v6.unwrap_or_else(|| new.v6().to_vec())).ok()
}

fn family<A: Address>(
    old: &[Net<A>],
    new: &[Net<A>],
    others: &[[&[Net<A>]; 2]],
    floor: Floor,
) -> Option<Vec<Net<A>>> {
    let lost = without(ranges(old), new);
    let mut parts = Vec::new();
    for [in_force, to_be] in others {
        let part = without(both(&lost, to_be), in_force);
        if !part.is_empty() {
            parts.push(part);
        }
    }
    if parts.is_empty() {
        return None;
    }
    parts.push(ranges(new).collect());
    let parts: Vec<&[Range<A>]> = parts.iter().map(Vec::as_slice).collect();
    let all = union(&parts);
    let mut cover = Cover::new(floor.bits::<A>(), usize::MAX, all.len());
    all.iter().for_each(|range| cover.push(*range));
    Some(cover.finish().0)
}

fn ranges<A: Address>(nets: &[Net<A>]) -> impl Iterator<Item = Range<A>> {
    nets.iter().copied().map(Range::from)
}

/// What of ascending ranges is not in a set.
fn without<A: Address>(of: impl IntoIterator<Item = Range<A>>, nets: &[Net<A>]) -> Vec<Range<A>> {
    let (mut holes, mut left) = (Holes::new(ranges(nets)), Vec::new());
    of.into_iter().for_each(|range| holes.cut(range, |part| left.push(part)));
    left
}

/// What of ascending ranges is in a set.
fn both<A: Address>(of: &[Range<A>], nets: &[Net<A>]) -> Vec<Range<A>> {
    let mut found = Vec::new();
    for range in of {
        let start = nets.partition_point(|net| net.last() < range.first());
        let parts = nets[start..].iter().map_while(|net| shared(*range, Range::from(*net)));
        found.extend(parts);
    }
    found
}

#[cfg(test)]
mod tests;
