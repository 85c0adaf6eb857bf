use prefix::{Floor, Net};
use proptest::prelude::*;

use super::*;
use crate::tests::{bounds, guard, hosts, set};

/// Judges without a past of a day, and without an allow table.
fn judged(
    table: Kind,
    set: &PrefixSet,
    before: Option<&PrefixSet>,
    guard: &Guard,
    run: Run,
) -> Result<Accepted, String> {
    let none = PrefixSet::default();
    let trial = Trial { before, ..Trial::absolute(table, set, &none) };
    trial.judge(guard, run, &mut HeldRuns::default()).map_err(|kept| kept.to_string())
}

/// A step from one number of entries to another, of a table that covers next to nothing.
fn step(old: u32, new: u32) -> Result<Accepted, String> {
    judged(Kind::Block, &hosts(new), Some(&hosts(old)), &guard(), Run::Scheduled)
}

/// The first so many /16 from 16.0.0.0 on.
fn sixteens(count: u32) -> PrefixSet {
    let net = |n: u32| Net::new(0x1000_0000 + (n << 16), 16).unwrap();
    PrefixSet::new((0..count).map(net).collect(), Vec::new()).unwrap()
}

/// The first so many /32 from 2a00:: on.
fn networks(count: u32) -> PrefixSet {
    let net = |n: u32| Net::new((0x2a00 << 112) + (u128::from(n) << 96), 32).unwrap();
    PrefixSet::new(Vec::new(), (0..count).map(net).collect()).unwrap()
}

fn wide(old: &PrefixSet, new: &PrefixSet, run: Run) -> Result<Accepted, String> {
    judged(Kind::Block, new, Some(old), &guard(), run)
}

fn with(change: impl FnOnce(&mut Bounds)) -> Guard {
    let mut bounds = bounds();
    change(&mut bounds);
    Guard { bounds, ..guard() }
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
        judged(Kind::Allow, &set(""), Some(&hosts(101)), &guard(), Run::Manual).unwrap_err(),
        "Keeping the previous allow list: 101 -> 0 entries, more than 50 % fewer \
         (update -f to accept)"
    );
    assert_eq!(
        wide(&sixteens(60), &sixteens(20), Run::Manual).unwrap_err(),
        "Keeping the previous block list: covers 3932160 -> 1310720 addresses, \
         more than 50 % fewer (update -f to accept)"
    );
    assert_eq!(
        wide(&hosts(10), &sixteens(50), Run::Manual).unwrap_err(),
        "Keeping the previous block list: covers 10 -> 3276800 addresses, more than 400 % more \
         (update -f to accept)"
    );
    assert_eq!(
        wide(&networks(300), &networks(2), Run::Manual).unwrap_err(),
        "Keeping the previous block list: 300 -> 2 entries, more than 50 % fewer \
         (update -f to accept)"
    );
    assert_eq!(
        wide(&networks(2), &set("2a00::/23"), Run::Manual).unwrap_err(),
        "Keeping the previous block list: covers 2 -> 512 networks of IPv6 (/32), \
         more than 400 % more (update -f to accept)"
    );
    // as many elsewhere
    assert_eq!(
        wide(
            &set("5.0.0.0/8 6.0.0.0/8 7.0.0.0/8 8.0.0.0/8 9.0.0.0/8 11.0.0.0/8"),
            &set("25.0.0.0/8 26.0.0.0/8 27.0.0.0/8 28.0.0.0/8 29.0.0.0/8 41.0.0.0/8"),
            Run::Manual
        )
        .unwrap_err(),
        "Keeping the previous block list: brings 100663296 addresses at once, \
         more than 2 % of IPv4 (update -f to accept)"
    );
    assert_eq!(
        wide(&set("2a00::/21"), &set("2b00::/21"), Run::Manual).unwrap_err(),
        "Keeping the previous block list: brings 2048 networks of IPv6 (/32) at once, \
         more than 1024 (update -f to accept)"
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
fn shrink_and_growth_by_addresses_at_their_borders() {
    let usual = Ok(Accepted::Usual);
    // 16 /16 are 2^20 addresses, and so much is never held
    assert_eq!(wide(&sixteens(1), &sixteens(17), Run::Manual), usual);
    assert!(wide(&sixteens(1), &sixteens(18), Run::Manual).is_err());
    assert_eq!(wide(&sixteens(18), &sixteens(2), Run::Manual), usual);
    assert!(wide(&sixteens(18), &sixteens(1), Run::Manual).is_err());
    assert_eq!(wide(&sixteens(60), &sixteens(30), Run::Manual), usual);
    assert!(wide(&sixteens(60), &sixteens(29), Run::Manual).is_err());
    // 256 /32
    assert_eq!(wide(&set("2a00::/32"), &set("2a00::/24 2a01::/32"), Run::Manual), usual);
    assert!(wide(&set("2a00::/32"), &set("2a00::/24 2a01::/31"), Run::Manual).is_err());
}

#[test]
fn what_comes_at_once_at_its_borders() {
    // a fifth more, and 2 percent of IPv4 to the address
    let old = sixteens(6000);
    let grown = |more: &str| {
        let more = set(more);
        let nets = old.v4().iter().chain(more.v4()).copied();
        PrefixSet::new(nets.collect(), Vec::new()).unwrap()
    };
    let most = "60.0.0.0/6 64.0.0.0/8 65.0.0.0/12 65.16.0.0/13 65.24.0.0/14 65.28.0.0/15 \
                65.30.0.0/20 65.30.16.0/21 65.30.24.0/22 65.30.28.0/24";
    let low = Guard { bounds: Bounds { floor: Floor { v4: 0, v6: 0 }, ..bounds() }, ..guard() };
    let of = |more: &str| {
        let grown = grown(more);
        let brought = Measure::brought(&Ranges::from(&old), &Ranges::from(&grown)).v4;
        (brought, judged(Kind::Block, &grown, Some(&old), &low, Run::Manual).is_ok())
    };
    let (brought, taken) = of(most);
    assert!(brought <= MOST_V4 && taken, "{brought}");
    let (brought, taken) = of(&most.replace("65.30.28.0/24", "65.30.28.0/22 65.31.0.0/16"));
    assert!(brought > MOST_V4 && !taken, "{brought}");

    let old = set("2a00::/20");
    let more = |net: &str| set(&format!("2a00::/20 {net}"));
    assert_eq!(wide(&old, &more("2b00::/22"), Run::Manual), Ok(Accepted::Usual));
    assert!(wide(&old, &more("2b00::/22 2c00::/128"), Run::Manual).is_err());
    // -f and nobody else
    assert_eq!(wide(&old, &more("2b00::/21"), Run::Forced), Ok(Accepted::Forced));
    let mut held = HeldRuns::default();
    let (new, none) = (more("2b00::/21"), PrefixSet::default());
    for _ in 0..5 {
        let trial = Trial { before: Some(&old), ..Trial::absolute(Kind::Block, &new, &none) };
        assert!(trial.judge(&guard(), Run::Scheduled, &mut held).is_err());
    }
}

#[test]
fn many_small_steps_within_a_day_are_one() {
    let none = PrefixSet::default();
    let judge = |old: u32, new: u32, day: u32| {
        let (old, new, day) = (hosts(old), hosts(new), hosts(day));
        let trial = Trial {
            before: Some(&old),
            day_before: Some(Measure::of(&day)),
            ..Trial::absolute(Kind::Block, &new, &none)
        };
        let judged = trial.judge(&guard(), Run::Manual, &mut HeldRuns::default());
        judged.map_err(|kept| kept.to_string())
    };
    assert_eq!(judge(600, 510, 1000), Ok(Accepted::Usual));
    assert_eq!(
        judge(600, 490, 1000).unwrap_err(),
        "Keeping the previous block list: 1000 -> 490 entries within 24 hours, \
         more than 50 % fewer (update -f to accept)"
    );
    // what is in force already is no step
    assert_eq!(judge(490, 490, 1000), Ok(Accepted::Usual));

    let (old, new, day) = (sixteens(5000), sixteens(6000), sixteens(4000));
    let trial = Trial {
        before: Some(&old),
        day_before: Some(Measure::of(&day)),
        ..Trial::absolute(Kind::Block, &new, &none)
    };
    let held = trial.judge(&guard(), Run::Manual, &mut HeldRuns::default()).unwrap_err();
    assert_eq!(
        held.to_string(),
        "Keeping the previous block list: brings 131072000 addresses within 24 hours, \
         more than 2 % of IPv4 (update -f to accept)"
    );
}

#[test]
fn without_a_set_before_nothing_is_held() {
    let many = hosts(5000);
    for before in [None, Some(&set(""))] {
        let verdict = judged(Kind::Block, &many, before, &guard(), Run::Scheduled);
        assert_eq!(verdict, Ok(Accepted::Usual));
        let verdict = judged(Kind::Block, &sixteens(6000), before, &guard(), Run::Scheduled);
        assert_eq!(verdict, Ok(Accepted::Usual));
    }
}

#[test]
fn force_overrides_shrink_and_growth_only() {
    let forced = |table, set: &PrefixSet, guard: &Guard| {
        judged(table, set, Some(&hosts(10_000)), guard, Run::Forced)
    };
    assert_eq!(forced(Kind::Block, &hosts(1), &guard()), Ok(Accepted::Forced));
    assert_eq!(forced(Kind::Block, &hosts(9_999), &guard()), Ok(Accepted::Usual));
    assert_eq!(forced(Kind::Allow, &set(""), &guard()), Ok(Accepted::Forced));
    assert!(forced(Kind::Block, &set(""), &guard()).is_err());
    assert!(forced(Kind::Block, &sixteens(13_000), &guard()).is_ok());
    assert!(forced(Kind::Block, &sixteens(13_200), &guard()).is_err());
    assert!(forced(Kind::Block, &networks(8192), &guard()).is_ok());
    assert!(forced(Kind::Block, &networks(8193), &guard()).is_err());
    assert!(forced(Kind::Block, &set("128.0.0.0/1"), &guard()).is_err());
    let expecting = with(|bounds| bounds.expect = vec!["9.9.9.9".parse().unwrap()]);
    assert!(forced(Kind::Block, &hosts(1), &expecting).is_err());
    let small = with(|bounds| bounds.max_entries = 99);
    assert!(forced(Kind::Block, &hosts(100), &small).is_err());
    let shielded = Guard { shield: Shield::from_iter(hosts(3).iter()), ..guard() };
    assert!(forced(Kind::Block, &hosts(1), &shielded).is_err());
}

#[test]
fn an_empty_block_list_is_refused_and_an_empty_allow_list_is_held() {
    assert_eq!(
        judged(Kind::Block, &set(""), None, &guard(), Run::Scheduled).unwrap_err(),
        "Keeping the previous block list: nothing would be blocked \
         (threatstopctl test shows what the lists hold)"
    );
    let allow = |old: u32, run| {
        let mut held = HeldRuns::default();
        let (old, none) = (hosts(old), set(""));
        let trial = Trial { before: Some(&old), ..Trial::absolute(Kind::Allow, &none, &none) };
        let mut judged = || trial.judge(&guard(), run, &mut held).map_err(|kept| kept.to_string());
        // however often it comes
        let _ = (judged(), judged());
        judged()
    };
    assert_eq!(allow(9, Run::Scheduled), Ok(Accepted::Usual));
    assert_eq!(
        allow(10, Run::Scheduled).unwrap_err(),
        "Keeping the previous allow list: 10 -> 0 entries, more than 50 % fewer \
         (update -f to accept)"
    );
    assert_eq!(allow(10, Run::Forced), Ok(Accepted::Forced));
    // no percentage is more than all
    let all = Reason::Emptied { old: 10, percent: 100, in_a_day: false };
    assert_eq!(all.to_string(), "10 -> 0 entries (update -f to accept)");
}

#[test]
fn entries_at_the_maximum() {
    let few = with(|bounds| bounds.max_entries = 100);
    assert!(judged(Kind::Block, &hosts(100), None, &few, Run::Manual).is_ok());
    assert_eq!(
        judged(Kind::Allow, &hosts(101), None, &few, Run::Manual).unwrap_err(),
        "Keeping the previous allow list: 101 entries, more than 100 (see max_entries in [guard])"
    );
}

#[test]
fn coverage_of_the_block_table_at_its_border() {
    let half = with(|bounds| bounds.max_coverage = 50);
    let eighths: Vec<_> = (128..256).map(|a| Net::new(a << 24, 8).unwrap()).collect();
    let block = |set: &PrefixSet| judged(Kind::Block, set, None, &half, Run::Manual);
    assert!(block(&PrefixSet::new(eighths.clone(), Vec::new()).unwrap()).is_ok());
    let more = PrefixSet::new([vec![Net::host(1)], eighths].concat(), Vec::new()).unwrap();
    assert_eq!(
        block(&more).unwrap_err(),
        "Keeping the previous block list: it covers 2147483649 addresses, more than 50 % of IPv4 \
         (see max_coverage in [guard])"
    );
    assert_eq!(
        judged(Kind::Block, &networks(8193), None, &guard(), Run::Manual).unwrap_err(),
        "Keeping the previous block list: it covers 8193 networks of IPv6 (/32), more than 8192 \
         (see max_coverage_v6 in [guard])"
    );
}

#[test]
fn coverage_of_the_allow_table_at_its_border() {
    let allow = |text| judged(Kind::Allow, &set(text), None, &guard(), Run::Manual);
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
    let block = |text| judged(Kind::Block, &set(text), None, &expecting, Run::Manual);
    assert!(block("1.2.3.0/24 64.87.3.133 2001:db8::/32").is_ok());
    assert_eq!(
        block("1.2.3.0/24 64.87.3.132 2001:db8::/32").unwrap_err(),
        "Keeping the previous block list: 64.87.3.133 is missing (see expect in [guard])"
    );
    assert!(block("1.2.3.0/24 64.87.3.133").is_err());
    let (lacking, allow) = (set("1.2.3.0/24 64.87.3.132"), set("64.87.3.133 2001:db8::/64"));
    assert_eq!(Trial::absolute(Kind::Block, &lacking, &allow).check(&expecting), Ok(()));
    // the allow table is asked for nothing
    assert!(judged(Kind::Allow, &set(""), None, &expecting, Run::Manual).is_ok());
}

#[test]
fn the_third_scheduled_run_that_agrees_is_accepted() {
    let (mut held, old, none) = (HeldRuns::default(), hosts(9000), PrefixSet::default());
    let mut run = |new: u32, run| {
        let new = hosts(new);
        let trial = Trial { before: Some(&old), ..Trial::absolute(Kind::Block, &new, &none) };
        trial.judge(&guard(), run, &mut held)
    };
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
    let (old, none) = (hosts(9000), PrefixSet::default());
    let row = |between: &PrefixSet, by| {
        let mut held = HeldRuns::default();
        let mut run = |set: &PrefixSet, run| {
            let trial = Trial { before: Some(&old), ..Trial::absolute(Kind::Block, set, &none) };
            trial.judge(&guard(), run, &mut held).is_ok()
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
    assert!(!row(&set("5.0.0.0/8 6.0.0.0/8"), Run::Scheduled), "as few, and far more");
}

#[test]
fn only_what_can_be_forced_is_a_hold() {
    let held = |old: &PrefixSet, new: &PrefixSet| {
        let none = PrefixSet::default();
        let trial = Trial { before: Some(old), ..Trial::absolute(Kind::Allow, new, &none) };
        let judged = trial.judge(&guard(), Run::Manual, &mut HeldRuns::default());
        judged.unwrap_err().reason.is_hold()
    };
    assert!(held(&hosts(1000), &hosts(1)));
    assert!(held(&hosts(10), &hosts(0)));
    assert!(!held(&hosts(1000), &set("8.8.8.8 9.0.0.0/8")));
    assert!(!Reason::Refused(Refusal::Empty).is_hold());
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

/// Blocks of a toy Internet: a /13 of IPv4 each, then 64 /32 of IPv6 each.
const BLOCKS: usize = 512;

/// The set of the blocks, each a prefix of its own.
fn toy(blocks: &[bool]) -> PrefixSet {
    let marked = |from: usize| (0..BLOCKS / 2).filter(move |n| blocks[from + n]);
    let v4 = marked(0).map(|n| Net::new(0x1000_0000 + ((n as u32) << 19), 13).unwrap());
    let v6 = marked(BLOCKS / 2);
    let v6 = v6.map(|n| Net::new((0x2a00 << 112) + ((n as u128) << 102), 26).unwrap());
    PrefixSet::new(v4.collect(), v6.collect()).unwrap()
}

/// The rules as they stand in the manual, block by block.
fn plainly(old: &[bool], new: &[bool], run: Run, guard: &Guard) -> bool {
    let count = |blocks: &[bool]| blocks.iter().filter(|marked| **marked).count() as f64;
    let families = |blocks: &[bool]| {
        let (v4, v6) = blocks.split_at(BLOCKS / 2);
        [count(blocks), count(v4) * 524_288.0, count(v6) * 64.0]
    };
    let [entries, v4, v6] = families(new);
    if entries == 0.0 || v4 > 0.2 * 2f64.powi(32) || v6 > 8192.0 {
        return false;
    }
    if run == Run::Forced || count(old) == 0.0 {
        return true;
    }
    let added: Vec<bool> = old.iter().zip(new).map(|(old, new)| *new && !*old).collect();
    let [_, brought4, brought6] = families(&added);
    let mut within =
        families(old).into_iter().zip([entries, v4, v6]).zip([100.0, 1_048_576.0, 256.0]);
    let small = |((old, new), small): ((f64, f64), f64)| {
        let shrunk = new < old * (1.0 - f64::from(guard.max_shrink) / 100.0);
        let grown = new > old * (1.0 + f64::from(guard.max_growth) / 100.0);
        (new - old).abs() <= small || !(shrunk || grown)
    };
    within.all(small) && brought4 <= 0.02 * 2f64.powi(32) && brought6 <= 1024.0
}

proptest! {
    #[test]
    fn as_the_rules_are_read_plainly(
        seeds in proptest::collection::vec(any::<u8>(), BLOCKS),
        shares in proptest::array::uniform4(0u8..=255),
        halves in any::<[bool; 2]>(),
        forced: bool,
    ) {
        // old and new have much in common, or little, in one family or in both
        let pick = |n: usize, share: u8, turn: u8| {
            let half = halves[usize::from(n >= BLOCKS / 2)];
            seeds[n].rotate_left(if half { turn.into() } else { 0 }) < share
        };
        let old: Vec<bool> = (0..BLOCKS).map(|n| pick(n, shares[n * 2 / BLOCKS], 0)).collect();
        let share = |n: usize| match (n * 2 / BLOCKS, halves[1]) {
            // nothing new of IPv6, so that IPv4 decides
            (1, false) => shares[1],
            (family, _) => shares[2 + family],
        };
        let new: Vec<bool> = (0..BLOCKS).map(|n| pick(n, share(n), 3)).collect();
        let run = if forced { Run::Forced } else { Run::Manual };
        let guard = guard();
        let (before, set, none) = (toy(&old), toy(&new), PrefixSet::default());
        let trial = Trial { before: Some(&before), ..Trial::absolute(Kind::Block, &set, &none) };
        let judged = trial.judge(&guard, run, &mut HeldRuns::default());
        prop_assert_eq!(judged.is_ok(), plainly(&old, &new, run, &guard), "{:?}", judged);
    }
}
