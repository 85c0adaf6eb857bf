use super::*;
use crate::state::bare::{bare, told};

/// Fails when a table without a rule is told of again because pf has not answered meanwhile, or its end not.
#[test]
fn a_pf_that_does_not_answer_ends_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_, state, events) = bare("", dir.path());
    let (log, subject) = (Told::default(), of_rules("ThreatSTOP-Block"));
    let look = |failure: &str, rules: u32, found: &[&str]| {
        let stat = TableStat { rules, ..TableStat::default() };
        let (failure, tables) = (failure.to_owned(), vec![stat; 2]);
        let stats = Stats { running: true, tables, failure };
        let warning =
            |subject: &&str| (Some((*subject).to_owned()), Warning::new(*subject, "way out"));
        tell(events, &log, (state.tables, &stats), found.iter().map(warning).collect());
    };
    let unused = [subject.as_str()];
    for _ in 0..2 {
        look("", 0, &unused);
        look("pf: no answer", 0, &[PF]);
    }
    look("", 0, &unused);
    assert_eq!(told(events, &subject), ["table unused"]);
    assert_eq!(told(events, PF), ["table unused", "recovered", "table unused", "recovered"]);
    look("", 1, &[]);
    assert_eq!(told(events, &subject), ["table unused", "recovered"]);
    // a table that has nothing, and needs no rule
    look("", 0, &unused);
    look("", 0, &[]);
    assert_eq!(told(events, &subject), ["table unused", "recovered", "table unused", "recovered"]);
}
