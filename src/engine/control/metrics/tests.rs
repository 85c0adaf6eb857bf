//! Labels that nobody would choose, and strangers who choose ports and protocols.

use pflog::Direction;

use control::{ListStatus, SourceKind};

use super::*;
use crate::hits::Hit;

/// A value as both formats read it back: the text between the quotes, its escapes undone.
fn read_back(sample: &str) -> String {
    let (_, rest) = sample.split_once("=\"").unwrap();
    let (mut value, mut characters) = (String::new(), rest.chars());
    loop {
        match characters.next().expect("the value ends") {
            '"' => break,
            '\n' => panic!("a line ends inside of a value: {sample:?}"),
            '\\' => value.push(match characters.next() {
                Some('n') => '\n',
                Some(other @ ('"' | '\\')) => other,
                other => panic!("{other:?} is no escape: {sample:?}"),
            }),
            other => value.push(other),
        }
    }
    assert_eq!(characters.as_str(), "} 1\n", "{sample:?}");
    value
}

/// Every text of up to five of the characters that matter.
#[test]
fn a_label_is_read_back_as_it_was() {
    const CHARACTERS: [char; 7] = ['"', '\\', '\n', 'n', '}', ' ', 'é'];
    let mut values = vec![String::new()];
    for _ in 0..5 {
        let longer =
            values.iter().flat_map(|value| CHARACTERS.map(|next| format!("{value}{next}")));
        values = longer.chain([String::new()]).collect();
        for value in &values {
            let mut text = Text::default();
            text.sample("x", &[("label", value)], 1);
            assert_eq!(read_back(&text.0), *value);
        }
    }
}

/// Fails when it cannot be told which of a source's lists is held.
#[test]
fn each_list_of_a_source_has_its_own_state() {
    let list = |name: &str, state| ListStatus {
        name: name.into(),
        entries: Some(7),
        changed: None,
        state,
    };
    let source = SourceStatus {
        name: "policy".into(),
        kind: SourceKind::Policy,
        state: SourceState::Held,
        last: None,
        last_good: None,
        next: None,
        error: None,
        lists: vec![list("basic", SourceState::Good), list("dns", SourceState::Held)],
    };
    let mut text = Text::default();
    sources(&mut text, &[source]);
    for sample in [
        "threatstop_source_good{source=\"policy\"} 0\n",
        "threatstop_list_good Whether a list is good: not held, refused, failing or stale.\n",
        "threatstop_list_good{list=\"basic\"} 1\n",
        "threatstop_list_good{list=\"dns\"} 0\n",
    ] {
        assert!(text.0.contains(sample), "{sample}: {}", text.0);
    }
}

/// Sixty thousand ports and all protocols are at most so many series, and their sum is right.
#[test]
fn strangers_make_no_series() {
    let mut counted = Hits::default();
    for round in 0..60_000_u16 {
        let protocol = Some((round % 256) as u8);
        let direction = if round % 3 == 0 { Direction::Out } else { Direction::In };
        let (address, port) = (None, Some(round));
        let (host, way) = (None, direction);
        let (tables, lists) = (&[], &["a"]);
        counted.add(&Hit { address, host, way, tables, lists, direction, protocol, port, at: 1 });
    }
    let mut text = Text::default();
    hits(&mut text, &counted);
    for family in ["threatstop_port_hits{", "threatstop_protocol_hits{"] {
        let samples: Vec<&str> = text.0.lines().filter(|line| line.starts_with(family)).collect();
        assert_eq!(samples.len(), 2 * (MOST + 1));
        let values = samples.iter().map(|line| line.rsplit_once(' ').unwrap().1);
        assert_eq!(values.map(|value| value.parse::<u64>().unwrap()).sum::<u64>(), 60_000);
        assert!(samples[2 * MOST].contains("=\"other\",direction=\"in\"}"), "{samples:?}");
    }
    assert!(text.0.contains("\nthreatstop_hits{direction=\"in\"} 40000\n"), "{}", text.0);
}
