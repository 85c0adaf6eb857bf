//! Reading the values that a text has, and noting all that is wrong with them.

use core::ops::Range;

use prefix::quoted;
use toml::de::{DeTable, DeValue};

use crate::fault::Fault;
use crate::key::{Key, header, join};
use crate::near::near;
use crate::setting::{Setting, Value};
use crate::syntax::Sound;

/// A parsed text, and what is wrong with it.
///
/// A path names what is in it: sections and keys joined by dots, with a number from 0 for one of
/// several sections or entries.
pub(crate) struct Reader<'i> {
    root: DeTable<'i>,
    sound: &'i Sound<'i>,
    /// All keys that there are, for advice.
    keys: &'i [Key],
    faults: Vec<Fault>,
    /// The paths of what is wrong.
    wrong: Vec<String>,
}

/// Takes a value, if it is of the type that is wanted; all that is wrong goes to the faults.
type Read<'a> = dyn FnMut(&Value<'_>, &mut Vec<Fault>) -> bool + 'a;

impl<'i> Reader<'i> {
    /// Parses a text.
    pub(crate) fn new(sound: &'i Sound<'i>, keys: &'i [Key]) -> Self {
        let (root, errors) = DeTable::parse_recoverable(&sound.text);
        // nothing else is left in a sound text
        let twice = |at: Range<usize>| {
            let name = quoted(sound.text.get(at.clone()).unwrap_or_default());
            Fault::new(at, format!("{name} is set twice"))
        };
        let faults = errors.iter().map(|error| twice(error.span().unwrap_or_default())).collect();
        Self { root: root.into_inner(), sound, keys, faults, wrong: Vec::new() }
    }

    /// All that is wrong with what was read.
    pub(crate) fn faults(self) -> Vec<Fault> {
        self.faults
    }

    /// The value of a key within the section at `path`; its default when the file does not have it
    /// or has a wrong one, which is noted.
    pub(crate) fn get<T: Setting>(&mut self, path: &str, key: &Key) -> Option<T> {
        let mut found = None;
        // all else is the same for every type, and is compiled once
        self.look(path, key, &mut |value, faults| {
            found = T::read(value, key.bounds, faults);
            found.is_some()
        });
        found
    }

    /// Hands the value of a key to `read`, which answers whether it is of its type; behind a wrong one
    /// that of its default, or what stands in for it.
    fn look(&mut self, path: &str, key: &Key, read: &mut Read<'_>) {
        let at = join(path, key.name);
        let mut faults = Vec::new();
        let (place, value) = self.find(&at);
        let is_good = match value {
            Some(value) => {
                let is_read = read(value, &mut faults);
                // where something was left out only the entries can be judged
                let whole = value.span();
                let lacks = self.sound.lacks(&whole);
                faults.retain(|fault| !lacks || fault.at != whole);
                is_read && !lacks && faults.is_empty()
            }
            None => {
                let is_read = constant(key.default, read, &mut faults);
                if self.sound.mentions(key.name) {
                    faults.clear();
                }
                faults.iter_mut().for_each(|fault| fault.at = place.clone());
                is_read
            }
        };
        if !is_good {
            self.wrong.push(at);
        }
        let named = |fault: Fault| Fault::new(fault.at, format!("{}: {}", key.path(), fault.why));
        self.faults.extend(faults.into_iter().map(named));
        if !is_good {
            let mut instead = [Some(key.default), key.stand_in].into_iter().flatten();
            let _ = instead.any(|text| constant(text, read, &mut Vec::new()));
        }
    }

    /// Notes what is wrong with several values together, in the line of the first of them that the
    /// file has; not when one of them is wrong by itself.
    pub(crate) fn fault(&mut self, paths: &[&str], why: String) {
        let within = |inner: &str, outer: &str| {
            inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        let doubtful = |path: &str| {
            let mut names = path.rsplit('.').filter(|part| part.parse::<usize>().is_err());
            self.wrong.iter().any(|wrong| within(path, wrong) || within(wrong, path))
                || names.next().is_some_and(|name| self.sound.mentions(name))
        };
        if !paths.iter().any(|path| doubtful(path)) {
            let at = self.place(paths).unwrap_or_default();
            self.faults.push(Fault::new(at, why));
        }
    }

    /// Where the first of these is that the file has.
    pub(crate) fn place(&self, paths: &[&str]) -> Option<Range<usize>> {
        let mut found = paths.iter().map(|path| self.find(path));
        found.find_map(|(at, value)| value.and(Some(at)))
    }

    /// Notes it when what stands at the path of a section is none.
    pub(crate) fn one(&mut self, path: &str, section: &str) {
        let (at, value) = self.find(path);
        if value.is_some_and(|value| !value.get_ref().is_table()) {
            let why = format!("{section} is a section: {}", header(section, false));
            self.faults.push(Fault::new(at, why));
            self.wrong.push(path.to_owned());
        }
    }

    /// How many sections stand at the path of one that can stand several times, up to `most`.
    /// Notes it when there are more, or something else.
    pub(crate) fn many(&mut self, path: &str, section: &str, most: usize) -> usize {
        let (at, value) = self.find(path);
        let header = header(section, true);
        let (fault, count) = match value.map(|value| value.get_ref()) {
            None => return 0,
            Some(DeValue::Array(array)) if array.iter().all(|one| one.get_ref().is_table()) => {
                match array.get(most) {
                    None => return array.len(),
                    Some(one) => {
                        (Fault::new(one.span(), format!("more than {most} {header}")), most)
                    }
                }
            }
            Some(_) => {
                let why = format!("{section} can stand several times: {header}");
                (Fault::new(at, why), 0)
            }
        };
        self.faults.push(fault);
        self.wrong.push(path.to_owned());
        count
    }

    /// Notes all names in the section at `path` that are neither keys of it nor in `inner`, the
    /// sections within it.
    pub(crate) fn unknown(&mut self, path: &str, section: &str, inner: &[&str]) {
        let Some(table) = self.table(path) else { return };
        let known = |name: &str| {
            let key = |key: &Key| key.section == section && key.name == name;
            inner.contains(&name) || self.keys.iter().any(key)
        };
        let names = table.iter().map(|(name, _)| (name.span(), name.get_ref().as_ref()));
        let faults: Vec<Fault> = names
            .filter(|(_, name)| !known(name))
            .map(|(at, name)| Fault::new(at, self.not_known(section, inner, name)))
            .collect();
        self.faults.extend(faults);
    }

    /// What to say of a name that is not known here: where it belongs, or what is like it.
    fn not_known(&self, section: &str, inner: &[&str], name: &str) -> String {
        let unknown = format!("unknown key {}", quoted(name));
        let elsewhere: Vec<String> =
            self.keys.iter().filter(|key| key.name == name).map(Key::place).collect();
        let here = self.keys.iter().filter(|key| key.section == section).map(|key| key.name);
        if !elsewhere.is_empty() {
            return format!("{unknown}; it belongs to {}", elsewhere.join(" or "));
        }
        match near(name, here.chain(inner.iter().copied())) {
            Some(near) => format!("{unknown}; did you mean \"{near}\"?"),
            None => unknown,
        }
    }

    /// The section at a path.
    fn table(&self, path: &str) -> Option<&DeTable<'i>> {
        match path {
            "" => Some(&self.root),
            path => self.find(path).1?.get_ref().as_table(),
        }
    }

    /// What stands at a path, and where its name is; else where the last known part of the path is.
    fn find(&self, path: &str) -> (Range<usize>, Option<&Value<'i>>) {
        let (mut at, mut found) = (0..0, None::<&Value<'i>>);
        for part in path.split('.') {
            let table = match found {
                None => Some(&self.root),
                Some(value) => value.get_ref().as_table(),
            };
            let next = match (table, found.and_then(|value| value.get_ref().as_array())) {
                (Some(table), _) => {
                    table.get_key_value(part).map(|(key, value)| (key.span(), value))
                }
                (None, Some(array)) => {
                    part.parse().ok().and_then(|n: usize| array.get(n)).map(|one| (one.span(), one))
                }
                (None, None) => None,
            };
            let Some((place, value)) = next else { return (at, None) };
            (at, found) = (place, Some(value));
        }
        (at, found)
    }
}

/// Reads a value of the table of keys.
fn constant(text: &str, read: &mut Read<'_>, faults: &mut Vec<Fault>) -> bool {
    DeValue::parse(text).is_ok_and(|value| read(&value, faults))
}
