//! What the commands of the control tool print, and their exit codes, through a day.

use std::io::Write as _;
use std::process::{Command, Stdio};

use crate::common::*;
use tests::harness::{Config, Daemon, Scratch, programs};
use tests::item::{Item, items};
use tests::sim::{Layout, PolicyService, SUFFIX, Zone};

/// The first line of `status`, and the exit code of `status -q`.
fn verdict(daemon: &Daemon) -> (String, i32) {
    let output = daemon.ctl(&["status"]);
    assert_eq!(output.status.code(), Some(0), "{}", output.stderr);
    let quiet = daemon.ctl(&["status", "-q"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let first = output.stdout.lines().next().unwrap_or_default().to_owned();
    (first, quiet.status.code().unwrap())
}

/// 1. Start against a service that does not know the lists.
/// 2. Let it know them and update.
/// 3. Let the list shrink to 12 prefixes and update.
/// 4. Take the service away and update.
/// 5. Change the table behind the daemon's back.
/// 6. Stop the daemon.
///
/// Check that the first line is the verdict each time and `-q` says the same by its exit code; that
/// no sentence stands twice, and nothing of it is longer than some dozen lines.
#[test]
fn the_verdict_comes_first() {
    let service = PolicyService::start(Zone::new(SUFFIX));
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]).set("tables.check_interval", "1d");
    let daemon = Daemon::start(&scratch, &config);
    daemon.wait_for("waiting for provisioning", PATIENCE);
    // the run is told before it has ended
    let begin = "warning: no policy yet, nothing is blocked: server ";
    wait_until("the first run has ended", || verdict(&daemon).0.starts_with(begin));
    let (_, code) = verdict(&daemon);
    assert_eq!(code, 1);
    let shown = daemon.ctl(&["status"]).stdout;
    assert_eq!(shown.matches("not found (NXDOMAIN)").count(), 1, "{shown}");

    let (old, _) = list(300);
    service.edit(|known| *known = zone(&old));
    update(&daemon);
    let (first, code) = verdict(&daemon);
    assert!(first.starts_with("ok: blocking 300 prefixes, policy "), "{first}");
    assert!(first.ends_with("s old"), "the log is off: {first}");
    assert_eq!(code, 0);

    service.edit(|known| *known = zone(&old[..12]));
    refused(&daemon, &["update"]);
    let (first, code) = verdict(&daemon);
    assert!(first.ends_with(", list basic.threatstop.local held back"), "{first}");
    assert_eq!(code, 0);
    let shown = daemon.ctl(&["status"]).stdout;
    assert_eq!(
        shown.matches("Keeping the previous list basic.threatstop.local: ").count(),
        1,
        "{shown}"
    );
    assert_eq!(status(&daemon)["held"][0]["can_force"], true);

    let address = service.addr();
    drop(service);
    refused(&daemon, &["update"]);
    let shown = daemon.ctl(&["status"]).stdout;
    assert!(shown.starts_with("ok: blocking 300 prefixes, "), "{shown}");
    assert_eq!(shown.matches("connect: Connection refused").count(), 1, "{shown}");
    assert!(shown.contains(&format!("\n{address}  failing  ")), "{shown}");
    assert!(shown.lines().count() <= 24, "{shown}");

    plant(&scratch.tables().join(format!("{BLOCK}.simulated")), "198.51.100.7\n");
    let (first, code) = verdict(&daemon);
    let told = format!("warning: pf table <{BLOCK}> has 1 prefix and not 300");
    assert_eq!((first, code), (told, 1));

    let socket = scratch.socket();
    assert!(daemon.stop().success());
    let gone = tests::harness::ctl(&socket, &["status", "-q"]);
    assert_eq!((gone.status.code(), gone.stdout.as_str(), gone.stderr.as_str()), (Some(2), "", ""));
}

/// Serve a block list with neighbours, a protected and an allowed address; ask for addresses by
/// operands and on standard input.
/// Check the sentences, with the list's own items, and the exit codes.
#[test]
fn why_names_the_items_of_the_lists() {
    let block: Vec<Item> = items("198.51.100.0/25 198.51.100.128/25 203.0.113.0/24 10.1.0.0/16");
    let mut known = zone(&block);
    known.set_list(DNS, &items("203.0.113.128/25"), Layout::Single);
    let service = PolicyService::start(known);
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    let says = |arguments: &[&str]| {
        let output = daemon.ctl(&[&["why"], arguments].concat());
        assert_eq!(output.stderr, "");
        let lines =
            output.stdout.lines().map(|line| line.split(", since").next().unwrap().to_owned());
        (lines.collect::<Vec<_>>(), output.status.code().unwrap())
    };
    assert_eq!(
        says(&["198.51.100.7", "203.0.113.9"]),
        (
            vec![
                format!(
                    "198.51.100.7 is blocked: 198.51.100.0/24, listed by {BASIC} as 198.51.100.0/25"
                ),
                format!(
                    "203.0.113.9 is blocked: 203.0.113.0/25, listed by {BASIC} as 203.0.113.0/24"
                ),
            ],
            0
        )
    );
    assert_eq!(
        says(&["203.0.113.200", "10.1.2.3", "8.8.8.8"]),
        (
            vec![
                format!(
                    "203.0.113.200 is not blocked: allowed by {DNS}, listed by {BASIC} as 203.0.113.0/24"
                ),
                format!(
                    "10.1.2.3 is not blocked: protected by 10.0.0.0/8 (private, RFC 1918), listed by \
                     {BASIC} as 10.1.0.0/16"
                ),
                "8.8.8.8 is not blocked: not listed".into(),
            ],
            1
        )
    );

    let mut child = Command::new(&programs().threatstopctl)
        .args(["-j", "-s"])
        .arg(scratch.socket())
        .args(["why", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"198.51.100.7 # ours\n8.8.8.8\n").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let documents: Vec<serde_json::Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(documents.len(), 2);
    assert_eq!(documents[0]["items"][0], "198.51.100.0/25");
    assert_eq!(documents[1]["blocked"], false);
    assert_eq!(daemon.ctl(&["why", "host.example.net"]).status.code(), Some(2));
    assert!(daemon.stop().success());
}

/// Test against a server whose block list is spread over many names, then against the same with a
/// block list that has a record and nothing in it, then against none.
/// Check that the number is that of the whole list, that an empty one is not ready, that each line
/// stands for one thing and the last one counts the failures.
#[test]
fn test_reads_what_an_update_would_read() {
    let (service, _) = honest(20_000);
    let scratch = Scratch::new();
    let address = service.addr();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[address]));
    update(&daemon);
    let output = daemon.ctl(&["test"]);
    assert_eq!(output.status.code(), Some(0), "{}", output.stdout);
    let lines: Vec<&str> = output.stdout.lines().collect();
    assert!(lines[1].starts_with(&format!("List {BASIC} on {address}: ")), "{lines:?}");
    let prefixes: usize = lines[1].split(' ').nth(4).unwrap().parse().unwrap();
    assert!(prefixes >= 20_000, "{lines:?}");
    assert_eq!(lines[2], format!("DNS Server {address} is ready."));
    assert!(lines[3].ends_with("that is in order if your policy does not have it."), "{lines:?}");
    assert_eq!(lines[4], "0 of 4 failed");

    service.edit(|known| {
        known.set_list(BASIC, &[], Layout::Single);
    });
    let output = daemon.ctl(&["test"]);
    assert_eq!(output.status.code(), Some(1), "{}", output.stdout);
    assert!(!output.stdout.contains("is ready"), "{}", output.stdout);
    assert_eq!(output.stdout.lines().last(), Some("2 of 4 failed"));

    drop(service);
    let output = daemon.ctl(&["test"]);
    assert_eq!(output.status.code(), Some(1));
    let why = format!("DNS Server {address} is not ready: {address}: connect: Connection refused");
    assert_eq!(output.stdout.lines().next(), Some(why.as_str()));
    assert_eq!(output.stdout.lines().last(), Some("1 of 2 failed"));
    let json = daemon.ctl(&["-j", "test"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["tried"], &json["failed"]), (&2.into(), &1.into()));
    assert!(daemon.stop().success());
}

/// Run threatstopd with a wrong flag, with the default backend on a system without pf, and as it
/// should be; and the engine by hand.
/// Check that each message on stderr begins with the name of the program that has it, that the one
/// without pf names the way out, and that the usage is alone.
#[test]
fn messages_name_their_program() {
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]);
    let programs = programs();
    let said = |program: &std::path::Path, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).arg("-f").arg(scratch.config());
        let output = tests::process::run(&mut command, PATIENCE);
        assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
        output.stderr
    };
    config.clone().set("tables.backend", "pf").write(&scratch);
    let usage = "usage: threatstopd [-dnVv] [-f file] [-s socket]\n";
    assert_eq!(said(&programs.threatstopd, &["-x"]), usage);
    if cfg!(not(target_os = "openbsd")) {
        let why = said(&programs.threatstopd, &["-d"]);
        assert!(why.starts_with("threatstopd: ") && why.lines().count() == 1, "{why}");
        assert!(why.contains("set backend = \"simulated\" in [tables]"), "{why}");
    }
    let engine = programs.threatstopd.with_file_name("threatstopd-engine");
    let why = said(&engine, &[]);
    assert!(why.starts_with("threatstopd-engine: ") && why.contains("by hand"), "{why}");

    let daemon = Daemon::start(&scratch, &config);
    daemon.wait_for("threatstopd-engine: ", PATIENCE);
    for line in daemon.lines() {
        let mut names = ["threatstopd: ", "threatstopd-engine: "].iter();
        assert!(names.any(|name| line.text.starts_with(name)), "{}", line.text);
    }
    assert!(daemon.stop().success());
}

/// Give threatstopctl, and threatstopd with and without -n, a control socket with a path of 200
/// characters.
/// Check that each says in its own words how many it may have, and exits 1.
#[test]
fn a_control_socket_with_too_long_a_path_is_told() {
    let scratch = Scratch::new();
    Config::new(&scratch, &["127.0.0.1:9".parse().unwrap()]).write(&scratch);
    let (config, long) = (scratch.config(), format!("/tmp/{}", "s".repeat(195)));
    let bound = config::LONGEST_SOCKET;
    let why = format!(
        "{long}: the path of a control socket has at most {bound} octets, not 200: use -s to put it \
         elsewhere\n"
    );
    let (daemon, config) = (&programs().threatstopd, config.to_str().unwrap());
    for (program, arguments, before) in [
        (daemon, ["-n", "-f", config].as_slice(), "configuration"),
        (daemon, &["-d", "-f", config], "threatstopd"),
        (&programs().threatstopctl, &["status"], "threatstopctl: connect"),
    ] {
        let mut command = Command::new(program);
        let output = tests::process::run(command.arg("-s").arg(&long).args(arguments), PATIENCE);
        assert_eq!(output.status.code(), Some(1), "{}", output.stderr);
        let wanted =
            if before == "configuration" { why.clone() } else { format!("{before}: {why}") };
        assert_eq!(output.stderr, wanted);
    }
}

/// Update, then have a list shrink, and then stop the server; each time update again, once with stdout
/// and stderr apart and once with both to one file.
/// Check that it exits 1, that stderr alone has why, and that the file has it, and the way out, once.
#[test]
fn a_failed_update_says_why_once() {
    let (service, _) = honest(200);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]).set("policy.timeout", "1s");
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let both = scratch.path().join("both");
    let ctl = &programs().threatstopctl;
    let check = |why: &str, way_out: &str| {
        let apart = daemon.ctl(&["update"]);
        assert_eq!(apart.status.code(), Some(1), "{}", apart.stdout);
        assert!(apart.stderr.starts_with("threatstopctl: update: "), "{}", apart.stderr);
        assert!(apart.stderr.contains(why), "{}", apart.stderr);
        assert!(apart.stderr.contains(way_out), "{}", apart.stderr);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg("exec \"$0\" -s \"$1\" update >\"$2\" 2>&1");
        let output = tests::process::run(shell.arg(ctl).arg(scratch.socket()).arg(&both), PATIENCE);
        assert_eq!(output.status.code(), Some(1));
        let text = std::fs::read_to_string(&both).unwrap();
        for once in [why, way_out] {
            assert_eq!(text.matches(once).count(), 1, "{text}");
        }
    };
    service.set_list("basic.threatstop.local", &items("203.0.113.7/32"), Layout::Single);
    check("Keeping the previous list basic.threatstop.local: ", "update -f to accept");
    drop(service);
    check("Connection refused", "must be open");
    assert!(daemon.stop().success());
}

/// Run `threatstopd -nv` and `threatstopd -V` with a stdout that nobody reads.
/// Check that they say so and exit 1.
#[test]
fn a_stdout_that_nobody_reads_is_an_error() {
    let scratch = Scratch::new();
    Config::new(&scratch, &[]).set("policy.servers", vec!["192.0.2.1"]).write(&scratch);
    for flag in ["-nv", "-V"] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Command::new(&programs().threatstopd);
        command.arg(flag).arg("-f").arg(scratch.config()).stdout(writer);
        let output = command.output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{flag}: {stderr}");
        assert!(stderr.starts_with("threatstopd: stdout: Broken pipe"), "{flag}: {stderr}");
    }
}
