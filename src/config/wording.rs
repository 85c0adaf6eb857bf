//! What people write that is no TOML, in words.

use crate::key::{Key, Kind};
use crate::unit::{Size, read_duration};

/// A broken part of the text.
pub(crate) enum Broken<'t> {
    /// The header of a section, the whole line.
    Header(&'t str),
    /// A line that should be `key = value`.
    Line(&'t str),
    /// The first line of a value of several lines that has no end.
    Open(&'t str),
    /// A line within such a value.
    Entry(&'t str),
}

/// What is wrong with a broken part; `key` is the one that it sets, as far as it is known, and
/// `message` what the parser says. Values are not repeated, but for those that are no secrets.
pub(crate) fn words(broken: &Broken<'_>, key: Option<&Key>, message: &str) -> String {
    let why = match *broken {
        Broken::Header(code) => header(code),
        Broken::Line(code) => line(code, key, message),
        Broken::Entry(code) => {
            let code = without_comment(code);
            let entry = "each entry needs quotes, and a comma behind it".to_owned();
            character(code).or_else(|| quotes(code)).unwrap_or(entry)
        }
        Broken::Open(code) => {
            let code = without_comment(code);
            let (_, value) = code.split_once('=').unwrap_or(("", code));
            let open = |end| format!("the value has no end: {end} is missing");
            let others = || character(code).or_else(|| quotes(code));
            match value.trim_ascii_start().as_bytes() {
                [b'[', ..] => others().unwrap_or_else(|| open("]")),
                [b'{', ..] => others().unwrap_or_else(|| open("}")),
                [b'\'', ..] => open("'''"),
                _ => open("\"\"\""),
            }
        }
    };
    match key {
        Some(key) => format!("{}: {why}", key.path()),
        None => why,
    }
}

/// The code of a line, trimmed: `#` begins a comment, but not within quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            (None, '#') => return line.get(..at).unwrap_or(line).trim_ascii(),
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            _ => {}
        }
    }
    line.trim_ascii()
}

/// A header that is none.
fn header(code: &str) -> String {
    let name: String = code
        .trim_matches(|c: char| !c.is_ascii_alphanumeric())
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c))
        .take(40)
        .collect();
    format!("a section begins with its name in brackets, alone on its line: [{name}]")
}

/// Characters that look like others.
fn character(code: &str) -> Option<String> {
    code.chars().filter(|c| !c.is_ascii()).find_map(|c| match c {
        '\u{2018}'..='\u{201f}'
        | '\u{ab}'
        | '\u{bb}'
        | '\u{2039}'
        | '\u{203a}'
        | '\u{2032}'
        | '\u{2033}' => Some(format!("typographic quote {c}: write the plain \" of the keyboard")),
        c if c.is_whitespace() || ('\u{200b}'..='\u{200d}').contains(&c) => Some(format!(
            "U+{:04X} looks like a blank and is none: write a plain one",
            u32::from(c)
        )),
        _ => None,
    })
}

/// Quotes that are not closed, or not opened.
fn quotes(code: &str) -> Option<String> {
    let mut open = None;
    let mut escaped = false;
    for c in code.chars() {
        match (open, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (None, '"' | '\'') => open = Some(c),
            (Some(quote), c) if c == quote => open = None,
            _ => {}
        }
    }
    open.map(|quote| format!("a quote is missing: {quote} stands at both ends of a string"))
}

/// A line that is no `key = value`.
fn line(code: &str, key: Option<&Key>, message: &str) -> String {
    const FORM: &str = "a line is key = value";
    let code = without_comment(code);
    if code.contains('\r') {
        return "a carriage return ends no line: write line feeds".into();
    }
    let first = code.split_ascii_whitespace().next().unwrap_or_default();
    if ["export", "set", "setenv"].contains(&first) {
        return format!("{FORM}, without {first}");
    }
    if first.starts_with(';') || first.starts_with("//") || first.starts_with("--") {
        return "a comment begins with #".into();
    }
    let Some((name, value)) = code.split_once('=') else {
        if let Some(why) = character(code) {
            return why;
        }
        let colon = if code.contains(':') { ", not key: value" } else { "" };
        return format!("\"=\" is missing: {FORM}{colon}; a section is [name]");
    };
    let (name, value) = (name.trim_ascii(), value.trim_ascii());
    if let Some(why) = character(name) {
        return why;
    }
    if name.is_empty() || value.is_empty() {
        let what = if name.is_empty() { "key" } else { "value" };
        return format!("the {what} is missing: {FORM}");
    }
    if name.ends_with([':', '+', '?', '!', '<', '>']) || value.starts_with(['=', '>']) {
        return format!("{FORM}, with nothing but \"=\" between them");
    }
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
        return format!("{FORM}; a key has letters, digits, \"_\" and \"-\" and no blank");
    }
    // within good quotes any character may stand
    let plain = !value.starts_with(['"', '\'']) || quotes(value).is_some();
    if let Some(why) = character(value).filter(|_| plain).or_else(|| quotes(value)) {
        return why;
    }
    match value.chars().next() {
        Some('"' | '\'') if message.contains("escape") => {
            "\"\\\" begins an escape within \"\": write it twice, or the string within ''".into()
        }
        Some(quote @ ('"' | '\'')) => behind_string(value, quote, key),
        Some('[') if value.ends_with(']') => {
            "each entry needs quotes, and a comma between it and the next".into()
        }
        Some('[') => "the list ends with \"]\", with nothing behind it".into(),
        Some('{') => "write { name = \"value\", name = \"value\" }".into(),
        _ => bare(value, key.map(|key| key.kind)),
    }
}

/// What stands behind a string.
fn behind_string(value: &str, quote: char, key: Option<&Key>) -> String {
    let behind = value.get(1..).and_then(|rest| rest.split_once(quote)).unwrap_or_default().1;
    let behind = behind.trim();
    match key.map(|key| key.kind) {
        Some(Kind::List(_)) => "several entries are a list: [\"...\", \"...\"]".into(),
        _ if behind.starts_with("//") || behind.starts_with(';') && behind.len() > 1 => {
            "a comment begins with #".into()
        }
        _ if behind.starts_with([';', ',']) => {
            "nothing stands behind a value: no \";\" and no \",\"".into()
        }
        _ => "nothing but a comment (#) stands behind a value".into(),
    }
}

/// A value that is nothing of TOML, most often a string without its quotes.
fn bare(value: &str, kind: Option<Kind>) -> String {
    match kind {
        Some(Kind::Optional(kind)) => bare(value, Some(*kind)),
        Some(kind @ Kind::Boolean)
            if value.len() <= 8 && value.bytes().all(|o| o.is_ascii_alphanumeric()) =>
        {
            format!("takes {kind}, not {value}")
        }
        Some(kind @ Kind::Boolean) => format!("takes {kind}"),
        Some(kind @ Kind::Integer) => format!("takes {kind}, digits alone"),
        Some(Kind::Duration) if read_duration(value).is_some() => {
            format!("a duration needs quotes: \"{value}\"")
        }
        Some(Kind::Size) if Size::of_text(value).is_some() => {
            format!("a size needs quotes: \"{value}\"")
        }
        Some(kind @ (Kind::Duration | Kind::Size | Kind::Text(_) | Kind::OneOf(_))) => {
            format!("needs quotes; it takes {kind}")
        }
        Some(kind @ Kind::List(_)) => format!("takes {kind}: [\"...\", \"...\"]"),
        Some(kind @ Kind::Map) => format!("takes {kind}: {{ name = \"value\" }}"),
        None => "a string needs quotes; what needs none is true, false and whole numbers".into(),
    }
}
