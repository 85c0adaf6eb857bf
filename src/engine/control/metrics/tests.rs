//! Labels that nobody would choose, and strangers who choose ports and protocols.

use pflog::Direction;

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
