//! What somebody wrote that is no prefix, or nothing else that was wanted, as messages show it.

/// Longest text that is shown whole, in characters.
const LONGEST: usize = 60;

/// A text as a message shows it: in quotes, control characters and what cannot be seen as escapes, and
/// cut when it is long. Whatever somebody wrote, it stays on one line and changes no terminal.
pub fn quoted(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("\"{}...\"", text.get(..end).unwrap_or("").escape_debug()),
        None => format!("\"{}\"", text.escape_debug()),
    }
}

#[cfg(test)]
mod tests;
