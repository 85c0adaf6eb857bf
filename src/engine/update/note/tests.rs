use std::collections::BTreeMap;

use imsg::TableId;
use policy::Reason;
use prefix::Refusal;

use super::*;
use crate::source::Sources;
use crate::state::bare::bare;
use crate::update::judge::KeptTable;

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
