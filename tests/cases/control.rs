//! The control socket as its enemies use it, and the secrets that nobody must see.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::common::*;
use crate::feeds::feed;
use crate::logging::BAD;
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill as kill_process};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use tests::harness::{Config, Daemon, Scratch, copy_program, ctl, programs};
use tests::limits::room_for_files;
use tests::process::{Process, run};
use tests::servers::{require_program, say_skipped};
use tests::sim::pflog::PacketLog;
use tests::sim::{ConnectionFault, HostileService, LogService, Plan, PolicyService};

/// At once, on a machine that does other things too, and by far sooner than after the deadlines of
/// all who say nothing.
const SOON: Duration = Duration::from_secs(60);

/// Sends octets, says that this is all, and gives what comes back.
fn say(socket: &Path, octets: &[u8]) -> String {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // it may close before it has read all of this
    let _ = stream.write_all(octets);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    if let Err(error) = stream.read_to_end(&mut answer) {
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{octets:?}: {error}");
    }
    String::from_utf8(answer).unwrap()
}

fn started(prefixes: usize) -> (PolicyService, Scratch, Daemon, String) {
    let (service, text) = honest(prefixes);
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
    (service, scratch, daemon, text)
}

/// Send what is no request: nothing, noise, half a request, unknown commands and members, JSON of
/// 4,000 levels, a megabyte without an end.
/// Check that each is answered with one line of error or none, that none has an effect, and that the
/// daemon serves as before.
#[test]
fn what_is_no_request_is_refused() {
    let (_service, scratch, daemon, text) = started(300);
    let deep = [&b"{\"command\":"[..], &[b'['; 4000], b"\n"].concat();
    let huge = vec![b' '; 1 << 20];
    let long_name = format!("{{\"command\":\"{}\"}}\n", "x".repeat(4000));
    for request in [
        &b""[..],
        b"\n",
        b"\0\n",
        b"{}\n",
        b"[]\n",
        b"null\n",
        b"status\n",
        b"{\"command\":\"status\"",
        b"{\"command\":\"halt\"}\n",
        b"{\"command\":\"Status\"}\n",
        b"{\"command\":\"status\",\"x\":1}\n",
        b"{\"command\":\"update\",\"force\":\"yes\"}\n",
        b"{\"command\":\"why\"}\n",
        b"{\"command\":\"why\",\"address\":\"1.2.3\"}\n",
        b"{\"command\":\"why\",\"address\":\"$(reboot)\"}\n",
        b"{\"command\":\"show\",\"what\":\"../../etc/passwd\"}\n",
        b"{\"command\":\"log\"}\n",
        b"\xff\xfe\xfd\xfc\n",
        b"GET / HTTP/1.0\r\n\r\n",
        b"{\"command\":\"status\"}{\"command\":\"rollback\"}\n",
        &deep,
        &huge,
        long_name.as_bytes(),
    ] {
        let answer = say(&scratch.socket(), request);
        let shown = String::from_utf8_lossy(&request[..request.len().min(60)]).into_owned();
        assert!(answer.lines().count() <= 1, "{shown}: {answer}");
        assert!(answer.is_empty() || answer.starts_with("{\"error\":"), "{shown}: {answer}");
    }
    // two requests in one connection are one
    let twice = b"{\"command\":\"status\"}\n{\"command\":\"rollback\"}\n";
    assert_eq!(say(&scratch.socket(), twice).lines().count(), 1);
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
    assert!(daemon.ctl(&["status"]).stdout.contains("\nupdate  idle  "));
    update(&daemon);
    assert!(daemon.stop().success());
}

/// Send a request octet by octet, one a second; and ask for a table without reading it.
/// Check that the first is closed within a few seconds, and that others are served meanwhile.
#[test]
fn a_slow_client_holds_up_nobody() {
    let (_service, scratch, daemon, _) = started(20_000);
    let mut lazy = Vec::new();
    for _ in 0..8 {
        let mut stream = UnixStream::connect(scratch.socket()).unwrap();
        stream.write_all(b"{\"command\":\"show\",\"what\":\"block\"}\n").unwrap();
        lazy.push(stream);
    }
    let begun = Instant::now();
    let mut slow = UnixStream::connect(scratch.socket()).unwrap();
    slow.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let closed = loop {
        if slow.write_all(b" ").is_err() {
            break true;
        }
        match slow.read(&mut [0; 512]) {
            Ok(_) => break true,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break true,
        }
        let asked = Instant::now();
        assert!(daemon.ctl(&["status"]).status.success());
        assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
        if begun.elapsed() > PATIENCE {
            break false;
        }
    };
    assert!(closed, "the slow client is still there after {:?}", begun.elapsed());
    update(&daemon);
    drop(lazy);
    assert!(daemon.stop().success());
}

/// A connection that does not wait for its place in the queue; `None` when that is full.
fn knock(path: &Path) -> Option<OwnedFd> {
    let fd = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).unwrap();
    let raw = std::os::fd::AsRawFd::as_raw_fd(&fd);
    match connect(raw, &UnixAddr::new(path).unwrap()) {
        Ok(()) => Some(fd),
        Err(Errno::EAGAIN | Errno::ECONNREFUSED) => None,
        Err(errno) => panic!("connect: {errno}"),
    }
}

/// A connection, once there is room in the queue.
fn come_in(path: &Path) -> OwnedFd {
    let mut come = None;
    wait_until("there is room in the queue", || {
        come = knock(path);
        come.is_some()
    });
    come.unwrap()
}

/// Open a thousand connections that say nothing, or as many as this user may have files open.
/// Meanwhile ask for the status by the control tool, and for an update by SIGUSR1.
/// Check that the tool is served soon, where the deadlines of those before it would take minutes,
/// that the update runs, that the engine opens no more files than it may, and that it does not die.
#[test]
fn a_thousand_silent_connections_hold_up_nobody() {
    let wanted = room_for_files(1000);
    if wanted < 200 {
        say_skipped("needs some hundred open files, and the hard limit is lower: ulimit -Hn");
        return;
    }
    let (service, scratch, daemon, _) = started(300);
    let (new, text) = list(320);
    let engine = daemon.engine();
    let held: Vec<OwnedFd> = (0..wanted).map(|_| come_in(&scratch.socket())).collect();
    let asked = Instant::now();
    assert!(daemon.ctl(&["status"]).status.success());
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    service.edit(|z| *z = zone(&new));
    daemon.signal(Signal::SIGUSR1);
    wait_until("the update is published", || daemon.table_file(BLOCK).as_ref() == Some(&text));
    if let Some(engine) = engine
        && let Ok(open) = fs::read_dir(format!("/proc/{engine}/fd"))
    {
        let open = open.count();
        assert!(open <= 64, "the engine has {open} files open");
    }
    drop(held);
    assert_eq!(daemon.engine(), engine);
    assert_eq!(table(&daemon, BLOCK), Some(text));
    assert!(daemon.stop().success());
}

/// Open the socket to everybody, as only a mistake can. Let nobody ask for a large table in so many
/// connections that all places are taken, and read none of the answers.
/// Check that the next of his is refused in words, and that root is served at once.
#[test]
fn who_is_not_root_cannot_keep_root_out() {
    if !is_root("clients that are somebody else") {
        return;
    }
    let (_service, scratch, daemon, _) = started(25_000);
    set_mode(&scratch.socket(), 0o666);
    let tool = tool_for_everybody(&scratch);
    let read_nothing = || {
        let mut shell = Command::new("/bin/sh");
        // the pipe is full long before the table is
        shell.arg("-c").arg("\"$0\" -s \"$1\" show block | sleep 300");
        shell.arg(&tool).arg(scratch.socket());
        Process::spawn(as_nobody(&mut shell))
    };
    let ask = || {
        let mut command = Command::new(&tool);
        // which the engine answers alone, however busy the helper is
        command.arg("-s").arg(scratch.socket()).args(["why", "203.0.113.9"]);
        run(as_nobody(&mut command), PATIENCE).stderr
    };
    let words = "threatstopctl: control socket: too many clients at the same time; try again\n";
    let mut unread: Vec<Process> = (0..32).map(|_| read_nothing()).collect();
    let end = Instant::now() + 6 * PATIENCE;
    while ask() != words {
        assert!(Instant::now() < end, "there are places left");
        // who had not spoken yet has lost its place to the question
        unread.push(read_nothing());
    }
    // the helper reads the table for each of them first: minutes of work on a busy machine
    while !daemon.ctl(&["status"]).status.success() {
        assert!(Instant::now() < end, "{}", daemon.output());
    }
    let asked = Instant::now();
    assert!(daemon.ctl(&["status"]).status.success());
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    drop(unread);
    wait_until("there is room again", || ask().is_empty());
    assert!(daemon.stop().success());
}

/// The control tool where nobody can reach it.
fn tool_for_everybody(scratch: &Scratch) -> PathBuf {
    let tool = scratch.path().join("threatstopctl");
    copy_program(&programs().threatstopctl, &tool);
    tool
}

fn as_nobody(command: &mut Command) -> &mut Command {
    use std::os::unix::process::CommandExt as _;
    let user = nobody();
    command.uid(user.uid.as_raw()).gid(user.gid.as_raw())
}

/// Take all descriptors from the engine for some seconds while a client connects, and give them back.
/// Check that the log has one line of that, and that clients are served afterwards.
#[test]
fn a_shortage_of_descriptors_is_told_once() {
    let (_service, scratch, daemon, _) = started(1);
    let Some(engine) = daemon.engine() else { return say_skipped("no /proc") };
    let Some(program) = require_program("prlimit") else { return };
    let limit = |files: &str| {
        let mut prlimit = Command::new(&program);
        prlimit.args(["--pid", &engine.to_string(), &format!("--nofile={files}:")]);
        // as whom the engine runs
        let is_root = nix::unistd::geteuid().is_root();
        let prlimit = if is_root { as_nobody(&mut prlimit) } else { &mut prlimit };
        run(prlimit, PATIENCE).status.success()
    };
    assert!(limit("1"));
    let waiting = UnixStream::connect(scratch.socket()).unwrap();
    let words = "control socket: accept: Too many open files; it is tried again";
    daemon.wait_for(words, PATIENCE);
    // of a second each
    std::thread::sleep(Duration::from_secs(3));
    assert!(limit("256"));
    assert!(daemon.ctl(&["status"]).status.success());
    assert_eq!(daemon.output().matches(words).count(), 1, "{}", daemon.output());
    drop(waiting);
    assert!(daemon.stop().success());
}

/// Update 250 times, one after the other, over tables that stay as they are: more often in a minute than
/// root has whole tables compared for an engine.
/// Check that each of them succeeds, and that engine and helper are those of the beginning.
#[test]
fn who_updates_again_and_again_ends_no_engine() {
    let (old, text) = list(300);
    let service = HostileService::start(zone(&old), Plan::honest());
    let scratch = Scratch::new();
    let daemon = Daemon::start(&scratch, &Config::new(&scratch, &[service.addr()]));
    update(&daemon);
    let processes = || [daemon.engine(), daemon.helper()];
    let before = processes();
    (0..250).for_each(|_| drop(update(&daemon)));
    assert_eq!(processes(), before, "{}", daemon.output());
    assert_eq!(table(&daemon, BLOCK), Some(text));
    assert!(daemon.stop().success());
}

/// Let the server be slow, and update by two clients at the same time, then by a third who goes
/// away in the middle.
/// Check that there is one run, that both see all of it, and that the one who leaves stops nothing.
#[test]
fn an_update_is_joined() {
    let (old, _) = list(300);
    let service = HostileService::start(zone(&old), Plan::honest());
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]).set("policy.timeout", "10m");
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let (new, text) = list(320);
    service.edit(|z| *z = zone(&new));
    // by far slower than a client of a busy machine starts
    service.set_plan(Plan::connection(ConnectionFault::Drip(Duration::from_millis(2))));
    let connections = service.queries().connections();
    let join = || {
        let socket = scratch.socket();
        std::thread::spawn(move || ctl(&socket, &["update"]))
    };
    let first = join();
    wait_until("the run begins", || service.queries().connections() > connections);
    let mut gone = UnixStream::connect(scratch.socket()).unwrap();
    gone.write_all(b"{\"command\":\"update\"}\n").unwrap();
    let second = join();
    wait_until("the second has joined", || gone.read(&mut [0; 64]).is_ok_and(|octets| octets > 0));
    drop(gone);
    let (first, second) = (first.join().unwrap(), second.join().unwrap());
    assert!(first.status.success(), "{}", first.stderr);
    assert_eq!(first.stdout, second.stdout);
    assert!(first.stdout.starts_with("Starting ThreatSTOP update on "), "{}", first.stdout);
    assert!(first.stdout.contains("\nRun Length: "), "{}", first.stdout);
    assert_eq!(service.queries().connections(), connections + 1);
    assert_eq!(table(&daemon, BLOCK), Some(text));
    assert!(daemon.stop().success());
}

/// 1. Let the server be slow, so that the first scheduled run takes a while, and update: that run is
///    joined, and all of it is shown.
/// 2. Once more with a run by hand, and in its middle `update -n` and `update -f`: these have runs
///    of their own after it.
/// 3. After a rollback, an update that meets a scheduled run publishes all the same.
#[test]
fn a_scheduled_run_is_joined_and_flags_have_their_own() {
    let (old, old_text) = list(30);
    // by far slower than a client of a busy machine starts; what comes after these runs need not be
    let slow = |last: usize| {
        let fault = ConnectionFault::Drip(Duration::from_millis(4));
        Plan::connection(fault).first_connections(last)
    };
    let service = HostileService::start(zone(&old), slow(2));
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]).set("policy.timeout", "10m");
    let daemon = Daemon::start(&scratch, &config);
    wait_until("the run begins", || service.queries().connections() == 1);
    let joined = update(&daemon);
    assert!(joined.stdout.starts_with("Starting ThreatSTOP update on "), "{}", joined.stdout);
    assert!(joined.stdout.contains("\nAdding 30 blocked addresses\n"), "{}", joined.stdout);
    assert_eq!(service.queries().connections(), 1);

    let (new, new_text) = list(36);
    service.edit(|z| *z = zone(&new));
    let run = |arguments: &'static [&'static str]| {
        let socket = scratch.socket();
        std::thread::spawn(move || ctl(&socket, arguments))
    };
    let first = run(&["update"]);
    wait_until("the run begins", || service.queries().connections() == 2);
    let others = [run(&["update", "-n"]), run(&["update", "-f"])];
    let first = first.join().unwrap();
    assert!(first.stdout.contains("\nAdding 36 blocked addresses\n"), "{}", first.stdout);
    for other in others.map(|other| other.join().unwrap()) {
        assert!(other.status.success(), "{}", other.stderr);
        assert_ne!(other.stdout, first.stdout);
    }
    assert_eq!(service.queries().connections(), 4);

    assert!(daemon.ctl(&["rollback"]).status.success());
    assert_eq!(table(&daemon, BLOCK), Some(old_text));
    assert!(daemon.stop().success());
    service.set_plan(slow(5));
    let daemon = Daemon::start(&scratch, &config);
    wait_until("the scheduled run begins", || service.queries().connections() == 5);
    update(&daemon);
    assert_eq!(service.queries().connections(), 6);
    assert_eq!(table(&daemon, BLOCK), Some(new_text));
    assert!(daemon.stop().success());
}

/// Open the socket to everybody, as only a mistake can, and ask as the user nobody.
/// Check that what changes something needs root, by the words of the contract, that the rest is
/// answered, and that with the mode that the helper sets nobody cannot even connect.
#[test]
fn who_is_not_root_may_look_and_change_nothing() {
    if !is_root("a client that is somebody else") {
        return;
    }
    let (_service, scratch, daemon, text) = started(300);
    let tool = tool_for_everybody(&scratch);
    let ask = |arguments: &[&str]| {
        let mut command = Command::new(&tool);
        command.arg("-s").arg(scratch.socket()).args(arguments);
        run(as_nobody(&mut command), PATIENCE)
    };
    let output = ask(&["status"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        output
            .stderr
            .contains("Permission denied (only root and the members of wheel may connect)"),
        "{}",
        output.stderr
    );
    set_mode(&scratch.socket(), 0o666);
    for arguments in [
        &["update"][..],
        &["update", "-n"],
        &["update", "-f"],
        &["block", "198.51.100.7"],
        &["allow", "198.51.100.7"],
        &["forget", "-a"],
        &["upload"],
        &["upload", "-n"],
        &["rollback"],
        &["reload"],
        &["log", "verbose"],
    ] {
        let output = ask(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let words = format!("threatstopctl: {}: need root privileges\n", arguments[0]);
        assert_eq!(output.stderr, words);
    }
    for arguments in
        [&["status"][..], &["show", "block"], &["show", "diff"], &["show", "own"], &["test"]]
    {
        let output = ask(arguments);
        assert!(!output.stderr.contains("privileges"), "{arguments:?}: {}", output.stderr);
    }
    assert_eq!(ask(&["show", "block"]).stdout, text);
    assert_eq!(table(&daemon, BLOCK), Some(text));
    assert!(daemon.stop().success());
}

/// Configure a device id, a proxy with a password, and a feed with an authorization. Start with -v, update,
/// let updates and an upload fail, reload good and bad configurations, kill the engine, ask for everything
/// but `upload -n`, which shows root the request.
/// Check that none of the three stands in a log line, an answer, the arguments or the environment of a process,
/// or the name of a file.
#[test]
fn secrets_are_nowhere_to_be_read() {
    const SECRETS: [&str; 3] = ["tdid_s3cretdevice", "s3cretpassw0rd", "s3crett0ken"];
    let (service, _) = honest(300);
    let scratch = Scratch::new();
    let ca = scratch.path().join("ca.pem");
    fs::write(&ca, LogService::start().ca()).unwrap();
    let config = Config::new(&scratch, &[service.addr()])
        .set("device_id", SECRETS[0])
        .set("log.enabled", true)
        .set("log.scope", "all")
        .set("log.url", "https://127.0.0.1:9/")
        .set("https.ca_file", ca.to_str().unwrap())
        .set("https.proxy", format!("http://user:{}@127.0.0.1:9", SECRETS[1]));
    let with = |url: &str, authorization: &str| {
        let mut keys = feed("drop", url);
        keys.push(("authorization", authorization.into()));
        config.clone().add("feed", &keys)
    };
    let (url, authorization) = ("https://127.0.0.1:9/drop", format!("Bearer {}", SECRETS[2]));
    PacketLog::create(scratch.path().join("pflog")).append(10, BAD);
    let daemon = Daemon::spawn(&scratch, &with(url, &authorization), |command| {
        command.arg("-v");
    });
    daemon.wait_until_ready();
    let mut seen = String::new();
    let ask = |arguments: &[&str]| {
        let output = daemon.ctl(arguments);
        output.stdout + &output.stderr
    };
    seen += &ask(&["update"]);
    service.edit(|z| {
        z.remove(DNS);
    });
    seen += &ask(&["update"]);
    seen += &ask(&["-j", "update"]);
    // mistakes in the very lines of the secrets
    let is_wrong = |key: &str, value: String| with(url, &authorization).set(key, value);
    for wrong in [
        is_wrong("device_id", format!("{}!", SECRETS[0])),
        is_wrong("https.proxy", format!("http://user:{}@", SECRETS[1])),
        is_wrong("log.url", format!("https://user:{}@127.0.0.1/", SECRETS[1])),
        with(url, &format!("{authorization}\u{7f}")),
        with(&format!("https://user:{}@127.0.0.1/", SECRETS[1]), &authorization),
    ] {
        wrong.write(&scratch);
        seen += &ask(&["reload"]);
        let check = run(
            Command::new(&programs().threatstopd).args(["-n", "-f"]).arg(scratch.config()),
            PATIENCE,
        );
        assert_eq!(check.status.code(), Some(1), "{}", wrong.text());
        seen += &(check.stdout + &check.stderr);
    }
    with(url, &authorization).write(&scratch);
    let mark = daemon.mark();
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
    daemon.wait_until_ready();
    if let Some(engine) = daemon.engine() {
        let mark = daemon.mark();
        kill_process(engine, Signal::SIGKILL).unwrap();
        daemon.wait_for_after(mark, "engine restarted, helper ", PATIENCE);
        daemon.wait_until_ready();
    }
    let file = scratch.config();
    let file = file.to_str().unwrap();
    for arguments in [
        &["log", "verbose"][..],
        &["status"],
        &["update"],
        &["update", "-n", "-f"],
        &["block", "192.0.2.7", "why"],
        &["allow", "192.0.2.8"],
        &["forget", "192.0.2.8"],
        &["upload"],
        &["test"],
        &["show", "block"],
        &["show", "-o", "apl", "-z", "fleet.example", "block"],
        &["show", "diff"],
        &["show", "own"],
        &["show", "hits"],
        &["show", "lists"],
        &["why", "5.5.5.5"],
        &["doctor", "-f", file],
        &["setup", "-f", file],
        &["rollback"],
        &["metrics"],
        &["report"],
        &["report", "-H"],
        &["flush", "-n", "-f", file],
    ] {
        seen += &ask(arguments);
        seen += &ask(&[&["-j"], arguments].concat());
    }
    for arguments in [&["watch", "-e", "1"][..], &["-j", "watch", "-e", "1"]] {
        let mut command = Command::new(&programs().threatstopctl);
        let watch = Process::spawn(command.arg("-s").arg(scratch.socket()).args(arguments));
        watch.wait_for("feed drop", PATIENCE);
        seen += &watch.output();
    }
    for pid in daemon.descendants().into_iter().map(|(pid, _)| pid).chain([daemon.pid()]) {
        for file in ["cmdline", "environ", "comm"] {
            let octets = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            seen += &String::from_utf8_lossy(&octets);
        }
    }
    seen += &daemon.output();
    let spool = scratch.spool();
    for name in [scratch.path(), &scratch.tables(), &spool, &spool.join("lists")] {
        let names = fs::read_dir(name).unwrap().map(|entry| entry.unwrap().file_name());
        names.for_each(|name| seen += &name.to_string_lossy());
    }
    // the control tool's own words about itself must not hide that something was asked
    let refused = "127.0.0.1:9 through the proxy 127.0.0.1:9: Connection refused";
    let [feed, upload] = ["feed drop", "upload"].map(|what| format!("{what}: {refused}"));
    for asked in ["Starting ThreatSTOP update", &feed, &upload, "<html"] {
        assert!(seen.contains(asked), "{asked}: {seen}");
    }
    for secret in SECRETS {
        let found = seen.lines().find(|line| line.contains(secret));
        assert_eq!(found, None);
    }
    assert!(daemon.stop().success());
}

/// Start the daemon with an environment full of things.
/// Check that the engine has the time zone and nothing else.
#[test]
fn the_engine_has_an_empty_environment() {
    let (service, _) = honest(300);
    let scratch = Scratch::new();
    let config = Config::new(&scratch, &[service.addr()]);
    let daemon = Daemon::spawn(&scratch, &config, |command| {
        command
            .env("TZ", "UTC")
            .env("https_proxy", "http://127.0.0.1:9")
            .env("LD_DEBUG_OUTPUT", "x");
        command.env("THREATSTOPD_FAULT", "trial x:5").env("HOME", "/root");
    });
    daemon.wait_until_ready();
    for turn in 0..2 {
        let Some(engine) = daemon.engine() else { return };
        let environ = fs::read(format!("/proc/{engine}/environ")).unwrap();
        assert_eq!(String::from_utf8_lossy(&environ), "TZ=UTC\0", "turn {turn}");
        if turn == 0 {
            let mark = daemon.mark();
            daemon.signal(Signal::SIGHUP);
            daemon.wait_for_after(mark, "reloaded, helper", PATIENCE);
            daemon.wait_until_ready();
        }
    }
    assert!(daemon.stop().success());
}

/// Ask for a large table by twenty clients at once.
/// Check that each gets all of it, and that the engine is the same as before.
#[test]
fn many_who_want_a_table_at_once_get_it() {
    // several times what the helper keeps for an engine, and no work for half a minute anywhere
    let (service, text) = honest(15_000);
    let scratch = Scratch::new();
    // the helper has room for an answer of so many
    let config = Config::new(&scratch, &[service.addr()]).set("guard.max_entries", 15_000);
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let engine = daemon.engine();
    std::thread::scope(|scope| {
        let ask = || daemon.ctl(&["show", "block"]);
        let clients: Vec<_> = (0..20).map(|_| scope.spawn(ask)).collect();
        for client in clients {
            let output = client.join().unwrap();
            assert!(output.stdout == text, "{}", output.stderr);
        }
    });
    assert_eq!(daemon.engine(), engine, "{}", daemon.output());
    assert!(daemon.stop().success());
}

/// Reload a configuration that is in form, and with which nothing can be started: its spool is missing.
/// Mend it and reload.
/// Check that the first fails with the way out, that status warns, that the tables and the
/// configuration stay, and that the last is well and the warning gone.
#[test]
fn a_reload_that_is_taken_back_fails() {
    let (service, scratch, daemon, text) = started(50);
    let config = Config::new(&scratch, &[service.addr()]);
    let missing = scratch.path().join("missing");
    let status = || daemon.ctl(&["status"]).stdout;
    let words = "the last reload was taken back";
    config.clone().set("log.spool", missing.join("x").to_str().unwrap()).write(&scratch);
    let why = refused(&daemon, &["reload"]);
    assert!(why.starts_with(&format!("threatstopctl: reload: {words}")), "{why}");
    assert!(why.ends_with("/missing/x\n"), "{why}");
    assert!(status().contains(&format!("warning: {words}")), "{}", status());
    assert_eq!(table(&daemon, BLOCK).as_deref(), Some(text.as_str()));
    update(&daemon);
    config.write(&scratch);
    let output = daemon.ctl(&["reload"]);
    assert!(output.status.success(), "{}", output.stderr);
    assert!(!status().contains(words), "{}", status());
    assert!(daemon.stop().success());
}
