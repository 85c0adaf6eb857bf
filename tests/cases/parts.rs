//! Runs that put in force what has come while they wait for the rest, and who joins them.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;
use std::thread;

use crate::common::*;
use crate::feeds::{Feeds, feed, hosts};
use tests::harness::{Daemon, Scratch, ctl, programs};
use tests::process::Process;

/// Feeds `drop` and `slow` with 300 and 200 entries, and what the administrator's file says.
fn two_feeds(file: &Path) -> Feeds {
    Feeds::new(|config, server| {
        server.serve("/slow", &hosts("9.2", 200));
        let config = config
            .set("policy.local_block", file.to_str().unwrap())
            .set("tables.check_interval", "1d");
        config.add("feed", &feed("slow", &server.url("/slow")))
    })
}

/// Replaces an entry of the table in pf by another one, so that nothing shows it that pf counts.
fn swap_unseen(scratch: &Scratch, entry: &str, other: &str) {
    let path = scratch.tables().join(format!("{BLOCK}.simulated"));
    let since = path.metadata().unwrap().modified().unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(entry), "{entry}");
    plant(&path, &text.replace(entry, other));
    File::options().write(true).open(path).unwrap().set_modified(since).unwrap();
}

/// 1. Let two feeds change, of which one keeps its body back, and update by hand.
/// 2. When the first is in force, let pf fail after its trial, and then the other one come: the update
///    fails, and file, table and the set before are as they were.
/// 3. Block an address: that fails likewise.
/// 4. Let pf be well and update: all of it is in force.
#[test]
fn what_pf_refuses_of_a_late_part_is_taken_back() {
    let mine = Scratch::new();
    let file = mine.path().join("mine");
    fs::write(&file, "9.3.0.1\n").unwrap();
    let feeds = two_feeds(&file);
    let (before, prev) = (feeds.entries(), table(&feeds.daemon, BLOCK).unwrap());
    feeds.server.serve("/drop", &hosts("9.1", 310));
    feeds.server.serve("/slow", &hosts("9.2", 205));
    feeds.server.hold("/slow");
    let socket = feeds.scratch.socket();
    let by_hand = thread::spawn(move || ctl(&socket, &["update"]));
    wait_until("the first part is in force", || feeds.entries() == before + 10);

    let previous =
        || fs::read_to_string(feeds.scratch.tables().join(format!("{BLOCK}.pftable.prev")));
    let now = table(&feeds.daemon, BLOCK);
    // what pf's own file would be written to, so that pf fails in earnest and not in the trial
    let trap = feeds.scratch.tables().join(format!(".{BLOCK}.simulated.tmp"));
    fs::create_dir(&trap).unwrap();
    let is_as_it_was = || {
        assert_eq!(
            (&feeds.daemon.table_file(BLOCK), &feeds.daemon.kernel_table(BLOCK)),
            (&now, &now)
        );
        assert_eq!(previous().unwrap(), prev);
    };
    feeds.server.release("/slow");
    let output = by_hand.join().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", output.stdout);
    let failed = output.stdout.lines().find(|line| line.starts_with("Failed: block table: "));
    assert!(failed.is_some_and(|why| why.ends_with("; the old set stays")), "{}", output.stdout);
    is_as_it_was();
    let why = refused(&feeds.daemon, &["block", "9.8.0.1"]);
    assert!(why.contains("; the old set stays"), "{why}");
    is_as_it_was();

    fs::remove_dir(&trap).unwrap();
    update(&feeds.daemon);
    assert_eq!(feeds.entries(), before + 16);
    assert!(feeds.daemon.stop().success());
}

/// 1. Change the file of the administrator and a feed, and update, while another feed keeps its body back.
/// 2. When the first part is in force, change the file once more and let the other feed come.
/// 3. Roll back: all is as it was before the run, and nothing as it was in the middle of it.
#[test]
fn a_rollback_goes_back_before_all_parts_of_a_run() {
    let mine = Scratch::new();
    let file = mine.path().join("mine");
    fs::write(&file, "9.3.0.1\n").unwrap();
    let feeds = two_feeds(&file);
    let before = table(&feeds.daemon, BLOCK);
    let entries = feeds.entries();
    feeds.server.serve("/drop", &hosts("9.1", 310));
    feeds.server.serve("/slow", &hosts("9.2", 205));
    feeds.server.hold("/slow");
    fs::write(&file, "9.3.0.1\n9.3.0.3\n").unwrap();
    let socket = feeds.scratch.socket();
    let by_hand = thread::spawn(move || ctl(&socket, &["update"]));
    wait_until("the first part is in force", || feeds.entries() == entries + 11);
    fs::write(&file, "9.3.0.1\n9.3.0.3\n9.3.0.5\n").unwrap();
    feeds.server.release("/slow");
    let output = by_hand.join().unwrap();
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
    assert_eq!(feeds.entries(), entries + 17);
    let output = feeds.daemon.ctl(&["rollback"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(table(&feeds.daemon, BLOCK), before);
    assert!(feeds.daemon.stop().success());
}

/// 1. Change the file of the administrator and a feed, and update.
/// 2. Change the file once more, and block an address, with which the file is read.
/// 3. Roll back: feed and file are as they were before the update, and the address is blocked still.
#[test]
fn a_rollback_goes_back_before_what_a_file_has_become_since() {
    let mine = Scratch::new();
    let file = mine.path().join("mine");
    fs::write(&file, "9.3.0.1\n").unwrap();
    let feeds = two_feeds(&file);
    let (before, entries) = (table(&feeds.daemon, BLOCK).unwrap(), feeds.entries());
    feeds.server.serve("/drop", &hosts("9.1", 310));
    fs::write(&file, "9.3.0.1\n9.3.0.3\n").unwrap();
    update(&feeds.daemon);
    assert_eq!(feeds.entries(), entries + 11);
    fs::write(&file, "9.3.0.1\n9.3.0.3\n9.3.0.5\n").unwrap();
    assert!(feeds.daemon.ctl(&["block", "9.8.0.1"]).status.success());
    wait_until("the file is in force", || feeds.entries() == entries + 13);
    let output = feeds.daemon.ctl(&["rollback"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(table(&feeds.daemon, BLOCK), Some(before + "9.8.0.1\n"));
    assert!(feeds.daemon.stop().success());
}

/// 1. Start with 20,000 entries in force and a feed from another place, which keeps its answer back, so
///    that the first run waits for it.
/// 2. Block an address; then change the table in pf without a trace, and block another one: what that
///    overwrites is told.
/// 3. Do the same once more and update by hand, which joins the run; let the feed answer, with nothing
///    that is a list. Who has joined is told what somebody has done to the table, as by any update.
#[test]
fn nothing_is_overwritten_untold() {
    let (many, mut config) = (hosts("9.1", 20_000), None);
    let feeds = Feeds::new(|base, server| {
        server.serve("/drop", &many);
        let base = base.set("tables.check_interval", "1d");
        config = Some(base.clone());
        base
    });
    let Feeds { server, scratch, daemon } = feeds;
    assert!(daemon.stop().success());
    server.serve("/moved", "<html>\n");
    server.hold("/moved");
    let config = config.unwrap().unset("feed").add("feed", &feed("drop", &server.url("/moved")));
    let daemon = Daemon::start(&scratch, &config);
    wait_until("the first run waits", || status(&daemon)["update"]["state"] == "running");
    let told =
        format!("pf table <{BLOCK}> had been changed by somebody: 1 prefix put back, 1 removed");
    assert!(daemon.ctl(&["block", "9.8.0.1"]).status.success());
    swap_unseen(&scratch, "9.1.7.1\n", "9.1.7.2\n");
    assert!(daemon.ctl(&["block", "9.8.0.3"]).status.success());
    daemon.wait_for(&told, PATIENCE);

    swap_unseen(&scratch, "9.1.9.1\n", "9.1.9.2\n");
    let mut command = Command::new(&programs().threatstopctl);
    let by_hand = Process::spawn(command.arg("-s").arg(scratch.socket()).arg("update"));
    by_hand.wait_for("Starting ThreatSTOP update on ", PATIENCE);
    server.release("/moved");
    assert_eq!(by_hand.wait_exit(PATIENCE).code(), Some(1), "{}", by_hand.output());
    by_hand.wait_for(&format!("Warning: {told}"), PATIENCE);
    let text = table(&daemon, BLOCK).unwrap();
    assert_eq!(text.lines().count(), 20_002);
    assert_eq!(server.take().iter().filter(|one| one.path == "/moved").count(), 1);
    assert!(daemon.stop().success());
}
