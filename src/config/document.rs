//! The TOML document: finding keys, and the place of what is wrong.

use core::ops::Range;

use toml::de::{DeTable, DeValue};

use crate::error::{Fault, shown};
use crate::key::Key;
use crate::setting::Setting;

/// A parsed document, whose values are not looked at yet.
pub(crate) struct Document<'i> {
    root: DeTable<'i>,
    keys: &'static [Key],
}

impl<'i> Document<'i> {
    /// Parses the text; all names in it must be in the table of keys.
    pub(crate) fn parse(text: &'i str, keys: &'static [Key]) -> Result<Self, Fault> {
        check_text(text)?;
        let root = DeTable::parse(text).map_err(|error| {
            let at = error.span().unwrap_or_default();
            match (error.message(), text.get(at.clone())) {
                ("duplicate key", Some(key)) => {
                    Fault::new(at, format!("{} is set twice", shown(key)))
                }
                // without the caret and the copy of the line, which may hold a secret
                (message, _) => {
                    let hint = if no_string(message) { "; a string needs quotes" } else { "" };
                    Fault::new(at, format!("{}{hint}", message.escape_debug()))
                }
            }
        })?;
        let document = Self { root: root.into_inner(), keys };
        match document.unknown("", &document.root) {
            Some((at, section, name)) => Err(Fault::new(at, document.not_known(&section, name))),
            None => Ok(document),
        }
    }

    /// The value of a key, or its default.
    pub(crate) fn get<T: Setting>(&self, section: &str, name: &str) -> Result<T, Fault> {
        let mut known = self.keys.iter().filter(|key| key.section == section && key.name == name);
        // both are names of the schema
        let Some(key) = known.next() else {
            return Err(Fault::new(0..0, format!("{section}.{name}: not in the table of keys")));
        };
        let within =
            |fault: Fault| Fault::new(fault.at, format!("{}: {}", path(section, name), fault.why));
        match self.table(section).and_then(|table| table.get(name)) {
            Some(value) => T::read(value, key.bounds).map_err(within),
            None => {
                // a default has no place in the file; its errors go to the first line
                let at_start = |fault: Fault| within(Fault::new(0..0, fault.why));
                let value = DeValue::parse(key.default)
                    .map_err(|error| at_start(Fault::new(0..0, error.message())))?;
                T::read(&value, key.bounds).map_err(at_start)
            }
        }
    }

    /// Where the first of the keys that the file has is set; the start when it has none.
    pub(crate) fn place(&self, keys: &[(&str, &str)]) -> Range<usize> {
        keys.iter()
            .find_map(|(section, name)| self.table(section)?.get_key_value(*name))
            .map_or(0..0, |(key, _)| key.span())
    }

    fn table(&self, section: &str) -> Option<&DeTable<'i>> {
        section
            .split('.')
            .filter(|part| !part.is_empty())
            .try_fold(&self.root, |table, part| table.get(part)?.get_ref().as_table())
    }

    /// The first name in the text that is not in the table of keys, or not what the table says;
    /// with the section that it stands in.
    fn unknown<'t>(
        &self,
        section: &str,
        table: &'t DeTable<'i>,
    ) -> Option<(Range<usize>, String, &'t str)> {
        let entries = table.iter().filter_map(|(name, value)| {
            let (at, name) = (name.span(), name.get_ref().as_ref());
            if self.keys.iter().any(|key| key.section == section && key.name == name) {
                return None;
            }
            match value.get_ref().as_table() {
                Some(table) if self.sections(section).any(|known| known == name) => {
                    self.unknown(&path(section, name), table)
                }
                _ => Some((at, section.to_owned(), name)),
            }
        });
        entries.min_by_key(|(at, _, _)| at.start)
    }

    /// The names of the sections directly within a section.
    fn sections(&self, section: &str) -> impl Iterator<Item = &'static str> {
        self.keys.iter().filter_map(move |key| {
            let (outer, inner) = key.section.rsplit_once('.').unwrap_or(("", key.section));
            (outer == section && !inner.is_empty()).then_some(inner)
        })
    }

    /// What to say of a name that is not known here: a near one, or the sections that know it.
    fn not_known(&self, section: &str, name: &str) -> String {
        if self.sections(section).any(|known| known == name) {
            let section = path(section, name);
            return format!("{section} is a section: [{section}]");
        }
        let unknown = format!("unknown key {}", shown(name));
        let here = self.keys.iter().filter(|key| key.section == section).map(|key| key.name);
        let near = here
            .chain(self.sections(section))
            .map(|known| (distance(known, name), known))
            .min()
            .filter(|&(distance, known)| distance <= 2 && distance < known.len());
        if let Some((_, near)) = near {
            return format!("{unknown}; did you mean \"{near}\"?");
        }
        let elsewhere: Vec<String> = self
            .keys
            .iter()
            .filter(|key| key.name == name && !key.section.is_empty())
            .map(|key| format!("[{}]", key.section))
            .collect();
        match elsewhere.as_slice() {
            [] => unknown,
            sections => format!("{unknown}; it belongs to {}", sections.join(" or ")),
        }
    }
}

/// A key with its section.
pub(crate) fn path(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

/// Whether the parser took a value for a number, a date or a boolean, and found it to be none: most
/// often it is a string without its quotes.
fn no_string(message: &str) -> bool {
    let kinds = ["boolean", "date", "exponent", "float", "fraction", "mantissa", "number", "time"];
    message.strip_prefix("invalid ").is_some_and(|what| kinds.iter().any(|k| what.starts_with(k)))
}

/// What TOML would allow or would not name.
fn check_text(text: &str) -> Result<(), Fault> {
    if text.starts_with('\u{feff}') {
        return Err(Fault::new(0..0, "begins with a byte order mark; save the file without it"));
    }
    let control = |c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r');
    match text.char_indices().find(|&(_, c)| control(c)) {
        Some((at, c)) => {
            Err(Fault::new(at..at, format!("control character U+{:04X}", u32::from(c))))
        }
        None => Ok(()),
    }
}

/// The number of characters to insert, remove or replace to make one text of the other
/// (Levenshtein); `usize::MAX` for long texts, which nobody wrote by a slip of the finger.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    if a.len() > 40 || b.len() > 40 {
        return usize::MAX;
    }
    // the distances of the part of `a` seen so far to all beginnings of `b`
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (cb, pair) in b.chars().zip(row.windows(2)) {
            if let [diagonal, above] = pair {
                left = (diagonal + usize::from(ca != cb)).min(above + 1).min(left + 1);
                next.push(left);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}
