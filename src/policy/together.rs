//! The lists of one table, and what they name together.

use std::borrow::Cow;

use crate::list::List;
use crate::measure::Measure;
use crate::ranges::Ranges;

/// The lists of one table, and what they name together.
///
/// With many lists the union is what takes the time, so that it is made once for all who ask.
#[derive(Clone, Debug)]
pub struct Together<'a> {
    lists: Vec<&'a List>,
    ranges: Cow<'a, Ranges>,
}

impl<'a> Together<'a> {
    /// Unites the lists.
    pub fn of(lists: &[&'a List]) -> Self {
        let ranges = match lists {
            [only] => Cow::Borrowed(only.ranges()),
            _ => Cow::Owned(Ranges::union(lists.iter().map(|list| list.ranges()))),
        };
        Self { lists: lists.to_vec(), ranges }
    }

    /// The lists, in the order in which they were handed in.
    pub fn lists(&self) -> &[&'a List] {
        &self.lists
    }

    /// The numbers of what they name together.
    pub(crate) fn measure(&self) -> Measure {
        match self.lists[..] {
            [only] => only.measure(),
            _ => Measure::of_ranges(self.ranges()),
        }
    }

    /// What they name together.
    pub fn ranges(&self) -> &Ranges {
        &self.ranges
    }
}
