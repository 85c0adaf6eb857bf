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
    let text = "device_id = \"tdid_abcd1234\"\n[policy]\nblock = [\"basic.x\", \"scan.x\"]\n\
                [[table]]\nname = \"In\"\nlists = [\"scan.x\"]\n";
    let config = config::Config::parse(text, std::path::Path::new("F")).unwrap();
    let tables = Tables::new(&config);
    let changes = [
        Change { entries: 26424, added: 35, removed: 23 },
        Change { entries: 3, ..Change::default() },
        Change { entries: 7, added: 7, removed: 0 },
    ];
    let changes = TableId::all(3).zip(changes).collect();
    assert_eq!(
        totals(&tables, &changes, |id| id != TableId::ALLOW),
        [
            "Adding 26424 blocked addresses",
            "Keeping 3 allowed addresses",
            "Adding 7 addresses of In"
        ]
    );
    assert_eq!(changed(both(&changes)), "Changed: +42 -23 blocked, +0 -0 allowed");
}
