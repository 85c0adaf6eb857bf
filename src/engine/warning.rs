//! Sentences that nobody may overlook, each with its way out.

use core::fmt;

/// A sentence that nobody may overlook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// What is wrong, and why.
    pub text: String,
    /// What to do about it.
    pub way_out: String,
}

impl Warning {
    /// A sentence and its way out.
    pub fn new(text: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { text: text.into(), way_out: way_out.into() }
    }
}

/// As the log has it, in one line.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text, self.way_out)
    }
}
