//! The lists of one table, and what they name together.

use core::cell::OnceCell;
use std::borrow::Cow;

use crate::list::List;
use crate::measure::Measure;
use crate::ranges::Ranges;

/// The lists of one table, and what they name together.
///
/// With many lists the union is what takes the time, so that it is made once for all who ask, and not
/// before somebody does.
#[derive(Clone, Debug)]
pub struct Together<'a> {
    lists: Vec<&'a List>,
    ranges: OnceCell<Cow<'a, Ranges>>,
    measure: OnceCell<Measure>,
}

impl<'a> Together<'a> {
    /// These lists.
    pub fn of(lists: &[&'a List]) -> Self {
        Self { lists: lists.to_vec(), ranges: OnceCell::new(), measure: OnceCell::new() }
    }

    /// These lists, of which somebody knows [`Together::measure`] from before.
    pub fn known(lists: &[&'a List], measure: Measure) -> Self {
        Self { measure: OnceCell::from(measure), ..Self::of(lists) }
    }

    /// The lists, in the order in which they were handed in.
    pub fn lists(&self) -> &[&'a List] {
        &self.lists
    }

    /// The numbers of what they name together.
    pub fn measure(&self) -> Measure {
        *self.measure.get_or_init(|| match self.lists[..] {
            [only] => only.measure(),
            _ => Measure::of_ranges(self.ranges()),
        })
    }

    /// What they name together.
    pub fn ranges(&self) -> &Ranges {
        self.ranges.get_or_init(|| match self.lists[..] {
            [only] => Cow::Borrowed(only.ranges()),
            _ => Cow::Owned(Ranges::union(self.lists.iter().map(|list| list.ranges()))),
        })
    }
}
