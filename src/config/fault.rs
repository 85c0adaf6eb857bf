//! What is wrong at a place of the text.

use core::ops::Range;

/// A mistake and where it is.
#[derive(Debug)]
pub(crate) struct Fault {
    /// The octets in question.
    pub(crate) at: Range<usize>,
    /// What is wrong.
    pub(crate) why: String,
}

impl Fault {
    /// A mistake at these octets of the text.
    pub(crate) fn new(at: Range<usize>, why: impl Into<String>) -> Self {
        Self { at, why: why.into() }
    }
}
