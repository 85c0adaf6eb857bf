//! Errors in the manner of err(3).

use core::fmt::Display;

use serde_json::error::Category;

/// An error as text, without the number that the standard library puts behind the words of
/// strerror(3).
pub fn words(error: &dyn Display) -> String {
    let text = error.to_string();
    let Some((words, rest)) = text.split_once(" (os error ") else { return text };
    let behind = rest.split_once(')').map_or("", |(_, behind)| behind);
    format!("{words}{behind}")
}

/// What is wrong with JSON, and where: the library's own words are for those who write programs with it.
pub fn of_json(error: &serde_json::Error) -> String {
    let at = format!("line {}, column {}", error.line(), error.column());
    match error.classify() {
        Category::Eof => format!("damaged: it ends in the middle, at {at}"),
        Category::Data => format!("damaged, or of another version, at {at}"),
        Category::Syntax | Category::Io => format!("damaged at {at}"),
    }
}

#[cfg(test)]
mod tests;
