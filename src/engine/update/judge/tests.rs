use prefix::{Floor, Items, Prefix};

use super::*;

fn wider(name: &str) -> Kept {
    let net: Prefix = "2.0.0.0/7".parse().unwrap();
    Kept { list: name.into(), reason: Reason::Wider { list: name.into(), net, floor: 8 } }
}

#[test]
fn what_is_kept_is_said_with_what_stays() {
    let why = "wider than /8 (see min_prefix_v4 in [guard])";
    let of = |stays| {
        let (source, kept) = (Source::Policy, wider("a.b"));
        KeptList { source, kept, kind: Kind::Block, stays }.to_string()
    };
    assert_eq!(of(Stays::Copy), format!("Keeping the previous list a.b: it has 2.0.0.0/7, {why}"));
    let left = "Leaving out list a.b, of which there is no copy yet: it has 2.0.0.0/7";
    assert_eq!(of(Stays::Nothing), format!("{left}, {why}"));
    let left =
        "Leaving out list a.b, whose copy the guards do not permit any more: it has 2.0.0.0/7";
    assert_eq!(of(Stays::NoCopy), format!("{left}, {why}"));
}

/// Fails when a list that has come again is missed still, so that the table in force stays in for it.
#[test]
fn a_list_that_has_come_again_is_not_lost() {
    let new = |name: &str| New {
        copy: Rc::new(Copy {
            source: Source::Policy,
            kind: Kind::Block,
            list: List::new(name, Items::default(), Floor { v4: 8, v6: 19 }),
            changed: 0,
            origin: None,
        }),
        accepted: Accepted::Usual,
    };
    let lost =
        ["a", "b"].map(|name| Lost { name: name.to_owned(), kind: Kind::Block, exempts: false });
    let mut judged = Judged { lost: lost.to_vec(), ..Judged::default() };
    assert_eq!(judged.still_lost(), lost);
    judged.new.push(new("a"));
    assert_eq!(judged.still_lost(), lost[1..]);
}

/// A list that has come as it is ends its row, but only in a run that counts.
#[test]
fn who_asks_by_hand_ends_no_row() {
    let mut judged = Judged::default();
    judged.confirm("a", Wanted::Manual);
    assert!(judged.rows.is_empty());
    judged.confirm("a", Wanted::Scheduled);
    assert_eq!(judged.rows.get("a"), Some(&Row::default()));
    assert_eq!(judged.confirmed, ["a", "a"]);
}
