//! The guards of a table that speak of its lists: the second net, and who broke a bound.

use core::cmp::Reverse;
use core::ptr;

use prefix::{Excess, Refusal};

use crate::judge::{Guard, Reason, Unit, brought, is_much};
use crate::list::List;
use crate::measure::Measure;
use crate::together::Together;

/// The second net below the guards of the lists: what forbids a table to go from its `old` lists to
/// the `new` ones without being asked, see [`Guard::decide`].
///
/// Compared is what they name together, before allowed and protected networks are taken out. The
/// caller hands in the lists of which both sets have a copy, without those that were just accepted,
/// so that new lists, configuration and the first fill-up are not held; where no list has changed
/// there is nothing to ask. The same limits hold as for a list, but for what was a day ago.
///
/// It may hold a table of which one list alone has changed, and has passed its own guard: of 10000
/// entries all but 5000 may go, and if others name these as well, nearly all that the table had
/// beside the others is gone.
pub fn table_change(old: &Together<'_>, new: &Together<'_>, guard: &Guard) -> Option<Reason> {
    let (before, now) = (old.measure(), new.measure());
    let brought = match at_most(old, new) {
        Some(most) if !is_much(most) => most,
        _ => brought(now, old.ranges(), new.ranges()),
    };
    guard.change(before, None, now, brought)
}

/// No less than what the `new` lists have and the `old` ones have not: what each has beside one of the
/// old ones, which is its copy. None where there are fewer of these.
fn at_most(old: &Together<'_>, new: &Together<'_>) -> Option<Measure> {
    let (old, new) = (old.lists(), new.lists());
    let changed = |(old, new): &(&&List, &&List)| !ptr::eq(**old, **new);
    let pairs = old.iter().zip(new).filter(changed);
    let brought = pairs.map(|(old, new)| Measure::brought(old.ranges(), new.ranges()));
    (new.len() <= old.len()).then(|| brought.fold(Measure::default(), Measure::and))
}

/// Of lists with their copies the one that grew most, for the message when only the sum of all is
/// beyond a bound: in what the `refusal` counts. None when none has grown.
pub fn grew_most<'a>(lists: &[(Option<&List>, &'a List)], refusal: &Refusal) -> Option<&'a str> {
    let unit = match refusal {
        Refusal::Covers(Excess::Percent { .. } | Excess::Allowed4 { .. }) => Unit::V4,
        Refusal::Covers(Excess::Networks { .. } | Excess::Allowed6 { .. }) => Unit::V6,
        _ => Unit::Entries,
    };
    let grew = |(copy, list): &(Option<&List>, &'a List)| {
        let before = copy.map(List::measure).unwrap_or_default();
        let by = unit.of(list.measure()).saturating_sub(unit.of(before));
        (by > 0).then(|| (by, list.name()))
    };
    // of equal ones the first
    lists.iter().filter_map(grew).min_by_key(|(by, _)| Reverse(*by)).map(|(_, name)| name)
}

#[cfg(test)]
mod tests;
