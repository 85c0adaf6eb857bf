//! What a message shows of a list.

/// Octets that are shown at most.
const LONGEST: usize = 40;

/// The beginning of some octets as a text on one line that changes no terminal: what cannot be seen
/// is a question mark, but for tabs, which are blanks.
pub(crate) fn excerpt(octets: &[u8]) -> String {
    let mut shown = String::with_capacity(LONGEST);
    let mut push = |char: char| {
        if shown.len() + char.len_utf8() <= LONGEST {
            shown.push(char);
        }
    };
    // longer than what is shown, lest a character be cut where the text ends
    for chunk in octets[..octets.len().min(LONGEST)].utf8_chunks() {
        for char in chunk.valid().chars() {
            let seen = matches!(char, '"' | '\'' | '\\') || char.escape_debug().len() == 1;
            push(match char {
                '\t' => ' ',
                _ if seen => char,
                _ => '?',
            });
        }
        if !chunk.invalid().is_empty() {
            push('?');
        }
    }
    shown
}

/// A number with a comma between each three digits.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut shown = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    shown
}
