use prefix::Net;

use super::*;
use crate::ListTrial;
use crate::tests::{bounds, guard, hosts, list, set};

/// Checks a set without an allow table.
fn checked(table: Kind, set: &PrefixSet, guard: &Guard) -> Result<(), String> {
    check_table(table, set, &PrefixSet::default(), guard).map_err(|kept| kept.to_string())
}

/// The first so many /32 from 2a00:: on.
fn networks(count: u32) -> PrefixSet {
    let net = |n: u32| Net::new((0x2a00 << 112) + (u128::from(n) << 96), 32).unwrap();
    PrefixSet::new(Vec::new(), (0..count).map(net).collect()).unwrap()
}

fn with(change: impl FnOnce(&mut Bounds)) -> Guard {
    let mut bounds = bounds();
    change(&mut bounds);
    Guard { bounds, ..guard() }
}

#[test]
fn an_empty_block_list_is_refused_and_an_empty_allow_list_is_held() {
    assert_eq!(
        checked(Kind::Block, &set(""), &guard()).unwrap_err(),
        "Keeping the previous block list: nothing would be blocked \
         (threatstopctl test shows what the lists hold)"
    );
    assert_eq!(checked(Kind::Allow, &set(""), &guard()), Ok(()));
    let allow = |old: u32, run| {
        let (mut held, bounds) = (HeldRuns::default(), bounds());
        let (copy, none) = (list("dns", &crate::tests::text(&hosts(old))), list("dns", ""));
        let trial = ListTrial {
            kind: Kind::Allow,
            list: &none,
            copy: Some(&copy),
            day_before: None,
            bounds: &bounds,
        };
        let mut judged = || trial.judge(&guard(), &[], run, &mut held);
        // however often it comes
        let _ = (judged(), judged());
        judged().map_err(|reason| KeptList { list: "dns".into(), reason }.to_string())
    };
    assert_eq!(allow(9, Run::Scheduled), Ok(Accepted::Usual));
    assert_eq!(
        allow(10, Run::Scheduled).unwrap_err(),
        "Keeping the previous list dns: 10 -> 0 entries, more than 50 % fewer (update -f to accept)"
    );
    assert_eq!(allow(10, Run::Forced), Ok(Accepted::Forced));
    // no percentage is more than all
    let all = Reason::Emptied { old: 10, percent: 100, in_a_day: false };
    assert_eq!(all.to_string(), "10 -> 0 entries (update -f to accept)");
}

#[test]
fn entries_at_the_maximum() {
    let few = with(|bounds| bounds.max_entries = 100);
    assert!(checked(Kind::Block, &hosts(100), &few).is_ok());
    assert_eq!(
        checked(Kind::Allow, &hosts(101), &few).unwrap_err(),
        "Keeping the previous allow list: 101 entries, more than 100 (see max_entries in [guard])"
    );
}

#[test]
fn coverage_of_the_block_table_at_its_border() {
    let half = with(|bounds| bounds.max_coverage = 50);
    let eighths: Vec<_> = (128..256).map(|a| Net::new(a << 24, 8).unwrap()).collect();
    let block = |set: &PrefixSet| checked(Kind::Block, set, &half);
    assert!(block(&PrefixSet::new(eighths.clone(), Vec::new()).unwrap()).is_ok());
    let more = PrefixSet::new([vec![Net::host(1)], eighths].concat(), Vec::new()).unwrap();
    assert_eq!(
        block(&more).unwrap_err(),
        "Keeping the previous block list: it covers 2147483649 addresses, more than 50 % of IPv4 \
         (see max_coverage in [guard])"
    );
    assert_eq!(
        checked(Kind::Block, &networks(8193), &guard()).unwrap_err(),
        "Keeping the previous block list: it covers 8193 networks of IPv6 (/32), more than 8192 \
         (see max_coverage_v6 in [guard])"
    );
}

#[test]
fn coverage_of_the_allow_table_at_its_border() {
    let allow = |text| checked(Kind::Allow, &set(text), &guard());
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
fn expected_addresses_must_be_there_unless_they_are_allowed() {
    let expect = ["64.87.3.133", "::ffff:1.2.3.4", "2001:db8::1"].map(|addr| addr.parse().unwrap());
    let expecting = with(|bounds| bounds.expect = expect.to_vec());
    let block = |text| checked(Kind::Block, &set(text), &expecting);
    assert!(block("1.2.3.0/24 64.87.3.133 2001:db8::/32").is_ok());
    assert_eq!(
        block("1.2.3.0/24 64.87.3.132 2001:db8::/32").unwrap_err(),
        "Keeping the previous block list: 64.87.3.133 is missing (see expect in [guard])"
    );
    assert!(block("1.2.3.0/24 64.87.3.133").is_err());
    let (lacking, allow) = (set("1.2.3.0/24 64.87.3.132"), set("64.87.3.133 2001:db8::/64"));
    assert_eq!(check_table(Kind::Block, &lacking, &allow, &expecting), Ok(()));
    // the allow table is asked for nothing
    assert!(checked(Kind::Allow, &set(""), &expecting).is_ok());
}

#[test]
fn only_what_can_be_forced_is_a_hold() {
    let step = Step { unit: Unit::V4, old: 1, new: 9, percent: 400, in_a_day: false };
    let brought = Brought { unit: Unit::V4, count: 9, in_a_day: false };
    assert!(Reason::Changed(step).is_hold());
    assert!(Reason::Brings(brought, Some(step)).is_hold());
    assert!(Reason::Emptied { old: 10, percent: 50, in_a_day: false }.is_hold());
    assert!(!Reason::Refused(Refusal::Empty).is_hold());
    let net = "8.0.0.0/7".parse().unwrap();
    assert!(!Reason::Wider { list: "a".into(), net, floor: 8 }.is_hold());
}

/// Fails when -f gives a table what none may have.
#[test]
fn what_no_table_may_have_is_never_accepted() {
    let mut held = HeldRuns { before: None, last: Some(Measure::default()) };
    let mut decided = |run| {
        let why = Reason::Refused(Refusal::Empty);
        let decided = guard().decide(Measure::default(), Some(why), run, &mut held);
        (decided.is_ok(), held.last.is_some())
    };
    assert_eq!(decided(Run::Forced), (false, true));
    // and three runs of which one is so are none in a row
    assert_eq!(decided(Run::Scheduled), (false, false));
}

#[test]
fn numbers_at_the_end_of_their_range() {
    let all = |n| Measure { entries: n, v4: n, v6: n };
    let odd = Guard { max_shrink: u32::MAX, max_growth: u32::MAX, ..guard() };
    assert_eq!(odd.step(all(u64::MAX), all(0)), None);
    assert_eq!(odd.step(all(u64::MAX), all(u64::MAX)), None);
    assert!(guard().step(all(1), all(u64::MAX)).is_some());
    assert!(guard().step(all(u64::MAX), all(1)).is_some());
    assert_eq!(guard().step(all(u64::MAX), all(u64::MAX / 2 + 1)), None);
}
