//! The way back to the previous policy, and how long it lasts.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::time::Duration;

use common::*;
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::harness::{Config, Daemon};
use tests::item::items;
use tests::lists::allow_list;
use tests::sim::Layout;

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
        assert!(text.ends_with(": nothing is published until threatstopctl update"), "{text}");
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
/// Check that `show diff` has the second change and nothing of the first, and that a rollback takes
/// back that much, as often as it is given.
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

    // changes are told apart by the second
    std::thread::sleep(Duration::from_millis(1100));
    let (mut block, _) = list(300);
    block.extend(items("203.0.113.77"));
    stage.service.edit(|z| {
        z.set_list(BASIC, &block, Layout::Single);
    });
    update(&stage.daemon);
    for diff in ["+203.0.113.77\n", "-203.0.113.77\n", "+203.0.113.77\n"] {
        assert_eq!(stage.daemon.ctl(&["show", "diff"]).stdout, diff);
        assert_eq!(table(&stage.daemon, ALLOW), allow);
        assert!(stage.daemon.ctl(&["rollback"]).status.success());
    }
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
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
