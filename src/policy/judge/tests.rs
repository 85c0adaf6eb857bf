use prefix::Net;

use super::*;
use crate::tests::{guard, hosts, set};

fn judged(
    table: Table,
    set: &PrefixSet,
    previous: Option<usize>,
    guard: &Guard,
    run: Run,
) -> Result<Accepted, String> {
    judge(table, set, previous, guard, run, &mut HeldRuns::default())
        .map_err(|kept| kept.to_string())
}

/// A step from one number of entries to another, of a table that covers next to nothing.
fn step(old: usize, new: u32) -> Result<Accepted, String> {
    judged(Table::Block, &hosts(new), Some(old), &guard(), Run::Scheduled)
}

#[test]
fn the_messages_of_shrink_and_growth() {
    assert_eq!(
        step(26424, 12).unwrap_err(),
        "Keeping the previous block list: 26424 -> 12 entries, more than 50 % fewer \
         (update -f to accept)"
    );
    assert_eq!(
        step(1000, 5001).unwrap_err(),
        "Keeping the previous block list: 1000 -> 5001 entries, more than 400 % more \
         (update -f to accept)"
    );
    assert_eq!(
        judged(Table::Allow, &set(""), Some(101), &guard(), Run::Manual).unwrap_err(),
        "Keeping the previous allow list: 101 -> 0 entries, more than 50 % fewer \
         (update -f to accept)"
    );
}

#[test]
fn shrink_and_growth_at_their_borders() {
    // 50 percent is not more than 50 percent
    assert_eq!(step(1000, 500), Ok(Accepted::Usual));
    assert!(step(1000, 499).is_err());
    assert_eq!(step(1000, 5000), Ok(Accepted::Usual));
    assert!(step(1000, 5001).is_err());
    // 100 entries are not more than 100 entries
    assert_eq!(step(101, 1), Ok(Accepted::Usual));
    assert!(step(102, 1).is_err());
    assert_eq!(step(1, 101), Ok(Accepted::Usual));
    assert!(step(1, 102).is_err());
}

#[test]
fn without_a_set_before_nothing_is_held() {
    let many = hosts(5000);
    for previous in [None, Some(0)] {
        let verdict = judged(Table::Block, &many, previous, &guard(), Run::Scheduled);
        assert_eq!(verdict, Ok(Accepted::Usual));
    }
}

#[test]
fn force_overrides_shrink_and_growth_only() {
    let forced = |table, set: &PrefixSet, guard: &Guard| {
        judged(table, set, Some(10_000), guard, Run::Forced)
    };
    assert_eq!(forced(Table::Block, &hosts(1), &guard()), Ok(Accepted::Forced));
    assert_eq!(forced(Table::Block, &hosts(9_999), &guard()), Ok(Accepted::Usual));
    assert_eq!(forced(Table::Allow, &set(""), &guard()), Ok(Accepted::Forced));
    assert!(forced(Table::Block, &set(""), &guard()).is_err());
    assert!(forced(Table::Block, &set("128.0.0.0/1 ::1"), &guard()).is_ok());
    assert!(forced(Table::Block, &set("1.1.1.1 128.0.0.0/1"), &guard()).is_err());
    let expecting = Guard { expect: vec!["9.9.9.9".parse().unwrap()], ..guard() };
    assert!(forced(Table::Block, &hosts(1), &expecting).is_err());
    let small = Guard { max_entries: 99, ..guard() };
    assert!(forced(Table::Block, &hosts(100), &small).is_err());
}

#[test]
fn an_empty_block_list_is_refused_and_an_empty_allow_list_is_not() {
    assert_eq!(
        judged(Table::Block, &set(""), None, &guard(), Run::Scheduled).unwrap_err(),
        "Keeping the previous block list: nothing would be blocked \
         (threatstopctl test shows what the lists hold)"
    );
    let allow = judged(Table::Allow, &set(""), Some(100), &guard(), Run::Scheduled);
    assert_eq!(allow, Ok(Accepted::Usual));
}

#[test]
fn entries_at_the_maximum() {
    let few = Guard { max_entries: 100, ..guard() };
    assert!(judged(Table::Block, &hosts(100), None, &few, Run::Manual).is_ok());
    assert_eq!(
        judged(Table::Allow, &hosts(101), None, &few, Run::Manual).unwrap_err(),
        "Keeping the previous allow list: 101 entries, more than 100 (see max_entries in [guard])"
    );
}

#[test]
fn coverage_of_the_block_table_at_its_border() {
    let eighths: Vec<_> = (128..256).map(|a| Net::new(a << 24, 8).unwrap()).collect();
    let half = PrefixSet::new(eighths.clone(), Vec::new()).unwrap();
    assert!(judged(Table::Block, &half, None, &guard(), Run::Manual).is_ok());
    let more = [vec![Net::host(1)], eighths].concat();
    let more = PrefixSet::new(more, Vec::new()).unwrap();
    assert_eq!(
        judged(Table::Block, &more, None, &guard(), Run::Manual).unwrap_err(),
        "Keeping the previous block list: it covers 2147483649 addresses, more than 50 % of IPv4 \
         (see max_coverage in [guard])"
    );
    assert_eq!(
        judged(Table::Block, &set("2000::1 3000::/4"), None, &guard(), Run::Manual).unwrap_err(),
        "Keeping the previous block list: it covers 1152921504606846977 networks of IPv6 (/64), \
         more than 50 % of 2000::/3 (see max_coverage in [guard])"
    );
}

#[test]
fn coverage_of_the_allow_table_at_its_border() {
    let allow = |text| judged(Table::Allow, &set(text), None, &guard(), Run::Manual);
    assert!(allow("9.0.0.0/8 2001:db8::/40").is_ok());
    assert_eq!(
        allow("8.8.8.8 9.0.0.0/8").unwrap_err(),
        "Keeping the previous allow list: it covers 16777217 addresses, more than 16777216 \
         (see allow_max_coverage in [guard])"
    );
    assert_eq!(
        allow("2001:db8::/40 2001:db9::1").unwrap_err(),
        "Keeping the previous allow list: it covers 16777217 networks of IPv6 (/64), \
         more than 16777216 (see allow_max_coverage in [guard])"
    );
}

#[test]
fn expected_addresses_must_be_there() {
    let expecting = Guard {
        expect: ["64.87.3.133", "::ffff:1.2.3.4", "2001:db8::1"]
            .map(|addr| addr.parse().unwrap())
            .to_vec(),
        ..guard()
    };
    let block = |text| judged(Table::Block, &set(text), None, &expecting, Run::Manual);
    assert!(block("1.2.3.0/24 64.87.3.133 2001:db8::/32").is_ok());
    assert_eq!(
        block("1.2.3.0/24 64.87.3.132 2001:db8::/32").unwrap_err(),
        "Keeping the previous block list: 64.87.3.133 is missing (see expect in [guard])"
    );
    assert!(block("1.2.3.0/24 64.87.3.133").is_err());
    // the allow table is asked for nothing
    assert!(judged(Table::Allow, &set(""), None, &expecting, Run::Manual).is_ok());
}

#[test]
fn the_third_scheduled_run_that_agrees_is_accepted() {
    let mut held = HeldRuns::default();
    let mut run =
        |new: u32, run| judge(Table::Block, &hosts(new), Some(9000), &guard(), run, &mut held);
    assert!(run(1000, Run::Scheduled).is_err());
    assert!(run(1100, Run::Scheduled).is_err());
    // somebody who looks in between neither counts nor ends the row
    assert!(run(1100, Run::Manual).is_err());
    assert_eq!(run(900, Run::Scheduled), Ok(Accepted::ThirdRun));
    // and the row begins anew
    assert!(run(900, Run::Scheduled).is_err());
    assert!(run(900, Run::Scheduled).is_err());
    assert_eq!(run(900, Run::Scheduled), Ok(Accepted::ThirdRun));
}

#[test]
fn what_ends_a_row() {
    let row = |between: &PrefixSet, by| {
        let mut held = HeldRuns::default();
        let mut run = |set: &PrefixSet, run| {
            judge(Table::Block, set, Some(9000), &guard(), run, &mut held).is_ok()
        };
        assert!(!run(&hosts(1000), Run::Scheduled));
        assert!(!run(&hosts(1000), Run::Scheduled));
        run(between, by);
        run(&hosts(1000), Run::Scheduled)
    };
    assert!(row(&hosts(1000), Run::Manual), "nothing ends it");
    assert!(!row(&hosts(9000), Run::Manual), "an accepted set");
    assert!(!row(&hosts(1000), Run::Forced), "a forced set");
    assert!(!row(&set(""), Run::Scheduled), "a refused set");
    assert!(!row(&hosts(200), Run::Scheduled), "a set that does not agree");
}

#[test]
fn only_shrink_and_growth_are_holds() {
    assert!(Reason::Shrunk { old: 2, new: 1, percent: 50 }.is_hold());
    assert!(Reason::Grown { old: 1, new: 2, percent: 50 }.is_hold());
    assert!(!Reason::Empty.is_hold());
    assert!(!Reason::Entries { entries: 2, max: 1 }.is_hold());
}

#[test]
fn numbers_at_the_end_of_their_range() {
    let odd = Guard { max_shrink: u32::MAX, max_growth: u32::MAX, ..guard() };
    assert_eq!(odd.change(u64::MAX, 0), None);
    assert_eq!(odd.change(u64::MAX, u64::MAX), None);
    assert!(guard().change(1, u64::MAX).is_some());
    assert!(guard().change(u64::MAX, 1).is_some());
    assert_eq!(guard().change(u64::MAX, u64::MAX / 2 + 1), None);
}
