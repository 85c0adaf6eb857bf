//! Tables and files that somebody changed: they are mended, and whoever finds it says so.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

use crate::common::*;
use tests::harness::{Config, Daemon, Scratch};
use tests::item::items;
use tests::sim::Layout;

/// Add one entry to the table of pf and remove another, so that all that pf counts is as before; then
/// edit the table file, and then take it away.
/// Check that each is noticed at the next look and undone, and that log and status have a word of it.
#[test]
fn a_change_that_leaves_no_trace_in_the_counters_is_mended() {
    let stage = Stage::new(|config| config.set("tables.check_interval", "1s"));
    let path = |kind: &str| stage.scratch.tables().join(format!("{BLOCK}.{kind}"));
    let is_mended = |words: &str| {
        wait_until("it is mended", || {
            ["pftable", "simulated"]
                .iter()
                .all(|kind| fs::read_to_string(path(kind)).is_ok_and(|now| now == stage.old))
        });
        stage.daemon.wait_for(words, PATIENCE);
        let told = || stage.status()["pf"]["mended"].to_string().contains(words);
        wait_until("status has it", told);
    };
    let (first, rest) = stage.old.split_once('\n').unwrap();
    let swapped = format!("1.2.3.4\n{rest}");
    assert!(!first.starts_with("1.2.3.4"));
    // a look first, so that the table is known to be ours
    std::thread::sleep(Duration::from_secs(2));
    let since = path("simulated").metadata().unwrap().modified().unwrap();
    plant(&path("simulated"), &swapped);
    fs::File::options().write(true).open(path("simulated")).unwrap().set_modified(since).unwrap();
    is_mended(&format!(
        "pf table <{BLOCK}> had been changed by somebody: 1 prefix put back, 1 remo"
    ));
    let file = format!("{BLOCK}.pftable was gone or had been changed by somebody: ");
    plant(&path("pftable"), &swapped);
    is_mended(&format!("{file}1 prefix put back, 1 removed"));
    fs::remove_file(path("pftable")).unwrap();
    is_mended(&format!("{file}300 prefixes put back, 0 removed"));
    assert!(stage.daemon.stop().success());
}

/// Empty the table of pf and update, long before the daemon would look; the list is the same. Once
/// more with a table that is gone, and with servers that are.
/// Check that the table is whole again, and that the update, the log and status say what was found.
#[test]
fn an_update_says_what_it_finds_changed() {
    let stage = Stage::new(|config| config.set("tables.check_interval", "1d"));
    let Stage { service, scratch, daemon, old } = stage;
    let kernel = scratch.tables().join(format!("{BLOCK}.simulated"));
    let told = |words: &str, output: &str| {
        assert!(output.contains(&format!("Warning: {words}\n")), "{output}");
        assert!(!output.contains("No changes"), "{output}");
        assert_eq!(table(&daemon, BLOCK).as_deref(), Some(old.as_str()));
        daemon.wait_for(words, PATIENCE);
        assert!(status(&daemon)["pf"]["mended"].to_string().contains(words));
    };
    let changed = format!("pf table <{BLOCK}> had been changed by somebody: ");
    plant(&kernel, "");
    let output = update(&daemon).stdout;
    told(&format!("{changed}300 prefixes put back, 0 removed"), &output);
    assert!(output.contains("\nAdding 300 blocked addresses\n"), "{output}");
    assert!(output.contains("\nChanged: +0 -0 blocked, +0 -0 allowed\n"), "{output}");
    plant(&kernel, "9.9.9.9\n");
    let output = daemon.ctl(&["-j", "update"]).stdout;
    assert!(output.contains(&format!("{changed}300 prefixes put back, 1 removed")), "{output}");
    fs::remove_file(&kernel).unwrap();
    let made = format!("pf table <{BLOCK}> did not exist; made with 300 prefixes");
    told(&made, &update(&daemon).stdout);
    assert!(update(&daemon).stdout.contains("\nNo changes\n"));
    service.stop();
    plant(&kernel, "1.1.1.1\n2.2.2.2\n");
    let output = daemon.ctl(&["update"]);
    assert_eq!(output.status.code(), Some(1));
    told(&format!("{changed}300 prefixes put back, 2 removed"), &output.stdout);
    assert!(daemon.stop().success());
}

/// Start with empty files and with no table in pf, as after setup and without lines in pf.conf.
/// Check that the log says that a table was made, and blames nobody.
#[test]
fn a_table_that_is_made_at_start_is_nobodys_change() {
    let scratch = Scratch::new();
    plant(&scratch.tables().join(format!("{ALLOW}.pftable")), "");
    let silent = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let daemon = Daemon::start(&scratch, &silent);
    let told = format!("pf table <{ALLOW}> did not exist; made with 0 prefixes");
    daemon.wait_for(&told, PATIENCE);
    assert!(!daemon.output().contains("had been changed"), "{}", daemon.output());
    assert!(daemon.stop().success());
}

/// Publish, empty the table of pf, and at once let an update be held back; then one whose allow table
/// pf refuses.
/// Check that what the update did not publish is mended all the same.
#[test]
fn an_update_that_fails_hides_no_changed_table() {
    let (service, text) = honest(300);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]).set("tables.check_interval", "2s");
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let kernel = scratch.tables().join(format!("{BLOCK}.simulated"));
    let is_back = || fs::read_to_string(&kernel).is_ok_and(|now| now == text);
    service.edit(|z| *z = zone(&list(30).0));
    plant(&kernel, "");
    refused(&daemon, &["update"]);
    wait_until("the table is mended", is_back);

    service.edit(|z| {
        z.set_list(DNS, &items("200.0.0.1"), Layout::Single);
    });
    pf_is(&scratch, &format!("const {ALLOW}\n"));
    plant(&kernel, "");
    refused(&daemon, &["update"]);
    wait_until("the table is mended", is_back);
    assert!(daemon.stop().success());
}

/// Remove the table file, edit it, spoil it, and update with an unchanged list.
/// Check that the file is written anew though pf has the set already.
#[test]
fn a_file_changed_by_others_is_written_anew() {
    let (service, text) = honest(50);
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    let file = scratch.tables().join(format!("{BLOCK}.pftable"));
    fs::remove_file(&file).unwrap();
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
    for spoilt in ["", "1.2.3.4\n", "no prefix\n", "\0\0\0\0"] {
        plant(&file, spoilt);
        update(&daemon);
        assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()), "{spoilt:?}");
    }
    assert_eq!(file.metadata().unwrap().mode() & 0o7777, 0o600);
    assert!(daemon.stop().success());
}

/// Start the daemon with a list in force. Put a FIFO in the place of the table file.
/// Check that `status` warns of it, says what it is and what to do, as long as it is there. Remove it. Check that
/// the file is put back and that the warning is gone.
/// Put the FIFO there once more, and start the daemon anew. Check that `status` does not say that nothing is
/// blocked, or that an update is under way.
#[test]
fn a_file_that_cannot_be_put_back_is_a_warning() {
    let stage = Stage::new(|config| config.set("tables.check_interval", "1s"));
    let path = stage.scratch.tables().join(format!("{BLOCK}.pftable"));
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let warning = || {
        let warnings = stage.status()["pf"]["warnings"].clone();
        let texts: Vec<String> = serde_json::from_value(warnings).unwrap();
        texts.into_iter().find(|text| text.contains("not a regular file"))
    };
    wait_until("status warns", || warning().is_some());
    let text = warning().unwrap();
    assert!(text.starts_with(&format!("pf table <{BLOCK}>: ")), "{text}");
    assert!(text.contains("not a regular file that only root may write to; remove it"), "{text}");
    fs::remove_file(&path).unwrap();
    let is_back = || fs::read_to_string(&path).is_ok_and(|now| now == stage.old);
    wait_until("it is put back", is_back);
    wait_until("status has no warning", || warning().is_none());

    let Stage { service, scratch, daemon, old } = stage;
    assert!(daemon.stop().success());
    fs::remove_file(&path).unwrap();
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRUSR).unwrap();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    let verdict = daemon.ctl(&["status"]).stdout;
    let words =
        "warning: what is blocked is not known: the table files are empty or cannot be read\n";
    assert!(verdict.starts_with(words) && !verdict.contains("under way"), "{verdict}");
    fs::remove_file(&path).unwrap();
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK), Some(old));
    assert!(daemon.stop().success());
}
