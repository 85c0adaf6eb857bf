//! Lists that go from one table to another: what is blocked before and after is blocked between.

use std::collections::BTreeSet;
use std::fs;

use crate::common::*;
use crate::tables::start_faulty;
use crate::three::*;
use tests::harness::{Config, Scratch, faulty_helper};
use tests::item::{Item, table_text};
use tests::process::is_alive;
use toml::Value;

const IN: &str = "ThreatSTOP-Inbound";
const OUT: &str = "Outbound";
const COUNTS: [u32; 3] = [30, 20, 10];

fn named(name: &str, list: &str, direction: &str) -> Value {
    let mut table = toml::Table::new();
    table.insert("name".into(), name.into());
    table.insert("lists".into(), vec![Value::from(list)].into());
    table.insert("direction".into(), direction.into());
    table.into()
}

/// A table for each of two lists.
fn apart(config: &Config) -> Config {
    let tables = vec![named(IN, SCAN, "in"), named(OUT, "local_block", "both")];
    config.clone().set("table", tables)
}

/// Each of them in the table of the other.
fn swapped(config: &Config) -> Config {
    let tables = vec![named(IN, "local_block", "in"), named(OUT, SCAN, "both")];
    config.clone().set("table", tables)
}

fn of(lists: &[usize]) -> String {
    let all: Vec<Item> = lists.iter().flat_map(|at| hosts(SPACES[*at], COUNTS[*at])).collect();
    table_text(&all)
}

/// All that is blocked, by the tables in pf or by their files.
fn blocked(scratch: &Scratch, kind: &str) -> BTreeSet<String> {
    let text = |name: &&str| fs::read_to_string(scratch.tables().join(format!("{name}.{kind}")));
    let texts = [BLOCK, IN, OUT];
    let texts = texts.iter().filter_map(|name| text(name).ok());
    texts.flat_map(|text| text.lines().map(ToOwned::to_owned).collect::<Vec<_>>()).collect()
}

/// Publish three lists in one table. Start with a table for each of two, of which pf takes one and not the
/// other.
/// Check that the block table keeps what has to go there, and that alone, that the reason is told, and that
/// what is blocked by hand is.
/// Let pf take it. Update. Check that each list is in its table alone.
#[test]
fn a_list_stays_where_it_is_until_its_table_takes_it() {
    let three = Three::new(COUNTS, |config| config);
    let with = apart(&three.config);
    let three = three.again(with, |scratch| pf_is(scratch, &format!("const {IN}\n")));
    let why = refused(&three.daemon, &["update"]);
    assert!(why.contains(&format!("{IN} table: ")), "{why}");
    assert_eq!(table(&three.daemon, BLOCK), Some(of(&[0, 1])));
    assert_eq!(table(&three.daemon, OUT), Some(of(&[2])));
    assert_eq!(three.daemon.kernel_table(IN), None);
    assert_eq!(three.daemon.ctl(&["show", "block"]).stdout, of(&[0, 1]));
    three.daemon.ctl(&["block", "9.9.9.9"]);
    assert!(table(&three.daemon, BLOCK).unwrap().ends_with("\n9.9.9.9\n"));
    assert!(three.daemon.ctl(&["why", "6.0.0.2"]).stdout.starts_with("6.0.0.2 is blocked"));

    pf_is(&three.scratch, "");
    three.daemon.ctl(&["forget", "9.9.9.9"]);
    update(&three.daemon);
    for (name, list) in [(BLOCK, 0), (IN, 1), (OUT, 2)] {
        assert_eq!(table(&three.daemon, name), Some(of(&[list])), "{name}");
    }
    assert!(three.daemon.stop().success());
}

/// Let lists go from the block table to two others, and let these two swap theirs; each time with a helper
/// that is killed at one step of the publication, for each step.
/// Check that all that was blocked is, by pf and by the files. Start it again: each list is in its table
/// alone.
#[test]
fn what_goes_to_another_table_is_blocked_at_each_moment() {
    faulty_helper();
    let mut jobs = Vec::new();
    for step in ["rename T.pftable:kill", "replace T:kill"] {
        for name in [BLOCK, IN, OUT] {
            jobs.push((step.replace('T', name), false));
            if name != BLOCK {
                jobs.push((step.replace('T', name), true));
            }
        }
    }
    in_parallel(&jobs, |(step, swap)| {
        let what = format!("{step}, swapped: {swap}");
        let three = Three::new(COUNTS, |config| config);
        let (three, to) = match swap {
            false => {
                let to = apart(&three.config);
                (three, to)
            }
            true => {
                let (with, to) = (apart(&three.config), swapped(&three.config));
                let three = three.again(with, |_| {});
                update(&three.daemon);
                (three, to)
            }
        };
        let Three { service, scratch, daemon, file, .. } = three;
        let all = blocked(&scratch, "simulated");
        assert_eq!(all.len(), 60, "{what}");
        assert!(daemon.stop().success(), "{what}");
        let daemon = start_faulty(&scratch, &to, step);
        wait_until(&format!("{what}: the helper is gone"), || {
            daemon.output().contains("helper terminated; signal 6")
        });
        let children = daemon.descendants();
        let _ = nix::sys::signal::kill(daemon.pid(), nix::sys::signal::Signal::SIGKILL);
        wait_until("helper and engine leave", || children.iter().all(|(pid, _)| !is_alive(*pid)));
        drop(daemon);
        for kind in ["simulated", "pftable"] {
            let now = blocked(&scratch, kind);
            let lost: Vec<_> = all.difference(&now).collect();
            assert!(lost.is_empty(), "{what}: not in any {kind}: {lost:?}");
        }
        let daemon = tests::harness::Daemon::start(&scratch, &to);
        update(&daemon);
        let (into, out) = if *swap { (2, 1) } else { (1, 2) };
        for (name, list) in [(BLOCK, 0), (IN, into), (OUT, out)] {
            assert_eq!(table(&daemon, name), Some(of(&[list])), "{what}: {name}");
        }
        assert!(daemon.stop().success());
        drop((service, file));
    });
}
