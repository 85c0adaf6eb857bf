//! The real program against an engine that says what a test wants it to say.

// A test stops at the first thing that is not as expected; there is nobody to hand an error to.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

const STATUS: &str = r#"{"version":"0.1.0","uptime":60,"config":null,
"engine":{"uptime":60,"restarts":0},
"pf":{"enabled":false,"backend":"pf","reload":true,"limit":200000,"error":null,
 "warnings":["pf is disabled: nothing is blocked"],"ways_out":["pfctl -e"],"mended":[]},
"tables":[
 {"name":"ThreatSTOP-Block","kind":"block","direction":"both","present":true,"entries":26424,
  "changed":1795000000,"blocked_packets":[12,3],"passed_packets":[0,0],
  "used":{"rules":2,"anchors":0}},
 {"name":"ThreatSTOP-Allow","kind":"allow","direction":"both","present":null,"entries":null,
  "changed":null,"blocked_packets":null,"passed_packets":null,"used":null}],
"update":{"state":"idle","last":null,"last_good":null,"next":1795003600,"failures":0},
"upload":{"enabled":false,"off":null,"last":null,"last_good":null,"next":null,"failing":null,"gaps":0,"damaged":0},
"servers":[{"server":"192.124.129.42","last":null,"failures":0}],
"sources":[{"name":"policy","kind":"policy","state":"good","last":1795000000,
 "last_good":1795000000,"next":1795003600,"error":null,
 "lists":[{"name":"basic.threatstop.local","entries":26424,"changed":1795000000,"state":"good"}]}],
"spool":{"slices":0,"octets":0,"limit":67108864,"dropped":0},
"held":[],
"suspects":{"hosts":0,"last":null}}"#;

/// An engine that takes one connection.
struct Engine {
    socket: PathBuf,
    thread: JoinHandle<String>,
    _dir: TempDir,
}

/// An engine that reads a request and then does as `answer` says.
fn engine(answer: impl FnOnce(&mut UnixStream) + Send + 'static) -> Engine {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = String::new();
        BufReader::new(&stream).read_line(&mut request).unwrap();
        answer(&mut stream);
        request
    });
    Engine { socket, thread, _dir: dir }
}

/// An engine that answers with these octets.
fn answering(octets: impl Into<Vec<u8>>) -> Engine {
    let octets = octets.into();
    engine(move |stream| stream.write_all(&octets).unwrap())
}

fn lines(replies: &[Value]) -> String {
    replies.iter().map(|reply| format!("{reply}\n")).collect()
}

fn done() -> Value {
    json!({ "done": {} })
}

impl Engine {
    fn command(&self, flags: &str, words: &[&str]) -> Command {
        let mut command = tool();
        command.args(Some(flags).filter(|flags| !flags.is_empty())).arg("-s").arg(&self.socket);
        command.args(words);
        command
    }

    /// Runs the tool to its end; also what it asked.
    fn run(self, flags: &str, words: &[&str]) -> (Output, Value) {
        let output = self.command(flags, words).output().unwrap();
        (output, serde_json::from_str(&self.thread.join().unwrap()).unwrap())
    }
}

fn tool() -> Command {
    Command::new(env!("CARGO_BIN_EXE_threatstopctl"))
}

fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap()
}

fn document(output: &Output) -> Value {
    assert_eq!(text(&output.stderr), "");
    serde_json::from_slice(&output.stdout).expect("one document")
}

/// Asserts exit status, stdout and stderr.
#[track_caller]
fn assert_said(output: &Output, status: i32, stdout: &str, stderr: &str) {
    let said = (output.status.code(), text(&output.stdout), text(&output.stderr));
    assert_eq!(said, (Some(status), stdout, stderr));
}

/// One request after the other, by command line, text and `-j`.
#[test]
fn commands() {
    let updated = json!({
        "started": 1_795_000_000, "seconds": 0.31, "server": "192.124.129.42:53",
        "dry_run": false, "warnings": [], "undone": [],
        "block": { "entries": 26_424, "added": 2, "removed": 1 },
        "allow": { "entries": 3, "added": 0, "removed": 0 }
    });
    let mut tried = updated.clone();
    tried["dry_run"] = json!(true);
    let mut dry_run = tried.clone();
    dry_run["add"] = json!(["192.0.2.1", "2001:db8::/32"]);
    dry_run["remove"] = json!(["198.51.100.0/24"]);
    let add = json!({ "add": ["192.0.2.1", "2001:db8::/32"] });
    let remove = json!({ "remove": ["198.51.100.0/24"] });
    let changed = json!({ "at": 1_795_000_000, "added": 2, "removed": 1 });
    let mut diff = changed.clone();
    diff["add"] = dry_run["add"].clone();
    diff["remove"] = dry_run["remove"].clone();
    let signed = "+192.0.2.1\n+2001:db8::/32\n-198.51.100.0/24\n";
    let check = json!({
        "what": "server", "subject": "192.124.129.42", "ok": true,
        "text": "DNS Server 192.124.129.42 is ready."
    });
    let starting = "Starting ThreatSTOP update on Sun Nov 22 12:00:00 2026";
    let uploaded = json!({
        "slices": 0, "records": 0, "octets": 0, "left": 1, "request": ["POST / HTTP/1.1"]
    });

    let list = json!({
        "list": "a", "source": "policy", "table": "block", "entries": null, "unique": null,
        "hits": {"1": null, "7": null, "35": null}, "changed": null, "age": 720, "state": "good"
    });
    let overlap = json!({ "lists": ["a", "b"], "entries": 12, "percent": 66 });

    // words, request, replies, text, document
    type Case<'a> = (&'a [&'a str], Value, Vec<Value>, String, Value);
    let cases: Vec<Case> = vec![
        (
            &["update"],
            json!({ "command": "update", "sources": [], "force": false, "dry_run": false }),
            vec![json!({ "line": starting }), json!({ "done": updated })],
            format!("{starting}\n"),
            updated.clone(),
        ),
        (
            &["upd", "-nf", "policy", "local_block"],
            json!({
                "command": "update", "sources": ["policy", "local_block"],
                "force": true, "dry_run": true
            }),
            vec![
                add.clone(),
                remove.clone(),
                json!({ "line": "block table: 2 to add, 1 to remove" }),
                json!({ "done": tried }),
            ],
            format!("{signed}block table: 2 to add, 1 to remove\n"),
            dry_run,
        ),
        (
            &["upload", "-n"],
            json!({ "command": "upload", "dry_run": true }),
            vec![
                json!({ "line": "POST /cgi-bin/logupload.pl HTTP/1.1\r\nHost: x\r\n" }),
                json!({ "done": uploaded }),
            ],
            "POST /cgi-bin/logupload.pl HTTP/1.1\nHost: x\n".into(),
            uploaded.clone(),
        ),
        (
            &["show", "block"],
            json!({ "command": "show", "what": "block" }),
            vec![
                json!({ "prefixes": ["192.0.2.1", "198.51.100.0/24"] }),
                json!({ "prefixes": ["2001:db8::/32"] }),
                json!({ "done": { "table": "block", "entries": 3 } }),
            ],
            "192.0.2.1\n198.51.100.0/24\n2001:db8::/32\n".into(),
            json!({
                "table": "block", "entries": 3,
                "prefixes": ["192.0.2.1", "198.51.100.0/24", "2001:db8::/32"]
            }),
        ),
        (
            &["sh", "a"],
            json!({ "command": "table", "name": "a", "or": "allow" }),
            vec![json!({ "done": { "table": "allow", "entries": 0 } })],
            String::new(),
            json!({ "table": "allow", "entries": 0, "prefixes": [] }),
        ),
        (
            // a table has that name
            &["show", "o"],
            json!({ "command": "table", "name": "o", "or": "own" }),
            vec![
                json!({ "prefixes": ["192.0.2.1"] }),
                json!({ "done": { "table": "o", "entries": 1 } }),
            ],
            "192.0.2.1\n".into(),
            json!({ "table": "o", "entries": 1, "prefixes": ["192.0.2.1"] }),
        ),
        (
            &["show", "diff"],
            json!({ "command": "show", "what": "diff" }),
            vec![add, remove, json!({ "done": changed })],
            signed.into(),
            diff,
        ),
        (
            &["show", "l"],
            json!({ "command": "table", "name": "l", "or": "lists" }),
            vec![json!({ "done": { "lists": [list] } })],
            "list  source  table  entries  unique  changed  age  state\n\
             a     policy  block        -       -  never    12m  good\n"
                .into(),
            json!({ "lists": [list] }),
        ),
        (
            &["show", "l", "-v"],
            json!({ "command": "show", "what": "overlaps" }),
            vec![json!({ "done": { "lists": [list], "overlaps": [overlap] } })],
            "list  source  table  entries  unique  changed  age  state\n\
             a     policy  block        -       -  never    12m  good\n\
             \n\
             list  also in  entries  percent\n\
             a     b             12       66\n"
                .into(),
            json!({ "lists": [list], "overlaps": [overlap] }),
        ),
        (
            &["test"],
            json!({ "command": "test" }),
            vec![
                json!({ "progress": "DNS Server 192.124.129.42" }),
                json!({ "check": check }),
                json!({ "done": { "tried": 1, "failed": 0 } }),
            ],
            "DNS Server 192.124.129.42 is ready.\n0 of 1 failed\n".into(),
            json!({ "tried": 1, "failed": 0, "checks": [check] }),
        ),
        (
            &["rollback"],
            json!({ "command": "rollback" }),
            vec![json!({ "line": "Back to the set before" }), json!({ "done": updated })],
            "Back to the set before\n".into(),
            updated.clone(),
        ),
        (
            &["log", "v"],
            json!({ "command": "log", "verbose": true }),
            vec![done()],
            String::new(),
            json!({ "done": true }),
        ),
        (
            &["l", "brief"],
            json!({ "command": "log", "verbose": false }),
            vec![done()],
            String::new(),
            json!({ "done": true }),
        ),
        (
            &["metrics"],
            json!({ "command": "metrics" }),
            vec![json!({ "done": { "text": "# TYPE up gauge\nup 1\n# EOF\n" } })],
            "# TYPE up gauge\nup 1\n# EOF\n".into(),
            json!({ "text": "# TYPE up gauge\nup 1\n# EOF\n" }),
        ),
    ];
    for (words, request, replies, said, printed) in cases {
        let replies = lines(&replies);
        let (output, asked) = answering(replies.clone()).run("", words);
        assert_said(&output, 0, &said, "");
        assert_eq!(asked, request);
        let (output, asked) = answering(replies).run("-j", words);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(document(&output), printed);
        assert_eq!(asked, request);
    }
}

/// `reload` is done when the engine that was asked has ended and the next one answers, and fails
/// when that has the configuration from before.
#[test]
fn reload() {
    let good: Value = serde_json::from_str(STATUS).unwrap();
    let mut reverted = good.clone();
    let why = &format!("{}/x: no such directory", control::REVERTED);
    reverted["pf"]["warnings"] = json!(["pf is disabled", why]);
    let failed = json!({ "error": { "what": "reload", "why": why } });
    for (flags, status, printed, complained) in [
        (None, &good, String::new(), String::new()),
        (Some("-j"), &good, "{\"done\":true}\n".into(), String::new()),
        (None, &reverted, String::new(), format!("threatstopctl: reload: {why}\n")),
        (Some("-j"), &reverted, format!("{failed}\n"), String::new()),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("sock");
        let first = UnixListener::bind(&socket).unwrap();
        let (path, status) = (socket.clone(), status.clone());
        let thread = thread::spawn(move || {
            // which file is it?
            let mut request = String::new();
            let (mut stream, _) = first.accept().unwrap();
            BufReader::new(&stream).read_line(&mut request).unwrap();
            stream.write_all(lines(&[json!({ "done": status })]).as_bytes()).unwrap();
            let (mut stream, _) = first.accept().unwrap();
            BufReader::new(&stream).read_line(&mut request).unwrap();
            stream.write_all(lines(&[done()]).as_bytes()).unwrap();
            // the engine lives on for a moment, then nobody listens, then the next one does
            thread::sleep(Duration::from_millis(100));
            drop((stream, first));
            thread::sleep(Duration::from_millis(100));
            std::fs::remove_file(&path).unwrap();
            thread::sleep(Duration::from_millis(100));
            let next = UnixListener::bind(&path).unwrap();
            let (mut stream, _) = next.accept().unwrap();
            stream.write_all(lines(&[json!({ "done": status })]).as_bytes()).unwrap();
            BufReader::new(&stream).read_line(&mut request).unwrap();
            request
        });
        let output = tool().args(flags).arg("-s").arg(&socket).arg("reload").output().unwrap();
        let status = i32::from(printed.contains("error") || !complained.is_empty());
        assert_said(&output, status, &printed, &complained);
        let request = thread.join().unwrap();
        let [status, reload] =
            ["status", "reload"].map(|word| format!("{{\"command\":\"{word}\"}}\n"));
        assert_eq!(request, [&*status, &reload, &status].concat());
    }
}

/// Warnings of pf stand before everything else; `-j` prints the engine's object.
#[test]
fn status() {
    let status: Value = serde_json::from_str(STATUS).unwrap();
    let replies = lines(&[json!({ "done": status })]);
    let (output, asked) = answering(replies.clone()).run("", &["st"]);
    assert_eq!(asked, json!({ "command": "status" }));
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
    let said = text(&output.stdout);
    assert!(
        said.starts_with(
            "warning: pf is disabled: nothing is blocked\n         pfctl -e\n\nversion"
        )
    );
    assert!(said.contains("\nThreatSTOP-Block    26424  "), "{said}");
    let (output, _) = answering(replies).run("-j", &["status"]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(document(&output), status);
}

/// What the engine says of an address.
fn why(address: &str, blocked: bool) -> Value {
    json!({
        "address": address, "blocked": blocked, "prefix": null, "tables": [], "lists": [], "items": [], "own": [],
        "since": null, "allowed_by": [], "protected_by": null, "text": format!("{address}: x\n")
    })
}

/// An engine that answers connections with `why`, as the addresses blocked that end in 7, until
/// nothing comes for a while; and what it was asked each time.
fn asked_why(flags: &[&str], operands: &[&str], input: &[&str]) -> (Output, Vec<Vec<String>>) {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let (ended, end) = mpsc::channel::<()>();
    let engine = thread::spawn(move || {
        let mut all = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut line = String::new();
            BufReader::new(&stream).read_line(&mut line).unwrap();
            let Ok(request) = serde_json::from_str::<Value>(&line) else { break };
            let addresses: Vec<String> =
                serde_json::from_value(request["addresses"].clone()).unwrap();
            assert!(line.len() < control::MAX_REQUEST);
            let answer = |address: &String| json!({ "why": why(address, address.ends_with('7')) });
            let mut replies: Vec<Value> = addresses.iter().map(answer).collect();
            replies.push(done());
            stream.write_all(lines(&replies).as_bytes()).unwrap();
            all.push(addresses);
        }
        drop(end);
        all
    });
    let mut command = tool();
    command.args(flags).arg("-s").arg(&socket).arg("why").args(operands).stdin(Stdio::piped());
    let mut child = piped(command);
    let mut stdin = child.stdin.take().unwrap();
    for part in input {
        stdin.write_all(part.as_bytes()).unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    // a connection without a request ends the engine
    drop((UnixStream::connect(&socket), ended));
    (output, engine.join().unwrap())
}

/// Several addresses, of the command line and of standard input: a line each, and the exit status
/// of all of them.
#[test]
fn why_of_several() {
    let (output, asked) = asked_why(&[], &["192.0.2.7"], &[]);
    assert_said(&output, 0, "192.0.2.7: x?\n", "");
    assert_eq!(asked, [["192.0.2.7"]]);
    let (output, asked) = asked_why(&[], &["192.0.2.7", "::1", "2001:db8::7"], &[]);
    assert_said(&output, 1, "192.0.2.7: x?\n::1: x?\n2001:db8::7: x?\n", "");
    assert_eq!(asked, [["192.0.2.7", "::1", "2001:db8::7"]]);

    let (output, _) = asked_why(&["-j"], &["192.0.2.7", "::1"], &[]);
    let documents: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(documents, [why("192.0.2.7", true), why("::1", false)]);

    let input = "# mine\n192.0.2.7 \t2001:db8::7 # both\n\n192.0.2.17";
    let (output, asked) = asked_why(&[], &["-"], &[input]);
    assert_said(&output, 0, "192.0.2.7: x?\n2001:db8::7: x?\n192.0.2.17: x?\n", "");
    assert_eq!(asked.concat(), ["192.0.2.7", "2001:db8::7", "192.0.2.17"]);

    let many: String =
        (0..1000).map(|n| format!("2001:db8:ffff:ffff:ffff:ffff:ffff:{n:x}7\n")).collect();
    let (output, asked) = asked_why(&[], &["-"], &[&many]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!((text(&output.stdout).lines().count(), asked.concat().len()), (1000, 1000));
}

/// What is no address is told in its place, the others are answered, and the exit status is 2.
#[test]
fn why_of_what_is_no_address() {
    let (output, asked) = asked_why(&[], &["192.0.2.7", "-", "x"], &["::7\nhost ::17\n"]);
    let stderr = "threatstopctl: why: line 2: host: not a numeric IP address\n\
                  threatstopctl: why: x: not a numeric IP address\n";
    assert_said(&output, 2, "192.0.2.7: x?\n::7: x?\n::17: x?\n", stderr);
    assert_eq!(asked.concat(), ["192.0.2.7", "::7", "::17"]);
    let (output, _) = asked_why(&["-j"], &["-"], &["host\n::7\n"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), ""));
    let documents: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let error = json!({ "what": "why", "why": "line 1: host: not a numeric IP address" });
    assert_eq!(documents, [json!({ "error": error }), why("::7", true)]);
}

/// `status -q` prints nothing: 0 all is well, 1 a warning, 2 nobody answers.
#[test]
fn status_in_one_number() {
    let warned: Value = serde_json::from_str(STATUS).unwrap();
    let mut well = warned.clone();
    well["pf"]["warnings"] = json!([]);
    for (status, code) in [(well, 0), (warned, 1)] {
        for flags in ["", "-j"] {
            let replies = lines(&[json!({ "done": status })]);
            let (output, _) = answering(replies).run(flags, &["status", "-q"]);
            assert_said(&output, code, "", "");
        }
    }
    let (output, _) = answering("SSH\n").run("-j", &["status", "-q"]);
    assert_said(&output, 2, "", "");
    let dir = tempfile::tempdir().unwrap();
    let output = tool().arg("-s").arg(dir.path()).args(["status", "-q"]).output().unwrap();
    assert_said(&output, 2, "", "");
}

/// The answer is there, and it is no: exit status 1, and nothing on stderr.
#[test]
fn no_for_an_answer() {
    let check = json!({ "check": {
        "what": "log", "subject": "logs.threatstop.com", "ok": false, "text": "no answer"
    }});
    let tested = lines(&[check, json!({ "done": { "tried": 1, "failed": 1 } })]);
    let (output, _) = answering(tested.clone()).run("", &["test"]);
    assert_said(&output, 1, "no answer\n1 of 1 failed\n", "");
    let (output, _) = answering(tested).run("-j", &["test"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(document(&output)["checks"][0]["ok"], false);
}

/// The engine refuses, at once or after some lines: its words on stderr, or the error document.
#[test]
fn the_engine_refuses() {
    let why = "Keeping the previous block list: 26424 -> 12 entries, more than 50 % fewer \
               (update -f to accept)";
    let replies = lines(&[
        json!({ "line": "Using DNS Server 192.124.129.42" }),
        json!({ "error": { "what": "update", "why": why } }),
    ]);
    let (output, _) = answering(replies.clone()).run("", &["update"]);
    let stderr = format!("threatstopctl: update: {why}\n");
    assert_said(&output, 1, "Using DNS Server 192.124.129.42\n", &stderr);
    let (output, _) = answering(replies).run("-j", &["update"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(document(&output), json!({ "error": { "what": "update", "why": why } }));

    let refused = json!({ "error": { "what": "rollback", "why": "need root\u{1b}[31m\n" } });
    let (output, _) = answering(lines(&[refused])).run("", &["rollback"]);
    assert_said(&output, 1, "", "threatstopctl: rollback: need root?[31m?\n");
}

/// The engine refuses before it has read the request, and closes.
#[test]
fn the_engine_does_not_listen() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sock");
    let listener = UnixListener::bind(&socket).unwrap();
    let busy = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"{\"error\":{\"what\":\"status\",\"why\":\"busy\"}}\n").unwrap();
    });
    let output = tool().arg("-s").arg(&socket).arg("status").output().unwrap();
    busy.join().unwrap();
    assert_said(&output, 1, "", "threatstopctl: status: busy\n");
}

/// Nobody is there, or nobody any more.
#[test]
fn no_engine() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("sock");
    let path = socket.display();
    let way_out = "(is threatstopd running? rcctl check threatstopd)";
    let run =
        |flags: &[&str]| tool().args(flags).arg("-s").arg(&socket).arg("status").output().unwrap();
    let why = format!("{path}: No such file or directory {way_out}");
    assert_said(&run(&[]), 1, "", &format!("threatstopctl: connect: {why}\n"));
    let output = run(&["-j"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(document(&output), json!({ "error": { "what": "connect", "why": why } }));
    drop(UnixListener::bind(&socket).unwrap());
    let stderr = format!("threatstopctl: connect: {path}: Connection refused {way_out}\n");
    assert_said(&run(&[]), 1, "", &stderr);
}

/// The engine goes away at various points. With `-j` nothing of the answer is printed.
#[test]
fn the_engine_goes_away() {
    let begin = lines(&[json!({ "prefixes": ["192.0.2.1"] })]);
    let stderr = "threatstopctl: show: threatstopd closed the connection before the answer was \
                  complete (see /var/log/daemon)\n";
    for (octets, printed) in [
        (String::new(), ""),
        ("{\"prefixes\":[\"192.0.2.1\"".into(), ""),
        (begin.clone(), "192.0.2.1\n"),
        (format!("{begin}{{\"done\":{{}}}}"), "192.0.2.1\n"),
    ] {
        let (output, _) = answering(octets.clone()).run("", &["show", "block"]);
        assert_said(&output, 1, printed, stderr);
        let (output, _) = answering(octets).run("-j", &["show", "block"]);
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(document(&output)["error"]["what"], "show");
    }
}

/// What comes is no answer, or not one to this request.
#[test]
fn garbage() {
    let cases: [(&[&str], &[u8]); 9] = [
        (&["status"], b"SSH-2.0-OpenSSH_10.2\r\n"),
        (&["status"], b"\x00\xff\xfe\n"),
        (&["status"], b"{\"done\":{}}\n"),
        (&["why", "::1"], b"{\"why\":{\"blocked\":\"yes\"}}\n"),
        (&["why", "::1"], b"{\"done\":{}}\n"),
        (&["why", "::1"], b"{\"prefixes\":[]}\n"),
        (&["show", "block"], b"{\"prefixes\":[\"192.0.2.1\\n0.0.0.0/0\"]}\n"),
        (&["show", "block"], b"{\"prefixes\":[\"192.0.2.1/24\"]}\n"),
        (&["reload"], b"{\"done\":[]}\n"),
    ];
    for (words, octets) in cases {
        let (output, _) = answering(octets).run("", words);
        let stderr = text(&output.stderr);
        let begin = format!("threatstopctl: {}: the answer is not in form: ", words[0]);
        assert!(stderr.starts_with(&begin), "{stderr}");
        let status = if words[0] == "why" { 2 } else { 1 };
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(status), ""));
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
    }
    let nested = format!("{}\n", "{\"done\":".repeat(100_000));
    let (output, _) = answering(nested).run("-j", &["status"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(document(&output)["error"]["what"], "status");
}

/// A line without an end is not read for ever.
#[test]
fn an_endless_line() {
    let endless = engine(|stream| while stream.write_all(&[b'x'; 4096]).is_ok() {});
    let (output, _) = endless.run("", &["update"]);
    let stderr = "threatstopctl: update: the answer is too long; is this threatstopd's socket?\n";
    assert_said(&output, 1, "", stderr);
}

/// An answer without an end is not read for ever either.
#[test]
fn endless_lines() {
    let line = lines(&[json!({ "line": "x".repeat(100_000) })]);
    let endless = engine(move |stream| while stream.write_all(line.as_bytes()).is_ok() {});
    let (output, _) = endless.run("-j", &["status"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(document(&output)["error"]["what"], "status");
}

/// The engine sends a line and goes on only after the tool has printed it.
#[test]
fn progress_is_seen_at_once() {
    let (go_on, wait) = mpsc::channel();
    let engine = engine(move |stream| {
        stream.write_all(lines(&[json!({ "line": "Reloading pf...done" })]).as_bytes()).unwrap();
        wait.recv_timeout(Duration::from_secs(120)).unwrap();
        let refused = json!({ "error": { "what": "update", "why": "no" } });
        stream.write_all(lines(&[refused]).as_bytes()).unwrap();
    });
    let mut child = piped(engine.command("", &["update"]));
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "Reloading pf...done\n");
    go_on.send(()).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

/// The reader of the output leaves: not a word, exit status 1.
#[test]
fn the_reader_leaves() {
    let prefixes = lines(&[json!({ "prefixes": vec!["192.0.2.1"; 500] })]);
    let endless = engine(move |stream| while stream.write_all(prefixes.as_bytes()).is_ok() {});
    let mut child = piped(endless.command("", &["show", "block"]));
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert_eq!(line, "192.0.2.1\n");
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(1), ""));
}

/// The output cannot be written: said, exit status 1, as text and with `-j`.
#[cfg(target_os = "linux")]
#[test]
fn the_disk_is_full() {
    for flags in ["", "-j"] {
        let shown = json!({ "done": { "table": "block", "entries": 1 } });
        let engine = answering(lines(&[json!({ "prefixes": ["192.0.2.1"] }), shown]));
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let output = engine.command(flags, &["show", "block"]).stdout(full).output().unwrap();
        assert_said(&output, 1, "", "threatstopctl: stdout: No space left on device\n");
    }
}

/// Two hundred thousand prefixes come through, in text as they came, in JSON as one document.
#[test]
fn a_large_table() {
    let entries = 200_000;
    let send = move |stream: &mut UnixStream| {
        let all: Vec<String> = (0..entries)
            .map(|n: u32| std::net::Ipv4Addr::from(0x0b00_0000 + 2 * n).to_string())
            .collect();
        for some in all.chunks(500) {
            let _ = stream.write_all(lines(&[json!({ "prefixes": some })]).as_bytes());
        }
        let shown = json!({ "table": "block", "entries": entries });
        stream.write_all(lines(&[json!({ "done": shown })]).as_bytes()).unwrap();
    };
    let (output, _) = engine(send).run("", &["show", "block"]);
    let said = text(&output.stdout);
    assert_eq!((output.status.code(), said.lines().count()), (Some(0), entries as usize));
    assert!(said.starts_with("11.0.0.0\n11.0.0.2\n") && said.ends_with("11.6.26.126\n"));
    let (output, _) = engine(send).run("-j", &["show", "block"]);
    assert_eq!(document(&output)["prefixes"].as_array().unwrap().len(), entries as usize);
}

/// `report` of as many days as are kept, of 7 unless told otherwise: the engine's object with `-j`, with
/// the daemon that was asked in the commands that it advises, text
/// without it, and with one that makes names a terminal's business nothing that it would obey.
#[test]
fn report() {
    let unknown = json!({ "date": "2026-11-18", "in": null, "out": null, "suspects": null,
        "runs": null, "uploads": null, "tables": [] });
    let report = json!({
        "at": 1_795_000_000, "date": "2026-11-18 12:00", "since": 1_794_960_000, "period": 1,
        "verdict": "ok: blocking 0 prefixes", "warnings": [], "monitoring": false, "in": null,
        "out": null, "runs": { "good": 0, "failed": 0, "held": 0 },
        "uploads": { "confirmed": 0, "failed": 0 }, "days": [unknown], "tables": [], "lists": [],
        "others": [], "protocols": [], "ports": [], "suspects": 0, "hosts": [],
        "missed": { "lists": 0, "ports": 0, "hosts": 0 }, "left_out": 0, "lost": 0,
        "failures": [{ "time": 1_795_000_000, "date": "2026-11-18 12:00", "event": "failed",
            "text": "feed a: \u{1b}[2J\nb (threatstopctl update a)" }],
    });
    let replies = lines(&[json!({ "done": report })]);
    for (words, days) in [(&["rep"][..], 7), (&["report", "-d", "35"], 35), (&["report", "-d1"], 1)]
    {
        let engine = answering(replies.clone());
        let update = format!("threatstopctl -s {} update a", engine.socket.display());
        let (output, asked) = engine.run("", words);
        assert_eq!(asked, json!({ "command": "report", "days": days }));
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
        let said = text(&output.stdout);
        assert!(said.starts_with("ok: blocking 0 prefixes\n\n1 day, 2026-11-18: "), "{said}");
        assert!(!said.contains('\u{1b}') && said.contains("failed: feed a: ?[2J?b"), "{said}");
        let unfolded = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(unfolded.contains(&update), "{said}");
        let engine = answering(replies.clone());
        let update = format!("threatstopctl -s {} update a", engine.socket.display());
        let mut fitted = report.clone();
        fitted["failures"][0]["text"] = format!("feed a: \u{1b}[2J\nb ({update})").into();
        let (output, _) = engine.run("-j", words);
        assert_eq!(document(&output), fitted);
    }
    for (words, days) in [(["report", "-H"].as_slice(), 7), (&["report", "-d", "1", "-H"], 1)] {
        let engine = answering(replies.clone());
        let update = format!("(threatstopctl -s {} update a)", engine.socket.display());
        let (output, asked) = engine.run("", words);
        assert_eq!(asked, json!({ "command": "report", "days": days }));
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
        let said = text(&output.stdout);
        assert!(said.starts_with("<!DOCTYPE html>\n") && said.ends_with("\n</html>\n"), "{said}");
        assert!(said.contains(&format!("feed a: ?[2J?b {update}")), "{said}");
    }
    let output = tool().args(["-j", "report", "-H"]).output().unwrap();
    let why = "-H: not with -j, which is another form of the same";
    assert_eq!(
        (output.status.code(), document(&output)["error"]["why"].as_str()),
        (Some(1), Some(why))
    );
    for days in ["0", "36", "-1", "x", "7d", ""] {
        let output = tool().args(["report", "-d", days]).output().unwrap();
        let why = format!("-d {days}: not a number of days from 1 to 35");
        assert_said(&output, 1, "", &format!("threatstopctl: report: {why}\n"));
    }
}

/// The command line is wrong: what is wrong, then usage, and exit status 1.
#[test]
fn usage() {
    let cases: [(&[&str], &str); 13] = [
        (&[], "threatstopctl: command: missing"),
        (&["stop"], "threatstopctl: stop: unknown command"),
        (&["r"], "threatstopctl: r: ambiguous command: reload, report, rollback"),
        (&["-x", "status"], "threatstopctl: -x: unknown option"),
        (&["--help"], "threatstopctl: --help: unknown option"),
        (&["-s"], "threatstopctl: -s: needs an argument"),
        (&["status", "now"], "threatstopctl: status: now: one too many"),
        (&["update", "-x"], "threatstopctl: update: -x: unknown option"),
        (&["show"], "threatstopctl: show: word missing"),
        (&["show", "-v", "block"], "threatstopctl: show: -v: only with lists"),
        (&["log"], "threatstopctl: log: word missing"),
        (&["why"], "threatstopctl: why: address missing"),
        (&["rollb"], "threatstopctl: rollb: rollback has to be written in full"),
    ];
    for (words, message) in cases {
        let output = tool().args(words).output().unwrap();
        let stderr = text(&output.stderr);
        let status = if words == ["why"] { 2 } else { 1 };
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(status), ""));
        let rest = stderr.strip_prefix(message).unwrap_or_else(|| panic!("{stderr}"));
        assert!(rest.starts_with("\nusage: threatstopctl [-jV] [-s socket] "), "{stderr}");
    }
    // options do not stand behind the command, and unknown words list the known ones
    let output = tool().args(["status", "-j"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let output = tool().args(["-j", "stop"]).output().unwrap();
    let error = json!({ "error": { "what": "stop", "why": "unknown command" } });
    assert_eq!(serde_json::from_slice::<Value>(&output.stdout).unwrap(), error);
    assert!(text(&output.stderr).contains(
        "\n\tshow [-v] [-o format] [-z name] allow|block|diff|hits|lists|own|table ...\n"
    ));
}

/// Not an address: said without asking the engine.
#[test]
fn not_an_address() {
    for (address, printed) in
        [("192.0.2", "192.0.2"), ("a\nb", "a?b"), ("10.0.0.0/8", "10.0.0.0/8")]
    {
        let output = tool().args(["why", address]).output().unwrap();
        let stderr = format!("threatstopctl: why: {printed}: not a numeric IP address\n");
        assert_said(&output, 2, "", &stderr);
    }
}

#[test]
fn version() {
    let version = env!("CARGO_PKG_VERSION");
    let output = tool().arg("-V").output().unwrap();
    assert_said(&output, 0, &format!("threatstopctl {version}\n"), "");
    let output = tool().args(["-jV", "nonsense"]).output().unwrap();
    assert_eq!(document(&output), json!({ "version": version }));
}

fn piped(mut command: Command) -> Child {
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}
