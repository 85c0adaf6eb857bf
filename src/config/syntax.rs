//! What is no TOML: each such line is told in words and left out, so that the rest can be judged.

use core::ops::Range;

use toml::de::{DeTable, DeValue, Error};

use crate::fault::Fault;
use crate::key::{Key, join};
use crate::wording::{Broken, words};

/// A text with more broken lines is something else than a configuration.
const MOST: usize = 100;

/// A text without the lines that are no TOML.
pub(crate) struct Sound<'t> {
    /// The text, of the same length, with blanks for what is left out.
    pub(crate) text: String,
    /// What is left out, and where it was.
    broken: Vec<(Range<usize>, &'t str)>,
}

impl<'t> Sound<'t> {
    /// Leaves out what is no TOML, and notes why. `keys` are all that there are, for advice.
    pub(crate) fn new(text: &'t str, keys: &[Key], faults: &mut Vec<Fault>) -> Self {
        let mut sound = Self { text: text.to_owned(), broken: Vec::new() };
        for (at, why) in odd_characters(text) {
            faults.push(Fault::new(at..at, why));
            // without the mark at the beginning the first line is as good as any
            let mark = at == 0 && text.starts_with(MARK);
            sound.leave_out(text, if mark { 0..MARK.len_utf8() } else { line(text, at) });
        }
        while sound.broken.len() < MOST {
            let (root, errors) = DeTable::parse_recoverable(&sound.text);
            // what is set twice is no matter of syntax
            let errors = errors.iter().filter(|error| error.message() != "duplicate key");
            let first = errors.min_by_key(|error| error.span().unwrap_or_default().start);
            let Some(error) = first else { return sound };
            let statement = Statement::find(&sound.text, root.get_ref(), error);
            let at = statement.told;
            faults.push(Fault::new(at..at, statement.why(text, keys, error.message())));
            let (part, whole) = (statement.part, statement.whole);
            if !sound.leave_out(text, part) && !sound.leave_out(text, whole) {
                break;
            }
        }
        sound.leave_out(text, 0..text.len());
        sound
    }

    /// Whether something is left out of these octets.
    pub(crate) fn lacks(&self, octets: &Range<usize>) -> bool {
        self.broken.iter().any(|(at, _)| at.start < octets.end && octets.start < at.end)
    }

    /// Whether what is left out has this name in it, and may have set it.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.broken.iter().any(|(_, text)| text.contains(name))
    }

    /// Puts blanks in the place of some octets of `text`; false when nothing else was there.
    fn leave_out(&mut self, text: &'t str, at: Range<usize>) -> bool {
        let (Some(left_out), Some(now)) = (text.get(at.clone()), self.text.get(at.clone())) else {
            return false;
        };
        if now.trim().is_empty() {
            return false;
        }
        let blank = |octet| if octet == b'\n' { '\n' } else { ' ' };
        let blanks: String = now.bytes().map(blank).collect();
        self.text.replace_range(at.clone(), &blanks);
        self.broken.push((at, left_out));
        true
    }
}

/// What stands for octets that are no text (ECMA-48, 8.3.148).
pub(crate) const SUBSTITUTE: char = '\u{1a}';
/// The byte order mark.
const MARK: char = '\u{feff}';

/// Characters that TOML would allow or would not name, the first of each line.
fn odd_characters(text: &str) -> Vec<(usize, String)> {
    let why = |at, c: char| match c {
        MARK if at == 0 => Some("begins with a byte order mark; save the file without it".into()),
        SUBSTITUTE => Some("not UTF-8: iconv -f latin1 -t utf-8 may help".into()),
        '\t' | '\n' | '\r' => None,
        c => c.is_control().then(|| format!("control character U+{:04X}", u32::from(c))),
    };
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut end = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| c.is_control() || !c.is_ascii()) {
        if let Some(why) = why(at, c).filter(|_| at >= end) {
            end = if c == MARK { 0 } else { line(text, at).end };
            found.push((at, why));
        }
    }
    found
}

/// The line that an octet is in, without its end.
fn line(text: &str, at: usize) -> Range<usize> {
    let (before, behind) = text.split_at_checked(at).unwrap_or((text, ""));
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    start..behind.find('\n').map_or(text.len(), |newline| at + newline)
}

/// The place of the next line that begins something, from the beginning of a line on.
fn next(text: &str, from: usize, begins: fn(&str) -> bool) -> usize {
    let mut at = from;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n') {
        if begins(line.trim_start()) {
            return at;
        }
        at += line.len();
    }
    text.len()
}

/// Whether a line looks like the header of a section.
fn is_header(line: &str) -> bool {
    let name = line.trim_start_matches('[');
    name.len() < line.len() && name.starts_with(|c: char| c.is_ascii_alphabetic())
}

/// Whether a line looks like the beginning of `key = value` or of a section.
fn is_statement(line: &str) -> bool {
    let end = line.find(|c: char| !c.is_ascii_alphanumeric() && !"._-".contains(c));
    let (key, rest) = line.split_at(end.unwrap_or(line.len()));
    is_header(line) || !key.is_empty() && rest.trim_start().starts_with('=')
}

/// A part of the text that is broken.
struct Statement<'t> {
    /// Where to tell it.
    told: usize,
    /// What is broken, as little as possible.
    part: Range<usize>,
    /// All that it belongs to.
    whole: Range<usize>,
    /// Where the key begins, where one is known.
    key: usize,
    broken: Broken<'t>,
}

impl<'t> Statement<'t> {
    fn find(text: &'t str, root: &DeTable<'_>, error: &Error) -> Self {
        let at = error.span().unwrap_or_default().start;
        let here = line(text, at);
        let of = |range: &Range<usize>| text.get(range.clone()).unwrap_or_default();
        if let Some((key, value)) = around(root, at).filter(|(_, value)| of(value).contains('\n')) {
            // a value without end takes all that follows
            let open = value.end >= text.trim_end().len() && !ends(of(&value));
            let first = line(text, key);
            if open {
                let whole = first.start..next(text, (first.end + 1).min(text.len()), is_statement);
                let broken = Broken::Open(of(&first));
                return Self { told: key, part: whole.clone(), whole, key, broken };
            }
            let inner = value.start + 1..value.end - 1;
            let part = here.start.max(inner.start)..here.end.min(inner.end);
            let whole = first.start..line(text, value.end).end;
            return Self { told: at, broken: Broken::Entry(of(&part)), part, whole, key };
        }
        let (code, key) = (of(&here), here.start);
        if !is_header(code.trim_start()) {
            return Self {
                told: at,
                part: here.clone(),
                broken: Broken::Line(code),
                whole: here,
                key,
            };
        }
        // without its header nobody knows where a key belongs
        let whole = here.start..next(text, (here.end + 1).min(text.len()), is_header);
        let behind = of(&(here.start..at)).contains(']');
        let part = if behind { at..here.end } else { whole.clone() };
        Self { told: at, part, whole, key, broken: Broken::Header(code) }
    }

    /// What is wrong, in words.
    fn why(&self, text: &str, keys: &[Key], message: &str) -> String {
        let before = text.get(..self.key).unwrap_or_default();
        let header = before.lines().rev().map(str::trim).find(|line| is_header(line));
        let section = header.unwrap_or_default().trim_matches(['[', ']']);
        let name = text.get(line(text, self.key)).and_then(|line| line.split_once('='));
        let path = name.map(|(name, _)| join(section, name.trim()));
        let key = keys.iter().find(|key| path.as_ref().is_some_and(|path| key.path() == *path));
        words(&self.broken, key, message)
    }
}

/// Whether an array, an inline table or a string of several lines has its end.
fn ends(value: &str) -> bool {
    match value.as_bytes() {
        [b'[', .., b']'] | [b'{', .., b'}'] => true,
        _ => value.len() >= 6 && value.starts_with(['"', '\'']) && value.ends_with(['"', '\'']),
    }
}

/// The value around an octet, and where its key is.
fn around(table: &DeTable<'_>, at: usize) -> Option<(usize, Range<usize>)> {
    table.iter().find_map(|(key, value)| {
        let (key, place) = (key.span().start, value.span());
        // the place of a section is its header, which the name is in
        if place.start > key {
            let within = place.start <= at && (at < place.end || at == place.end && at > key);
            return within.then_some((key, place));
        }
        match value.get_ref() {
            DeValue::Table(inner) => around(inner, at),
            DeValue::Array(many) => {
                many.iter().find_map(|one| around(one.get_ref().as_table()?, at))
            }
            _ => None,
        }
    })
}
