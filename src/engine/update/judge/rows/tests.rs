use std::rc::Rc;

use imsg::{Purpose, TableId};
use prefix::Net;

use super::*;
use crate::guard;
use crate::lists::Copy;
use crate::runs::Request;
use crate::state::bare::bare;
use crate::state::{Policy, State};
use crate::update::gather::Gathered;
use crate::update::judge::judged::KeptTable;
use crate::update::judge::tests::{copy, feeds, list};
use crate::update::note::{self, End};
use crate::update::publish::Published;
use crate::update::summary::Time;

const ONE: (&str, u32) = ("one", 0x0900_0000);
const OTHER: (&str, u32) = ("other", 0x0a10_0000);
/// So many hosts do not show beside a network that has them all.
const FEW: u32 = 120;
/// So many are within the guard of their list, and far beyond that of the table.
const MANY: u32 = 520;

/// The list of a feed, of so many hosts, no two of them neighbours.
fn hosts((name, first): (&str, u32), hosts: u32) -> Copy {
    copy(name, first, hosts)
}

/// Two feeds that name little beside what the rest has.
struct Stage {
    config: &'static config::Config,
    state: &'static State,
    max_entries: u64,
    _directory: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // what is too much is so for a table, and not for its feed
        let wide = "[[feed]]\nmax_coverage = 4294967296\n";
        let text = feeds(&["one", "other", "rest"]).replace("[[feed]]\n", wide);
        let (config, state, _) = bare(&text, directory.path());
        let rest = [ONE, OTHER].map(|(_, first)| Net::new(first, 24).unwrap()).into();
        let lists = [hosts(ONE, FEW), hosts(OTHER, FEW), list("rest", rest)].map(Rc::new).into();
        state.set_policy(Policy { lists, ..Policy::default() });
        Self { config, state, max_entries: 1_000_000, _directory: directory }
    }

    /// The names of the lists that a run puts in force, half a day after the one before, where pf
    /// does what it is told.
    fn run_with(&self, wanted: Wanted, come: Vec<Copy>, pf: bool) -> Vec<String> {
        let (config, state) = (self.config, self.state);
        let sources = come.iter().map(|copy| copy.source).collect();
        let request = &Request { sources, wanted, dry_run: false };
        let mut guard = guard::of_config(config, &[]);
        guard.bounds.max_entries = self.max_entries;
        let (guard, measures, own, protected) = (&guard, BTreeMap::new(), &[], &[]);
        let judge = Judge { config, guard, state, protected, own, request, measures };
        let mut judged = judge.judge(come, &Sources::new(), None);
        let done = judged.made.sets.keys().filter(|_| pf).copied().collect();
        let published = Published { done, ..Published::default() };
        let before = state.policy();
        let new = note::in_force(state, &mut judged, &published, &Time::start());
        let end = End {
            gathered: &Gathered::default(),
            judged: &judged,
            published: &published,
            new: &new,
            before: &before,
            numbers: None,
            purpose: Purpose::Publish,
            started: 0,
        };
        note::remember(config, state, &end);
        state.remember(|memory| {
            let rows = memory.tables.values_mut().flat_map(|table| table.rows.values_mut());
            rows.for_each(|row| *row = Row::default().after(row.runs(), None));
        });
        new.iter().map(|new| new.copy.list.name().to_owned()).collect()
    }

    fn run(&self, come: impl Into<Vec<Copy>>) -> Vec<String> {
        self.run_with(Wanted::Scheduled, come.into(), true)
    }

    /// Two runs that are held back.
    fn twice(&self, come: (&str, u32)) {
        for _ in 0..2 {
            assert!(self.run([hosts(come, MANY)]).is_empty());
        }
    }

    /// Whether there is a row of a source.
    fn has_row(&self, (name, _): (&str, u32)) -> bool {
        self.state.memory().row("block", name) != Row::default()
    }

    /// The sources for which the block table is held back.
    fn held(&self) -> Vec<String> {
        let held = self.state.memory().table("block").held;
        held.into_iter().flat_map(|held| held.of).collect()
    }
}

/// Fails when two sources that hold a table back in turn end the rows of one another, so that neither is
/// ever accepted.
#[test]
fn each_source_has_a_row_of_its_own() {
    let stage = Stage::new();
    for _ in 0..2 {
        assert!(stage.run([hosts(ONE, MANY)]).is_empty());
        assert!(stage.run([hosts(OTHER, MANY)]).is_empty());
    }
    assert_eq!(stage.held(), ["one", "other"]);
    assert_eq!(stage.run([hosts(OTHER, MANY)]), ["other"]);
    assert_eq!(stage.held(), ["one"]);
    assert!(stage.has_row(ONE) && !stage.has_row(OTHER));
}

#[test]
fn a_good_run_ends_the_row_of_its_source_alone() {
    let stage = Stage::new();
    stage.twice(ONE);
    // as it is in force, and otherwise within the limits
    for few in [FEW, FEW + 1] {
        assert_eq!(stage.run([hosts(OTHER, few)]).len(), usize::from(few > FEW));
    }
    assert!(stage.has_row(ONE));
    assert!(stage.run([hosts(ONE, FEW)]).is_empty());
    assert!(!stage.has_row(ONE) && stage.held().is_empty());
    stage.twice(ONE);
    assert_eq!(stage.run([hosts(ONE, MANY)]), ["one"]);
    assert!(!stage.has_row(ONE));
}

#[test]
fn by_hand_neither_counts_nor_ends_a_row() {
    let stage = Stage::new();
    let by_hand = |hosts_of| stage.run_with(Wanted::Manual, vec![hosts(ONE, hosts_of)], true);
    assert!(stage.run([hosts(ONE, MANY)]).is_empty());
    for _ in 0..3 {
        assert!(by_hand(MANY).is_empty());
    }
    assert!(stage.run([hosts(ONE, MANY)]).is_empty());
    assert!(by_hand(FEW).is_empty() && stage.held().is_empty());
    assert_eq!(stage.run([hosts(ONE, MANY)]), ["one"]);
}

/// Fails when what -f has accepted goes on with a row.
#[test]
fn force_accepts_what_it_names_and_ends_its_row() {
    let stage = Stage::new();
    stage.twice(ONE);
    stage.twice(OTHER);
    assert_eq!(stage.run_with(Wanted::Forced, vec![hosts(ONE, MANY)], true), ["one"]);
    assert!(!stage.has_row(ONE) && stage.has_row(OTHER));
}

/// Fails when a third run counts that pf has refused: then it takes three more. Or when a source that
/// came as it should counts nothing, so that fewer than three are accepted.
#[test]
fn what_pf_refuses_counts_nothing() {
    let stages = [Stage::new(), Stage::new()];
    for (stage, come) in stages.iter().zip([MANY, FEW]) {
        stage.twice(ONE);
        for _ in 0..2 {
            let come = vec![hosts(ONE, come)];
            assert!(stage.run_with(Wanted::Scheduled, come, false).is_empty());
        }
        assert_eq!(stage.held(), ["one"]);
    }
    let [same, good] = stages;
    assert_eq!(same.run([hosts(ONE, MANY)]), ["one"]);
    assert!(!good.has_row(ONE));
}

/// Fails when a source has to wait because it shares its run with another.
#[test]
fn who_shares_a_run_has_its_own_row() {
    let stage = Stage::new();
    stage.twice(ONE);
    assert_eq!(stage.run([hosts(ONE, MANY), hosts(OTHER, MANY)]), ["one"]);
    assert_eq!(stage.held(), ["other"]);
    let together = Stage::new();
    for _ in 0..2 {
        assert!(together.run([hosts(ONE, MANY), hosts(OTHER, MANY)]).is_empty());
        assert_eq!(together.held(), ["one", "other"]);
    }
    assert_eq!(together.run([hosts(ONE, MANY), hosts(OTHER, MANY)]), ["one", "other"]);
}

/// Fails when a source is held, and counted, for what another has brought in the same run.
#[test]
fn what_another_brings_is_not_counted() {
    let stage = Stage::new();
    for few in [FEW + 1, FEW] {
        assert_eq!(stage.run([hosts(ONE, few), hosts(OTHER, MANY)]), ["one"]);
        assert_eq!(stage.held(), ["other"]);
        assert!(!stage.has_row(ONE));
    }
    assert!(stage.run([hosts(ONE, 240)]).is_empty());
    assert_eq!(stage.run([hosts(OTHER, MANY)]), ["other"]);
}

/// Fails when what only -f accepts of two sources is had by the third run of one.
#[test]
fn what_no_third_run_accepts_of_all_it_accepts_of_none() {
    let stage = Stage::new();
    // 1.2 percent of IPv4 of each, 2 percent at once are too much
    let wide = |of: (&str, u32), many: u32, from: u32, to: u32| {
        let nets = (from..to).map(|first| Net::new(first << 24, 8).unwrap());
        let hosts = (0..many).map(|host| Net::host(of.1 + 2 * host));
        list(of.0, nets.chain(hosts).collect())
    };
    let before = stage.state.policy();
    let rest = before.copy("rest").unwrap();
    let lists = [wide(ONE, FEW, 20, 26), wide(OTHER, FEW, 40, 46)].map(Rc::new);
    let lists = lists.into_iter().chain([Rc::clone(rest)]).collect();
    stage.state.set_policy(Policy { lists, ..Policy::default() });
    let one = || wide(ONE, MANY, 20, 29);
    for _ in 0..2 {
        assert!(stage.run([one()]).is_empty());
        assert_eq!(stage.held(), ["one"]);
    }
    assert!(stage.run([one(), wide(OTHER, FEW, 40, 49)]).is_empty());
    assert_eq!(stage.held(), ["one", "other"]);
    assert_eq!(stage.run([one()]), ["one"]);
}

/// Fails when a source that brings too much into one table keeps the rows of all others, at which it is
/// good: then what it brings there later is accepted before three runs have agreed.
#[test]
fn a_row_is_of_one_table() {
    let stage = Stage::new();
    let (config, state) = (stage.config, stage.state);
    let one = hosts(ONE, MANY).source;
    stage.twice(ONE);
    let request = &Request { sources: [one].into(), wanted: Wanted::Scheduled, dry_run: false };
    let (guard, measures, own, protected) =
        (&guard::of_config(config, &[]), BTreeMap::new(), &[], &[]);
    let judge = Judge { config, guard, state, protected, own, request, measures };
    let rows = |table: TableId| {
        let reason = Reason::Refused(prefix::Refusal::Empty);
        let kept = KeptTable { table: "other".into(), reason, grew_most: None, of: [one].into() };
        let kept_tables = [(table, kept)].into();
        let mut judged = Judged { come: [one].into(), kept_tables, ..Judged::default() };
        judged.end_rows(&judge);
        judged.table_rows.get(&(TableId::BLOCK, one)).copied()
    };
    assert_eq!(rows(TableId::BLOCK), None);
    assert_eq!(rows(TableId::ALLOW), Some(Row::default()));
}

/// Fails when a row goes on though what its source brings is another thing, in a run of which nobody knows
/// whose fault it is.
#[test]
fn what_does_not_agree_ends_a_row_whoever_is_at_fault() {
    let mut stage = Stage::new();
    stage.twice(ONE);
    stage.max_entries = MANY.into();
    assert!(stage.run([hosts(ONE, 256), hosts(OTHER, MANY)]).is_empty());
    assert!(!stage.has_row(ONE));
}

/// Fails when runs of which one was refused whatever went before count as runs in a row, or when what
/// others bring with it ends the row of a source.
#[test]
fn what_may_not_be_ends_a_row() {
    let mut stage = Stage::new();
    stage.twice(ONE);
    stage.max_entries = 600;
    assert!(stage.run([hosts(ONE, MANY), hosts(OTHER, MANY)]).is_empty());
    assert!(stage.has_row(ONE));
    assert_eq!(stage.run_with(Wanted::Forced, vec![hosts(OTHER, MANY)], true), ["other"]);
    assert!(stage.has_row(ONE));
    assert!(stage.run([hosts(ONE, MANY)]).is_empty());
    let held = stage.state.memory().table("block").held.map(|held| held.text);
    assert!(held.is_some_and(|text| text.contains("max_entries")));
    assert!(!stage.has_row(ONE));
}

/// Fails when a list that has come again and makes another table than what stood in for it is held back
/// for one run alone.
#[test]
fn what_comes_again_is_held_until_it_is_accepted() {
    let stage = Stage::new();
    assert_eq!(stage.run([hosts(OTHER, FEW + 1)]), ["other"]);
    let before = stage.state.policy();
    let lists = before.lists.iter().filter(|copy| copy.list.name() != "rest").cloned().collect();
    stage.state.set_policy(Policy { lists, ..Policy::clone(&before) });
    assert!(before.set(TableId::BLOCK).is_some());
    let rest = || hosts(("rest", 0x0c00_0000), 500);
    for few in [FEW + 1, FEW] {
        // what comes with it does not wait
        assert_eq!(stage.run([rest(), hosts(ONE, few)]), ["one"]);
        assert_eq!(stage.held(), ["rest"]);
    }
    assert_eq!(stage.run([rest()]), ["rest"]);
}
