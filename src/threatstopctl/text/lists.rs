//! The text of `show lists`.

use control::units::duration;
use control::{HitsOfDays, ListShown, Lists, Overlap};

use crate::columns::{Stand::*, apart, columns};
use crate::narrow::{counted, fitted, shorter, widest};

/// The lists in so many columns, as of `now` in epoch seconds, and below them what they have in common.
pub fn render(lists: &Lists, now: u64, room: usize) -> String {
    let names: Vec<String> = lists.lists.iter().map(|list| list.list.clone()).collect();
    let tables: Vec<String> = lists.lists.iter().map(|list| list.table.clone()).collect();
    let mut text = table(lists, [&names, &tables], now, false);
    if widest(text.lines()) > room {
        text = table(lists, [&names, &tables], now, true);
    }
    if widest(text.lines()) > room {
        let tables: Vec<String> = tables.into_iter().map(|cell| counted(cell, "tables")).collect();
        text = fitted(room, [&names, &tables], |[names, tables]| {
            table(lists, [names, tables], now, true)
        });
    }
    if let Some(pairs) = &lists.overlaps {
        text.push('\n');
        text.push_str(&overlaps(pairs, room));
    }
    text
}

/// The pairs that have entries in common.
fn overlaps(pairs: &[Overlap], room: usize) -> String {
    if pairs.is_empty() {
        return "No two lists have an entry in common.\n".into();
    }
    let mut names: Vec<String> = pairs.iter().flat_map(|pair| pair.lists.clone()).collect();
    names.sort_unstable();
    names.dedup();
    let headings = [("list", Left), ("also in", Left), ("entries", Right), ("percent", Right)];
    fitted(room, [&names], |[shown]| {
        let shown = |name: &String| {
            let place = names.binary_search(name).ok();
            place.and_then(|place| shown.get(place)).cloned().unwrap_or_default()
        };
        let row = |pair: &Overlap| {
            let [one, two] = &pair.lists;
            let percent = match pair.percent {
                0 => "<1".into(),
                percent => percent.to_string(),
            };
            vec![shown(one), shown(two), pair.entries.to_string(), percent]
        };
        columns(&headings, &pairs.iter().map(row).collect::<Vec<_>>())
    })
}

/// The lists with these names and tables; so `tight` that names need not be cut, where that is enough.
fn table(lists: &Lists, [names, tables]: [&[String]; 2], now: u64, tight: bool) -> String {
    let known = |number: Option<u64>| number.map_or_else(|| "-".into(), |n| n.to_string());
    let span = |seconds: Option<u64>| {
        let whole = seconds.map_or_else(|| "never".into(), duration);
        whole.split(' ').next().filter(|_| tight).map(str::to_owned).unwrap_or(whole)
    };
    let row = |((list, name), table): ((&ListShown, &String), &String)| {
        let source = if list.source == list.list { "itself" } else { list.source.as_str() };
        vec![
            name.clone(),
            source.to_owned(),
            table.clone(),
            known(list.entries),
            known(list.unique),
            hits(&list.hits, tight),
            span(list.changed.map(|at| now.saturating_sub(at))),
            span(list.age),
            list.state.word().into(),
        ]
    };
    let headings = [
        ("list", Left),
        ("source", Left),
        ("table", Left),
        ("entries", Right),
        ("unique", Right),
        ("1/7/35d", Right),
        ("changed", Left),
        ("age", Left),
        ("state", Left),
    ];
    let gap = if tight { " " } else { "  " };
    apart(gap, &headings, &lists.lists.iter().zip(names).zip(tables).map(row).collect::<Vec<_>>())
}

/// Hits of the three spans; nothing for what nobody counts.
fn hits(hits: &HitsOfDays, tight: bool) -> String {
    let most = if tight { 1000 } else { 10_000 };
    let of = [hits.day, hits.week, hits.all];
    let known: Vec<String> = of.into_iter().flatten().map(|number| shorter(number, most)).collect();
    known.join("/")
}

#[cfg(test)]
mod tests {
    use control::SourceState;

    use super::*;
    use crate::narrow::WIDE;

    const NOW: u64 = 1_795_000_000;

    fn list(list: &str, source: &str, state: SourceState) -> ListShown {
        ListShown {
            list: list.into(),
            source: source.into(),
            table: "block".into(),
            entries: Some(26_424),
            unique: Some(1234),
            hits: HitsOfDays { day: Some(3), week: Some(12_345), all: Some(4_000_000) },
            changed: Some(NOW - 176_400),
            age: Some(720),
            state,
        }
    }

    fn lists_of(lists: Vec<ListShown>) -> Lists {
        Lists { lists, overlaps: None }
    }

    #[test]
    fn a_line_for_each_list() {
        let missing = ListShown {
            table: "allow".into(),
            hits: HitsOfDays::default(),
            entries: None,
            unique: None,
            changed: None,
            age: None,
            ..list("dns.threatstop.local", "policy", SourceState::Failing)
        };
        let basic = list("basic.threatstop.local", "policy", SourceState::Good);
        let mine = list("local_block", "local_block", SourceState::Refused);
        let text = "\
list                  source table entries unique  1/7/35d changed age   state
dns.threatstop.local  policy allow       -      -          never   never failing
basic.threats...local policy block   26424   1234 3/12k/4M 2d      12m   good
local_block           itself block   26424   1234 3/12k/4M 2d      12m   refused
";
        assert_eq!(render(&lists_of(vec![missing, basic, mine]), NOW, WIDE), text);
        assert!(text.lines().all(|line| line.len() <= WIDE));
        assert_eq!(render(&Lists::default(), NOW, WIDE), "");
    }

    /// Fails when the lists of the default configuration lose a part of their names, on a terminal or elsewhere.
    #[test]
    fn default_names_are_whole() {
        let hits = HitsOfDays { day: Some(9999), week: Some(99_999), all: Some(999_999) };
        let age = Some(86_399);
        let of = |name: &str, table: &str| ListShown {
            table: table.into(),
            hits: if table == "block" { hits } else { HitsOfDays::default() },
            age,
            ..list(name, "policy", SourceState::Good)
        };
        let both = [of("dns.threatstop.local", "allow"), of("basic.threatstop.local", "block")];
        let lists = lists_of(both.into());
        let text = "\
list                   source table entries unique     1/7/35d changed age state
dns.threatstop.local   policy allow   26424   1234             2d      23h good
basic.threatstop.local policy block   26424   1234 9k/99k/999k 2d      23h good
";
        assert_eq!(render(&lists, NOW, WIDE), text);
        let piped = "\
list                    source  table  entries  unique        1/7/35d  changed  age      state
dns.threatstop.local    policy  allow    26424    1234                 2d 1h    23h 59m  good
basic.threatstop.local  policy  block    26424    1234  9999/99k/999k  2d 1h    23h 59m  good
";
        assert_eq!(render(&lists, NOW, usize::MAX), piped);
    }

    /// Fails when a long name makes the lines longer than a terminal is wide, or two names alike.
    #[test]
    fn long_names_are_cut_while_they_can_be_told_apart() {
        let long = |n: &str| list(&format!("{n}.{}.local", "x".repeat(180)), "policy", GOOD);
        const GOOD: SourceState = SourceState::Good;
        let two = lists_of(vec![long("scanners"), long("bots")]);
        let text = render(&two, NOW, WIDE);
        assert!(text.lines().all(|line| line.len() <= WIDE), "{text}");
        assert!(text.contains("\nscanners.xx") && text.contains("\nbots.xxxxx"));
        // a control character takes the place of one
        let odd = lists_of(vec![list("a\nb", "policy", GOOD)]);
        assert_eq!(render(&odd, NOW, WIDE).lines().count(), 2);
        let alike =
            [format!("{}1{}", "x".repeat(90), "y".repeat(90)), "x".repeat(90) + &"y".repeat(90)];
        let alike = lists_of(alike.map(|name| list(&name, "policy", GOOD)).into());
        assert!(render(&alike, NOW, WIDE).contains(&"x".repeat(90)), "neither is cut");
    }

    /// Fails when the tables make the lines longer than a terminal is wide.
    #[test]
    fn long_tables_are_cut_too() {
        let of = |name: &str, tables: &[String]| ListShown {
            table: tables.join(", "),
            ..list(name, "policy", SourceState::Failing)
        };
        let tables: Vec<String> = (0..14).map(|n| format!("T{n:02}{}", "z".repeat(28))).collect();
        let [one, two] = [1, 2].map(|n| format!("list{n}{}.org", "x".repeat(100)));
        let lists = [of(&one, &tables), of(&two, &tables[..1]), of("f3", &tables[1..2])];
        let text = render(&lists_of(lists.into()), NOW, WIDE);
        assert!(text.lines().all(|line| line.len() <= WIDE), "{text}");
        let table = |at: usize| text.lines().nth(at).unwrap().split(" policy ").nth(1).unwrap();
        assert!(table(1).starts_with("14 tables "), "{text}");
        assert!(table(2).starts_with("T00") && table(3).starts_with("T01"), "{text}");
        // what fits is whole
        let short = render(&lists_of(vec![of("f3", &["In".into(), "Out".into()])]), NOW, WIDE);
        assert!(short.contains("  In, Out  "), "{short}");
    }

    /// The pairs stand below the lists, in the room of a terminal too; that there is none is said.
    #[test]
    fn what_lists_have_in_common_stands_below_them() {
        let pair = |one: &str, two: &str, entries, percent| Overlap {
            lists: [one.into(), two.into()],
            entries,
            percent,
        };
        let shown = |pairs: Vec<Overlap>| {
            render(&Lists { lists: Vec::new(), overlaps: Some(pairs) }, NOW, WIDE)
        };
        let some = vec![pair("drop", "basic.local", 1200, 98), pair("own", "drop", 1, 0)];
        let text = "list  also in      entries  percent
drop  basic.local     1200       98
own   drop               1       <1
";
        assert_eq!(shown(some), format!("\n{text}"));
        assert_eq!(shown(Vec::new()), "\nNo two lists have an entry in common.\n");
        let (long, other) = ("x".repeat(200), format!("a{}b", "x".repeat(60)));
        let text = shown(vec![pair(&long, "own", 7, 70), pair(&long, &other, 6, 60)]);
        assert!(text.lines().all(|line| line.chars().count() <= WIDE), "{text}");
        assert!(text.contains("\nxxxxx") && text.contains("  axxxx"), "{text}");
    }
}
