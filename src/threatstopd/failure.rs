//! Why monitor or helper cannot go on.

use std::fmt::Display;
use std::io;

/// What, why and the way out, for the log. Nothing tells one failure from another.
pub type Failure = Box<dyn std::error::Error>;

/// Says of a call that failed on what it failed, and why.
pub trait On<T> {
    /// The value, or `what: why` with the words of strerror(3).
    ///
    /// # Errors
    /// When the call failed.
    fn on(self, what: impl Display) -> Result<T, Failure>;
}

impl<T, E: Into<io::Error>> On<T> for Result<T, E> {
    fn on(self, what: impl Display) -> Result<T, Failure> {
        self.map_err(|error| format!("{what}: {}", config::words(&error.into())).into())
    }
}
