//! The guards once more, as their rules are written, on lists that are sets of a few cells.
//!
//! A cell is a prefix; no two of them touch or are nested, so that the entries of a list are its
//! cells and what it covers is their sum. Nothing here knows how the crate does it.

use std::collections::BTreeSet;

use prefix::{Items, Kind, Prefix};
use proptest::prelude::*;
use proptest::sample::select;

use crate::tests::{bounds, guard, together};
use crate::{
    Accepted, HeldRuns, List, ListTrial, Protected, Ranges, Run, check_table, compose_block,
    exempt, table_change,
};

/// Cells by their number in [`WORLD`].
type Cells = BTreeSet<usize>;

/// Of one kind so many cells, each second network of this length from the first address on.
struct Group {
    first: &'static str,
    len: u8,
    count: usize,
}

const WORLD: [Group; 7] = [
    Group { first: "1.0.0.0", len: 32, count: 600 },
    Group { first: "20.0.0.0", len: 16, count: 40 },
    // but for 100.0.0.0/8, of which a part is private
    Group { first: "30.0.0.0", len: 8, count: 35 },
    Group { first: "102.0.0.0", len: 8, count: 25 },
    Group { first: "2a00::", len: 32, count: 300 },
    Group { first: "2b00::", len: 24, count: 40 },
    Group { first: "2400::", len: 128, count: 200 },
];

/// What the guards see in another light.
const SPECIAL: [&str; 8] = [
    // never routed: left out before anybody looks at it
    "224.0.0.0/3",
    "127.9.0.0/16",
    "4000::/2",
    // private, and protected as no block_private is set
    "10.0.0.0/8",
    "fc00::/7",
    // the network of an interface
    "28.0.0.0/8",
    // wider than the floor
    "160.0.0.0/7",
    "2c00::/18",
];
const NEVER_ROUTED: core::ops::Range<usize> = 0..3;
const PRIVATE: core::ops::Range<usize> = 3..5;
const INTERFACE: usize = 5;
const WIDE: core::ops::Range<usize> = 6..8;

const GROUPS: usize = 1240;

fn prefix(cell: usize) -> Prefix {
    let mut at = cell;
    for group in &WORLD {
        if at < group.count {
            let first: Prefix = group.first.parse().unwrap();
            let addr = match first.addr() {
                core::net::IpAddr::V4(first) => {
                    let step = 2u32 << (32 - group.len);
                    core::net::Ipv4Addr::from_bits(first.to_bits() + step * at as u32).into()
                }
                core::net::IpAddr::V6(first) => {
                    let step = 2u128 << (128 - group.len);
                    core::net::Ipv6Addr::from_bits(first.to_bits() + step * at as u128).into()
                }
            };
            return Prefix::new(addr, group.len).unwrap();
        }
        at -= group.count;
    }
    SPECIAL[at].parse().unwrap()
}

fn special(cell: usize) -> Option<usize> {
    cell.checked_sub(GROUPS)
}

fn list(cells: &Cells) -> List {
    let mut items = Items::default();
    cells.iter().for_each(|cell| items.push(prefix(*cell), false));
    List::new("list", items, bounds().floor)
}

fn protected() -> Vec<Protected> {
    let interface: Prefix = SPECIAL[INTERFACE].parse().unwrap();
    prefix::reserved(false).chain([(interface, "interface em0")]).map(Protected::from).collect()
}

/// Entries, addresses of IPv4, and addresses or /32 of IPv6.
type Sum = (u128, u128, u128);

fn sum<'a>(cells: impl Iterator<Item = &'a usize>, counts: impl Fn(usize) -> bool) -> Sum {
    cells.fold((0, 0, 0), |(entries, v4, v6), cell| match prefix(*cell) {
        _ if !counts(*cell) => (entries + 1, v4, v6),
        Prefix::V4(net) => (entries + 1, v4 + (1 << (32 - net.len())), v6),
        Prefix::V6(net) => (entries + 1, v4, v6 + (1 << (128 - net.len()))),
    })
}

/// What the relative guards count: nobody on the Internet has a reserved or private address.
fn measured<'a>(cells: impl Iterator<Item = &'a usize>) -> Sum {
    let (entries, v4, v6) =
        sum(cells, |cell| special(cell).is_none_or(|special| special >= PRIVATE.end));
    (entries, v4, v6.div_ceil(1 << 96))
}

/// "A list that alone breaks floor, entries or coverage is refused"; "reserved space never makes a
/// list refused: it is left out before the floor is looked at".
fn refused(cells: &Cells, kind: Kind, max_entries: u64) -> bool {
    let left_out = |special: usize| match kind {
        Kind::Block => special <= INTERFACE,
        // private networks may be allowed, except where they are wider than the floor
        Kind::Allow => NEVER_ROUTED.contains(&special) || special == PRIVATE.end - 1,
    };
    let wide = |cell: &usize| special(*cell).is_some_and(|special| WIDE.contains(&special));
    let in_table = cells.iter().filter(|cell| !special(**cell).is_some_and(left_out));
    let (entries, v4, v6) = sum(in_table, |_| true);
    let covers = match kind {
        Kind::Block => v4 * 100 > 20 << 32 || v6 > 8192 << 96,
        Kind::Allow => v4 > 16_777_216 || v6 > 16_777_216 << 64,
    };
    cells.iter().any(wide) || entries > max_entries.into() || covers
}

/// Who accepts a change.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    No,
    /// -f, or the third run.
    Percent,
    /// -f alone.
    Force,
}

/// "max_shrink and max_growth, by entries and by addresses covered, whichever is worse. By entries:
/// never held up to 100 entries of change. By coverage: held only beyond 1,048,576 addresses of
/// IPv4 or 256 /32 of IPv6 as well."
fn beyond_percent(old: Sum, new: Sum) -> bool {
    let too_far = |old: u128, new: u128, small: u128| {
        let far = new * 2 < old || new > old * 5;
        far && new.abs_diff(old) > small
    };
    // of nothing there is no percentage
    old.0 > 0
        && (too_far(old.0, new.0, 100)
            || too_far(old.1, new.1, 1_048_576)
            || too_far(old.2, new.2, 256))
}

/// "Whatever the percentage, no run but -f brings more than 2 % of IPv4 or 1,024 /32 at once."
fn too_much((_, v4, v6): Sum) -> bool {
    v4 * 100 > 2 << 32 || v6 > 1024
}

/// "Compared with the copy in force and with that of 24 hours ago, so that many small steps are
/// one. From 10 or more to none is always held, accepted by -f alone."
fn held(old: &Cells, new: &Cells, day: Option<&Cells>) -> Held {
    let [before, now] = [old, new].map(|cells| measured(cells.iter()));
    // of the set of a day ago only numbers are known, and what changes none of them is no step
    let day = day.map(|day| measured(day.iter())).filter(|day| day.0 > 0 && before != now);
    let net = |day: Sum| (0, now.1.saturating_sub(day.1), now.2.saturating_sub(day.2));
    let emptied = now.0 == 0 && (before.0 >= 10 || day.is_some_and(|day| day.0 >= 10));
    let brought = measured(new.difference(old));
    if emptied || too_much(brought) || day.is_some_and(|day| too_much(net(day))) {
        Held::Force
    } else if beyond_percent(before, now) || day.is_some_and(|day| beyond_percent(day, now)) {
        Held::Percent
    } else {
        Held::No
    }
}

/// What becomes of a list.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    Refused,
    Held,
    Taken(Accepted),
}

/// "Accepted by -f or by the third run in a row that agrees; by hand, failed, and without network:
/// neither count nor end the row." The row is what was held so far, the last one at the end.
fn plainly(
    copy: Option<&Cells>,
    list: &Cells,
    day: Option<&Cells>,
    run: Run,
    row: &mut Vec<Cells>,
) -> Verdict {
    let counts = run == Run::Scheduled;
    if refused(list, Kind::Block, bounds().max_entries) {
        row.retain(|_| !counts);
        return Verdict::Refused;
    }
    let how = match (copy.map_or(Held::No, |copy| held(copy, list, day)), run) {
        (Held::No, _) => {
            row.retain(|_| !counts);
            return Verdict::Taken(Accepted::Usual);
        }
        (_, Run::Forced) => Accepted::Forced,
        (Held::Percent, Run::Scheduled) => {
            row.push(list.clone());
            let last: Vec<Sum> = row.iter().rev().take(3).map(|c| measured(c.iter())).collect();
            let agree = |a: &Sum, b: &Sum| !beyond_percent(*a, *b) && !beyond_percent(*b, *a);
            if last.len() < 3 || !last.iter().all(|a| last.iter().all(|b| agree(a, b))) {
                return Verdict::Held;
            }
            Accepted::ThirdRun
        }
        _ => {
            row.retain(|_| !counts);
            return Verdict::Held;
        }
    };
    row.clear();
    Verdict::Taken(how)
}

fn judged(
    copy: Option<&Cells>,
    new: &Cells,
    day: Option<&Cells>,
    run: Run,
    row: &mut HeldRuns,
) -> Verdict {
    let (copy, new, bounds) = (copy.map(list), list(new), bounds());
    let day_before = day.map(|day| list(day).measure());
    let trial = ListTrial {
        kind: Kind::Block,
        list: &new,
        copy: copy.as_ref(),
        day_before,
        bounds: &bounds,
    };
    match trial.judge(&guard(), &protected(), run, row) {
        Ok(how) => Verdict::Taken(how),
        Err(reason) if reason.is_hold() => Verdict::Held,
        Err(_) => Verdict::Refused,
    }
}

/// A list: of each group some cells in a row, often as many as the limits speak of, and special
/// ones rarely.
fn cells() -> impl Strategy<Value = Cells> {
    let counts = || {
        prop_oneof![
            4 => Just(0usize),
            4 => select(vec![1, 2, 4, 5, 6, 8, 9, 10, 16, 17, 18, 20, 32, 33, 40, 50, 51, 52]),
            2 => select(vec![100, 101, 102, 200, 256, 257, 258, 300, 500, 501, 600]),
            1 => 0usize..600,
        ]
    };
    let from = prop_oneof![3 => Just(0usize), 1 => 0usize..12];
    let group = (from, counts());
    let some = proptest::collection::vec(0usize..SPECIAL.len(), 0..3);
    let special = prop_oneof![5 => Just(Vec::new()), 1 => some];
    (proptest::collection::vec(group, WORLD.len()), special).prop_map(|(groups, special)| {
        let (mut cells, mut base) = (Cells::new(), 0);
        for (group, (from, count)) in WORLD.iter().zip(groups) {
            // of hosts many, of wide networks few
            let end = (from + count).min(group.count);
            cells.extend((from..end).map(|at| base + at));
            base += group.count;
        }
        cells.extend(special.into_iter().map(|at| GROUPS + at));
        cells
    })
}

/// A list after another: the same, another, or the same in all but one group.
fn next(old: &Cells, other: &Cells, group: usize) -> Cells {
    if group > WORLD.len() {
        return if group.is_multiple_of(2) { old.clone() } else { other.clone() };
    }
    let start: usize = WORLD[..group].iter().map(|group| group.count).sum();
    let count = WORLD.get(group).map_or(SPECIAL.len(), |group| group.count);
    let span = start..start + count;
    let kept = old.iter().filter(|cell| !span.contains(cell));
    kept.chain(other.iter().filter(|cell| span.contains(cell))).copied().collect()
}

fn run() -> impl Strategy<Value = Run> {
    prop_oneof![5 => Just(Run::Scheduled), 1 => Just(Run::Manual), 1 => Just(Run::Forced)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn a_list_against_what_holds_for_every_list(
        cells in cells(),
        allow: bool,
        max_entries in select(vec![1u64, 10, 101, 300, 1_000_000]),
    ) {
        let kind = if allow { Kind::Allow } else { Kind::Block };
        let bounds = prefix::Bounds { max_entries, ..bounds() };
        let list = list(&cells);
        let trial =
            ListTrial { kind, list: &list, copy: None, day_before: None, bounds: &bounds };
        let checked = trial.check(&protected());
        prop_assert_eq!(checked.is_err(), refused(&cells, kind, max_entries), "{:?}", checked);
    }

    #[test]
    fn a_list_against_its_copy_and_that_of_a_day_ago(
        [old, other, day] in proptest::array::uniform3(cells()),
        groups in (0usize..10, 0usize..10),
        has_day: bool,
        run in run(),
    ) {
        let new = next(&old, &other, groups.0);
        let day = has_day.then(|| next(&new, &day, groups.1));
        let plain = plainly(Some(&old), &new, day.as_ref(), run, &mut Vec::new());
        let judged = judged(Some(&old), &new, day.as_ref(), run, &mut HeldRuns::default());
        prop_assert_eq!(judged, plain);
    }

    #[test]
    fn a_list_over_many_runs(
        [first, other, third] in proptest::array::uniform3(cells()),
        runs in proptest::collection::vec((run(), prop_oneof![3 => Just(0usize), 1 => 0usize..30]), 1..9),
        has_copy: bool,
    ) {
        let (mut copy, mut row, mut held) = (has_copy.then_some(first), Vec::new(), HeldRuns::default());
        for (run, choice) in runs {
            let old = copy.clone().unwrap_or_default();
            let new = match choice {
                0 => other.clone(),
                1..10 => next(&other, &third, choice - 1),
                10..20 => next(&old, &third, choice - 10),
                _ => third.clone(),
            };
            let plain = plainly(copy.as_ref(), &new, None, run, &mut row);
            prop_assert_eq!(judged(copy.as_ref(), &new, None, run, &mut held), plain);
            if let Verdict::Taken(_) = plain {
                copy = Some(new);
            }
        }
    }

    #[test]
    fn a_table_by_what_its_lists_name_together(
        olds in proptest::collection::vec(cells(), 0..4),
        news in proptest::collection::vec(cells(), 4),
        groups in proptest::collection::vec(0usize..10, 4),
        allow in cells(),
    ) {
        let pairs = olds.iter().zip(&news).zip(&groups);
        let news: Vec<Cells> = pairs.map(|((old, other), group)| next(old, other, *group)).collect();
        let union = |lists: &[Cells]| -> Cells { lists.iter().flatten().copied().collect() };
        let made = |lists: &[Cells]| -> Vec<List> { lists.iter().map(list).collect() };
        let (old_lists, new_lists) = (made(&olds), made(&news));
        let (old, new) = (together(&old_lists), together(&new_lists));

        let step = table_change(&old, &new, &guard());
        prop_assert_eq!(step.is_some(), held(&union(&olds), &union(&news), None) != Held::No, "{:?}", step);

        // and the whole of it, which no -f overrides
        let exempt: Ranges = exempt(&[&list(&allow)]);
        let composed = compose_block(&new, &exempt, &protected(), &guard());
        let verdict = composed.and_then(|composed| {
            let none = prefix::PrefixSet::default();
            check_table(Kind::Block, &composed.set, &none, &guard())
        });
        let named = union(&news);
        // what is allowed excuses no list that is wider than the floor
        let wide = named.iter().any(|cell| special(*cell).is_some_and(|at| WIDE.contains(&at)));
        let table: Cells = named.difference(&allow).copied().collect();
        let nothing = table.iter().all(|cell| special(*cell).is_some_and(|at| at <= INTERFACE));
        let plain = wide || nothing || refused(&table, Kind::Block, bounds().max_entries);
        prop_assert_eq!(verdict.is_err(), plain, "{:?}", verdict);
    }
}
