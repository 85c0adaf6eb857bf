//! What may go to a terminal.

/// A line that can neither move the cursor nor rewrite the screen. The engine quotes what servers
/// say, and the one who reads it is root.
pub fn printable(line: &str) -> String {
    line.chars().map(|c| if c.is_control() && c != '\t' { '?' } else { c }).collect()
}
