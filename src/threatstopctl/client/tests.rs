use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use super::*;

/// A client that may still read `left` octets, and the engine's end of the connection.
fn pair(left: u64) -> (Client, UnixStream) {
    let (ours, engine) = UnixStream::pair().unwrap();
    (Client { stream: BufReader::new(ours), line: Vec::new(), left }, engine)
}

#[test]
fn lines_come_one_by_one() {
    let (mut client, mut engine) = pair(MAX_ANSWER);
    engine.write_all(b"{\"line\":\"one\"}\n{\"line\":\"two\"}\n{\"do").unwrap();
    assert_eq!(client.next().unwrap(), Reply::Line("one".into()));
    assert_eq!(client.next().unwrap(), Reply::Line("two".into()));
    engine.write_all(b"ne\":{}}\n").unwrap();
    assert_eq!(client.next().unwrap(), Reply::Done(serde_json::json!({})));
}

#[test]
fn an_answer_may_be_as_long_as_its_bound_and_no_longer() {
    let line = b"{\"line\":\"\"}\n";
    let (mut client, mut engine) = pair(line.len() as u64 + 3);
    engine.write_all(line).unwrap();
    engine.write_all(line).unwrap();
    assert_eq!(client.next().unwrap(), Reply::Line(String::new()));
    assert!(matches!(client.next(), Err(ClientError::TooLong)));
    // and once it is used up nothing more is read
    assert!(matches!(client.next(), Err(ClientError::TooLong)));
}

#[test]
fn a_line_may_have_one_mebibyte_and_no_more() {
    let full = |octets: usize| format!("{{\"line\":\"{}\"}}\n", "x".repeat(octets - 12));
    for (octets, fits) in [(MAX_LINE as usize, true), (MAX_LINE as usize + 1, false)] {
        let (mut client, mut engine) = pair(MAX_ANSWER);
        let line = full(octets);
        assert_eq!(line.len(), octets);
        // the socket holds less than a line
        let writer = thread::spawn(move || engine.write_all(line.as_bytes()));
        assert_eq!(client.next().is_ok(), fits);
        drop(client);
        let _ = writer.join().unwrap();
    }
}

/// The engine ends; its listener takes one connection more, and the one after it is the next
/// engine's, which answers.
#[test]
fn a_connection_that_is_closed_at_once_is_to_no_next_engine() {
    let scratch = tempfile::tempdir().unwrap();
    let socket = scratch.path().join("sock");
    let listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let (client, engine) = pair(MAX_ANSWER);
    drop(engine);
    let (taken, second) = mpsc::channel();
    thread::spawn(move || {
        drop(listener.accept().unwrap());
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"{\"done\":{}}\n").unwrap();
        taken.send(stream)
    });
    assert_eq!(client.outlive(&socket).unwrap(), Reply::Done(serde_json::json!({})));
    second.recv_timeout(Duration::from_secs(120)).unwrap();
}

#[test]
fn an_end_in_the_middle_is_no_answer() {
    for begin in ["", "{", "{\"done\":{}}"] {
        let (mut client, mut engine) = pair(MAX_ANSWER);
        engine.write_all(begin.as_bytes()).unwrap();
        drop(engine);
        assert!(matches!(client.next(), Err(ClientError::Closed)), "{begin}");
    }
}

#[test]
fn an_engine_that_does_not_listen_may_say_why() {
    let (ours, mut engine) = UnixStream::pair().unwrap();
    engine.write_all(b"{\"error\":{\"what\":\"status\",\"why\":\"busy\"}}\n").unwrap();
    drop(engine);
    let mut client = Client::send(ours, &Request::Status {}, MAX_ANSWER).unwrap();
    assert!(matches!(client.next(), Ok(Reply::Error(_))));
}

#[test]
fn an_engine_that_does_not_answer_is_not_waited_for_for_ever() {
    let (mut client, _engine) = pair(MAX_ANSWER);
    client.stream.get_ref().set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let before = Instant::now();
    assert!(matches!(client.next(), Err(ClientError::Silent)));
    assert!(before.elapsed() >= Duration::from_millis(50));
}

#[test]
fn only_what_waits_for_servers_may_be_silent_for_long() {
    let patient = [
        Request::Update { sources: Vec::new(), force: false, dry_run: false },
        Request::Upload { dry_run: true },
        Request::Test {},
    ];
    assert!(patient.iter().all(|request| patience(request).0.is_none()));
    let others = [Request::Status {}, Request::Rollback {}, Request::Metrics {}];
    assert!(others.iter().all(|request| patience(request).0 == Some(SILENCE)));
}

#[test]
fn lines_of_another_form_are_refused() {
    let lines: [&[u8]; 9] = [
        b"\n",
        b"hello\n",
        b"{}\n",
        b"[]\n",
        b"{\"line\":1}\n",
        b"{\"lines\":[\"a\"]}\n",
        b"{\"line\":\"\xff\"}\n",
        b"{\"prefixes\":\"192.0.2.1\"}\n",
        b"{\"error\":{\"what\":\"update\"}}\n",
    ];
    for line in lines {
        let (mut client, mut engine) = pair(MAX_ANSWER);
        engine.write_all(line).unwrap();
        let answer = client.next();
        assert!(matches!(answer, Err(ClientError::Form(_))), "{answer:?}");
    }
}

#[test]
fn errors_of_the_system_are_told_without_their_number() {
    assert_eq!(reason(&io::Error::from_raw_os_error(2)), "No such file or directory");
    assert_eq!(reason(&io::Error::other("no reason")), "no reason");
}
