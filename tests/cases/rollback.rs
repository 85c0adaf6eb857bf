//! The way back to the previous policy, and how long it lasts.

use std::fs;

use crate::common::*;
use crate::three::SCAN;
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::{items, table_text};
use tests::lists::allow_list;
use tests::sim::{Layout, PolicyService};

/// Publish one list and then another. Roll back.
/// Check that the first is in force again and that status says so. Kill helper and engine, start
/// again: the run of the start fetches and does not publish, nor do SIGHUP and the next start.
/// Update by hand: the second is in force, and nothing is held any more.
#[test]
fn a_rollback_lasts_until_somebody_updates() {
    let stage = Stage::new(|config| config);
    let (new, new_text) = list(320);
    stage.serve(&new);
    update(&stage.daemon);
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(new_text.as_str()));
    let output = stage.daemon.ctl(&["rollback"]);
    assert!(output.status.success(), "{}", output.stderr);
    let Stage { service, scratch, daemon, old } = stage;
    let is_back = |daemon: &Daemon| {
        assert_eq!(table(daemon, BLOCK).as_deref(), Some(old.as_str()));
        wait_until("the run ends", || status(daemon)["update"]["state"] == "rolled back");
        let status = status(daemon);
        assert_eq!(status["held"][0]["reason"], "rollback");
        let text = status["held"][0]["text"].as_str().unwrap();
        assert!(text.starts_with("rolled back on "), "{text}");
        assert!(text.contains(": nothing is published until threatstopctl -s "), "{text}");
    };
    is_back(&daemon);
    kill(daemon);

    let config = Config::new(&scratch, &[service.addr()]);
    let asked = service.queries().total();
    let daemon = Daemon::start(&scratch, &config);
    let fetched = |daemon: &Daemon| status(daemon)["update"]["last"]["result"] == "rolled back";
    wait_until("the first run fetches", || service.queries().total() > asked && fetched(&daemon));
    is_back(&daemon);
    let (asked, mark) = (service.queries().total(), daemon.mark());
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
    daemon.wait_until_ready();
    wait_until("the next run fetches", || service.queries().total() > asked && fetched(&daemon));
    is_back(&daemon);

    update(&daemon);
    assert_eq!(table(&daemon, BLOCK), Some(new_text));
    let status = status(&daemon);
    assert_eq!(status["update"]["state"], "idle");
    assert_eq!(status["held"], Value::Array(Vec::new()));
    assert!(daemon.stop().success());
}

/// Change the allow list alone, and then the block list alone.
/// Check that `show diff` has the second change and nothing of the first, that a rollback takes back
/// that much, and that after an update the change is that of the update again.
#[test]
fn the_last_change_is_that_of_the_last_update_alone() {
    let stage = Stage::new(|config| config);
    let mut allowed = allow_list();
    allowed.extend(items("198.51.100.77"));
    stage.service.edit(|z| {
        z.set_list(DNS, &allowed, Layout::Single);
    });
    update(&stage.daemon);
    assert_eq!(stage.daemon.ctl(&["show", "diff"]).stdout, "+198.51.100.77\n");
    let allow = table(&stage.daemon, ALLOW);

    let (mut block, _) = list(300);
    block.extend(items("203.0.113.77"));
    stage.service.edit(|z| {
        z.set_list(BASIC, &block, Layout::Single);
    });
    for _ in 0..2 {
        update(&stage.daemon);
        assert_eq!(stage.daemon.ctl(&["show", "diff"]).stdout, "+203.0.113.77\n");
        assert!(stage.daemon.ctl(&["rollback"]).status.success());
        assert_eq!(stage.daemon.ctl(&["show", "diff"]).stdout, "-203.0.113.77\n");
        assert_eq!(table(&stage.daemon, ALLOW), allow);
        assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    }
    assert!(stage.daemon.stop().success());
}

/// Publish one list and then another. Roll back twice, and once more after a restart.
/// Check that the second and the third change nothing, and say when it was done and what ends it, in the
/// same words whatever the socket is.
#[test]
fn a_second_rollback_changes_nothing() {
    let stage = Stage::new(|config| config);
    stage.serve(&list(320).0);
    update(&stage.daemon);
    assert!(stage.daemon.ctl(&["rollback"]).status.success());
    let again = |daemon: &Daemon, old: &str| {
        let why = refused(daemon, &["rollback"]);
        assert!(why.starts_with("threatstopctl: rollback: already rolled back on "), "{why}");
        assert!(why.ends_with("; threatstopctl update ends that\n"), "{why}");
        let said = daemon.ctl(&["-j", "rollback"]);
        assert!(said.stdout.contains("; threatstopctl update ends that\""), "{}", said.stdout);
        assert_eq!(table(daemon, BLOCK).as_deref(), Some(old));
        assert_eq!(status(daemon)["held"][0]["reason"], "rollback");
    };
    let Stage { service, scratch, daemon, old } = stage;
    again(&daemon, &old);
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    daemon.wait_until_ready();
    again(&daemon, &old);
    update(&daemon);
    assert!(daemon.ctl(&["rollback"]).status.success());
    assert!(daemon.stop().success());
}

/// Publish a list of one network, and then another with another allow list. Protect all of the first
/// network, and roll back.
/// Check that the reason is told, that neither table changes, that the engine survives it, and that
/// scheduled runs publish as before, for nothing was rolled back.
#[test]
fn a_rollback_that_would_block_nothing_changes_nothing() {
    let service = PolicyService::start(zone(&items("203.0.113.0/28")));
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    service.edit(|z| {
        *z = zone(&items("198.51.100.7"));
        z.set_list(DNS, &items("200.0.0.1"), Layout::Single);
    });
    update(&daemon);
    config.set("guard.never_block", vec!["203.0.113.0/24"]).write(&scratch);
    assert!(daemon.ctl(&["reload"]).status.success());
    daemon.wait_until_ready();
    let (tables, engine) = ([table(&daemon, BLOCK), table(&daemon, ALLOW)], daemon.engine());
    let why = refused(&daemon, &["rollback"]);
    assert!(why.starts_with("threatstopctl: rollback: nothing would be blocked: "), "{why}");
    assert_eq!([table(&daemon, BLOCK), table(&daemon, ALLOW)], tables);
    assert_eq!(daemon.engine(), engine, "the engine was dropped");
    assert_eq!(status(&daemon)["held"], Value::Array(Vec::new()));
    service.edit(|z| *z = zone(&items("198.51.100.8")));
    daemon.signal(Signal::SIGHUP);
    wait_until("a scheduled run publishes", || {
        daemon.table_file(BLOCK).as_deref() == Some("198.51.100.8\n")
    });
    assert!(daemon.stop().success());
}

/// Publish two pairs of lists. Let pf fail, in the trial and then after the allow table was put back,
/// and roll back each time.
/// Check that both tables and both sets before are as they were, and that nothing is remembered; once
/// pf is well, the rollback is done.
#[test]
fn a_rollback_that_fails_half_way_is_undone() {
    let stage = Stage::new(|config| config);
    stage.service.edit(|z| {
        *z = zone(&list(320).0);
        z.set_list(DNS, &items("200.0.0.1"), Layout::Single);
    });
    update(&stage.daemon);
    let tables = stage.scratch.tables();
    let seen = || {
        [BLOCK, ALLOW].map(|name| {
            let before = tables.join(format!("{name}.pftable.prev"));
            (table(&stage.daemon, name), fs::read_to_string(before).unwrap())
        })
    };
    let first = seen();
    let is_const = tables.join("simulated.conf");
    // what pf's own file would be written to, so that pf fails in earnest and not in the trial
    let trap = tables.join(format!(".{BLOCK}.simulated.tmp"));
    for in_earnest in [false, true] {
        match in_earnest {
            false => plant(&is_const, &format!("const {BLOCK}\n")),
            true => fs::create_dir(&trap).unwrap(),
        }
        let why = refused(&stage.daemon, &["rollback"]);
        assert!(why.contains("rollback: block table: "), "{why}");
        assert_eq!(seen(), first, "{why}");
        assert_eq!(stage.status()["held"], Value::Array(Vec::new()));
        if in_earnest {
            fs::remove_dir(&trap).unwrap();
        } else {
            fs::remove_file(&is_const).unwrap();
        }
    }
    assert!(stage.daemon.ctl(&["rollback"]).status.success());
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    assert_eq!(table(&stage.daemon, ALLOW), Some(table_text(&allow_list())));
    assert!(stage.daemon.stop().success());
}

/// Publish a list and then one that blocks a host by mistake. Name the host in never_block, and when
/// it is let through, roll back.
/// Check that the rollback goes to the list before the mistake, and not to the one before the relief.
#[test]
fn what_is_let_through_at_once_is_no_change_to_go_back_to() {
    let stage = Stage::new(|config| config);
    let (mut block, _) = list(320);
    block.extend(items("203.0.113.77"));
    stage.serve(&block);
    update(&stage.daemon);
    let config = Config::new(&stage.scratch, &[stage.service.addr()]);
    config.set("guard.never_block", vec!["203.0.113.77"]).write(&stage.scratch);
    assert!(stage.daemon.ctl(&["reload"]).status.success());
    wait_until("the host is let through", || {
        stage.daemon.table_file(BLOCK).is_some_and(|text| !text.contains("203.0.113.77"))
    });
    stage.daemon.wait_until_ready();
    assert!(stage.daemon.ctl(&["rollback"]).status.success());
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    assert!(stage.daemon.stop().success());
}

/// Publish two lists. Lose the file of the block table and make an empty one in its place, as setup
/// does; then have the daemon start anew, so that the update meets what is lost.
/// Check that the set before is as it was each time, and that a rollback goes back to it.
#[test]
fn a_lost_file_takes_no_way_back_along() {
    let stage = Stage::new(|config| config.set("tables.check_interval", "1s"));
    stage.serve(&list(320).0);
    update(&stage.daemon);
    let (new, file) = (table(&stage.daemon, BLOCK), format!("{BLOCK}.pftable"));
    let path = |name: &str| stage.scratch.tables().join(name);
    let way_back = || fs::read_to_string(path(&format!("{file}.prev"))).unwrap();
    for by_update in [false, true] {
        for text in [None, Some(""), Some("spoilt")] {
            fs::remove_file(path(&file)).unwrap();
            if let Some(text) = text {
                plant(&path(&file), text);
            }
            if by_update {
                update(&stage.daemon);
            }
            wait_until("the file is there again", || stage.daemon.table_file(BLOCK) == new);
            assert_eq!(way_back(), stage.old, "{text:?}");
        }
    }
    assert!(stage.daemon.ctl(&["rollback"]).status.success());
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    assert!(stage.daemon.stop().success());
}

/// Roll back where there is nothing to go back to.
/// Check that nothing changes, that the reason is plain, that all of the first set counts as added,
/// and that later runs still publish.
#[test]
fn a_rollback_to_nothing_is_refused() {
    let stage = Stage::new(|config| config);
    let why = refused(&stage.daemon, &["rollback"]);
    assert!(why.starts_with("threatstopctl: rollback: there is no previous set"), "{why}");
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    assert_eq!(stage.status()["update"]["state"], "idle");
    let allow = table(&stage.daemon, ALLOW).unwrap();
    let all = allow.lines().chain(stage.old.lines()).map(|line| format!("+{line}\n"));
    assert_eq!(stage.daemon.ctl(&["show", "diff"]).stdout, all.collect::<String>());
    stage.goes_on();
}

/// Publish a list and then another. Roll back, update while the service has the first again, and roll back.
/// Then configure another list in its place, and roll back.
/// Check that each time the reason is the true one, and that the second names the way out.
#[test]
fn a_rollback_says_why_there_is_nothing_to_put_back() {
    let stage = Stage::new(|config| config);
    let says = |expected: &str| {
        let why = refused(&stage.daemon, &["rollback"]);
        assert!(why.contains(expected), "{why}");
    };
    stage.serve(&list(320).0);
    update(&stage.daemon);
    assert!(stage.daemon.ctl(&["rollback"]).status.success());
    stage.serve(&list(300).0);
    assert!(update(&stage.daemon).stdout.contains("No changes\n"));
    says(": what the last run brought was rolled back already, and no update has brought anything");

    stage.service.edit(|z| {
        z.set_list(SCAN, &items("198.51.100.7"), Layout::Single);
    });
    let config = Config::new(&stage.scratch, &[stage.service.addr()]);
    config.set("policy.block", vec![SCAN]).write(&stage.scratch);
    assert!(stage.daemon.ctl(&["reload"]).status.success());
    stage.daemon.wait_until_ready();
    update(&stage.daemon);
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some("198.51.100.7\n"));
    says(
        "rollback: nothing would be blocked: no list that is configured for the block table had \
         anything before the last run; all tables stay as they are; the configuration of before \
         brings back what was there\n",
    );
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some("198.51.100.7\n"));
    assert!(stage.daemon.stop().success());
}

/// Publish two lists, roll back, and serve a third that is held back. Update by hand.
/// Check that it is held back by its size and by the rollback no longer: the next scheduled run
/// publishes what is right again.
#[test]
fn an_update_that_is_held_back_ends_a_rollback_too() {
    let stage = Stage::new(|config| config);
    stage.serve(&list(320).0);
    update(&stage.daemon);
    assert!(stage.daemon.ctl(&["rollback"]).status.success());
    stage.serve(&list(30).0);
    refused(&stage.daemon, &["update"]);
    let held = stage.status()["held"].clone();
    assert_eq!(held.as_array().unwrap().len(), 1, "{held}");
    assert_eq!(held[0]["reason"], "change");
    let (new, text) = list(310);
    stage.serve(&new);
    stage.daemon.signal(Signal::SIGHUP);
    let is_there = || stage.daemon.table_file(BLOCK).as_ref() == Some(&text);
    wait_until("the new list is there", is_there);
    assert!(stage.daemon.stop().success());
}

/// Roll back while an update hangs on its server, and another while it publishes.
/// Check that what is in force in the end is what was rolled back to, and stays so.
#[test]
fn a_rollback_in_the_middle_of_a_run_is_not_overtaken() {
    let stage = Stage::new(|config| config);
    let (new, _) = list(320);
    stage.serve(&new);
    update(&stage.daemon);
    stage.serve(&list(330).0);
    for _ in 0..6 {
        // a scheduled run, as the new engine makes one, and a rollback into it
        let mark = stage.daemon.mark();
        stage.daemon.signal(Signal::SIGHUP);
        stage.daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
        wait_until("the engine answers", || stage.daemon.ctl(&["rollback"]).status.success());
        let now = table(&stage.daemon, BLOCK).unwrap();
        // a run may be under way still
        assert_eq!(stage.status()["held"][0]["reason"], "rollback");
        let mark = stage.daemon.mark();
        stage.daemon.signal(Signal::SIGHUP);
        stage.daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
        stage.daemon.wait_until_ready();
        wait_until("the run ends", || stage.status()["update"]["state"] == "rolled back");
        assert_eq!(table(&stage.daemon, BLOCK), Some(now));
        update(&stage.daemon);
    }
    assert!(stage.daemon.stop().success());
}
