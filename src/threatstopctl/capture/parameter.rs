//! Parameters of header fields: RFC 9110, section 5.6.6; of the parts of forms: RFC 7578.

/// A parameter of a field, such as `boundary` of `multipart/form-data; boundary="a;b"`. A quoted
/// value may have any character; behind a backslash stands a quote or a backslash of the value.
/// Any other backslash is one, as in the names that some clients give to files.
pub fn parameter(field: &str, name: &str) -> Option<String> {
    let (_, mut rest) = field.split_once(';')?;
    loop {
        let end = rest.find(['=', ';'])?;
        let (given, behind) = rest.split_at(end);
        // without a value
        if let Some(next) = behind.strip_prefix(';') {
            rest = next;
            continue;
        }
        let (value, next) = value(behind.get(1..)?);
        if given.trim().eq_ignore_ascii_case(name) {
            return Some(value);
        }
        rest = next;
    }
}

/// A value, and what follows the semicolon behind it.
fn value(text: &str) -> (String, &str) {
    let text = text.trim_start();
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_once(';').unwrap_or((text, ""));
        return (value.trim_end().to_owned(), rest);
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match (c, chars.as_str().chars().next()) {
            ('"', _) => break,
            ('\\', Some(escaped @ ('"' | '\\'))) => {
                value.push(escaped);
                chars.next();
            }
            _ => value.push(c),
        }
    }
    (value, chars.as_str().split_once(';').map_or("", |(_, rest)| rest))
}
