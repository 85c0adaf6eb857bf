//! From the old threatstop.conf to a running configuration.
//!
//! 1. Write an old file with every key, and with shell code that would leave a mark if it ran.
//! 2. Import it, as text and with -j, from a file and from the standard input.
//! 3. Check that nothing ran, that threatstopd accepts the result, and that what was not carried
//!    over is named in it.
//! 4. Import what is no old file: exit 1, nothing on stdout, and why on stderr. Import lines that
//!    cannot be carried over: the rest is, they are comments, and stderr says how many.
//! 5. Type what README.md, threatstopctl(8) and the package's README say, where a configuration is
//!    already: the new one is there and nobody else's to read, or the old one as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tests::harness::{Scratch, programs};
use tests::process::{Output, run};

const LIMIT: Duration = tests::process::PATIENCE;

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
    let said = format!(
        "threatstopctl: import: {}: 6 things are not carried over: see the comments of the new \
         file\n",
        old.display()
    );
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), said.as_str()));
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
        "the old scripts sent the whole packet log",
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
    assert_eq!((&document["left_out"], &document["device_id"]), (&6.into(), &true.into()));
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
        (&b"root:x:0:0\n"[..], ": sets nothing that the old scripts know"),
        (&[b'#'; 70_000], ": larger than 65536 octets"),
    ] {
        fs::write(&old, text).unwrap();
        let output = import(&old, &[]);
        let wanted = format!("threatstopctl: import: {shown}{why}");
        assert!(output.stderr.starts_with(&wanted), "{wanted}\n{}", output.stderr);
        assert_eq!((output.status.code(), output.stdout.as_str()), (Some(1), ""));
    }
    // lines that cannot be carried over are comments, and the device id is waited for
    fs::write(&old, b"# caf\xe9\nNOTE=\xff\nDNS=\"192.0.2.1\ndevice_id=wrong\nRELOAD=no\n")
        .unwrap();
    let output = import(&old, &[]);
    let said = format!(
        "threatstopctl: import: {shown}: 3 things are not carried over, and device_id is to be \
         filled in: see the comments of the new file\n"
    );
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(0), said.as_str()));
    assert!(output.stdout.contains("\ndevice_id = \"\"\n"), "{}", output.stdout);
    assert!(output.stdout.contains("\nreload = false\n"), "{}", output.stdout);
    fs::remove_file(&old).unwrap();
    let output = import(&old, &["-j"]);
    assert_eq!((output.status.code(), output.stderr.as_str()), (Some(1), ""));
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    assert_eq!(document["error"]["what"], "import");
    assert_eq!(document["error"]["why"], format!("{shown}: No such file or directory"));
}

/// The commands of a document that take over an old file, for another directory and another file.
fn documented(path: &str, etc: &Path, old: &Path) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let import = lines.iter().position(|line| line.contains("threatstopctl import /")).unwrap();
    let first = lines[..import].iter().rposition(|line| line.starts_with("# cd ")).unwrap();
    let last = import + lines[import..].iter().position(|line| line.starts_with("mv ")).unwrap();
    let typed: Vec<String> = lines[first..=last]
        .iter()
        .map(|line| line.strip_prefix("# ").unwrap_or(line).replace("\\e", "\\"))
        .map(|line| match line.split_once("threatstopctl import ") {
            Some((before, _)) => {
                format!("{before}threatstopctl import {} \\", old.display())
            }
            None => line,
        })
        .collect();
    let typed = typed.join("\n");
    let cd = ["/etc", "${SYSCONFDIR}"].map(|at| format!("cd {at}\n"));
    assert!(cd.iter().any(|cd| typed.starts_with(cd.as_str())), "{typed}");
    format!("cd {}\n{}", etc.display(), typed.split_once('\n').unwrap().1)
}

#[test]
fn the_documented_order_loses_nothing_and_shows_nothing() {
    let bin = programs().threatstopctl.parent().unwrap();
    assert_eq!(programs().threatstopd.parent(), Some(bin));
    for document in ["README.md", "port/pkg/README", "src/threatstopctl/threatstopctl.8"] {
        let scratch = Scratch::new();
        let etc = scratch.path().join("etc");
        let (old, new) = (scratch.path().join("threatstop.conf"), etc.join("threatstopd.toml"));
        let left = etc.join("threatstopd.toml.new");
        fs::create_dir(&etc).unwrap();
        let typed = documented(document, &etc, &old);
        let type_it = || {
            let mut shell = Command::new("sh");
            shell.args(["-c", "umask 022; PATH=$1:$PATH; eval \"$2\"", "sh"]).arg(bin).arg(&typed);
            run(&mut shell, LIMIT)
        };
        let put = |path: &Path, text: &str, mode: u32| {
            fs::write(path, text).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        };
        let mode = || fs::metadata(&new).unwrap().permissions().mode() & 0o777;

        put(&new, "what was there\n", 0o600);
        assert!(!type_it().status.success(), "{document}: there is no old file");
        assert_eq!(fs::read_to_string(&new).unwrap(), "what was there\n", "{document}");
        // left by somebody, for all to read: the check refuses it
        fs::write(&old, OLD.replace("$MARK", "/dev/null")).unwrap();
        put(&left, "", 0o644);
        assert!(!type_it().status.success(), "{document}: {typed}");
        assert_eq!(fs::read_to_string(&new).unwrap(), "what was there\n", "{document}");
        fs::remove_file(&left).unwrap();

        for there in [true, false] {
            if !there {
                fs::remove_file(&new).unwrap();
            }
            let output = type_it();
            assert!(output.status.success(), "{document}: {typed}\n{}", output.stderr);
            assert!(fs::read_to_string(&new).unwrap().contains("tdid_abcd1234"), "{document}");
            assert_eq!((mode(), left.exists()), (0o600, false), "{document}");
        }
    }
}
