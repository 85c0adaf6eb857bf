//! Tables of `[[table]]`: lists that go into a table of their own.

use std::fs;

use crate::common::*;
use crate::three::*;
use serde_json::Value;
use tests::harness::{Config, Scratch};
use tests::item::{Item, table_text};

/// The table of scanners, for what comes in.
const IN: &str = "ThreatSTOP-Inbound";
/// A table of scanners and of the file of the administrator.
const BOTH: &str = "Both";

fn named(name: &str, lists: &[&str], direction: &str) -> toml::Value {
    let lists: Vec<toml::Value> = lists.iter().map(|list| (*list).into()).collect();
    let pairs = [("name", name.into()), ("lists", lists.into()), ("direction", direction.into())];
    toml::Table::from_iter(pairs.map(|(key, value): (_, toml::Value)| (key.to_owned(), value)))
        .into()
}

fn tables() -> toml::Value {
    vec![named(IN, &[SCAN], "in"), named(BOTH, &[SCAN, "local_block"], "both")].into()
}

/// A daemon with [`BASIC`] in the block table and the others in tables of their own.
fn with_tables(counts: [u32; 3], change: impl FnOnce(Config) -> Config) -> Three {
    let three = Three::start(counts, |config| change(config.set("table", tables())));
    have(&three, counts);
    three
}

/// The hosts of some of the three lists.
fn of(counts: [u32; 3], lists: &[usize]) -> Option<String> {
    let all: Vec<Item> = lists.iter().flat_map(|at| hosts(SPACES[*at], counts[*at])).collect();
    Some(table_text(&all))
}

/// Checks that each table has the lists that are for it.
#[track_caller]
fn have(three: &Three, counts: [u32; 3]) {
    assert_eq!(table(&three.daemon, BLOCK), of(counts, &[0]));
    assert_eq!(table(&three.daemon, IN), of(counts, &[1]));
    assert_eq!(table(&three.daemon, BOTH), of(counts, &[1, 2]));
}

fn row<'v>(status: &'v Value, name: &str) -> &'v Value {
    let mut rows = status["tables"].as_array().unwrap().iter();
    rows.find(|row| row["name"] == name).unwrap()
}

/// Publish three lists into three block tables.
/// Check that each has its own, that `show`, `why`, `show lists`, status, metrics and the summary of an
/// update know all of them, and that nothing has changed the second time.
/// Allow an address of a list that is in two tables.
/// Check that it is taken out of both, and comes back.
/// Change a table behind the daemon's back. Check that it is mended, and told of.
#[test]
fn each_table_has_its_lists() {
    let three = with_tables([100, 200, 300], |config| config);
    let daemon = &three.daemon;
    assert_eq!(daemon.ctl(&["update"]).stdout.lines().filter(|l| *l == "No changes").count(), 1);
    let shown = daemon.ctl(&["show", IN]);
    assert_eq!((shown.status.code(), Some(shown.stdout)), (Some(0), of([0, 200, 0], &[1])));
    let unknown = refused(daemon, &["show", "Inbound"]);
    assert!(unknown.contains("Inbound: no such table; there are block, allow, "), "{unknown}");

    let json = status(daemon);
    assert_eq!(json["tables"].as_array().unwrap().len(), 4);
    for (name, direction, entries) in [(BLOCK, "both", 100), (IN, "in", 200), (BOTH, "both", 500)] {
        let row = row(&json, name);
        assert_eq!((&row["kind"], &row["direction"]), (&"block".into(), &direction.into()));
        assert_eq!((&row["present"], &row["entries"]), (&true.into(), &entries.into()));
    }
    let metrics = daemon.ctl(&["metrics"]).stdout;
    assert!(metrics.contains(&format!("pf_table_entries{{table=\"{IN}\"}} 200\n")), "{metrics}");
    let lists: Value = serde_json::from_str(&daemon.ctl(&["-j", "show", "lists"]).stdout).unwrap();
    let scan = lists["lists"].as_array().unwrap().iter().find(|one| one["list"] == SCAN).unwrap();
    assert_eq!(scan["table"], format!("{IN}, {BOTH}"));

    let why = daemon.ctl(&["why", "6.0.0.2"]);
    let words = format!("6.0.0.2 is blocked: 6.0.0.2 in {IN}, {BOTH}, listed by {SCAN}, since ");
    assert!(why.stdout.starts_with(&words), "{}", why.stdout);
    let why = daemon.ctl(&["why", "5.0.0.2"]).stdout;
    assert!(why.starts_with(&format!("5.0.0.2 is blocked: 5.0.0.2, listed by {BASIC}")), "{why}");

    three.serve(BASIC, &hosts(SPACES[0], 101));
    three.serve(SCAN, &hosts(SPACES[1], 205));
    let said = update(daemon).stdout;
    for line in [
        "Adding 101 blocked addresses\n",
        &format!("Adding 205 addresses of {IN}\n"),
        &format!("Adding 505 addresses of {BOTH}\n"),
        "Changed: +11 -0 blocked, +0 -0 allowed\n",
    ] {
        assert!(said.contains(line), "{line}{said}");
    }
    have(&three, [101, 205, 300]);
    assert_eq!(daemon.ctl(&["show", "diff"]).stdout.lines().count(), 11);

    assert!(daemon.ctl(&["allow", "6.0.0.2"]).status.success());
    let without = of([0, 205, 0], &[1]).unwrap().replace("6.0.0.2\n", "");
    assert_eq!(table(daemon, IN), Some(without));
    assert!(!table(daemon, BOTH).unwrap().contains("6.0.0.2\n"));
    assert!(daemon.ctl(&["forget", "6.0.0.2"]).status.success());
    have(&three, [101, 205, 300]);

    fs::write(three.scratch.tables().join(format!("{IN}.simulated")), "9.9.9.9\n").unwrap();
    let said = update(daemon).stdout;
    let words =
        format!("Warning: pf table <{IN}> had been changed by somebody: 205 prefixes put back");
    assert!(said.contains(&words), "{said}");
    have(&three, [101, 205, 300]);
    assert!(three.daemon.stop().success());
}

/// Publish into tables that are named like the beginnings of words of `show`. Show each, each word, and
/// what only begins one.
/// Check that the very name of a table goes before a shortened word, and nothing else does.
#[test]
fn a_name_goes_before_a_shortened_word() {
    let counts = [100, 200, 300];
    let three = Three::start(counts, |config| {
        let tables = [named("bl", &[SCAN], "in"), named("hi", &["local_block"], "both")];
        config.set("table", tables.to_vec())
    });
    let shown = |word: &str| {
        let output = three.daemon.ctl(&["show", word]);
        assert_eq!(output.status.code(), Some(0), "{word}: {}", output.stderr);
        output.stdout
    };
    for (word, lists) in [("bl", [1]), ("hi", [2]), ("b", [0]), ("blo", [0]), ("block", [0])] {
        assert_eq!(Some(shown(word)), of(counts, &lists), "{word}");
    }
    let json: Value =
        serde_json::from_str(&three.daemon.ctl(&["-j", "show", "hi"]).stdout).unwrap();
    assert_eq!((&json["table"], &json["entries"]), (&"hi".into(), &300.into()));
    for (short, word) in [("hit", "hits"), ("l", "lists"), ("o", "own"), ("d", "diff")] {
        // What they begin with; behind it may stand for how long, which is another time already.
        let begin = |word| shown(word).lines().next()?.split(':').next().map(str::to_owned);
        assert_eq!(begin(short), begin(word));
    }
    assert!(three.daemon.stop().success());
}

/// Publish. Make pf refuse one table, and allow an address that is in it.
/// Check that this is kept and not in force, exit code 1. Block, allow and forget what belongs to other
/// tables: check that each is in force and says so, exit code 0. Forget what was allowed: nothing of it
/// is missing anywhere. Check that status names the table.
#[test]
fn what_is_said_is_answered_by_its_own_tables() {
    let three = with_tables([100, 200, 300], |config| config);
    let daemon = &three.daemon;
    pf_is(&three.scratch, &format!("const {IN}\n"));
    let why = refused(daemon, &["allow", "6.0.0.2"]);
    let words = format!("6.0.0.2 is kept, but that is not in force: {IN} table: ");
    assert!(why.contains(&words), "{why}");
    assert!(why.trim_end().ends_with("; it is tried again"), "{why}");
    assert!(table(daemon, IN).unwrap().contains("6.0.0.2\n"));
    assert!(!table(daemon, BOTH).unwrap().contains("6.0.0.2\n"));
    let warnings = status(daemon)["pf"]["warnings"].to_string();
    assert!(warnings.contains(&format!("{IN} table: ")), "{warnings}");
    for (arguments, said) in [
        (["block", "203.0.113.7"], "203.0.113.7 is blocked\n"),
        (["allow", "5.0.0.2"], "5.0.0.2 is allowed\n"),
        (["forget", "203.0.113.7"], "203.0.113.7 is forgotten\n"),
        (["forget", "5.0.0.2"], "5.0.0.2 is forgotten; something of it is blocked: listed by"),
    ] {
        let output = daemon.ctl(&arguments);
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", output.stderr);
        assert!(output.stdout.starts_with(said), "{arguments:?}: {}", output.stdout);
    }
    let output = daemon.ctl(&["forget", "6.0.0.2"]);
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    have(&three, [100, 200, 300]);
    assert!(three.daemon.stop().success());
}

/// Publish. Empty the list of scanners and change the others.
/// Check that it is held, and its tables as they were, and that the block table is published.
/// Accept it: its own table would be empty and stays; the one that has another list besides is published.
/// Put pf in a state in which one table cannot be changed.
/// Check that the others are published, and that the reason is told.
/// Roll back. Check that all tables go back, or none.
#[test]
fn a_table_holds_up_no_other() {
    let three = with_tables([100, 200, 300], |config| config.set("guard.expect", vec!["5.0.0.0"]));
    three.serve(SCAN, &[]);
    three.serve(BASIC, &hosts(SPACES[0], 110));
    let why = refused(&three.daemon, &["update"]);
    assert!(why.contains(&format!("Keeping the previous list {SCAN}: 200 -> 0 entries")), "{why}");
    have(&three, [110, 200, 300]);
    let why = refused(&three.daemon, &["update", "-f"]);
    assert!(
        why.contains(&format!("Keeping the previous {IN} list: nothing would be blocked")),
        "{why}"
    );
    have(&three, [110, 200, 300]);
    let held = status(&three.daemon)["held"].clone();
    assert!(held.as_array().unwrap().iter().any(|held| held["table"] == IN), "{held}");

    three.serve(SCAN, &hosts(SPACES[1], 200));
    update(&three.daemon);
    assert_eq!(status(&three.daemon)["held"], Value::Array(Vec::new()));
    pf_is(&three.scratch, &format!("const {IN}\n"));
    three.serve(SCAN, &hosts(SPACES[1], 210));
    write(&three.file, &hosts(SPACES[2], 310));
    let why = refused(&three.daemon, &["update"]);
    assert!(why.contains(&format!("{IN} table: ")), "{why}");
    assert_eq!(table(&three.daemon, BLOCK), of([110, 0, 0], &[0]));
    assert_eq!(table(&three.daemon, IN), of([0, 200, 0], &[1]));
    assert_eq!(table(&three.daemon, BOTH), of([0, 210, 310], &[1, 2]));
    // nothing goes back while one table cannot
    assert_eq!(three.daemon.ctl(&["rollback"]).status.code(), Some(1));
    assert_eq!(table(&three.daemon, BOTH), of([0, 210, 310], &[1, 2]));
    pf_is(&three.scratch, "");
    update(&three.daemon);
    have(&three, [110, 210, 310]);
    let back = three.daemon.ctl(&["rollback"]);
    assert!(back.status.success(), "{}", back.stderr);
    have(&three, [110, 200, 310]);
    assert!(three.daemon.stop().success());
}

/// Make pf refuse one table, change the file that goes into it and a list that does not, and update; roll back.
/// Check that `status` warns of the table all the time: before that it is tried again, and afterwards that
/// nothing is published until somebody updates, which ends it.
#[test]
fn what_a_rollback_leaves_unpublished_is_not_tried_again() {
    let three = with_tables([100, 200, 300], |config| config);
    let way_out = || {
        let pf = status(&three.daemon)["pf"].clone();
        let words = format!("the {BOTH} table is not what it should be: ");
        let warnings = pf["warnings"].as_array().unwrap();
        let at = warnings.iter().position(|one| one.as_str().unwrap().starts_with(&words))?;
        Some(pf["ways_out"][at].as_str().unwrap().to_owned())
    };
    let begins = |words: &str| way_out().is_some_and(|way_out| way_out.starts_with(words));
    pf_is(&three.scratch, &format!("const {BOTH}\n"));
    three.serve(BASIC, &hosts(SPACES[0], 110));
    write(&three.file, &hosts(SPACES[2], 310));
    refused(&three.daemon, &["update"]);
    assert!(begins("it is tried again; "), "{:?}", way_out());
    pf_is(&three.scratch, "");
    let back = three.daemon.ctl(&["rollback"]);
    assert!(back.status.success(), "{}", back.stderr);
    have(&three, [100, 200, 300]);
    assert!(begins("nothing is published until "), "{:?}", way_out());
    update(&three.daemon);
    have(&three, [110, 200, 310]);
    assert_eq!(way_out(), None);
    assert!(three.daemon.stop().success());
}

/// Publish. Take the tables out of the configuration, with the copy of a list lost meanwhile.
/// Check that the block table is no smaller, that what is left of the tables is told once and stays, and
/// that an update brings all into the block table.
/// Make a table of the list again, with its copy lost.
/// Check that the block table keeps what it has of it until it comes; then each table has its own.
#[test]
fn a_list_that_moves_shrinks_nothing_when_its_copy_is_lost() {
    let counts = [100, 200, 300];
    let three = with_tables(counts, |config| config);
    let lose = |scratch: &Scratch| fs::remove_file(copy(scratch, SCAN)).unwrap();
    let dead = |config: Config| config.set("policy.servers", vec!["127.0.0.1:9"]);
    let servers = three.service.addr().to_string();
    let alive = |config: Config| config.set("policy.servers", vec![servers.as_str()]);
    let without = three.config.clone().unset("table");
    let three = three.again(dead(without.clone()), lose);
    let left = format!("table <{IN}> is not in the configuration any more: table and file stay");
    wait_until("the table is told of", || three.daemon.output().contains(&left));
    wait_until("the file is in the block table", || {
        three.daemon.table_file(BLOCK) == of(counts, &[0, 2])
    });
    for kind in ["pftable", "simulated"] {
        let text = fs::read_to_string(three.scratch.tables().join(format!("{IN}.{kind}"))).ok();
        assert_eq!(text, of(counts, &[1]));
    }
    let three = three.again(alive(without), |_| {});
    update(&three.daemon);
    three.has(counts);
    assert!(!three.daemon.output().contains(&left), "{}", three.daemon.output());

    let with = three.config.clone().set("table", tables());
    // what was left of them is of another day
    let anew = |scratch: &Scratch| {
        lose(scratch);
        for name in [IN, BOTH] {
            fs::remove_file(scratch.tables().join(format!("{name}.pftable"))).unwrap();
            fs::remove_file(scratch.tables().join(format!("{name}.simulated"))).unwrap();
        }
    };
    let three = three.again(dead(with.clone()), anew);
    wait_until("the file has its table", || three.daemon.table_file(BOTH) == of(counts, &[2]));
    assert_eq!(table(&three.daemon, BLOCK), of(counts, &[0, 1, 2]));
    assert_eq!(table(&three.daemon, IN), None);
    let three = three.again(alive(with), |_| {});
    update(&three.daemon);
    have(&three, counts);
    assert!(three.daemon.stop().success());
}

/// Publish as a monitor.
/// Check that status says so in place of other warnings, and in the log that nobody fills it.
#[test]
fn a_monitor_says_that_nothing_is_blocked() {
    let three = with_tables([100, 200, 300], |config| {
        config.set("tables.monitor", true).set("tables.check_interval", "1s")
    });
    pf_is(&three.scratch, &format!("unused {BLOCK}\nunused {IN}\n"));
    let words = "monitoring: 0 packets would have been blocked, nothing is";
    let json = status(&three.daemon);
    assert_eq!(json["pf"]["warnings"], Value::from(vec![words]));
    let said = three.daemon.ctl(&["status"]).stdout;
    assert!(said.starts_with(&format!("warning: {words}\n")), "{said}");
    assert!(update(&three.daemon).stdout.contains(&format!("Warning: {words}\n")));
    wait_until("it is in the log", || {
        three.daemon.output().contains("monitoring: nothing is blocked")
    });
    assert!(three.daemon.stop().success());
}
