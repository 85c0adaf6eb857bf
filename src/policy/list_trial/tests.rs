use prefix::{Excess, Refusal};

use super::*;
use crate::tests::{bounds, guard, hosts, list, protected, text};
use crate::{KeptList, Unit};

/// A list of so many single addresses.
fn few(count: u32) -> List {
    list("basic.threatstop.local", &text(&hosts(count)))
}

fn trial<'a>(list: &'a List, copy: Option<&'a List>, bounds: &'a Bounds) -> ListTrial<'a> {
    ListTrial { kind: Kind::Block, list, copy, day_before: None, bounds }
}

fn message(list: &List, reason: Reason) -> String {
    KeptList { list: list.name().to_owned(), reason }.to_string()
}

/// Judges a list against its copy, and says why it is kept.
fn step(copy: &List, list: &List, run: Run) -> Result<Accepted, String> {
    let judged =
        trial(list, Some(copy), &bounds()).judge(&guard(), &[], run, &mut HeldRuns::default());
    judged.map_err(|reason| message(list, reason))
}

fn reserved(block_private: bool) -> Vec<Protected> {
    prefix::reserved(block_private).map(Protected::from).collect()
}

#[test]
fn the_messages_of_a_list_that_is_held() {
    assert_eq!(
        step(&few(1000), &few(0), Run::Manual).unwrap_err(),
        "Keeping the previous list basic.threatstop.local: 1000 -> 0 entries, \
         more than 50 % fewer (update -f to accept)"
    );
    assert_eq!(
        step(&few(1000), &few(5001), Run::Manual).unwrap_err(),
        "Keeping the previous list basic.threatstop.local: 1000 -> 5001 entries, \
         more than 400 % more (update -f to accept)"
    );
    assert_eq!(
        step(&few(10), &list("a", "25.0.0.0/8"), Run::Manual).unwrap_err(),
        "Keeping the previous list a: covers 10 -> 16777216 addresses, more than 400 % more \
         (update -f to accept)"
    );
    assert_eq!(
        step(&few(10), &list("a", "25.0.0.0/8 2a00::/19"), Run::Forced),
        Ok(Accepted::Forced)
    );
    // as many elsewhere
    assert_eq!(
        step(
            &list("a", "5.0.0.0/8 6.0.0.0/8 7.0.0.0/8 8.0.0.0/8 9.0.0.0/8 11.0.0.0/8"),
            &list("a", "25.0.0.0/8 26.0.0.0/8 27.0.0.0/8 28.0.0.0/8 29.0.0.0/8 41.0.0.0/8"),
            Run::Manual
        )
        .unwrap_err(),
        "Keeping the previous list a: brings 100663296 addresses at once, \
         more than 2 % of IPv4 (update -f to accept)"
    );
}

/// A list that covers so many addresses of IPv4 from one on, in prefixes no wider than the floor.
fn covering(first: u32, addresses: u32) -> List {
    let ends = (first..first + addresses).step_by(1 << 24).map(|at| {
        let last = (at + (1 << 24)).min(first + addresses) - 1;
        prefix::Range::new(at, last).unwrap()
    });
    let nets = ends.flat_map(crate::cover::cover).map(|net| prefix::Prefix::from(net).to_string());
    list("a", &nets.collect::<Vec<_>>().join(" "))
}

/// So many /32 of IPv6, in one range or little more.
fn networks(first: u128, count: u128) -> List {
    let range = prefix::Range::new(first << 96, ((first + count) << 96) - 1).unwrap();
    let nets =
        crate::cover::cover(range).into_iter().map(|net| prefix::Prefix::from(net).to_string());
    list("a", &nets.collect::<Vec<_>>().join(" "))
}

#[test]
fn each_limit_at_its_border() {
    let usual = |copy: &List, list: &List| step(copy, list, Run::Manual).is_ok();
    let (first, elsewhere) = (0x2000_0000, 0x6000_0000);
    let v4 = |addresses| covering(first, addresses);
    let v6 = |count| networks(0x2a00_0000, count);
    for (copy, list, taken) in [
        // percent
        (few(1000), few(500), true),
        (few(1000), few(499), false),
        (few(1000), few(5000), true),
        (few(1000), few(5001), false),
        // entries of change
        (few(101), few(1), true),
        (few(102), few(1), false),
        (few(1), few(101), true),
        (few(1), few(102), false),
        // to none
        (few(9), few(0), true),
        (few(10), few(0), false),
        // addresses of change
        (v4(1), v4(1 + 1_048_576), true),
        (v4(1), v4(2 + 1_048_576), false),
        (v4(1 + 1_048_576), v4(1), true),
        (v4(2 + 1_048_576), v4(1), false),
        (v4(3_000_000), v4(1_500_000), true),
        (v4(3_000_000), v4(1_499_999), false),
        (v4(1_000_000), v4(5_000_000), true),
        (v4(1_000_000), v4(5_000_001), false),
        // networks of change
        (v6(1), v6(257), true),
        (v6(1), v6(258), false),
        (v6(257), v6(1), true),
        (v6(258), v6(1), false),
        // at once: as much as there was, elsewhere
        (covering(elsewhere, 85_899_345), v4(85_899_345), true),
        (covering(elsewhere, 85_899_346), v4(85_899_346), false),
        (networks(0x2b00_0000, 1024), v6(1024), true),
        (networks(0x2b00_0000, 1025), v6(1025), false),
    ] {
        let numbers = (copy.measure(), list.measure());
        assert_eq!(usual(&copy, &list), taken, "{numbers:?}");
    }
}

#[test]
fn the_messages_of_ipv6_and_of_a_day() {
    assert_eq!(
        step(&networks(0x2a00_0000, 2), &networks(0x2a00_0000, 512), Run::Manual).unwrap_err(),
        "Keeping the previous list a: covers 2 -> 512 networks of IPv6 (/32), \
         more than 400 % more (update -f to accept)"
    );
    assert_eq!(
        step(&networks(0x2a00_0000, 2048), &networks(0x2b00_0000, 2048), Run::Manual).unwrap_err(),
        "Keeping the previous list a: brings 2048 networks of IPv6 (/32) at once, \
         more than 1024 (update -f to accept)"
    );
    let [day, copy, new] = [60_000_000, 100_000_000, 150_000_000].map(|n| covering(0x2000_0000, n));
    let bounds = bounds();
    let trial = ListTrial { day_before: Some(day.measure()), ..trial(&new, Some(&copy), &bounds) };
    let judged = trial.judge(&guard(), &[], Run::Manual, &mut HeldRuns::default());
    assert_eq!(
        judged.unwrap_err().to_string(),
        "brings 90000000 addresses, more than 2 % of IPv4 (update -f to accept), within 24 hours"
    );
}

#[test]
fn without_a_copy_nothing_is_held() {
    let wide = list("a", "25.0.0.0/8 26.0.0.0/8 27.0.0.0/8 28.0.0.0/8 29.0.0.0/8 41.0.0.0/8");
    for list in [&few(0), &few(5000), &wide] {
        let judged = trial(list, None, &bounds()).judge(
            &guard(),
            &[],
            Run::Scheduled,
            &mut HeldRuns::default(),
        );
        assert_eq!(judged, Ok(Accepted::Usual));
    }
    // an empty copy is one, of which there is no percentage
    assert_eq!(step(&few(0), &few(5000), Run::Scheduled), Ok(Accepted::Usual));
    assert!(step(&few(0), &wide, Run::Scheduled).is_err());
}

#[test]
fn what_is_reserved_or_private_is_no_growth() {
    let more = "10.0.0.0/8 192.168.0.0/16 100.64.0.0/10 224.0.0.0/3 0.0.0.0/8 fc00::/7";
    let list = list("a", &format!("{} {more}", text(&hosts(500))));
    let (copy, bounds, held) = (few(500), bounds(), &mut HeldRuns::default());
    let judged =
        trial(&list, Some(&copy), &bounds).judge(&guard(), &reserved(false), Run::Scheduled, held);
    assert_eq!(judged, Ok(Accepted::Usual));
    // nor does it hide any
    let wide = crate::tests::list("a", &format!("{more} 25.0.0.0/8 26.0.0.0/8"));
    let before = crate::tests::list("a", more);
    let held = trial(&wide, Some(&before), &bounds).judge(
        &guard(),
        &reserved(false),
        Run::Scheduled,
        held,
    );
    assert!(matches!(held, Err(Reason::Changed(step)) if step.unit == Unit::V4), "{held:?}");
}

#[test]
fn many_small_steps_within_a_day_are_one() {
    let judge = |copy: u32, new: u32, day: u32| {
        let (copy, new, day) = (few(copy), few(new), few(day));
        let bounds = bounds();
        let trial =
            ListTrial { day_before: Some(day.measure()), ..trial(&new, Some(&copy), &bounds) };
        let judged = trial.judge(&guard(), &[], Run::Manual, &mut HeldRuns::default());
        judged.map_err(|reason| reason.to_string())
    };
    assert_eq!(judge(600, 510, 1000), Ok(Accepted::Usual));
    assert_eq!(
        judge(600, 490, 1000).unwrap_err(),
        "1000 -> 490 entries, more than 50 % fewer (update -f to accept), within 24 hours"
    );
    // what is in force already is no step
    assert_eq!(judge(490, 490, 1000), Ok(Accepted::Usual));
    // down to nothing
    assert_eq!(
        judge(9, 0, 90).unwrap_err(),
        "90 -> 0 entries, more than 50 % fewer (update -f to accept), within 24 hours"
    );
    assert_eq!(judge(9, 0, 9), Ok(Accepted::Usual));
    assert_eq!(judge(0, 0, 1000), Ok(Accepted::Usual));
}

#[test]
fn a_row_of_held_lists() {
    let (copy, bounds) = (few(9000), bounds());
    let row = |between: &List, by| {
        let mut held = HeldRuns::default();
        let mut run = |list: &List, run| {
            trial(list, Some(&copy), &bounds).judge(&guard(), &[], run, &mut held)
        };
        assert!(run(&few(1000), Run::Scheduled).is_err());
        assert!(run(&few(1100), Run::Scheduled).is_err());
        let _ = run(between, by);
        run(&few(900), Run::Scheduled).is_ok()
    };
    let wide = list("a", "8.0.0.0/7");
    // by hand nothing counts, and nothing ends it but that what is held is accepted
    assert!(row(&few(1000), Run::Manual));
    assert!(row(&few(0), Run::Manual));
    assert!(row(&wide, Run::Manual));
    assert!(row(&wide, Run::Forced));
    assert!(row(&few(9000), Run::Manual));
    assert!(row(&few(9000), Run::Forced));
    assert!(!row(&few(1000), Run::Forced));
    // by the timer all does
    assert!(!row(&few(9000), Run::Scheduled));
    assert!(!row(&few(0), Run::Scheduled));
    assert!(!row(&few(200), Run::Scheduled));
    assert!(!row(&wide, Run::Scheduled));

    // however often it comes
    let mut held = HeldRuns::default();
    for _ in 0..5 {
        let none = few(0);
        let trial = trial(&none, Some(&copy), &bounds);
        assert!(trial.judge(&guard(), &[], Run::Scheduled, &mut held).is_err());
    }
}

/// Fails when what -f alone accepts is the third of a row.
#[test]
fn what_force_alone_accepts_is_no_third_run() {
    let (copy, bounds, mut held) =
        (covering(0x2000_0000, 300_000_000), bounds(), HeldRuns::default());
    let fewer = covering(0x2000_0000, 100_000_000);
    let mut run = |list: &List| {
        trial(list, Some(&copy), &bounds).judge(&guard(), &[], Run::Scheduled, &mut held)
    };
    assert!(run(&fewer).is_err());
    assert!(run(&fewer).is_err());
    // as large, and elsewhere
    assert!(run(&covering(0x6000_0000, 100_000_000)).is_err());
    assert!(run(&fewer).is_err());
    assert!(run(&fewer).is_err());
    assert_eq!(run(&fewer), Ok(Accepted::ThirdRun));
}

#[test]
fn a_list_that_alone_is_wider_than_the_floor() {
    let check = |text: &str, kind, block_private| {
        let (list, bounds) = (list("a", text), bounds());
        let trial = ListTrial { kind, ..trial(&list, None, &bounds) };
        trial.check(&reserved(block_private)).map_err(|reason| message(&list, reason))
    };
    for kind in [Kind::Block, Kind::Allow] {
        assert_eq!(
            check("8.0.0.0/7", kind, false).unwrap_err(),
            "Keeping the previous list a: it has 8.0.0.0/7, wider than /8 \
             (see min_prefix_v4 in [guard])"
        );
        assert!(check("0.0.0.0/7", kind, false).is_err());
        // of which negated items leave nothing, or nothing wide
        assert!(check("160.0.0.0/7 !160.0.0.0/8 !161.0.0.0/8", kind, false).is_err());
        assert_eq!(check("224.0.0.0/3 0.0.0.0/8 fc00::/7 8000::/1 ::/8", kind, false), Ok(()));
    }
    assert_eq!(check("fc00::/7", Kind::Block, true), Ok(()));
}

#[test]
fn a_list_that_alone_covers_too_much() {
    // 51 /8 are below 20 percent, 52 are above
    let eights =
        |count: u32| -> String { (0..count).map(|n| format!("{}.0.0.0/8 ", 30 + n)).collect() };
    let check = |text: &str, kind, block_private| {
        let (list, bounds) = (list("a", text), bounds());
        let trial = ListTrial { kind, ..trial(&list, None, &bounds) };
        trial.check(&reserved(block_private))
    };
    assert_eq!(check(&eights(51), Kind::Block, false), Ok(()));
    let excess = Excess::Percent { addresses: 52 << 24, max: 20 };
    assert_eq!(
        check(&eights(52), Kind::Block, false),
        Err(Reason::Refused(Refusal::Covers(excess)))
    );
    // what is left out does not count
    let martians = format!("{} 10.0.0.0/8 0.0.0.0/8 127.0.0.0/8 224.0.0.0/3", eights(51));
    assert_eq!(check(&martians, Kind::Block, false), Ok(()));
    assert!(check(&format!("{} 10.0.0.0/8", eights(51)), Kind::Block, true).is_err());
    // an allow list has other bounds, and may have what is private
    assert_eq!(check("30.0.0.0/8 224.0.0.0/3", Kind::Allow, false), Ok(()));
    assert!(check("30.0.0.0/8 10.0.0.0/8", Kind::Allow, false).is_err());
    assert_eq!(
        check("30.0.0.0/8 31.0.0.0", Kind::Allow, false).unwrap_err().to_string(),
        "it covers 16777217 addresses, more than 16777216 (see allow_max_coverage in [guard])"
    );
    let networks =
        |count: u32| -> String { (0..count).map(|n| format!("2a{n:02x}:6000::/19 ")).collect() };
    assert_eq!(check(&networks(1), Kind::Block, false), Ok(()));
    assert!(check(&networks(2), Kind::Block, false).is_err());
}

#[test]
fn a_list_that_alone_has_too_many_entries() {
    let check = |text: &str, max_entries, never: &str| {
        let (list, bounds) = (list("a", text), Bounds { max_entries, ..bounds() });
        trial(&list, None, &bounds).check(&protected(never))
    };
    let hosts = text(&hosts(1000));
    assert_eq!(check(&hosts, 1000, ""), Ok(()));
    assert_eq!(
        check(&hosts, 999, ""),
        Err(Reason::Refused(Refusal::Entries { entries: 1000, max: 999 }))
    );
    // a copy is read by a floor of its own, and counted by that of the guard
    let mut items = prefix::Items::default();
    items.push("23.0.0.0/8".parse().unwrap(), false);
    let copy = List::kept("a", items, prefix::Floor { v4: 0, v6: 0 });
    let floor = prefix::Floor { v4: 24, v6: 19 };
    let narrow = Bounds { max_entries: 50_000, floor, ..bounds() };
    let many = Refusal::Entries { entries: 50_001, max: 50_000 };
    assert_eq!(trial(&copy, None, &narrow).check(&[]), Err(Reason::Refused(many)));
    // counted is what would be in a table: of neighbours one, without what is left out, and with
    // what that leaves of a prefix
    assert_eq!(check("1.2.3.4 1.2.3.5", 1, ""), Ok(()));
    assert_eq!(check("1.2.3.4 10.0.0.1", 1, "10.0.0.0/8"), Ok(()));
    assert_eq!(check("30.0.0.0/8", 24, "30.0.0.0"), Ok(()));
    assert!(check("30.0.0.0/8", 23, "30.0.0.0").is_err());
    // a hole of its own makes one range of two networks, which a table has not
    assert_eq!(check("30.0.0.0/8 31.0.0.0/8 !1.0.0.0/8", 2, ""), Ok(()));
    assert!(check("30.0.0.0/8 31.0.0.0/8 !1.0.0.0/8", 1, "").is_err());
    // and is of many prefixes when it is cut at the floor
    let nets = (0..4096u32).map(|n| format!("{:x}:{:x}::/19 ", 0xfc00 + (n >> 3), (n & 7) << 13));
    let private = nets.chain(["!2a00::1".to_owned()]).collect::<String>();
    assert_eq!(check(&private, 4096, ""), Ok(()));
    assert!(check(&private, 4095, "").is_err());
    // nothing is not too little
    assert_eq!(check("", 1, ""), Ok(()));
    assert_eq!(check("10.0.0.1", 1, "10.0.0.0/8"), Ok(()));
}

#[test]
fn force_overrides_shrink_and_growth_only() {
    let forced = |list: &List| step(&few(10_000), list, Run::Forced);
    assert_eq!(forced(&few(1)), Ok(Accepted::Forced));
    assert_eq!(forced(&few(9_999)), Ok(Accepted::Usual));
    assert_eq!(forced(&few(0)), Ok(Accepted::Forced));
    assert_eq!(forced(&covering(0x2000_0000, 858_993_459)), Ok(Accepted::Forced));
    assert!(forced(&covering(0x2000_0000, 858_993_460)).is_err());
    assert_eq!(forced(&networks(0x2a00_0000, 8192)), Ok(Accepted::Forced));
    assert!(forced(&networks(0x2a00_0000, 8193)).is_err());
    assert!(forced(&list("a", "128.0.0.0/1")).is_err());
}

#[test]
fn the_bounds_are_those_of_the_list_and_nobody_overrides_them() {
    let (list, few_entries) = (few(1000), Bounds { max_entries: 10, ..bounds() });
    let judged = |bounds: &Bounds| {
        trial(&list, None, bounds).judge(&guard(), &[], Run::Forced, &mut HeldRuns::default())
    };
    assert!(judged(&bounds()).is_ok());
    assert!(judged(&few_entries).is_err());
}
