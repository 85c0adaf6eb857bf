//! Errors in the manner of err(3).

use core::fmt::Display;

/// An error as text, without the number that the standard library puts behind the words of
/// strerror(3).
pub fn words(error: &dyn Display) -> String {
    let text = error.to_string();
    let Some((words, rest)) = text.split_once(" (os error ") else { return text };
    let behind = rest.split_once(')').map_or("", |(_, behind)| behind);
    format!("{words}{behind}")
}

#[cfg(test)]
mod tests;
