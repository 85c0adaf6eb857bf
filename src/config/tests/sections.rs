//! Sections that can stand several times, by a schema of their own.

use crate::error::ConfigError;
use crate::key::Key;
use crate::names::{DomainName, TableName};
use crate::reader::Reader;
use crate::section::{Section, section};
use crate::syntax::Sound;

use super::*;

section! {
    /// A file.
    Whole "" {
        /// A number.
        number: u8 = 1 [1, 9];
        |
        /// A section.
        one: One;
        /// Others.
        many: Vec<Many> = 3;
    }
}

section! {
    /// Stands once.
    One "one" {
        /// A switch.
        on: bool = true;
    }
}

section! {
    /// Stands several times.
    Many "many" many {
        /// Has to be set.
        name: TableName = "" or "x";
        /// Has not.
        size: u32 = 7 [1, 1000];
        /// Some names.
        hosts: Vec<DomainName> = [] [0, 2];
        |
        /// A section within.
        inner: Inner;
    }
}

section! {
    /// Stands once in each.
    Inner "many.inner" {
        /// A switch.
        deep: bool = false;
    }
}

fn known() -> Vec<Key> {
    let mut keys = Vec::new();
    Whole::keys(&mut keys);
    keys
}

fn read(text: &str) -> Result<Whole, Vec<String>> {
    let (keys, mut faults) = (known(), Vec::new());
    let sound = Sound::new(text, &keys, &mut faults);
    let mut reader = Reader::new(&sound, &keys);
    let whole = Whole::read(&mut reader, "").unwrap();
    for (index, one) in whole.many.iter().enumerate() {
        if whole.many.iter().take(index).any(|other| other.name == one.name) {
            reader.fault(&[&format!("many.{index}.name")], format!("{} again", one.name));
        }
    }
    faults.extend(reader.faults());
    let error = ConfigError::of_text(Path::new("F"), text, faults);
    if error.lines().is_empty() { Ok(whole) } else { Err(error.lines()) }
}

#[test]
fn each_has_its_own_keys_and_defaults() {
    let whole = read("[one]\non = false\n[[many]]\nname = \"a\"\n[many.inner]\ndeep = true\n[[many]]\nname = \"b\"\nsize = 9\n").unwrap();
    assert!(!whole.one.on && whole.number == 1);
    let seen: Vec<_> = whole.many.iter().map(|m| (m.name.as_str(), m.size, m.inner.deep)).collect();
    assert_eq!(seen, [("a", 7, true), ("b", 9, false)]);
    assert_eq!(read("").unwrap().many, []);
    assert_eq!(read("many = [{ name = \"a\" }]").unwrap().many.len(), 1);
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let whole = read("[[many]]\nname = \"a\"\nhosts = [\"x.y\"]\n[[many]]\nname = \"b\"").unwrap();
    let mut out = String::new();
    Section::write(&whole, &mut out);
    assert_eq!(out.matches("\n[[many]]\n").count(), 2, "{out}");
    assert_eq!(read(&out).unwrap(), whole, "{out}");
}

#[test]
fn mistakes_have_the_line_of_the_one_that_they_are_in() {
    for (text, expected) in [
        (
            "[[many]]\nname = \"a\"\n[[many]]\nsize = 2\n[[many]]\nname = \"c\"\n",
            vec!["F:3: many.name: \"\": "],
        ),
        (
            "[[many]]\nname = \"a\"\nsize = 0\n\n[[many]]\nname = \"b\"\nsize = 2000\nsizes = 1\n",
            vec![
                "F:3: many.size: out of range",
                "F:7: many.size: out of range",
                "F:8: unknown key \"sizes\"; did you mean \"size\"?",
            ],
        ),
        ("[[many]]\nname = \"a\"\n[[many]]\nname = \"a\"\n", vec!["F:4: a again"]),
        // what is wrong by itself is not held against others
        ("[[many]]\nname = \"x\"\n[[many]]\nname = \"a b\"\n", vec!["F:4: many.name: \"a b\": "]),
        ("[[many]]\nname = \"x\"\n[[many]]\nname = x\n", vec!["F:4: many.name: needs quotes"]),
        (
            "[[many]]\nname = \"a\"\nhosts = [\n\"x.y\",\n\"a b\"\n]\n",
            vec!["F:5: many.hosts: \"a b\": not a DNS name"],
        ),
        ("[[many]]\nname = \"a\"\nsize = 5\nsize = 6\n", vec!["F:4: \"size\" is set twice"]),
        (
            "[[many]]\nname = \"a\"\n[many.inner]\ndeep = 1\ndep = true\n",
            vec![
                "F:4: many.inner.deep: takes true",
                "F:5: unknown key \"dep\"; did you mean \"deep\"?",
            ],
        ),
        ("[many]\nname = \"a\"\n", vec!["F:1: many can stand several times: [[many]]"]),
        ("many = 1\n", vec!["F:1: many can stand several times: [[many]]"]),
        ("[[one]]\non = true\n", vec!["F:1: one is a section: [one]"]),
        ("size = 5\n", vec!["F:1: unknown key \"size\"; it belongs to [[many]]"]),
        (
            "[one]\nnumber = 5\n",
            vec!["F:2: unknown key \"number\"; it belongs to the lines before the first section"],
        ),
        (
            "[[many]\nname = 1\n[one]\non = 1\n",
            vec!["F:1: a section begins", "F:4: one.on: takes true"],
        ),
    ] {
        let lines = read(text).unwrap_err();
        assert_eq!(lines.len(), expected.len(), "{text}: {lines:?}");
        for (line, expected) in lines.iter().zip(expected) {
            assert!(line.starts_with(expected), "{text}: {line}");
        }
    }
}

#[test]
fn there_are_so_many_and_no_more() {
    let text: String = ["a", "b", "c", "d"].map(|n| format!("[[many]]\nname = \"{n}\"\n")).concat();
    assert_eq!(read(&text).unwrap_err(), ["F:7: more than 3 [[many]]"]);
}
