//! What is told of lists and their sources, and what a stranger may do to them: whatever it is, the
//! table in force stays whole, and it is said what to do.

use std::fs;
use std::thread::{sleep, spawn};
use std::time::Duration;

use crate::common::*;
use crate::three::*;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use serde_json::{Value, json};
use tests::harness::{Config, Daemon, Scratch, ctl};
use tests::item::{Item, items, table_text};
use tests::sim::{ConnectionFault, HostileService, Layout, Plan, PolicyService, SUFFIX, Zone};

/// What `show lists` says in JSON.
fn lists(daemon: &Daemon) -> Vec<Value> {
    let output = daemon.ctl(&["-j", "show", "lists"]);
    assert!(output.status.success(), "{}", output.stderr);
    let document: Value = serde_json::from_str(&output.stdout).unwrap();
    document["lists"].as_array().unwrap().clone()
}

fn list_of<'a>(lists: &'a [Value], name: &str) -> &'a Value {
    lists.iter().find(|list| list["list"] == name).unwrap()
}

/// The text of the table of the three lists with so many entries each.
fn text(counts: [u32; 3]) -> String {
    let all: Vec<Item> = (0..3).flat_map(|at| hosts(SPACES[at], counts[at])).collect();
    table_text(&all)
}

/// Publish three lists, of which one has ten entries that the file has as well. Ask for the lists; then
/// empty one of them, make a mistake in the file, and ask again.
/// Check every column in JSON and in text, which is no terminal and has all names whole, and that the
/// states change with what became of the lists; that what they have in common is told with `-v`, and
/// with nothing else; and that what `block` and `allow` said is a list of each kind.
#[test]
fn lists_are_shown_with_what_they_are_good_for() {
    let three = Three::new([200, 2000, 30], |config| config);
    let mixed = [hosts(SPACES[1], 2000), hosts(SPACES[2], 10)].concat();
    three.serve(SCAN, &mixed);
    update(&three.daemon);
    let shown = lists(&three.daemon);
    let names: Vec<&str> = shown.iter().map(|list| list["list"].as_str().unwrap()).collect();
    assert_eq!(names, [DNS, BASIC, SCAN, "local_block"]);
    for (list, source, table, entries, unique) in [
        (BASIC, "policy", "block", 200, 200),
        (SCAN, "policy", "block", 2010, 2000),
        ("local_block", "local_block", "block", 30, 20),
        (DNS, "policy", "allow", 3, 3),
    ] {
        let one = list_of(&shown, list);
        let expected = json!({
            "list": list, "source": source, "table": table, "entries": entries, "unique": unique,
            "hits": {"1": null, "7": null, "35": null},
            "changed": one["changed"], "age": one["age"], "state": "good"
        });
        assert_eq!(one, &expected);
        assert!(one["changed"].as_u64().unwrap() > 1_700_000_000, "{one}");
        assert!(one["age"].as_u64().unwrap() < 600, "{one}");
    }
    let json = |words: &[&str]| -> Value {
        serde_json::from_str(&three.daemon.ctl(words).stdout).unwrap()
    };
    assert_eq!(json(&["-j", "show", "lists"])["overlaps"], Value::Null);
    let common = json!([{"lists": ["local_block", SCAN], "entries": 10, "percent": 33}]);
    assert_eq!(json(&["-j", "show", "-v", "lists"])["overlaps"], common);
    let output = three.daemon.ctl(&["show", "-v", "lists"]).stdout;
    let (above, below) = output.split_once("\n\n").unwrap();
    assert_eq!(above.lines().count(), 5, "{output}");
    let words: Vec<&str> = below.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(words, ["local_block", SCAN, "10", "33"], "{output}");

    three.serve(SCAN, &[]);
    fs::write(&three.file, "8.0.0.1\nnonsense\n").unwrap();
    refused(&three.daemon, &["update"]);
    let shown = lists(&three.daemon);
    for (list, state, entries) in
        [(BASIC, "good", 200), (SCAN, "held", 2010), ("local_block", "failing", 30)]
    {
        let one = list_of(&shown, list);
        assert_eq!((&one["state"], &one["entries"]), (&state.into(), &entries.into()), "{one}");
    }
    let output = three.daemon.ctl(&["show", "lists"]).stdout;
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 5, "{output}");
    let words: Vec<&str> = lines[0].split_whitespace().collect();
    let columns = ["list", "source", "table", "entries", "unique", "changed", "age", "state"];
    assert_eq!(words, columns);
    let names: Vec<&str> = lines[1..].iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(names, [DNS, BASIC, SCAN, "local_block"]);
    let row: Vec<&str> = lines[4].split_whitespace().collect();
    assert_eq!((row[0], row[1], *row.last().unwrap()), ("local_block", "itself", "failing"));

    // what is said by hand is one list of each kind, and what is allowed goes into no table
    for (word, prefix) in [("block", "9.9.9.0/24"), ("allow", "5.0.0.0"), ("allow", "5.0.0.2")] {
        let output = three.daemon.ctl(&[word, prefix]);
        assert!(output.status.success(), "{}", output.stderr);
    }
    let shown = lists(&three.daemon);
    let own: Vec<_> = shown.iter().filter(|list| list["list"] == "own").collect();
    let of = |key: &str| own.iter().map(|list| list[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("table"), ["block", "none"], "{own:?}");
    assert_eq!(of("entries"), [1, 2], "{own:?}");
    assert_eq!(of("unique"), [1, 2], "{own:?}");
    assert!(three.daemon.stop().success());
}

/// Start with servers that are not there, beside a file. Look at the lists and at the status.
/// Check that lists without a copy have no entries and no age, and are failing, and that the status
/// for people names the source, when it was last asked, and why it fails, and each sentence once.
#[test]
fn what_has_never_come_is_shown_so() {
    let scratch = Scratch::new();
    let file = scratch.path().join("mine");
    write(&file, &hosts(SPACES[2], 20));
    let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()])
        .set("policy.local_block", file.to_str().unwrap());
    let daemon = Daemon::start(&scratch, &config);
    refused(&daemon, &["update"]);
    let shown = lists(&daemon);
    for list in [BASIC, DNS] {
        let one = list_of(&shown, list);
        let known = ["entries", "unique", "changed", "age"].map(|key| one[key].clone());
        assert_eq!(known, [Value::Null, Value::Null, Value::Null, Value::Null], "{one}");
        assert_eq!(one["state"], "failing");
    }
    assert_eq!(list_of(&shown, "local_block")["state"], "good");
    let text = daemon.ctl(&["status"]).stdout;
    let row = text.lines().find(|line| line.starts_with("policy ")).unwrap();
    assert!(row.starts_with("policy  failing  ") && row.contains("  never      2 of 2"), "{text}");
    assert!(!text.contains("\nlocal_block "), "what is good has no row: {text}");
    assert_eq!(text.matches("127.0.0.1:9: ").count(), 1, "a sentence stands twice: {text}");
    let policy = status(&daemon)["sources"][0].clone();
    assert_eq!((&policy["kind"], &policy["state"]), (&"policy".into(), &"failing".into()));
    assert!(policy["last"].as_u64().is_some() && policy["last_good"].is_null(), "{policy}");
    assert!(policy["next"].as_u64().is_some() && policy["error"].is_string(), "{policy}");
    assert!(daemon.stop().success());
}

/// Publish three lists. Let the server be silent, change the file and update; while that waits, change
/// the file again, which the daemon notices. Stop the server, and wait until the update has failed.
/// Check that the file that was noticed stays in force: a run must not bring back what it saw before.
#[test]
fn a_file_that_changes_during_a_run_stays_as_it_is() {
    let mut served = Zone::new(SUFFIX);
    for (list, space) in [(BASIC, SPACES[0]), (SCAN, SPACES[1])] {
        served.set_list(list, &hosts(space, 10), Layout::Index);
    }
    served.set_list(DNS, &items("192.0.2.53"), Layout::Single);
    let service = HostileService::start(served, Plan::honest());
    let scratch = Scratch::new();
    let file = scratch.path().join("mine");
    write(&file, &hosts(SPACES[2], 30));
    let config = Config::new(&scratch, &[service.addr()])
        .set("policy.block", vec![BASIC, SCAN])
        .set("policy.timeout", "60s")
        .set("policy.local_block", file.to_str().unwrap())
        .set("tables.check_interval", "1s");
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK), Some(text([10, 10, 30])));

    service.set_plan(Plan::connection(ConnectionFault::Silent));
    write(&file, &hosts(SPACES[2], 31));
    let connections = service.queries().connections();
    let socket = scratch.socket();
    let slow = spawn(move || ctl(&socket, &["update"]));
    wait_until("the run begins", || service.queries().connections() > connections);
    write(&file, &hosts(SPACES[2], 33));
    wait_until("the file is in force", || daemon.table_file(BLOCK) == Some(text([10, 10, 33])));
    assert!(status(&daemon)["update"]["state"] == "running", "the file was noticed too late");
    service.stop();
    assert_eq!(slow.join().unwrap().status.code(), Some(1));
    assert_eq!(table(&daemon, BLOCK), Some(text([10, 10, 33])));
    assert!(daemon.stop().success());
}

/// Publish three lists. Put an empty file in the place of the administrator's, which is held; then put
/// the very file back that is in force.
/// Check that nothing is held any more, and that the list is as fresh as the last look.
#[test]
fn a_file_that_is_put_back_ends_what_is_held() {
    let three = Three::new([10, 20, 150], |config| config);
    let aside = three.scratch.path().join("aside");
    fs::rename(&three.file, &aside).unwrap();
    fs::write(&three.file, "").unwrap();
    refused(&three.daemon, &["update"]);
    assert_eq!(status(&three.daemon)["held"][0]["list"], "local_block");
    fs::rename(&aside, &three.file).unwrap();
    update(&three.daemon);
    assert_eq!(status(&three.daemon)["held"], json!([]));
    assert_eq!(three.source("local_block")["state"], "good");
    three.has([10, 20, 150]);
    assert!(three.daemon.stop().success());
}

/// Publish three lists. Change the file, and look at once what an update would do, without doing it.
/// Check that the daemon still notices the change by itself.
#[test]
fn a_dry_run_hides_no_change_of_a_file() {
    let three = Three::new([10, 20, 30], |config| config.set("tables.check_interval", "3s"));
    write(&three.file, &hosts(SPACES[2], 33));
    let preview = three.daemon.ctl(&["update", "-n", "local_block"]);
    assert!(preview.status.success(), "{}", preview.stderr);
    wait_until("the file is in force", || {
        three.daemon.table_file(BLOCK) == Some(text([10, 20, 33]))
    });
    assert!(three.daemon.stop().success());
}

/// Publish three lists. Put in the place of the file one kind of thing after the other that is no list:
/// a FIFO, a directory, a link to nowhere, a file that is too large, one of other octets.
/// Check for each that update says what is wrong, that the copy stays, and that the service goes on.
#[test]
fn what_is_no_list_holds_up_nobody() {
    let three = Three::new([10, 20, 30], |config| config);
    let path = three.file.clone();
    type Plant = fn(&std::path::Path);
    let things: [(&str, Plant, &str); 5] = [
        ("a FIFO", |at| mkfifo(at, Mode::S_IRUSR).unwrap(), "not a regular file"),
        ("a directory", |at| fs::create_dir(at).unwrap(), "not a regular file"),
        (
            "a link to nowhere",
            |at| std::os::unix::fs::symlink("/nonexistent/list", at).unwrap(),
            "No such file or directory",
        ),
        (
            "too large",
            |at| {
                let file = fs::File::create(at).unwrap();
                file.set_len((32 << 20) + 1).unwrap();
            },
            "the file has more than 33554432 octets",
        ),
        ("other octets", |at| fs::write(at, b"8.0.0.1\n\xff\x00\x1b[2J\n").unwrap(), ":2: "),
    ];
    let mut basic = 10;
    for (what, plant, why) in things {
        match path.is_dir() {
            true => fs::remove_dir(&path).unwrap(),
            false => fs::remove_file(&path).unwrap(),
        }
        plant(&path);
        basic += 1;
        three.serve(BASIC, &hosts(SPACES[0], basic));
        let output = three.daemon.ctl(&["update"]);
        assert_eq!(output.status.code(), Some(1), "{what}");
        let failed = output.stdout.lines().find(|line| line.starts_with("Failed: ")).unwrap();
        assert!(failed.contains(why) && failed.ends_with(" ago stays"), "{what}: {failed}");
        assert!(!failed.contains('\x1b'), "{failed:?}");
        three.has([basic, 20, 30]);
    }
    assert!(three.daemon.stop().success());
}

/// Publish three lists, with a copy of one lost meanwhile: start without the service and roll back;
/// then let it come again, and roll back.
/// Check that nothing is put back while the table in force stands in for the list, nor when its copy
/// before is gone: a table never gets smaller by a copy that was lost.
#[test]
fn what_was_lost_cannot_be_rolled_back_to() {
    let three = Three::new([100, 200, 30], |config| config);
    three.serve(BASIC, &hosts(SPACES[0], 120));
    update(&three.daemon);
    let dead = three.config.clone().set("policy.servers", vec!["127.0.0.1:9"]);
    let alive = three.config.clone();
    let three = three.again(dead, |scratch| fs::remove_file(copy(scratch, SCAN)).unwrap());
    let why = refused(&three.daemon, &["rollback"]);
    assert!(why.contains(&format!("the copy of list {SCAN} is lost")), "{why}");
    assert!(why.contains("; threatstopctl ") && why.contains(" update brings it"), "{why}");
    three.has([120, 200, 30]);
    // what is in force of it is said as it is
    let failed = three.daemon.ctl(&["update"]).stdout;
    assert!(failed.contains("; its copies of "), "{failed}");

    let three = three.again(alive, |_| {});
    update(&three.daemon);
    let why = refused(&three.daemon, &["rollback"]);
    assert!(why.contains(&format!("the copy of list {SCAN} before is gone")), "{why}");
    three.has([120, 200, 30]);
    assert_eq!(status(&three.daemon)["held"], json!([]));
    assert!(three.daemon.stop().success());
}

/// Publish three lists. Change the file and update, roll back, and look what an update would do.
/// Check that the look has what the update brings then.
#[test]
fn a_dry_run_after_a_rollback_shows_what_comes_back() {
    let three = Three::new([10, 20, 30], |config| config);
    write(&three.file, &hosts(SPACES[2], 31));
    update(&three.daemon);
    assert!(three.daemon.ctl(&["rollback"]).status.success());
    three.has([10, 20, 30]);
    let preview = three.daemon.ctl(&["update", "-n"]);
    assert!(preview.stdout.contains("block table: 1 to add, 0 to remove"), "{}", preview.stdout);
    three.has([10, 20, 30]);
    update(&three.daemon);
    three.has([10, 20, 31]);
    assert!(three.daemon.stop().success());
}

/// Publish lists with a wide network; end the service. Reload with a narrower floor, and with one
/// address of the network protected. Start the service again.
/// Check that this address is let through at once and the rest stays; that the list is refused then,
/// by the floor, while another one goes on.
#[test]
fn a_narrower_floor_holds_its_list_alone() {
    let three = Three::new([10, 20, 30], |config| config);
    let wide = [items("9.16.0.0/12"), hosts(SPACES[0], 10)].concat();
    three.serve(BASIC, &wide);
    update(&three.daemon);
    let config = (three.config.clone())
        .set("guard.min_prefix_v4", 16)
        .set("guard.never_block", vec!["9.16.0.0/16"]);
    let three = three.again(config, |_| {});
    wait_until("what is protected is let through", || {
        let file = three.daemon.table_file(BLOCK).unwrap_or_default();
        !file.contains("9.16.0.0") && file.contains("\n9.17.0.0/16\n")
    });
    three.serve(SCAN, &hosts(SPACES[1], 21));
    let why = refused(&three.daemon, &["update", "-f"]);
    let words = format!(
        "Keeping the previous list {BASIC}: it has 9.16.0.0/12, wider than /16 (see min_prefix_v4 \
         in [guard])"
    );
    assert!(why.contains(&words), "{why}");
    let block = table(&three.daemon, BLOCK).unwrap();
    assert!(block.contains("\n6.0.0.40\n") && block.contains("\n9.31.0.0/16\n"), "{block}");
    assert_eq!(list_of(&lists(&three.daemon), BASIC)["state"], "refused");
    assert!(three.daemon.stop().success());
}

/// Publish lists that are held together as a table. Let the daemon notice a change of the file.
/// Check that the table is held still, since the same day as before: what the service has was not asked
/// for. Then let an update find the lists as they were: check that nothing is held.
#[test]
fn what_is_held_is_held_until_it_is_looked_at_again() {
    let three = Three::new([150, 150, 10], |config| config.set("tables.check_interval", "1s"));
    three.serve(BASIC, &hosts(SPACES[0], 70));
    three.serve(SCAN, &hosts(SPACES[1], 70));
    refused(&three.daemon, &["update"]);
    let held = status(&three.daemon)["held"].clone();
    assert_eq!((&held[0]["table"], held.as_array().unwrap().len()), (&"block".into(), 1), "{held}");
    write(&three.file, &hosts(SPACES[2], 11));
    wait_until("the file is in force", || {
        three.daemon.table_file(BLOCK) == Some(text([150, 150, 11]))
    });
    wait_until("the run has ended", || status(&three.daemon)["held"] == held);
    assert!(three.daemon.ctl(&["update", "local_block"]).status.success());
    assert_eq!(status(&three.daemon)["held"], held);
    let said = three.daemon.lines();
    let said = said.iter().filter(|line| line.text.contains("Keeping the previous block list"));
    refused(&three.daemon, &["update"]);
    assert_eq!(said.count(), 1, "the log has it once: {}", three.daemon.output());
    three.serve(BASIC, &hosts(SPACES[0], 150));
    three.serve(SCAN, &hosts(SPACES[1], 150));
    update(&three.daemon);
    assert_eq!(status(&three.daemon)["held"], json!([]));
    assert!(three.daemon.stop().success());
}

/// Publish three lists; empty the file, which is held. Update. Then end the service, update, and
/// update the file alone.
/// Check that the policy is not called older because of the file, and that the service fails as often
/// as before because of it, and that the log has each failure once.
#[test]
fn a_file_says_nothing_about_the_service() {
    let three = Three::new([10, 20, 150], |config| config.set("policy.timeout", "2s"));
    fs::write(&three.file, "").unwrap();
    let before = status(&three.daemon)["update"]["last_good"].as_u64().unwrap();
    sleep(Duration::from_millis(1100));
    refused(&three.daemon, &["update"]);
    let now = status(&three.daemon);
    assert!(now["update"]["last_good"].as_u64().unwrap() > before, "{now}");
    assert_eq!(now["update"]["state"], "held back");

    write(&three.file, &hosts(SPACES[2], 150));
    let Three { service, daemon, .. } = three;
    update(&daemon);
    service.stop();
    for _ in 0..2 {
        refused(&daemon, &["update"]);
    }
    assert!(daemon.ctl(&["update", "local_block"]).status.success());
    let now = status(&daemon)["update"].clone();
    assert_eq!((&now["failures"], &now["state"]), (&2.into(), &"failing".into()), "{now}");
    let said = daemon.lines();
    let said = said.iter().filter(|line| line.text.contains("update failed, the previous policy"));
    assert_eq!(said.count(), 1, "{}", daemon.output());
    assert!(daemon.stop().success());
}

/// Publish a block list. Move it to the allow lists, and another one in its place; start without the
/// service.
/// Check that its addresses are allowed at once and no longer blocked, and that the service's answer
/// makes no difference then.
#[test]
fn a_list_can_change_its_table() {
    let three = Three::new([10, 20, 30], |config| config);
    let moved =
        three.config.clone().set("policy.block", vec![BASIC]).set("policy.allow", vec![SCAN]);
    let dead = moved.clone().set("policy.servers", vec!["127.0.0.1:9"]);
    let blocked = table_text(&[hosts(SPACES[0], 10), hosts(SPACES[2], 30)].concat());
    let allowed = table_text(&hosts(SPACES[1], 20));
    let mut three = three;
    for config in [dead, moved] {
        three = three.again(config, |_| {});
        wait_until("it is allowed", || three.daemon.table_file(ALLOW).as_ref() == Some(&allowed));
        wait_until("and not blocked", || three.daemon.table_file(BLOCK).as_ref() == Some(&blocked));
    }
    update(&three.daemon);
    assert_eq!(table(&three.daemon, BLOCK), Some(blocked));
    assert_eq!(list_of(&lists(&three.daemon), SCAN)["table"], "allow");
    assert!(three.daemon.stop().success());
}

/// Serve 63 lists, names as long as names may be among them, and empty all but one.
/// Check that all are in force, over a restart too; that each is held by itself; and that the verdict,
/// the warnings and the columns of the status stay short.
#[test]
fn many_lists_with_long_names() {
    let long = |n: u32| {
        let labels = [format!("l{n:02}{}", "x".repeat(60)), "y".repeat(63), "y".repeat(63)];
        format!("{}.{}.{SUFFIX}", labels.join("."), "z".repeat(44))
    };
    let names: Vec<String> = (0..63).map(long).collect();
    assert!(names.iter().all(|name| name.len() == 253));
    let served = |count: u32| {
        let mut zone = zone(&hosts(SPACES[0], 12));
        for (at, name) in (0..63).zip(&names) {
            let of_this = hosts(0x0700_0000 + (at << 12), count);
            zone.set_list(name, &of_this, Layout::Single);
        }
        zone
    };
    let service = PolicyService::start(served(12));
    let scratch = Scratch::new();
    let block: Vec<String> = [BASIC.to_owned()].into_iter().chain(names.clone()).collect();
    let config = Config::new(&scratch, &[service.addr()]).set("policy.block", block);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let full = table(&daemon, BLOCK).unwrap();
    assert_eq!(full.lines().count(), 64 * 12);
    assert!(daemon.stop().success());
    service.edit(|zone| *zone = served(0));
    let daemon = Daemon::start(&scratch, &config);
    refused(&daemon, &["update"]);
    assert_eq!(table(&daemon, BLOCK), Some(full));
    assert_eq!(status(&daemon)["held"].as_array().unwrap().len(), 63);
    let shown = lists(&daemon);
    assert_eq!(shown.iter().filter(|list| list["state"] == "held").count(), 63);
    let text = daemon.ctl(&["status"]).stdout;
    let filled = text.lines().filter(|line| !line.is_empty()).count();
    assert!(filled <= 25, "{filled} lines: {text}");
    let more = text.lines().find(|line| line.starts_with("59 more are held back: ")).unwrap();
    assert!(more.ends_with(" show lists"), "{more}");
    assert!(daemon.stop().success());
}
