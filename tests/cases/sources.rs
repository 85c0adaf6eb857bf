//! Lists of several origins: each is guarded by itself, has its own last good copy, and holds up none
//! of the others.

use std::fs;

use crate::common::*;
use crate::three::*;
use nix::sys::signal::Signal;
use serde_json::Value;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::{Item, table_text};
use tests::lists::allow_list;
use tests::sim::PolicyService;

/// Publish two lists of the service and a file. Empty each of them in turn, the file as a download
/// that failed does; update with a small change of another one.
/// Check that the one is held, named, and in force as before; that the other is published; that JSON
/// has both; that `-f` for another source does not accept it, and for its own does.
#[test]
fn a_list_that_became_empty_is_held_and_the_others_go_on() {
    let three = Three::new([1000, 2000, 1500], |config| config);
    let cases =
        [(SCAN, "policy", "local_block", 2000), ("local_block", "local_block", "policy", 1500)];
    let mut counts = [1000, 2000, 1500];
    for (list, own, other, entries) in cases {
        counts[0] += 1;
        three.serve(BASIC, &hosts(SPACES[0], counts[0]));
        match list {
            SCAN => three.serve(SCAN, &[]),
            _ => fs::write(&three.file, "").unwrap(),
        }
        let words = format!(
            "Keeping the previous list {list}: {entries} -> 0 entries, more than 50 % fewer (update \
             -f to accept)"
        );
        let why = refused(&three.daemon, &["update"]);
        assert!(why.contains(&words), "{why}");
        three.has(counts);
        let held = status(&three.daemon)["held"].clone();
        assert_eq!(held[0]["list"], list, "{held}");
        assert_eq!((&held[0]["reason"], &held[0]["can_force"]), (&"change".into(), &true.into()));
        assert_eq!(held[0]["text"], Value::from(words.as_str()));
        assert_eq!(held.as_array().unwrap().len(), 1, "{held}");
        let source = three.source(own);
        assert_eq!(source["state"], "held", "{source}");
        let listed = source["lists"].as_array().unwrap();
        let listed = listed.iter().find(|one| one["name"] == list).unwrap();
        assert_eq!((&listed["state"], &listed["entries"]), (&"held".into(), &entries.into()));
        assert_eq!(three.source(other)["state"], "good");

        // whatever becomes of the other, this one is not accepted by it
        let _ = three.daemon.ctl(&["update", "-f", other]);
        three.has(counts);
        assert_eq!(status(&three.daemon)["held"][0]["list"], list);
        assert!(three.daemon.ctl(&["update", "-f", own]).status.success());
        counts[if list == SCAN { 1 } else { 2 }] = 0;
        three.has(counts);
        assert_eq!(status(&three.daemon)["held"], Value::Array(Vec::new()));
    }
    assert!(three.daemon.stop().success());
}

/// Publish three lists. Make a mistake in the file; then mend it, and end the service. Change what
/// is well each time.
/// Check that update fails and names source, reason and age of the copy, that what is well is
/// published, and that status has the failing source and warns of the file with its line.
#[test]
fn a_source_that_fails_holds_up_no_other() {
    let three = Three::new([100, 200, 300], |config| config.set("policy.timeout", "5s"));
    fs::write(&three.file, "8.0.0.1\n8.0.0.3/33\n").unwrap();
    three.serve(BASIC, &hosts(SPACES[0], 110));
    let output = three.daemon.ctl(&["update"]);
    assert_eq!(output.status.code(), Some(1));
    let mistake = format!("local_block: {}:2: ", three.file.display());
    let failed = output.stdout.lines().find(|line| line.starts_with("Failed: ")).unwrap();
    assert!(failed.starts_with(&format!("Failed: {mistake}")), "{failed}");
    assert!(failed.contains("; its copy of ") && failed.ends_with(" ago stays"), "{failed}");
    assert!(
        output.stdout.contains("Changed: +10 -0 blocked, +0 -0 allowed\n"),
        "{}",
        output.stdout
    );
    three.has([110, 200, 300]);
    let now = status(&three.daemon);
    let warnings = now["pf"]["warnings"].to_string();
    assert!(warnings.contains(&mistake), "{warnings}");
    assert_eq!(three.source("local_block")["state"], "failing");
    assert!(three.source("local_block")["error"].as_str().unwrap().contains(":2: "));
    assert_eq!(three.source("policy")["state"], "good");
    // a run for the service alone did what was asked
    assert!(three.daemon.ctl(&["update", "policy"]).status.success());

    write(&three.file, &hosts(SPACES[2], 310));
    let Three { service, scratch, daemon, .. } = three;
    service.stop();
    let output = daemon.ctl(&["update"]);
    assert_eq!(output.status.code(), Some(1));
    let failed: Vec<&str> =
        output.stdout.lines().filter(|line| line.starts_with("Failed: policy: ")).collect();
    assert_eq!(failed.len(), 1, "{}", output.stdout);
    assert!(
        failed[0].contains("; its copies of ") && failed[0].ends_with(" ago stay"),
        "{failed:?}"
    );
    let all = [hosts(SPACES[0], 110), hosts(SPACES[1], 200), hosts(SPACES[2], 310)].concat();
    assert_eq!(table(&daemon, BLOCK), Some(table_text(&all)));
    assert_eq!(status(&daemon)["update"]["state"], "failing");
    // a run for the file alone asks no server
    write(&scratch.path().join("mine"), &hosts(SPACES[2], 320));
    let output = daemon.ctl(&["update", "local_block"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert!(!output.stdout.contains("DNS Server"), "{}", output.stdout);
    assert!(daemon.stop().success());
}

/// Ask for a source that there is none of, among others.
/// Check that nothing runs, and that the answer names the sources there are.
#[test]
fn an_unknown_source_runs_nothing() {
    let three = Three::new([10, 20, 30], |config| config);
    three.serve(BASIC, &hosts(SPACES[0], 11));
    let asked = three.service.queries().total();
    for arguments in [&["update", "drop"][..], &["update", "-f", "policy", "local_allow"]] {
        let why = refused(&three.daemon, arguments);
        let name = arguments.last().unwrap();
        let words = format!(
            "threatstopctl: update: {name}: no source of this configuration, which has policy, \
             local_block\n"
        );
        assert_eq!(why, words);
    }
    assert_eq!(three.service.queries().total(), asked);
    three.has([10, 20, 30]);
    assert!(three.daemon.stop().success());
}

/// Start a new installation with a file, whose servers do not answer; then start the service.
/// Check that the file's table is published at once, that status says which lists are missing, and
/// that the lists of the service come into it without anybody's force, however many they are.
#[test]
fn the_first_policy_needs_one_source() {
    let (service, _) = honest(300);
    let addr = service.addr();
    service.stop();
    let scratch = Scratch::new();
    let file = scratch.path().join("mine");
    write(&file, &hosts(SPACES[2], 20));
    let config = Config::new(&scratch, &[addr]).set("policy.local_block", file.to_str().unwrap());
    let daemon = Daemon::start(&scratch, &config);
    let first = table_text(&hosts(SPACES[2], 20));
    wait_until("the file is in force", || daemon.table_file(BLOCK).as_ref() == Some(&first));
    refused(&daemon, &["update"]);
    assert_eq!(table(&daemon, BLOCK), Some(first));
    let warnings = status(&daemon)["pf"]["warnings"].to_string();
    for (list, word) in [(BASIC, "blocked"), (DNS, "allowed")] {
        let words = format!("list {list} has not come yet: nothing of it is {word}");
        assert!(warnings.contains(&words), "{warnings}");
    }
    let (list, _) = list(300);
    let _service = PolicyService::start_at(addr, zone(&list));
    update(&daemon);
    let all = table_text(&[list, hosts(SPACES[2], 20)].concat());
    let sorted = |text: &str| {
        let mut lines: Vec<_> = text.lines().map(ToOwned::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(&table(&daemon, BLOCK).unwrap()), sorted(&all));
    assert!(!status(&daemon)["pf"]["warnings"].to_string().contains("has not come yet"));
    assert!(daemon.stop().success());
}

/// Publish three lists. Stop, damage the copy of one, lose that of another, or lose all that the
/// engine remembers; start without the service, and have something protected.
/// Check that the table is never smaller but for what is protected, also when the file changes. Let
/// the service come back with far less: check that this is held, for the table in force stands in
/// for the copies; and with what it had: check that the table is the same, and has no stand-in more.
#[test]
fn a_lost_copy_makes_no_table_smaller() {
    type Damage = fn(&Scratch);
    let damages: [(&str, Damage); 4] = [
        ("one is gone", |scratch| fs::remove_file(copy(scratch, SCAN)).unwrap()),
        ("one is damaged", |scratch| {
            let path = copy(scratch, SCAN);
            let mut octets = fs::read(&path).unwrap();
            let last = octets.len() - 1;
            octets[last] ^= 1;
            fs::write(path, octets).unwrap();
        }),
        ("all are cut off", |scratch| {
            for list in [BASIC, SCAN, DNS] {
                fs::write(copy(scratch, list), "threatstopd list 1\n").unwrap();
            }
        }),
        ("everything is gone", |scratch| {
            fs::remove_dir_all(scratch.spool().join("lists")).unwrap();
            fs::remove_file(scratch.spool().join("state.json")).unwrap();
            // as a version before this one has left it
            fs::write(scratch.spool().join("policy.lists"), "threatstopd policy 1\n").unwrap();
        }),
    ];
    for (what, damage) in damages {
        let three = Three::new([500, 600, 20], |config| config);
        let dead = Config::new(&three.scratch, &["127.0.0.1:9".parse().unwrap()])
            .set("policy.block", vec![BASIC, SCAN])
            .set("policy.local_block", three.file.to_str().unwrap())
            .set("guard.never_block", vec!["6.0.0.0/29"]);
        let alive = three.config.clone().set("guard.never_block", vec!["6.0.0.0/29"]);
        let three = three.again(dead, damage);
        let without = |mut items: Vec<Item>| {
            items.retain(|item| !items_of(SPACES[1], 4).contains(item));
            table_text(&items)
        };
        let all = |local| {
            [hosts(SPACES[0], 500), hosts(SPACES[1], 600), hosts(SPACES[2], local)].concat()
        };
        wait_until(&format!("{what}: what is protected is let through"), || {
            three.daemon.table_file(BLOCK) == Some(without(all(20)))
        });
        write(&three.file, &hosts(SPACES[2], 21));
        refused(&three.daemon, &["update"]);
        assert_eq!(table(&three.daemon, BLOCK), Some(without(all(21))), "{what}");
        assert_eq!(table(&three.daemon, ALLOW), Some(table_text(&allow_list())), "{what}");

        let mut three = three.again(alive, |_| {});
        three.serve(SCAN, &hosts(SPACES[1], 6));
        three.serve(BASIC, &hosts(SPACES[0], 5));
        let why = refused(&three.daemon, &["update"]);
        assert!(why.contains("Keeping the previous "), "{what}: {why}");
        assert_eq!(table(&three.daemon, BLOCK), Some(without(all(21))), "{what}");
        three.serve(SCAN, &hosts(SPACES[1], 600));
        three.serve(BASIC, &hosts(SPACES[0], 499));
        update(&three.daemon);
        let now = [hosts(SPACES[0], 499), hosts(SPACES[1], 600), hosts(SPACES[2], 21)].concat();
        assert_eq!(table(&three.daemon, BLOCK), Some(without(now)), "{what}");
        let config = three.config.clone();
        three = three.again(config, |_| {});
        assert!(!three.daemon.output().contains("stands in"), "{what}");
        assert!(three.daemon.stop().success());
    }
}

fn items_of(space: u32, count: u32) -> Vec<Item> {
    hosts(space, count)
}

/// Publish three lists; change one of the service by an update, and then the file, which the daemon
/// notices by itself. Roll back.
/// Check that the list is undone and named, and that the file stays as its administrator has it, also
/// when it changes once more: then nothing of it is published until somebody updates.
#[test]
fn a_rollback_undoes_the_last_run_that_gathered_and_no_other() {
    let three = Three::new([100, 200, 30], |config| config.set("tables.check_interval", "1s"));
    three.serve(SCAN, &hosts(SPACES[1], 220));
    update(&three.daemon);
    write(&three.file, &hosts(SPACES[2], 33));
    let expected = |counts: [u32; 3]| {
        let all: Vec<Item> = (0..3).flat_map(|at| hosts(SPACES[at], counts[at])).collect();
        table_text(&all)
    };
    let becomes = |three: &Three, counts| {
        wait_until("the file is in force", || {
            three.daemon.table_file(BLOCK) == Some(expected(counts))
        });
    };
    becomes(&three, [100, 220, 33]);
    let output = three.daemon.ctl(&["rollback"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert!(output.stdout.contains("undone: policy"), "{}", output.stdout);
    three.has([100, 200, 33]);
    // what is rolled back to is in force again after a restart, without the service
    let dead = three.config.clone().set("policy.servers", vec!["127.0.0.1:9"]);
    let alive = three.config.clone();
    let three = three.again(dead, |_| {});
    three.has([100, 200, 33]);
    assert_eq!(status(&three.daemon)["held"][0]["reason"], "rollback");
    let three = three.again(alive, |_| {});
    update(&three.daemon);
    three.has([100, 220, 33]);
    assert!(three.daemon.stop().success());
}

/// Publish three lists with room for few more entries. Let two grow, so that each is within its own
/// limits and the sum is not.
/// Check that both keep their copies, that the message names the one that grew most, and that the
/// file, which has not changed, and a network that comes to be protected count all the same.
#[test]
fn lists_that_are_too_much_together_all_stay() {
    let three = Three::new([100, 200, 30], |config| config.set("guard.max_entries", 400));
    three.serve(BASIC, &hosts(SPACES[0], 150));
    three.serve(SCAN, &hosts(SPACES[1], 240));
    let why = refused(&three.daemon, &["update"]);
    let words = "Keeping the previous block list: 420 entries, more than 400 (see max_entries in \
                 [guard]); basic.threatstop.local grew most";
    assert!(why.contains(words), "{why}");
    three.has([100, 200, 30]);
    assert_eq!(status(&three.daemon)["held"][0]["table"], "block");
    three.serve(SCAN, &hosts(SPACES[1], 200));
    update(&three.daemon);
    three.has([150, 200, 30]);
    three.daemon.wait_for("block table: not held back any more", PATIENCE);
    assert!(three.daemon.stop().success());
}

/// Publish three lists, and reload with room for fewer entries than one of them has. Update; let the
/// file change; reload with room for all, and again with less, and let the list become small.
/// Check that this list alone is left out, at once, and told of with the reason, that the others go
/// on, that it comes back with the room for it, and that what is small enough needs no force.
#[test]
fn a_copy_that_breaks_a_guard_is_left_out_alone() {
    let three = Three::new([100, 200, 30], |config| config);
    let reload = |room: u32| {
        three.config.clone().set("guard.max_entries", room).write(&three.scratch);
        let output = three.daemon.ctl(&["reload"]);
        assert!(output.status.success(), "{}", output.stderr);
    };
    let has = |counts: [u32; 3]| {
        let all: Vec<Item> = (0..3).flat_map(|at| hosts(SPACES[at], counts[at])).collect();
        let text = Some(table_text(&all));
        wait_until("the table is of these lists", || table(&three.daemon, BLOCK) == text);
    };
    let words = "Leaving out list scanners.threatstop.local, whose copy the guards do not permit any \
                 more: 200 entries, more than 150 (see max_entries in [guard])";
    reload(150);
    has([100, 0, 30]);
    three.daemon.wait_for(words, PATIENCE);
    let why = refused(&three.daemon, &["update"]);
    assert!(why.contains(words), "{why}");
    assert!(three.daemon.ctl(&["update", "local_block"]).status.success());
    write(&three.file, &hosts(SPACES[2], 31));
    assert!(three.daemon.ctl(&["update", "local_block"]).status.success());
    three.has([100, 0, 31]);
    let lists = three.source("policy")["lists"].clone();
    let state = |name: &str| {
        lists.as_array().unwrap().iter().find(|list| list["name"] == name).unwrap()["state"].clone()
    };
    assert_eq!((state(BASIC), state(SCAN)), ("good".into(), "refused".into()));
    reload(1000);
    has([100, 200, 31]);
    wait_until("nothing is refused", || status(&three.daemon)["held"] == serde_json::json!([]));
    reload(150);
    has([100, 0, 31]);
    three.serve(SCAN, &hosts(SPACES[1], 7));
    update(&three.daemon);
    three.has([100, 7, 31]);
    assert!(three.daemon.stop().success());
}

/// Publish two lists and follow a packet log that has no directory.
/// Check that this ends no start, and that log and status say what to do.
#[test]
fn a_packet_log_without_a_directory_ends_no_start() {
    let (service, text) = honest(300);
    let scratch = Scratch::new();
    let log = scratch.path().join("missing").join("pflog");
    let config = Config::new(&scratch, &[service.addr()]).set("log.enabled", true);
    let daemon = Daemon::start(&scratch, &config.set("log.file", log.to_str().unwrap()));
    let why = format!("{}: No such file or directory", log.display());
    let way_out = "; make its directory and threatstopctl reload, or set log.file";
    daemon.wait_for(&format!("{why}{way_out}"), PATIENCE);
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK), Some(text));
    wait_until("status warns of it", || {
        let warnings = status(&daemon)["pf"]["warnings"].to_string();
        warnings.contains(&format!("packet log: {why}"))
    });
    assert!(daemon.stop().success());
}

/// Publish lists of 150 hosts each. Let each lose 80, which is too few to hold one of them.
/// Check that the second net holds the table, and that -f accepts it.
#[test]
fn many_lists_that_shrink_a_little_are_one_that_shrinks_much() {
    let three = Three::new([150, 150, 150], |config| config);
    three.serve(BASIC, &hosts(SPACES[0], 70));
    three.serve(SCAN, &hosts(SPACES[1], 70));
    write(&three.file, &hosts(SPACES[2], 70));
    let why = refused(&three.daemon, &["update"]);
    let words = "Keeping the previous block list: 450 -> 210 entries, more than 50 % fewer (update \
                 -f to accept)";
    assert!(why.contains(words), "{why}");
    three.has([150, 150, 150]);
    assert!(three.daemon.ctl(&["update", "-f"]).status.success());
    three.has([70, 70, 70]);
    assert!(three.daemon.stop().success());
}

/// Publish three lists. Put another file in the place of the administrator's by rename, then one with
/// a mistake, then none at all.
/// Check that the daemon notices each without anybody's update, that the mistakes are in log and
/// status once, that the copy stays, and that nothing is told of them any more once they are mended.
#[test]
fn a_replaced_file_is_seen() {
    let three = Three::new([10, 20, 30], |config| config.set("tables.check_interval", "1s"));
    let asked = three.service.queries().total();
    let other = three.scratch.path().join("other");
    write(&other, &hosts(SPACES[2], 35));
    fs::rename(&other, &three.file).unwrap();
    let all = [hosts(SPACES[0], 10), hosts(SPACES[1], 20), hosts(SPACES[2], 35)].concat();
    wait_until("the new file counts", || three.daemon.table_file(BLOCK) == Some(table_text(&all)));
    fs::write(&other, "8.0.0.0/24\nnonsense\n").unwrap();
    fs::rename(&other, &three.file).unwrap();
    let mistake = format!("local_block: {}:2: ", three.file.display());
    three.daemon.wait_for(&mistake, PATIENCE);
    fs::remove_file(&three.file).unwrap();
    let gone = format!("local_block: {}: ", three.file.display());
    three.daemon.wait_for(&gone, PATIENCE);
    // the log has it before the run ends
    wait_until("status warns of it", || {
        let warnings = status(&three.daemon)["pf"]["warnings"].to_string();
        warnings.contains("No such file or directory")
    });
    three.has([10, 20, 35]);
    let said = three.daemon.lines();
    let said = said.iter().filter(|line| line.text.contains(&mistake)).count();
    assert_eq!(said, 1, "{}", three.daemon.output());
    assert_eq!(three.service.queries().total(), asked, "a server was asked");
    // an update says why, until the file is mended; and who asks for another source hears nothing of it
    refused(&three.daemon, &["update"]);
    assert!(three.daemon.ctl(&["update", "policy"]).status.success());
    refused(&three.daemon, &["update"]);
    let why = || status(&three.daemon)["update"]["last"]["why"].clone();
    assert!(why().as_str().unwrap().contains("local_block: "), "{}", why());
    write(&three.file, &hosts(SPACES[2], 36));
    wait_until("nothing is wrong any more", || why().is_null());
    three.has([10, 20, 36]);
    assert!(three.daemon.stop().success());
}

/// Have a file that only its owner may read, with a mistake that tells something.
/// Check that neither status nor update shows the text of the line, and that a file that everybody
/// may read is quoted.
#[test]
fn a_file_that_others_may_not_read_is_not_quoted() {
    let three = Three::new([10, 20, 30], |config| config);
    for (mode, shown) in [(0o600, false), (0o644, true)] {
        fs::write(&three.file, "8.0.0.0/24\nsecret-of-mine\n").unwrap();
        set_mode(&three.file, mode);
        let why = refused(&three.daemon, &["update"]);
        let status = status(&three.daemon).to_string();
        for text in [why, status, three.daemon.ctl(&["status"]).stdout] {
            assert!(text.contains(":2: "), "{text}");
            assert_eq!(text.contains("secret-of-mine"), shown, "{mode:o}: {text}");
        }
    }
    assert!(three.daemon.stop().success());
}

/// Take a list out of the configuration, and put it in again.
/// Check that its addresses leave with it, that its copies are gone, and that it comes back by the
/// first update without force.
#[test]
fn a_list_that_leaves_the_configuration_takes_its_copies_along() {
    let three = Three::new([100, 2000, 30], |config| config);
    let with = three.config.clone();
    let without = with.clone().set("policy.block", vec![BASIC]);
    without.write(&three.scratch);
    three.daemon.signal(Signal::SIGHUP);
    let expected = [hosts(SPACES[0], 100), hosts(SPACES[2], 30)].concat();
    wait_until("the list is gone", || {
        three.daemon.table_file(BLOCK) == Some(table_text(&expected))
    });
    wait_until("its copy is gone", || !copy(&three.scratch, SCAN).exists());
    three.daemon.wait_until_ready();
    with.write(&three.scratch);
    let mark = three.daemon.mark();
    three.daemon.signal(Signal::SIGHUP);
    three.daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
    three.daemon.wait_until_ready();
    update(&three.daemon);
    three.has([100, 2000, 30]);
    assert!(three.daemon.stop().success());
}

/// Name local files that are not there, are directories or FIFOs, or lie in a directory that is not there.
/// Check that the start says so, with the way out, and that the rest is published.
#[test]
fn local_files_that_cannot_be_read_hold_up_no_start() {
    let (service, text) = honest(300);
    let base = Scratch::new();
    let fifo = base.path().join("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (path, words) in [
        (base.path().join("missing"), "No such file or directory"),
        (base.path().join("no/where"), "No such file or directory"),
        (base.path().to_owned(), "not a regular file"),
        (fifo, "not a regular file"),
    ] {
        let scratch = Scratch::new();
        let config = Config::new(&scratch, &[service.addr()]);
        let config = config.set("policy.local_allow", path.to_str().unwrap());
        let daemon = Daemon::start(&scratch, &config);
        let way_out = "create it, or unset policy.local_allow";
        daemon.wait_for(&format!("{}: {words}; {way_out}", path.display()), PATIENCE);
        let why = refused(&daemon, &["update"]);
        assert!(why.contains(&format!("local_allow: {}: ", path.display())), "{why}");
        assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
        let warnings = status(&daemon)["pf"]["warnings"].to_string();
        assert!(warnings.contains("local_allow: "), "{warnings}");
        assert!(daemon.stop().success());
    }
}

/// Publish a list and a file, remove the file, and kill the engine.
/// Check that helper and engine start again, with the copy of the file in force, and that the update
/// goes on and says what is missing.
#[test]
fn a_local_file_that_goes_away_ends_no_restart() {
    let (service, text) = honest(300);
    let scratch = Scratch::new();
    let file = scratch.path().join("mine");
    fs::write(&file, "255.0.0.1\n99.99.99.0/24\n").unwrap();
    let config = Config::new(&scratch, &[service.addr()]);
    let config = config.set("policy.local_block", file.to_str().unwrap());
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let both = table(&daemon, BLOCK).unwrap();
    assert!(both.contains("99.99.99.0/24\n") && both.len() > text.len(), "{both}");
    fs::remove_file(&file).unwrap();
    let mark = daemon.mark();
    nix::sys::signal::kill(daemon.engine().expect("an engine"), Signal::SIGKILL).unwrap();
    daemon.wait_for_after(mark, "engine restarted, helper ", PATIENCE);
    daemon.wait_until_ready();
    let why = refused(&daemon, &["update"]);
    assert!(why.contains("No such file or directory"), "{why}");
    assert_eq!(table(&daemon, BLOCK), Some(both));
    assert!(daemon.stop().success());
}
