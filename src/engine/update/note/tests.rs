use std::collections::BTreeMap;

use imsg::TableId;
use policy::Reason;
use prefix::Refusal;

use super::*;
use crate::lists::Sources;
use crate::state::bare::bare;
use crate::update::judge::judged::KeptTable;

/// Fails when a table that the lists of a feed hold back is taken for free by a run of another source, so
/// that it is told again and again, and no alarm ever comes.
#[test]
fn a_table_is_held_until_those_at_fault_have_come() {
    let dir = tempfile::tempdir().unwrap();
    let (_, state, _) = bare("", dir.path());
    let [one, other] = ["one", "other"].map(|name| Source::Feed(name.parse().unwrap()));
    let table = state.tables.iter().next().unwrap();
    let mut memory = Memory::default();
    let mut judged = |come: &[Source], of: Option<&[Source]>, unknown: bool, done: bool| {
        let come: Sources = come.iter().copied().collect();
        let kept = of.map(|of| {
            let (reason, grew_most) = (Reason::Refused(Refusal::Empty), None);
            let of = of.iter().copied().collect();
            (TableId::BLOCK, KeptTable { table: "block".into(), reason, grew_most, of })
        });
        let kept_tables: BTreeMap<_, _> = kept.into_iter().collect();
        let unknown = unknown.then(String::new);
        let judged = Judged { come, kept_tables, unknown, ..Judged::default() };
        let done = done.then_some(TableId::BLOCK).into_iter().collect();
        let published = Published { done, ..Published::default() };
        let (gathered, before) = Default::default();
        let end = End {
            gathered: &gathered,
            judged: &judged,
            published: &published,
            new: &[],
            before: &before,
            numbers: None,
            purpose: Purpose::Repair,
            started: 0,
        };
        note_table(&mut memory, table, &end, 1000);
        memory.table("block").held.is_some()
    };
    assert!(judged(&[one], Some(&[one]), false, false));
    // what may be is not in force before pf has it, and while a copy is lost nothing is judged
    assert!(judged(&[one], None, false, false) && judged(&[one], None, true, true));
    let mut run = |come: &[Source], of: Option<&[Source]>| judged(come, of, false, true);
    assert!(run(&[one], Some(&[one])));
    assert!(run(&[other], None) && run(&[Source::Policy], None) && run(&[], None));
    assert!(!run(&[one], None));
    // of two that come at different times both have to
    assert!(run(&[one, other], Some(&[one, other])));
    assert!(run(&[one], Some(&[one])) && run(&[one], None));
    assert!(!run(&[other], None));
    // what is in force itself any run finds
    assert!(run(&[], Some(&[])) && !run(&[], None));
}

/// Fails when a list that has gone to another table holds the first one back for ever.
#[test]
fn what_has_left_a_table_does_not_hold_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let feed = |name: &str| {
        format!("[[feed]]\nname = \"{name}\"\nurl = \"https://feeds.example.net/{name}\"\n")
    };
    let table = "[[table]]\nname = \"Other\"\nlists = [\"one\"]\n";
    let text = ["one", "other"].map(feed).concat() + table;
    let (config, state, _) = bare(&text, dir.path());
    let after = |word: &str, of: &[&str]| {
        let of = of.iter().map(|name| (*name).to_owned()).collect();
        let held = HeldBack { since: 0, text: "why".into(), can_force: true, of, of_copy: false };
        let mut memory = Memory::default();
        memory.table_mut(word).held = Some(held);
        forget(config, state, &mut memory);
        let held = memory.table(word).held;
        held.map(|held| held.of.into_iter().collect::<Vec<_>>())
    };
    assert_eq!(after("block", &["one"]), None);
    assert_eq!(after("block", &["one", "other", "gone"]), Some(vec!["other".to_owned()]));
    assert_eq!(after("Other", &["one"]), Some(vec!["one".to_owned()]));
    // what is allowed may be all that was to be blocked
    assert_eq!(after("block", &["policy"]), Some(vec!["policy".to_owned()]));
    // what is in force itself
    assert_eq!(after("block", &[]), Some(vec![]));
    assert_eq!(after("Gone", &[]), None);
}
