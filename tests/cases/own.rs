//! What root blocks and allows himself: kept first, then in force, then answered; over everything that
//! may happen to daemon, disk, clock and service.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::common::*;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tests::harness::{Config, Daemon, Scratch};
use tests::lists::allow_list;
use tests::process::PATIENCE;
use tests::sim::Layout;

/// An address that the lists of the service do not name.
const BAD: &str = "198.51.100.7";
/// Nobody listens there.
const NOBODY: &str = "127.0.0.1:9";

/// Whether the block table has this line.
fn has(daemon: &Daemon, line: &str) -> bool {
    daemon.kernel_table(BLOCK).is_some_and(|text| text.lines().any(|one| one == line))
}

/// Runs a command that must succeed, and gives what it prints.
#[track_caller]
fn done(daemon: &Daemon, arguments: &[&str]) -> String {
    let output = daemon.ctl(arguments);
    assert!(output.status.success(), "{arguments:?}: {}{}", output.stderr, daemon.output());
    output.stdout
}

/// The JSON that a command prints.
#[track_caller]
fn document(daemon: &Daemon, arguments: &[&str]) -> Value {
    let output = daemon.ctl(&[&["-j"], arguments].concat());
    serde_json::from_str(&output.stdout).unwrap_or_else(|why| panic!("{why}: {}", output.stdout))
}

/// What `show own` has: prefix, action.
#[track_caller]
fn own(daemon: &Daemon) -> Vec<(String, String)> {
    let shown = document(daemon, &["show", "own"]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = shown.as_array().unwrap().iter();
    entries.map(|entry| (text(&entry["prefix"]), text(&entry["action"]))).collect()
}

fn pair(prefix: &str, action: &str) -> (String, String) {
    (prefix.to_owned(), action.to_owned())
}

/// Writes a file of the engine's directory whole at once, for it looks at any time.
fn say(scratch: &Scratch, file: &str, text: &str) {
    let new = scratch.spool().join(format!("{file}.new"));
    fs::write(&new, text).unwrap();
    fs::rename(new, scratch.spool().join(file)).unwrap();
}

/// A daemon whose engine has fault points and a clock of its own.
fn start_faulty(scratch: &Scratch, config: &Config) -> Daemon {
    let daemon = Daemon::spawn_faulty(scratch, config);
    daemon.wait_until_ready();
    daemon
}

/// Block an address with an end and a reason, and a network; allow an address within it. Look at
/// tables, `why`, `show own` and `status`, in words and in JSON. Block the same once more. Forget one,
/// what nobody named, and all.
/// Check that each is in force when the command ends, that what is allowed is in no allow table, that
/// the last end and reason count, and the exit codes.
#[test]
fn what_root_says_is_in_force_when_the_command_ends() {
    let stage = Stage::new(|config| config);
    let daemon = &stage.daemon;
    let allow = table(daemon, ALLOW);
    let said = done(daemon, &["block", "-t", "4h", BAD, "ssh, ticket 12"]);
    assert!(said.starts_with(&format!("{BAD} is blocked until ")), "{said}");
    assert!(has(daemon, BAD));
    let why = done(daemon, &["why", BAD]);
    assert!(why.starts_with(&format!("{BAD} is blocked: {BAD}, listed by own (uid ")), "{why}");
    assert!(why.contains(": ssh, ticket 12)"), "{why}");
    let why = document(daemon, &["why", BAD]);
    assert_eq!((&why["lists"], &why["items"]), (&json!(["own"]), &json!([BAD])));
    assert_eq!(
        (&why["own"][0]["reason"], &why["own"][0]["action"]),
        (&json!("ssh, ticket 12"), &json!("block"))
    );

    let kept = document(daemon, &["block", "203.0.113.0/24"]);
    let wanted = json!({
        "prefix": "203.0.113.0/24", "until": null, "kept": true, "blocked": true, "why": null
    });
    assert_eq!(kept, wanted);
    let kept = document(daemon, &["allow", "203.0.113.0/25", "ours"]);
    let wanted = json!({
        "prefix": "203.0.113.0/25", "until": null, "kept": true, "blocked": false, "why": null
    });
    assert_eq!(kept, wanted);
    assert!(has(daemon, "203.0.113.128/25") && !has(daemon, "203.0.113.0/24"));
    assert_eq!(table(daemon, ALLOW), allow);
    let output = daemon.ctl(&["why", "203.0.113.7"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.contains(": allowed by own (uid "), "{}", output.stdout);

    let shown = document(daemon, &["show", "own"]);
    assert_eq!((&shown[0]["prefix"], &shown[0]["reason"]), (&json!(BAD), &json!("ssh, ticket 12")));
    let [since, until] = ["since", "until"].map(|key| shown[0][key].as_u64().unwrap());
    assert_eq!(until - since, 4 * 3600);
    assert_eq!(shown[0]["uid"], json!(nix::unistd::geteuid().as_raw()));
    done(daemon, &["block", BAD, "for good"]);
    let shown = document(daemon, &["show", "own"]);
    assert_eq!((&shown[0]["until"], &shown[0]["reason"]), (&Value::Null, &json!("for good")));
    let text = done(daemon, &["show", "own"]);
    assert_eq!(text.lines().count(), 4, "{text}");

    let sources = stage.status()["sources"].clone();
    let source = sources.as_array().unwrap().iter().find(|one| one["name"] == "own").unwrap();
    assert_eq!((&source["kind"], &source["lists"][0]["entries"]), (&json!("own"), &json!(3)));
    // there is nothing to ask it for
    let why = refused(daemon, &["update", "own"]);
    assert!(why.contains("own: no source of this configuration"), "{why}");

    assert_eq!(done(daemon, &["forget", BAD]), format!("{BAD} is forgotten\n"));
    assert!(!has(daemon, BAD));
    let why = refused(daemon, &["forget", BAD]);
    assert!(why.contains("neither block nor allow named it"), "{why}");
    refused(daemon, &["forget", "203.0.113.0/26"]);
    let forgotten = document(daemon, &["forget", "-a"]);
    assert_eq!(forgotten, json!({"forgotten": 2, "blocked": null, "why": null}));
    assert_eq!(table(daemon, BLOCK).as_deref(), Some(stage.old.as_str()));
    assert_eq!(own(daemon), []);
    stage.goes_on();
}

/// Without tables.reload, block an address, ask why, and forget it.
/// Check that each answer says that pf was not asked, and that the JSON has no other keys.
#[test]
fn who_leaves_pf_alone_is_told_that_it_was_not_asked() {
    let scratch = Scratch::new();
    let (service, _) = honest(300);
    let config = Config::new(&scratch, &[service.addr()]).set("tables.reload", false);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let note = "tables.reload is false: pf is not asked, and may have another set";
    let said = |arguments: &[&str], first: &str| {
        let said = done(&daemon, arguments);
        assert!(said.starts_with(&format!("{first}\nNote: {note}; threatstopctl ")), "{said}");
    };
    said(&["block", BAD], &format!("{BAD} is blocked"));
    let why = done(&daemon, &["why", BAD]);
    assert!(why.ends_with(&format!(" ({note})\n")), "{why}");
    said(&["forget", BAD], &format!("{BAD} is forgotten"));
    let kept = document(&daemon, &["block", BAD]);
    let wanted =
        json!({ "prefix": BAD, "until": null, "kept": true, "blocked": true, "why": null });
    assert_eq!(kept, wanted);
    assert!(daemon.stop().success());
}

/// Say what is no prefix, has host bits, is too wide, allows too much or what `expect` wants blocked,
/// with an end that is too near or no duration, with a reason that is too long or moves the cursor;
/// shorten the commands; forget nothing, and one and all.
/// Check that each fails with its reason, and that nothing was kept or published.
#[test]
fn what_is_wrong_is_refused_before_it_is_kept() {
    let stage = Stage::new(|config| config.set("guard.allow_max_coverage", 256));
    let long = "x".repeat(201);
    let cases: &[(&[&str], &str)] = &[
        (&["block", "198.51.100.7/24"], "host bits are set; the network is 198.51.100.0/24"),
        (&["block", "www.example.net"], "\"www.example.net\": not a numeric IP address"),
        (&["block", "4.0.0.0/7"], "4.0.0.0/7 is wider than /8 (see min_prefix_v4 in [guard])"),
        (
            &["block", "::ffff:0:0/96"],
            "block: ::ffff:0:0/96 stands for 0.0.0.0/0: 0.0.0.0/0 is wider than /8",
        ),
        (&["forget", "::ffff:1.2.3.4"], "::ffff:1.2.3.4 stands for 1.2.3.4: 1.2.3.4: neither "),
        (&["allow", "198.51.0.0/16"], "allow_max_coverage"),
        (&["block", "-t", "59s", BAD], "1m to 365d"),
        (&["block", "-t", "366d", BAD], "1m to 365d"),
        (&["block", "-t", "soon", BAD], "-t soon: not a duration"),
        (&["block", BAD, &long], "at most 200 printable characters"),
        (&["block", BAD, "\u{1b}[2J"], "at most 200 printable characters"),
        (&["block", BAD, "two", "reasons"], "one too many"),
        (&["block"], "prefix missing"),
        (&["forget"], "prefix missing; -a forgets all"),
        (&["forget", "-a", BAD], "either a prefix, or -a for all"),
        (&["forget", "-a"], "neither block nor allow has anything"),
        (&["bl", BAD], "block has to be written in full"),
        (&["al", BAD], "allow has to be written in full"),
        (&["for", BAD], "forget has to be written in full"),
    ];
    for (arguments, why) in cases {
        let said = refused(&stage.daemon, arguments);
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
    assert_eq!(own(&stage.daemon), []);
    assert!(!stage.scratch.spool().join("own").exists());
    assert_eq!(table(&stage.daemon, BLOCK).as_deref(), Some(stage.old.as_str()));

    let expected = stage.old.lines().next().unwrap().split('/').next().unwrap().to_owned();
    let Stage { service, scratch, daemon, .. } = stage;
    assert!(daemon.stop().success());
    let config =
        Config::new(&scratch, &[service.addr()]).set("guard.expect", vec![expected.as_str()]);
    let daemon = Daemon::start(&scratch, &config);
    let why = refused(&daemon, &["allow", &expected]);
    assert!(why.contains("must be blocked (see expect in [guard])"), "{why}");
    update(&daemon);
    assert!(daemon.stop().success());
}

/// Block an address of never_block, one of an allow list, one that root allows, and a network around
/// each.
/// Check that it is kept with exit code 0, that the answer says what wins, in words and in JSON, that
/// the rest of a network is blocked, and that it comes into force when the other goes.
#[test]
fn what_is_protected_or_allowed_wins_and_the_answer_says_so() {
    let stage = Stage::new(|config| config.set("guard.never_block", vec!["203.0.113.0/28"]));
    let daemon = &stage.daemon;
    let mut allowed = allow_list();
    allowed.extend(tests::item::items("198.51.100.64"));
    stage.service.edit(|z| {
        z.set_list(DNS, &allowed, Layout::Single);
    });
    update(daemon);
    done(daemon, &["allow", "198.51.100.81"]);
    for (address, network, rest, wins) in [
        (
            "203.0.113.1",
            "203.0.113.0/27",
            "203.0.113.16/28",
            "protected by 203.0.113.0/28 (never_block)",
        ),
        ("198.51.100.64", "198.51.100.64/31", "198.51.100.65", "allowed by dns.threatstop.local"),
        ("198.51.100.81", "198.51.100.80/31", "198.51.100.80", "allowed by own"),
    ] {
        let said = done(daemon, &["block", address]);
        assert_eq!(said, format!("{address} is kept, but not all blocked: {wins}\n"));
        let kept = document(daemon, &["block", network]);
        assert_eq!(
            (&kept["kept"], &kept["blocked"], &kept["why"]),
            (&json!(true), &json!(false), &json!(wins))
        );
        assert!(has(daemon, rest) && !has(daemon, address), "{address}");
    }
    // allow and block of the same stand beside one another, and both go
    assert!(own(daemon).contains(&pair("198.51.100.81", "allow")));
    assert!(own(daemon).contains(&pair("198.51.100.81", "block")));
    let forgotten = document(daemon, &["forget", "198.51.100.81"]);
    assert_eq!(forgotten, json!({"forgotten": 2, "blocked": true, "why": "listed by own"}));
    assert!(has(daemon, "198.51.100.80/31"));
    assert!(stage.daemon.stop().success());
}

/// Block and allow. Update; reload; stop and start; kill everything at once and start without a
/// service; let the service fail; roll back; each time look, and say something new.
/// Check that all of it is in force each time, that updates hold nothing of it up, and that what is
/// new is in force at once.
#[test]
fn nothing_that_happens_undoes_it() {
    let stage = Stage::new(|config| config.set("policy.timeout", "5s"));
    let Stage { service, scratch, daemon, old } = stage;
    let config = Config::new(&scratch, &[service.addr()]).set("policy.timeout", "5s");
    let first = old.lines().find(|line| !line.contains('/')).unwrap();
    done(&daemon, &["block", BAD]);
    done(&daemon, &["allow", first, "a customer"]);
    let check = |daemon: &Daemon, more: &[&str], what: &str| {
        wait_until(what, || {
            has(daemon, BAD) && !has(daemon, first) && more.iter().all(|line| has(daemon, line))
        });
    };
    let (new, _) = list(320);
    service.edit(|z| *z = zone(&new));
    update(&daemon);
    check(&daemon, &[], "after an update");
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
    daemon.wait_until_ready();
    check(&daemon, &[], "after a reload");
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&scratch, &config);
    check(&daemon, &[], "after a restart");

    let output = daemon.ctl(&["rollback"]);
    assert!(output.status.success(), "{}", output.stderr);
    check(&daemon, &[], "after a rollback");
    done(&daemon, &["block", "198.51.100.9"]);
    check(&daemon, &["198.51.100.9"], "while rolled back");
    assert_eq!(status(&daemon)["update"]["state"], "rolled back");
    let others: Vec<String> = table(&daemon, BLOCK).unwrap().lines().map(str::to_owned).collect();
    let before = old.lines().filter(|line| *line != first);
    assert!(before.clone().all(|line| others.iter().any(|one| one == line)));
    assert_eq!(others.len(), before.count() + 2);
    kill(daemon);

    service.stop();
    let daemon = Daemon::start(&scratch, &config);
    check(&daemon, &["198.51.100.9"], "after a crash, without a service");
    refused(&daemon, &["update"]);
    done(&daemon, &["block", "198.51.100.11"]);
    check(&daemon, &["198.51.100.9", "198.51.100.11"], "while the service fails");
    assert_eq!(done(&daemon, &["forget", "198.51.100.11"]), "198.51.100.11 is forgotten\n");
    assert!(!has(&daemon, "198.51.100.11"));
    assert!(daemon.stop().success());
}

/// Start with a service that does not answer, and nothing in force. Allow; block two addresses; forget
/// one and then the other, and restart. Let the service come and update.
/// Check that what is blocked is published alone; that the last one stays, with exit code 1 and a
/// warning; that it goes when the policy comes, and that nothing of the policy ever stood in.
#[test]
fn before_any_policy_it_is_all_that_is_blocked() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[NOBODY.parse().unwrap()]);
    let daemon = Daemon::start(&scratch, &config);
    done(&daemon, &["allow", "198.51.100.8"]);
    assert_eq!(table(&daemon, BLOCK).unwrap_or_default(), "");
    done(&daemon, &["block", BAD]);
    done(&daemon, &["block", "198.51.100.9"]);
    assert_eq!(table(&daemon, BLOCK).unwrap(), format!("{BAD}\n198.51.100.9\n"));
    let warnings = status(&daemon)["pf"]["warnings"].to_string();
    assert!(warnings.contains("list basic.threatstop.local has not come yet"), "{warnings}");
    done(&daemon, &["forget", BAD]);
    assert_eq!(table(&daemon, BLOCK).unwrap(), "198.51.100.9\n");
    let why = refused(&daemon, &["forget", "198.51.100.9"]);
    let words = "198.51.100.9 is forgotten, but that is not in force: the block table would have \
                 nothing left, and is never made empty";
    assert!(why.contains(words), "{why}");
    assert_eq!(own(&daemon), [pair("198.51.100.8", "allow")]);
    let stays = |daemon: &Daemon| {
        assert_eq!(table(daemon, BLOCK).unwrap(), "198.51.100.9\n");
        let warnings = status(daemon)["pf"]["warnings"].to_string();
        assert!(warnings.contains("no list has anything to block"), "{warnings}");
        assert_eq!(status(daemon)["held"][0]["table"], "block");
    };
    stays(&daemon);
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&scratch, &config);
    stays(&daemon);
    assert!(daemon.stop().success());

    let (service, text) = honest(30);
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK), Some(text));
    assert_eq!(status(&daemon)["held"], json!([]));
    assert!(daemon.stop().success());
}

/// Make the table const, so that nothing can be published; block, and look. Make it well again, and
/// let the time pass until it is tried again.
/// Check that the command fails with the reason and that it is kept, that status warns, and that it
/// comes into force by itself.
#[test]
fn what_cannot_be_published_is_kept_and_tried_again() {
    let (service, _) = honest(30);
    let scratch = Scratch::new();
    let daemon = start_faulty(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    pf_is(&scratch, &format!("const {BLOCK}\n"));
    let why = refused(&daemon, &["block", BAD]);
    assert!(
        why.contains(&format!("{BAD} is kept, but that is not in force: block table: ")),
        "{why}"
    );
    assert!(why.contains("a const table") && why.ends_with("; it is tried again\n"), "{why}");
    assert_eq!(own(&daemon), [pair(BAD, "block")]);
    let warnings = status(&daemon)["pf"]["warnings"].to_string();
    assert!(warnings.contains("the block table is not what it should be: "), "{warnings}");
    pf_is(&scratch, "");
    say(&scratch, "clock", "120");
    wait_until("it is tried again", || has(&daemon, BAD));
    wait_until("nothing is warned of", || {
        let warnings = status(&daemon)["pf"]["warnings"].to_string();
        !warnings.contains("not what it should be")
    });
    assert!(daemon.stop().success());
}

/// Block addresses one after the other, and ask for the status all the time.
/// Check that no status takes what is being published for what somebody changed in pf.
#[test]
fn what_is_published_at_the_moment_is_no_change_by_others() {
    let stage = Stage::new(|config| config);
    let daemon = &stage.daemon;
    let done_with_it = AtomicBool::new(false);
    thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut warnings = Vec::new();
            while !done_with_it.load(Ordering::Relaxed) {
                warnings.push(status(daemon)["pf"]["warnings"].to_string());
            }
            warnings
        });
        for last in 1..=30 {
            done(daemon, &["block", &format!("198.51.100.{last}")]);
        }
        done_with_it.store(true, Ordering::Relaxed);
        for warnings in asking.join().unwrap() {
            assert!(!warnings.contains("prefixes and not"), "{warnings}");
        }
    });
    done(daemon, &["forget", "-a"]);
    stage.goes_on();
}

/// Block one address for a minute and one for a day, allow one for an hour; set the clock ahead by two
/// minutes, and then by two hours; stop, and start two days later.
/// Check that each ends in its time, and that the log says so.
#[test]
fn what_has_an_end_ends() {
    let (service, old) = honest(30);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = start_faulty(&scratch, &config);
    update(&daemon);
    let first = old.lines().find(|line| !line.contains('/')).unwrap();
    done(&daemon, &["block", "-t", "1m", BAD]);
    done(&daemon, &["block", "-t", "1d", "198.51.100.9"]);
    done(&daemon, &["allow", "-t", "1h", first]);
    assert!(has(&daemon, BAD) && !has(&daemon, first));
    say(&scratch, "clock", "120");
    wait_until("the first ends", || !has(&daemon, BAD));
    assert!(daemon.output().contains(&format!("block {BAD} has ended")), "{}", daemon.output());
    assert!(!has(&daemon, first) && has(&daemon, "198.51.100.9"));
    say(&scratch, "clock", "7200");
    wait_until("what was allowed is blocked again", || has(&daemon, first));
    assert_eq!(own(&daemon), [pair("198.51.100.9", "block")]);
    assert!(daemon.stop().success());
    say(&scratch, "clock", "172800");
    let daemon = start_faulty(&scratch, &config);
    wait_until("the last has ended", || daemon.kernel_table(BLOCK) == Some(old.clone()));
    assert_eq!(own(&daemon), []);
    assert!(daemon.stop().success());
}

/// Publish a second policy; block an address for a minute, and one for an hour. Roll back.
/// Check that both are blocked still, that the first ends in its time, and that it ends nothing else.
/// Update; publish a third policy; let the second end in the moment of another rollback.
/// Check that the set before is in force, without it.
#[test]
fn what_ends_during_a_rollback_ends() {
    let (service, first) = honest(30);
    let scratch = Scratch::new();
    let daemon = start_faulty(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    let (second, _) = list(40);
    service.edit(|z| *z = zone(&second));
    update(&daemon);
    let later = "198.51.100.9";
    done(&daemon, &["block", "-t", "1m", BAD]);
    done(&daemon, &["block", "-t", "1h", later]);
    done(&daemon, &["rollback"]);
    // the addresses of a policy, and those that were blocked
    let is = |policy: &str, own: &[&str]| {
        let mut lines: Vec<&str> = policy.lines().chain(own.iter().copied()).collect();
        lines.sort_unstable();
        let text = daemon.kernel_table(BLOCK).unwrap();
        let mut found: Vec<&str> = text.lines().collect();
        found.sort_unstable();
        found == lines
    };
    assert!(is(&first, &[BAD, later]), "{}", daemon.output());
    say(&scratch, "clock", "120");
    wait_until("the first ends", || is(&first, &[later]));
    let held = status(&daemon)["held"].clone();
    assert_eq!(held[0]["reason"], "rollback", "{held}");
    assert_eq!(status(&daemon)["update"]["state"], "rolled back");
    assert_eq!(own(&daemon), [pair(later, "block")]);

    update(&daemon);
    let second = daemon.kernel_table(BLOCK).unwrap().replace(&format!("{later}\n"), "");
    let (third, _) = list(50);
    service.edit(|z| *z = zone(&third));
    update(&daemon);
    say(&scratch, "clock", "7200");
    done(&daemon, &["rollback"]);
    wait_until("the set before, without what has ended", || is(&second, &[]));
    assert_eq!(own(&daemon), []);
    assert_eq!(status(&daemon)["update"]["state"], "rolled back");
    assert!(daemon.stop().success());
}

/// Name localhost among the names that are never blocked, and one that nobody has; update.
/// Check that the update waits for neither, that log and status say that the addresses of the one are
/// none that count, and that of the other none is known.
#[test]
fn a_name_that_is_never_blocked_holds_up_nobody() {
    let names = vec!["localhost", "nobody-has-this-name.invalid"];
    let stage = Stage::new(|config| config.set("guard.never_block_names", names));
    let words = "never_block_names: localhost has 127.0.0.1, which is left out: not a global address \
                 (loopback, RFC 1122)";
    stage.daemon.wait_for(words, PATIENCE);
    wait_until("the other is told of", || {
        let warnings = stage.status()["pf"]["warnings"].to_string();
        warnings.contains("never_block_names: nobody-has-this-name.invalid: ")
            && warnings.contains(": no address of it is known")
    });
    stage.goes_on();
}

/// How a file is kept, step by step.
const STEPS: [&str; 5] = ["create", "write", "fsync", "rename", "sync"];

/// Block one address. At each step of keeping a second one end the engine as suddenly as SIGKILL does;
/// then let the disk fail there.
/// Check that the command fails, that the first is in force and kept all the time, that the second is
/// either both or neither, and that it can be said again.
#[test]
fn a_crash_or_a_bad_disk_at_any_step_loses_nothing() {
    let (service, _) = honest(30);
    for step in STEPS {
        let scratch = Scratch::new();
        let config = Config::new(&scratch, &[service.addr()]);
        let daemon = start_faulty(&scratch, &config);
        update(&daemon);
        done(&daemon, &["block", "198.51.100.9"]);
        say(&scratch, "fault", &format!("{step} own:5\n"));
        let why = refused(&daemon, &["block", BAD]);
        assert!(why.contains("not kept: ") && why.contains("Input/output error"), "{step}: {why}");
        assert!(!has(&daemon, BAD) && has(&daemon, "198.51.100.9"), "{step}");
        assert_eq!(own(&daemon), [pair("198.51.100.9", "block")], "{step}");

        say(&scratch, "fault", &format!("{step} own:kill\n"));
        refused(&daemon, &["block", BAD]);
        daemon.wait_for("engine terminated; signal 6", PATIENCE);
        daemon.wait_until_ready();
        let kept = own(&daemon);
        assert!(kept.contains(&pair("198.51.100.9", "block")), "{step}: {kept:?}");
        let is_kept = kept.contains(&pair(BAD, "block"));
        assert_eq!(is_kept, step == "sync", "{step}: {kept:?}");
        wait_until(step, || has(&daemon, "198.51.100.9") && has(&daemon, BAD) == is_kept);
        assert!(!daemon.output().contains("damaged"), "{step}: {}", daemon.output());
        done(&daemon, &["block", BAD]);
        assert!(has(&daemon, BAD), "{step}");
        assert!(daemon.stop().success());
    }
}

/// Block three addresses, stop, and damage the file within the line of one; start. Then take the
/// warning's way out.
/// Check that the other two are in force, that log and status say what was damaged and where it is,
/// that it is there, and that the warning goes with the file.
#[test]
fn a_damaged_file_is_put_aside_and_told_of() {
    let stage = Stage::new(|config| config);
    let Stage { service, scratch, daemon, .. } = stage;
    let config = Config::new(&scratch, &[service.addr()]);
    for address in ["198.51.100.7", "198.51.100.9", "198.51.100.11"] {
        done(&daemon, &["block", address]);
    }
    assert!(daemon.stop().success());
    let file = scratch.spool().join("own");
    damage(&file, "198.51.100.9");
    let octets = fs::read(&file).unwrap();

    let daemon = Daemon::start(&scratch, &config);
    let aside = scratch.spool().join("own.damaged.1");
    daemon.wait_for("damaged: 2 could be read, 1 entry of block and allow is missing", PATIENCE);
    assert_eq!(fs::read(&aside).unwrap(), octets);
    wait_until("the others are in force", || {
        has(&daemon, "198.51.100.7") && has(&daemon, "198.51.100.11")
    });
    let now = status(&daemon);
    let warnings = now["pf"]["warnings"].to_string();
    assert!(warnings.contains(aside.to_str().unwrap()), "{warnings}");
    done(&daemon, &["block", "198.51.100.9"]);
    fs::remove_file(&aside).unwrap();
    let warnings = status(&daemon)["pf"]["warnings"].to_string();
    assert!(!warnings.contains("damaged"), "{warnings}");
    assert!(daemon.stop().success());
    let daemon = Daemon::start(&scratch, &config);
    assert_eq!(own(&daemon).len(), 3);
    assert!(daemon.stop().success());
}

/// Block an address, stop, and put a link to itself in the place of the file; start. Then put the file back.
/// Check that `show own` fails with the reason as long as the file cannot be read, rather than say that there
/// is nothing, and that it has the address afterwards.
#[test]
fn what_cannot_be_read_is_not_shown_as_nothing() {
    let Stage { service, scratch, daemon, .. } = Stage::new(|config| config);
    done(&daemon, &["block", BAD]);
    assert!(daemon.stop().success());
    let [file, away] = ["own", "away"].map(|name| scratch.spool().join(name));
    fs::rename(&file, &away).unwrap();
    std::os::unix::fs::symlink("own", &file).unwrap();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    let why = refused(&daemon, &["show", "own"]);
    let begin = format!("threatstopctl: show: {}: ", file.display());
    assert!(why.starts_with(&begin), "{why}");
    assert!(why.ends_with("; what block and allow said is not in force\n"), "{why}");
    fs::rename(&away, &file).unwrap();
    wait_until("the file is read", || daemon.ctl(&["show", "own"]).status.success());
    assert_eq!(own(&daemon), [pair(BAD, "block")]);
    assert!(daemon.stop().success());
}

/// Changes an octet of the line that has these words.
fn damage(file: &Path, words: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains(words), "{text}");
    fs::write(file, text.replace(words, &words.replace('9', "8"))).unwrap();
}

/// Block what a list of the service names as well, and forget it; allow what it names, and forget
/// that.
/// Check that the answer says that it is still blocked and by what, and that it is.
#[test]
fn to_forget_says_what_still_blocks() {
    let stage = Stage::new(|config| config);
    let first = stage.old.lines().find(|line| !line.contains('/')).unwrap();
    done(&stage.daemon, &["block", first]);
    let said = done(&stage.daemon, &["forget", first]);
    assert_eq!(
        said,
        format!("{first} is forgotten; something of it is blocked: listed by {BASIC}\n")
    );
    done(&stage.daemon, &["allow", first]);
    assert!(!has(&stage.daemon, first));
    let forgotten = document(&stage.daemon, &["forget", first]);
    assert_eq!(
        forgotten,
        json!({"forgotten": 1, "blocked": true, "why": format!("listed by {BASIC}")})
    );
    assert!(has(&stage.daemon, first));
    stage.goes_on();
}

/// Start a daemon that knows its lists; damage the copy of one, so that the table in force stands in
/// for it; block and forget.
/// Check that nothing of the table is lost, whatever is said meanwhile.
#[test]
fn a_lost_copy_makes_the_table_no_smaller() {
    let stage = Stage::new(|config| config.set("policy.timeout", "5s"));
    let Stage { service, scratch, daemon, old } = stage;
    assert!(daemon.stop().success());
    let addr = service.addr();
    service.stop();
    fs::remove_file(scratch.spool().join("lists").join(format!("{BASIC}.list"))).unwrap();
    let daemon =
        Daemon::start(&scratch, &Config::new(&scratch, &[addr]).set("policy.timeout", "5s"));
    done(&daemon, &["block", BAD]);
    let whole = |daemon: &Daemon| old.lines().all(|line| has(daemon, line));
    assert!(has(&daemon, BAD) && whole(&daemon));
    let said = done(&daemon, &["forget", BAD]);
    assert!(said.contains("stands in for a list that has to come again"), "{said}");
    assert!(whole(&daemon));
    assert!(daemon.stop().success());
}

/// Have the configuration name another list, which does not come, and read it again. Allow an address of
/// the table that stays for want of it; then protect another one, with never_block.
/// Check that each is let through when the command ends, and that all else stays.
/// Then permit a table fewer entries than are in force, and allow one more.
/// Check that it is kept, that the command and `status` say that it stays blocked and why, and that it is let
/// through once the guard permits the table again.
#[test]
fn what_is_allowed_leaves_a_table_that_has_to_stay() {
    let stage = Stage::new(|config| config);
    let (scratch, daemon) = (&stage.scratch, &stage.daemon);
    let hosts: Vec<&str> = stage.old.lines().filter(|line| !line.contains('/')).collect();
    let [first, second, third, ..] = hosts[..] else { panic!("{}", stage.old) };
    let other = |never: &[&str], most: i64| {
        let config = Config::new(scratch, &[stage.service.addr()])
            .set("policy.block", vec!["other.threatstop.local"])
            .set("guard.never_block", never.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>())
            .set("guard.max_entries", most);
        config.write(scratch);
        let mark = daemon.mark();
        daemon.signal(Signal::SIGHUP);
        daemon.wait_for_after(mark, "reloaded, helper ", PATIENCE);
    };
    let all_but = |left: &[&str]| -> String {
        let lines = stage.old.lines().filter(|line| !left.contains(line));
        lines.map(|line| format!("{line}\n")).collect()
    };
    other(&[], 100_000);
    assert_eq!(table(daemon, BLOCK), Some(all_but(&[])));
    done(daemon, &["allow", first]);
    assert_eq!(table(daemon, BLOCK), Some(all_but(&[first])));
    other(&[second], 100_000);
    wait_until("it is unblocked", || table(daemon, BLOCK) == Some(all_but(&[first, second])));
    let warnings = stage.status()["pf"]["warnings"].to_string();
    assert!(!warnings.contains("stays blocked"), "{warnings}");

    other(&[second], 200);
    let output = daemon.ctl(&["allow", third]);
    assert_eq!(output.status.code(), Some(1), "{}", output.stdout);
    let why = format!("{third} is kept, but that is not in force: ");
    assert!(output.stderr.contains(&why), "{}", output.stderr);
    assert_eq!(table(daemon, BLOCK), Some(all_but(&[first, second])));
    let warnings = stage.status()["pf"]["warnings"].to_string();
    assert!(warnings.contains("what is allowed now stays blocked: "), "{warnings}");
    other(&[second], 100_000);
    wait_until("it is let through", || {
        table(daemon, BLOCK) == Some(all_but(&[first, second, third]))
    });
    assert!(stage.daemon.stop().success());
}
