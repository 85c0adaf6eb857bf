use policy::Protected;

use super::*;

fn left(entries: usize, net: &str, reason: &str) -> LeftOut {
    let protected = Protected { net: net.parse().unwrap(), reason: reason.into() };
    LeftOut { protected, entries }
}

#[test]
fn what_is_left_out_is_one_line_the_most_first() {
    assert_eq!(left_out(&[]), None);
    let all = [left(1, "203.0.113.77", "never_block"), left(3, "10.0.0.0/8", "private, RFC 1918")];
    assert_eq!(
        left_out(&all).unwrap(),
        "Note: 4 entries left out: 3 in 10.0.0.0/8 (private), 1 in 203.0.113.77 (never_block)"
    );
    assert_eq!(
        left_out(&all[..1]).unwrap(),
        "Note: 1 entry left out: 1 in 203.0.113.77 (never_block)"
    );
    let twice = [all.clone(), all].concat();
    assert_eq!(
        left_out(&twice).unwrap(),
        "Note: 8 entries left out: 6 in 10.0.0.0/8 (private), 2 in 203.0.113.77 (never_block)"
    );
    let many: Vec<_> = (0..20).map(|n| left(2, &format!("203.0.113.{n}"), "never_block")).collect();
    let text = left_out(&many).unwrap();
    assert!(text.starts_with("Note: 40 entries left out: 2 in "), "{text}");
    assert!(text.ends_with(", 24 elsewhere"), "{text}");
}

#[test]
fn a_table_that_is_kept_is_not_added() {
    let changes = [
        Change { entries: 26424, added: 35, removed: 23 },
        Change { entries: 3, ..Change::default() },
    ];
    assert_eq!(
        totals(&changes, [true, false]),
        ["Adding 26424 blocked addresses", "Keeping 3 allowed addresses"]
    );
    assert_eq!(changed(&changes), "Changed: +35 -23 blocked, +0 -0 allowed");
}
