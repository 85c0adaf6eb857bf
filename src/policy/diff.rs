//! What changed from one set to the next.

use core::fmt;

use prefix::{Address, Net, Prefix, PrefixSet};

/// An entry that only one of two sets has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Only the new set has it.
    Added(Prefix),
    /// Only the old set had it.
    Removed(Prefix),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(net) => write!(f, "+{net}"),
            Self::Removed(net) => write!(f, "-{net}"),
        }
    }
}

/// The entries of which only one set has exactly that prefix, in the order of a table file.
///
/// Where neighbours were aggregated the wider prefix is added and the narrower ones are removed,
/// as they are in the kernel's table.
pub fn diff<'a>(old: &'a PrefixSet, new: &'a PrefixSet) -> impl Iterator<Item = Change> + 'a {
    family(old.v4(), new.v4()).chain(family(old.v6(), new.v6()))
}

fn family<'a, A: Address>(old: &'a [Net<A>], new: &'a [Net<A>]) -> impl Iterator<Item = Change> + 'a
where
    Prefix: From<Net<A>>,
{
    let mut old = old.iter().copied().peekable();
    let mut new = new.iter().copied().peekable();
    core::iter::from_fn(move || {
        loop {
            let (gone, come) = match (old.peek(), new.peek()) {
                (None, None) => return None,
                (Some(a), Some(b)) => (a <= b, b <= a),
                (a, b) => (a.is_some(), b.is_some()),
            };
            let gone = old.next_if(|_| gone);
            let come = new.next_if(|_| come);
            match (gone, come) {
                (Some(net), None) => return Some(Change::Removed(net.into())),
                (None, Some(net)) => return Some(Change::Added(net.into())),
                _ => {}
            }
        }
    })
}

/// How many prefixes both sets have: what [`diff`] would leave out.
pub fn common(old: &PrefixSet, new: &PrefixSet) -> usize {
    fn family<A: Address>(mut old: &[Net<A>], mut new: &[Net<A>]) -> usize {
        let mut common = 0;
        // no branch but the loop's: which of both comes next cannot be foretold
        while let ([a, ..], [b, ..]) = (old, new) {
            common += usize::from(a == b);
            let (gone, come) = (usize::from(a <= b), usize::from(b <= a));
            (old, new) = (&old[gone..], &new[come..]);
        }
        common
    }
    family(old.v4(), new.v4()) + family(old.v6(), new.v6())
}

#[cfg(test)]
mod tests;
