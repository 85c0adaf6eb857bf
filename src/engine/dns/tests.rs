//! Runs against servers of all manners, each case with short deadlines.

mod server;

use core::net::SocketAddr;
use core::time::Duration;

use apl::ListName;
use config::Server;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use self::server::{Manner, TestServer, Zone};
use super::error::{Attempt, AttemptError, RunError};
use super::retrieve::Retrieved;
use super::servers::Failure;
use super::*;

const BLOCK: &str = "basic.threatstop.local";
const ALLOW: &str = "dns.threatstop.local";

fn name(text: &str) -> ListName {
    ListName::parse(text).unwrap()
}

/// An index of 40 parts to block and one name to allow: 84 questions.
fn zone() -> Zone {
    Zone::default().index(BLOCK, 40).apl(ALLOW, 300..303)
}

const QUESTIONS: usize = 2 * 41 + 2;

fn limits() -> Limits {
    Limits {
        // an honest server on a busy machine needs not a tenth of these
        connect: Duration::from_secs(2),
        answer: Duration::from_secs(2),
        run: Duration::from_secs(120),
    }
}

fn servers(addrs: &[SocketAddr]) -> Servers {
    Servers::new(&addrs.iter().copied().map(Server::AddressPort).collect::<Vec<_>>())
}

async fn run_with(servers: &Servers, limits: Limits) -> (Result<Retrieved, RunError>, Vec<String>) {
    let lists = [BLOCK, ALLOW].map(|list| Wanted { name: name(list), apl_before: false });
    let suffix = name("threatstop.local");
    let run = Run { servers, lists: &lists, suffix: &suffix, limits, before: None };
    let mut events = Vec::new();
    let mut tell = |event: Event<'_>| {
        events.push(match event {
            Event::Server { server } => format!("server {server}"),
            Event::Started(name) => format!("started {name}"),
            Event::Finished(list) => format!("finished {}", list.name),
            Event::Failed(attempt) => format!("failed {attempt}"),
        });
    };
    let result = retrieve(&run, &mut tell).await;
    (result, events)
}

async fn run(addrs: &[SocketAddr]) -> Result<Retrieved, RunError> {
    run_with(&servers(addrs), limits()).await.0
}

fn assert_whole(retrieved: &Retrieved) {
    let lists = retrieved.lists.as_deref();
    let Some([block, allow]) = lists else { panic!("{lists:?}") };
    assert_eq!((block.name.to_string().as_str(), allow.name.to_string().as_str()), (BLOCK, ALLOW));
    let mut prefixes: Vec<String> = block.items.v4.iter().map(|i| i.net().to_string()).collect();
    prefixes.sort_by_key(|text| text.split('.').nth(2).map(|octet| octet.parse::<u8>().unwrap()));
    assert_eq!(prefixes, (0..40).map(|n| format!("10.0.{n}.0/24")).collect::<Vec<_>>());
    assert_eq!((block.names, block.data_names, allow.items.v4.len()), (41, 40, 3));
}

/// The lists are whole although the server has this manner, over so many connections.
async fn survives(manner: Manner, connections: core::ops::RangeInclusive<usize>) -> TestServer {
    let server = TestServer::start(zone(), manner).await;
    let retrieved = run(&[server.addr]).await.unwrap();
    assert_whole(&retrieved);
    assert!(connections.contains(&server.connections()), "{}", server.connections());
    server
}

#[tokio::test]
async fn one_connection_is_enough() {
    let server = survives(Manner::InOrder, 1..=1).await;
    assert_eq!(server.queries(), QUESTIONS);
}

#[tokio::test]
async fn answers_in_reverse_order() {
    let server = survives(Manner::Reversed, 1..=1).await;
    assert_eq!((server.queries(), server.peak()), (QUESTIONS, 32));
}

#[tokio::test]
async fn a_server_that_closes_when_asked_two_things_at_once() {
    let server = survives(Manner::ClosesOnSecond, 2..=2).await;
    // the four first questions are asked twice
    assert_eq!(server.queries(), QUESTIONS + 4);
}

#[tokio::test]
async fn a_server_that_loses_queries_while_it_is_busy() {
    let server = survives(Manner::LosesSecond, 2..=2).await;
    assert!((QUESTIONS + 1..=QUESTIONS + 32).contains(&server.queries()), "{}", server.queries());
}

#[tokio::test]
async fn a_server_that_mixes_up_ids_while_it_is_busy() {
    survives(Manner::ConfusesSecond, 2..=2).await;
}

#[tokio::test]
async fn a_server_that_closes_after_each_answer() {
    survives(Manner::CloseAfter(1), QUESTIONS..=QUESTIONS + 1).await;
}

#[tokio::test]
async fn a_server_that_closes_after_some_answers() {
    survives(Manner::CloseAfter(10), 9..=10).await;
    // It bore a full window, so that the next connection has one as well.
    let server = survives(Manner::CloseAfter(50), 2..=2).await;
    assert!(server.queries() > QUESTIONS);
}

#[tokio::test]
async fn a_server_that_wants_opt() {
    survives(Manner::WantsOpt, 1..=1).await;
}

#[tokio::test]
async fn a_bad_server_is_left_for_the_next_one() {
    let good = TestServer::start(zone(), Manner::InOrder).await;
    for (manner, expected) in [
        (Manner::Reset, "connection lost: "),
        (Manner::Half, "connection lost: closed while reading message"),
        (Manner::Dribble, "no answer in time (policy.timeout)"),
        (Manner::Silent, "no answer in time (policy.timeout)"),
        (Manner::WrongId, "answer to a question that was not asked"),
        (Manner::WrongQuestion, "answer to another question"),
        (Manner::Echo, "malformed answer: it is a query"),
        (Manner::Endless, "answer to a question that was not asked"),
        (Manner::Announces(0), "connection lost: "),
        (Manner::Announces(65535), "connection lost: closed while reading message"),
        (Manner::Announces(5), "connection lost: closed while reading message"),
        (Manner::Truncated, "list basic.threatstop.local: PTR: list too large for one answer"),
        (Manner::Rcode(2), "list basic.threatstop.local: PTR: the server says SERVFAIL"),
        (Manner::Rcode(5), "list basic.threatstop.local: PTR: the server says REFUSED"),
        (Manner::Rcode(3), "list basic.threatstop.local: not found (NXDOMAIN)"),
        (Manner::BadApl, "list dns.threatstop.local: APL: malformed APL record"),
    ] {
        let bad = TestServer::start(zone(), manner).await;
        let servers = servers(&[bad.addr, good.addr]);
        let started = Instant::now();
        let (result, events) = run_with(&servers, limits()).await;
        let retrieved = result.unwrap();
        assert!(started.elapsed() < Duration::from_secs(60), "{manner:?}");
        assert_whole(&retrieved);
        assert_eq!(retrieved.server, good.addr.to_string());
        let failed = format!("failed server {}: {expected}", bad.addr);
        let texts: Vec<&String> = events.iter().filter(|e| e.starts_with("failed")).collect();
        let [text] = texts[..] else { panic!("{manner:?}: {texts:?}") };
        assert!(text.starts_with(&failed), "{manner:?}: {text}");
        // whoever tells the administrator begins anew with the second server
        let at = events.iter().position(|event| event == text).unwrap();
        assert_eq!(events[at + 1], format!("server {}", good.addr));
        assert!(bad.connections() <= 3, "{manner:?}: {}", bad.connections());

        let [first, second] = servers.health().try_into().unwrap();
        let Failure { address, what, .. } = first.last_failure.unwrap();
        assert_eq!((address, first.failures, first.last_success), (Some(bad.addr), 1, None));
        assert!(text.ends_with(&what));
        assert_eq!((second.address, second.failures), (Some(good.addr), 0));
        assert!(second.last_success.is_some() && second.last_failure.is_none());
    }
}

#[tokio::test]
async fn lists_of_two_servers_are_never_mixed() {
    let first = TestServer::start(Zone::default().index(BLOCK, 39), Manner::InOrder).await;
    let second = TestServer::start(zone(), Manner::InOrder).await;
    let (result, events) = run_with(&servers(&[first.addr, second.addr]), limits()).await;
    assert_whole(&result.unwrap());
    assert_eq!(
        events.iter().filter(|event| event.starts_with("started")).collect::<Vec<_>>(),
        [
            "started basic.threatstop.local",
            "started dns.threatstop.local",
            "started basic.threatstop.local",
            "started dns.threatstop.local"
        ]
    );
}

#[tokio::test]
async fn a_part_that_fails_fails_the_run() {
    let broken = zone().ptr(BLOCK, "gone.threatstop.local");
    let server = TestServer::start(broken, Manner::InOrder).await;
    let error = run(&[server.addr]).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "server {}: list basic.threatstop.local: part gone.threatstop.local: not found \
             (NXDOMAIN) (it is tried again by itself; threatstopctl test reads each list from each \
             server)",
            server.addr
        )
    );
    assert!(!error.is_unprovisioned());
    // the list was read twice
    let seen = server.seen.questions.lock().unwrap();
    let first = (BLOCK.to_owned(), server::PTR);
    assert_eq!(seen.iter().filter(|question| **question == first).count(), 2);
}

#[tokio::test]
async fn every_attempt_is_in_the_error() {
    let refused = TestServer::start(zone(), Manner::Rcode(5)).await;
    let unknown = TestServer::start(zone(), Manner::Rcode(3)).await;
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = run(&[refused.addr, free, unknown.addr]).await.unwrap_err();
    assert!(error.is_unprovisioned());
    let text = error.to_string();
    let parts: Vec<&str> = text.split("; ").collect();
    assert_eq!(parts.len(), 3);
    assert!(parts[0].contains("REFUSED") && parts[0].contains("threatstopctl test"), "{text}");
    assert!(parts[1].starts_with(&format!("server {free}: connect: ")), "{text}");
    assert!(parts[2].contains("NXDOMAIN"), "{text}");

    let failing = TestServer::start(zone(), Manner::Rcode(2)).await;
    assert!(!run(&[refused.addr, failing.addr]).await.unwrap_err().is_unprovisioned());

    let error = run(&[free]).await.unwrap_err();
    assert!(!error.is_unprovisioned());
    let port = free.port();
    let way_out = format!("(TCP port {port} must be open to the server: threatstopctl test)");
    assert!(error.to_string().ends_with(&way_out), "{error}");
}

/// A listener whose queue is full, so that nobody gets a connection.
async fn unconnectable() -> (TcpListener, Vec<TcpStream>) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let addr = listener.local_addr().unwrap();
    let mut queue = Vec::new();
    while let Ok(Ok(stream)) = timeout(Duration::from_millis(200), TcpStream::connect(addr)).await {
        queue.push(stream);
        assert!(queue.len() < 10, "the queue does not fill");
    }
    (listener, queue)
}

#[tokio::test]
async fn a_connection_that_never_comes_is_given_up() {
    let (listener, _queue) = unconnectable().await;
    let addr = listener.local_addr().unwrap();
    let started = Instant::now();
    let error = run(&[addr]).await.unwrap_err();
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(error.to_string().contains("connect: TCP connect timed out"), "{error}");
}

#[tokio::test]
async fn a_server_that_takes_all_the_time_leaves_some_for_the_next() {
    let slow = TestServer::start(zone(), Manner::Silent).await;
    let good = TestServer::start(zone(), Manner::InOrder).await;
    let patient =
        Limits { answer: Duration::from_secs(60), run: Duration::from_secs(4), ..limits() };
    let (result, _) = run_with(&servers(&[slow.addr, good.addr]), patient).await;
    assert_whole(&result.unwrap());
    let (result, _) = run_with(&servers(&[slow.addr]), patient).await;
    let why = result.unwrap_err().to_string();
    assert!(
        why.contains("not done in the time for one run (it is tried again by itself; "),
        "{why}"
    );
}

#[tokio::test]
async fn names_of_servers_are_resolved() {
    let server = TestServer::start(zone(), Manner::InOrder).await;
    let named = Server::NamePort("localhost".parse().unwrap(), server.addr.port());
    let servers = Servers::new(&[named]);
    let (result, _) = run_with(&servers, limits()).await;
    assert_eq!(result.unwrap().server, format!("localhost:{}", server.addr.port()));
    assert_eq!(servers.health()[0].address, Some(server.addr));
}

#[test]
fn errors_of_the_system_are_told_in_words_alone() {
    let refused = || std::io::Error::from_raw_os_error(nix::libc::ECONNREFUSED);
    assert_eq!(AttemptError::Connect(refused()).to_string(), "connect: Connection refused");
    let wrapped = std::io::Error::other(refused().to_string());
    let lost = AttemptError::Closed(Some(wrapped));
    assert_eq!(lost.to_string(), "connection lost: Connection refused");
}

#[test]
fn a_name_that_is_not_resolved_is_told_without_an_address() {
    let named = Servers::new(&[Server::Name("dns.example.com".parse().unwrap())]);
    let [entry] = named.entries() else { panic!() };
    let error = AttemptError::Resolve(std::io::ErrorKind::TimedOut.into());
    let error = RunError { attempts: vec![entry.failed(None, error)] };
    assert_eq!(
        error.to_string(),
        "server dns.example.com: resolve: timed out (threatstopctl test tries each of them)"
    );
    assert_eq!(named.health()[0].last_failure.as_ref().unwrap().what, "resolve: timed out");
}

/// Fails when a port is asked to be open that nobody would use: servers with a port of their own
/// are tried on no other.
#[test]
fn the_ports_to_be_opened_are_those_that_are_tried() {
    let way_out = |tried: &[&str]| {
        let attempt = |address: &&str| {
            let address: SocketAddr = address.parse().unwrap();
            let server = match address.port() {
                53 | 5353 => address.ip().to_string(),
                _ => address.to_string(),
            };
            let error = AttemptError::Connect(std::io::ErrorKind::TimedOut.into());
            Attempt { server, address: Some(address), error }
        };
        let text = RunError { attempts: tried.iter().map(attempt).collect() }.to_string();
        text.split_once(" (").unwrap().1.to_owned()
    };
    let server = ["192.0.2.1:53", "192.0.2.1:5353"];
    assert_eq!(
        way_out(&server),
        "TCP port 53 or 5353 must be open to the server: threatstopctl test)"
    );
    assert_eq!(
        way_out(&[server[0], server[1], "192.0.2.2:53", "192.0.2.2:5353"]),
        "TCP port 53 or 5353 must be open to the servers: threatstopctl test)"
    );
    assert_eq!(
        way_out(&["192.0.2.3:8053"]),
        "TCP port 8053 must be open to the server: threatstopctl test)"
    );
    assert_eq!(
        way_out(&[server[0], server[1], "192.0.2.3:8053"]),
        "TCP port 53 or 5353 must be open to 192.0.2.1, \
         TCP port 8053 must be open to 192.0.2.3:8053: threatstopctl test)"
    );
}

#[tokio::test]
async fn ports_are_tried_in_order_and_the_good_one_is_remembered() {
    let servers = Servers::new(&[
        Server::Address("192.0.2.1".parse().unwrap()),
        Server::AddressPort("[2001:db8::1]:5300".parse().unwrap()),
    ]);
    let [first, second] = servers.entries() else { panic!() };
    let limit = Duration::from_secs(1);
    let [p53, p5353] = ["192.0.2.1:53", "192.0.2.1:5353"].map(|a| a.parse::<SocketAddr>().unwrap());
    assert_eq!(first.addresses(limit).await.unwrap(), [p53, p5353]);
    first.worked(p5353);
    assert_eq!(first.addresses(limit).await.unwrap(), [p5353, p53]);
    first.worked(p53);
    assert_eq!(first.addresses(limit).await.unwrap(), [p53, p5353]);
    assert_eq!(second.addresses(limit).await.unwrap(), ["[2001:db8::1]:5300".parse().unwrap()]);
}

/// Reads lists one after the other, as `test` does; what each has, or why it cannot be had.
async fn probed(addr: SocketAddr, lists: &[&str]) -> Vec<Result<usize, String>> {
    let servers = servers(&[addr]);
    let [entry] = servers.entries() else { panic!() };
    let Attempted { failed, reached } = reach(entry, limits()).await;
    let mut reached = reached.unwrap_or_else(|| panic!("{failed:?}"));
    assert!(failed.is_empty() && reached.address == addr);
    let mut found = Vec::new();
    for list in lists {
        let wanted = Wanted { name: name(list), apl_before: false };
        let read = reached.read(&wanted, &name("threatstop.local")).await;
        found.push(read.map(|list| list.items.len()).map_err(|error| error.to_string()));
    }
    found
}

/// Fails when `test` looks at the first name of a list alone: it would call a list ready that
/// nobody can read, and one that is spread over many names empty.
#[tokio::test]
async fn a_probe_reads_whole_lists() {
    for manner in [Manner::InOrder, Manner::CloseAfter(1), Manner::ClosesOnSecond, Manner::WantsOpt]
    {
        let server = TestServer::start(zone().a("old.threatstop.local", 9), manner).await;
        let whole = run(&[server.addr]).await.unwrap();
        let all: Vec<usize> = whole.lists.iter().flatten().map(|list| list.items.len()).collect();
        let found = probed(server.addr, &[BLOCK, ALLOW, "old.threatstop.local"]).await;
        assert_eq!(found, [Ok(all[0]), Ok(all[1]), Ok(1)], "{manner:?}");
    }
}

#[tokio::test]
async fn a_probe_reports_failures() {
    let server = TestServer::start(zone(), Manner::InOrder).await;
    let found = probed(server.addr, &["none.threatstop.local", ALLOW]).await;
    assert!(found[0].as_ref().unwrap_err().contains("NXDOMAIN"), "{found:?}");
    assert_eq!(found[1], Ok(3));
    for manner in
        [Manner::Silent, Manner::Reset, Manner::WrongId, Manner::Truncated, Manner::Rcode(5)]
    {
        let server = TestServer::start(zone(), manner).await;
        assert!(probed(server.addr, &[BLOCK]).await[0].is_err(), "{manner:?}");
    }
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let servers = servers(&[free]);
    let found = reach(&servers.entries()[0], limits()).await;
    assert!(found.reached.is_none());
    assert!(matches!(found.failed[..], [(Some(_), AttemptError::Connect(_))]));
}

/// Fails when each run waits for the resolver first, though the next server could be asked at once.
#[tokio::test]
async fn a_server_whose_name_fails_is_asked_last() {
    let server = TestServer::start(zone(), Manner::InOrder).await;
    let named = Server::Name("dns.example.com".parse().unwrap());
    let servers = Servers::new(&[named, Server::AddressPort(server.addr)]);
    let order = || {
        let all: Vec<String> = servers.in_turn().map(|entry| entry.server().to_string()).collect();
        all
    };
    assert_eq!(order(), ["dns.example.com".to_owned(), server.addr.to_string()]);
    servers.note_unresolved(|name| name == "dns.example.com");
    assert_eq!(order(), [server.addr.to_string(), "dns.example.com".to_owned()]);
    servers.note_unresolved(|_| false);
    assert_eq!(order()[0], "dns.example.com");
}
