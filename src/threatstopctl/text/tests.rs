use control::{Action, Overlap};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::*;
use crate::printable::ANY_NAME;
use crate::tests::{full_hits, full_lists, full_report, full_status};

fn printed(write: impl Fn(&mut dyn Output)) -> String {
    let mut out = Vec::new();
    write(&mut Text::new(&mut out, Advice::default()));
    String::from_utf8(out).unwrap()
}

fn nets(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn prefixes_are_printed_as_table_files_have_them() {
    let table = ["192.0.2.1", "198.51.100.0/24", "2001:db8::1", "2001:db8:1::/48"];
    let text = printed(|out| out.prefixes(Part::Table, nets(&table)).unwrap());
    assert_eq!(text, "192.0.2.1\n198.51.100.0/24\n2001:db8::1\n2001:db8:1::/48\n");
    let text = printed(|out| {
        out.prefixes(Part::Add, nets(&["192.0.2.1"])).unwrap();
        out.prefixes(Part::Remove, nets(&["2001:db8::/32"])).unwrap();
    });
    assert_eq!(text, "+192.0.2.1\n-2001:db8::/32\n");
}

#[test]
fn what_others_say_cannot_steer_the_terminal() {
    let text = printed(|out| out.line("a\u{1b}[2J\u{9b}1m\u{7f}b\rc\td\ne").unwrap());
    assert_eq!(text, "a?[2J?1m?b?c\td\ne\n");
}

/// Fails when a sentence is said twice to somebody who reads both, or not at all.
#[test]
fn what_was_said_is_not_said_again() {
    let mut text = Text::new(Vec::new(), Advice::default());
    text.said = Some(Vec::new());
    text.line("Failed: server a: no answer").unwrap();
    text.line("Failed: server b: refused (so it says)").unwrap();
    for (why, unsaid) in [
        ("server a: no answer", None),
        ("server a: no answer; server b: refused (so it says)", None),
        ("server a: no answer (is it there?)", Some("is it there?")),
        (
            "server a: no answer; server c: no answer",
            Some("server a: no answer; server c: no answer"),
        ),
        ("need root privileges", Some("need root privileges")),
    ] {
        assert_eq!(text.unsaid(why), unsaid);
    }
    text.said = None;
    assert_eq!(text.unsaid("server a: no answer"), Some("server a: no answer"));
}

/// Where the texts of a document are (RFC 6901).
fn places(document: &Value, at: &str) -> Vec<String> {
    let of = |(key, value): (String, &Value)| places(value, &format!("{at}/{key}"));
    match document {
        Value::String(_) => vec![at.to_owned()],
        Value::Array(values) => {
            values.iter().enumerate().flat_map(|(at, value)| of((at.to_string(), value))).collect()
        }
        Value::Object(fields) => {
            fields.iter().flat_map(|(key, value)| of((key.clone(), value))).collect()
        }
        _ => Vec::new(),
    }
}

/// What the engine says, with these names in the place of every text that may be any.
fn named<T: Serialize + DeserializeOwned>(said: &T, names: &[String]) -> T {
    let mut document = serde_json::to_value(said).unwrap();
    for (place, name) in places(&document, "").iter().zip(names.iter().cycle()) {
        let before = document.clone();
        *document.pointer_mut(place).unwrap() = name.as_str().into();
        if T::deserialize(&document).is_err() {
            document = before;
        }
    }
    T::deserialize(&document).unwrap()
}

/// Every text of an answer that is laid out here, of entries, hits and lists first.
fn texts(names: &[String]) -> [String; 5] {
    let own = OwnEntry {
        prefix: "192.0.2.7".into(),
        action: Action::Block,
        since: 1_000,
        until: None,
        uid: 0,
        reason: "ssh".into(),
    };
    let overlap = Overlap { lists: ["a".into(), "b".into()], entries: 1, percent: 1 };
    let lists = control::Lists { overlaps: Some(vec![overlap]), ..full_lists() };
    let end = |ending: Ending| {
        printed(|out| {
            out.own(vec![named(&own, names)]).unwrap();
            out.end(&ending).unwrap();
        })
    };
    [
        end(Ending::Own),
        end(Ending::Hits(Box::new(named(&full_hits(), names)))),
        end(Ending::Lists(named(&lists, names))),
        end(Ending::Status(Box::new(named(&full_status(), names)))),
        end(Ending::Report(Box::new(named(&full_report(), names)))),
    ]
}

proptest! {
    /// Whatever names are, no text steers the terminal, and a row is one line.
    #[test]
    fn no_name_is_more_than_a_name(names in vec(ANY_NAME, 9)) {
        let name = |(at, name)| format!("{at}{name}");
        let names: Vec<String> = names.into_iter().enumerate().map(name).collect();
        let plain: Vec<String> = (0..9).map(|at| at.to_string()).collect();
        let (texts, as_plain) = (texts(&names), texts(&plain));
        for text in &texts {
            prop_assert!(text.lines().all(|line| printable(line) == line), "{text:?}");
        }
        // sentences are broken where they are long
        for (text, as_plain) in texts.iter().zip(&as_plain).take(3) {
            let lines = |text: &str| text.lines().count();
            prop_assert_eq!(lines(text), lines(as_plain), "{:?}", text);
        }
    }
}
