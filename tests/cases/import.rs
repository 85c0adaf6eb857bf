//! From the old threatstop.conf to a running configuration.
//!
//! 1. Write an old file with every key, and with shell code that would leave a mark if it ran.
//! 2. Import it, as text and with -j, from a file and from the standard input.
//! 3. Check that nothing ran, that threatstopd accepts the result, and that what was not carried
//!    over is named in it.
//! 4. Import what cannot be imported: exit 1, nothing on stdout, and the place on stderr.

// A test stops at the first thing that is not as expected; there is nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::harness::{Scratch, programs};
use tests::process::{Output, run};

const LIMIT: Duration = Duration::from_secs(20);

/// The old file; `$MARK` is what would be made if any of it were executed.
const OLD: &str = r#"#!/bin/sh
# ThreatSTOP for pf
DNS_SERVERS="192.124.129.42 64.87.26.147"
BLOCK_LIST="basic.threatstop.local"
ALLOW_LIST="dns.threatstop.local"
OUT_DIR="/var/db/threatstop-old"
BLOCK_FILE="$OUT_DIR/threatstop.block"
ALLOW_FILE="${OUT_DIR}/threatstop.allow"
BLOCK_TABLE="TS-Block"
ALLOW_TABLE="TS-Allow"
RELOAD_PF="YES"
PFLOG="/var/log/pflog.0.gz"
logfile="/tmp/pflog.txt"
url="https://logs.threatstop.com/cgi-bin/logupload.pl"
device_id="tdid_abcd1234"
touch $MARK
PROXY=$(touch $MARK)
EXTRA=`touch $MARK`
"#;

fn import(operand: &Path, flags: &[&str]) -> Output {
    let mut command = Command::new(&programs().threatstopctl);
    command.args(flags).arg("import").arg(operand);
    run(&mut command, LIMIT)
}

#[test]
fn an_old_file_becomes_a_configuration() {
    let scratch = Scratch::new();
    let (old, mark) = (scratch.path().join("threatstop.conf"), scratch.path().join("mark"));
    fs::write(&old, OLD.replace("$MARK", mark.to_str().unwrap())).unwrap();
    let output = import(&old, &[]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), ""));
    assert!(!mark.exists(), "the old file was executed");
    for line in [
        "device_id = \"tdid_abcd1234\"",
        "servers = [\"192.124.129.42\", \"64.87.26.147\"]",
        "directory = \"/var/db/threatstop-old\"",
        "block = \"TS-Block\"",
        "file = \"/var/log/pflog\"",
    ] {
        assert!(output.stdout.lines().any(|found| found == line), "{line}\n{}", output.stdout);
    }
    let noted = |text: &str| {
        let comments = output.stdout.lines().filter(|line| line.starts_with("# "));
        comments.into_iter().any(|line| line.contains(text))
    };
    for text in [
        "not carried over: BLOCK_FILE",
        "not carried over: logfile",
        ": not an assignment, not executed",
        ": a command substitution, not executed",
        "crontab -e",
        "newsyslog.conf",
    ] {
        assert!(noted(text), "{text}\n{}", output.stdout);
    }

    // the daemon takes it as it is
    fs::write(scratch.config(), &output.stdout).unwrap();
    let mut chmod = Command::new("chmod");
    assert!(run(chmod.arg("600").arg(scratch.config()), LIMIT).status.success());
    let mut daemon = Command::new(&programs().threatstopd);
    let checked = run(daemon.arg("-n").arg("-f").arg(scratch.config()), LIMIT);
    assert_eq!((checked.status.code(), checked.stderr.as_str()), (Some(0), "configuration OK\n"));

    let json = import(&old, &["-j"]);
    let document: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(document["toml"], output.stdout);
    let notes = document["notes"].as_array().unwrap();
    assert!(notes.iter().all(|note| noted(note.as_str().unwrap())));
    assert!(notes.len() >= 8, "{notes:?}");

    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" import - <\"$1\""]).arg(&programs().threatstopctl).arg(&old);
    let piped = run(&mut shell, LIMIT);
    let but_first = |text: &str| text.split_once('\n').unwrap().1.to_string();
    assert_eq!(but_first(&piped.stdout), but_first(&output.stdout));
}

#[test]
fn what_cannot_be_imported_is_named() {
    let scratch = Scratch::new();
    let old = scratch.path().join("threatstop.conf");
    let shown = old.display();
    for (text, why) in [
        (&b"DNS=192.0.2.1\n"[..], ": no device_id: add device_id=\"tdid_...\""),
        (b"# \xff\ndevice_id=tdid_abcd1234\n", ":1: not UTF-8: convert it"),
        (b"DNS=192.0.2.1\ndevice_id=\"tdid_abcd1234\n", ":2: a quote is not closed"),
        (b"device_id=wrong\n", ":1: device_id: "),
        (&[b'#'; 70_000], ": larger than 65536 octets"),
    ] {
        fs::write(&old, text).unwrap();
        let output = import(&old, &[]);
        let wanted = format!("threatstopctl: import: {shown}{why}");
        assert!(output.stderr.starts_with(&wanted), "{wanted}\n{}", output.stderr);
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""));
    }
    fs::remove_file(&old).unwrap();
    let output = import(&old, &["-j"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(1), ""));
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(document["error"]["what"], "import");
    assert_eq!(document["error"]["why"], format!("{shown}: No such file or directory"));
}
