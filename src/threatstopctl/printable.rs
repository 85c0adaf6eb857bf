//! What may go to a terminal, or to a browser.

/// A line that can neither move the cursor nor rewrite the screen, and reads as it is written. The
/// engine quotes what servers say, and the one who reads it is root.
pub fn printable(line: &str) -> String {
    line.chars().map(|c| if is_plain(c) { c } else { '?' }).collect()
}

/// Whether a character is what it looks like. Those that turn the direction of writing (Unicode
/// Standard Annex 9), end a line or take no room would make one name look like another.
fn is_plain(c: char) -> bool {
    match c {
        '\t' => true,
        '\u{61c}' | '\u{feff}' => false,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => false,
        c => !c.is_control(),
    }
}

/// Names of strangers: markup and quotes, what steers a terminal, what takes no room, anything else.
#[cfg(test)]
pub const ANY_NAME: &str =
    "(?s)(.|[<>&\"'=/;{}%!-]|[\\x00-\\x20\\x7f-\\x9f]|[\u{200b}-\u{206f}]|[a-z]){0,40}";

#[cfg(test)]
mod tests {
    use super::printable;

    /// Fails when a name can rewrite the screen, or look like another one.
    #[test]
    fn what_is_not_what_it_looks_like_is_marked() {
        let odd = "a\0b\u{1b}[2Jc\u{202e}d\u{2066}e\u{200b}f\u{feff}g\u{2028}h\u{9b}i\r\n";
        assert_eq!(printable(odd), "a?b?[2Jc?d?e?f?g?h?i??");
        let plain = "a\tb \u{e4}\u{df} \u{5e9}\u{5dc} <&>\"'";
        assert_eq!(printable(plain), plain);
    }
}
