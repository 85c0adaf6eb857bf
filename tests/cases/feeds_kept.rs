//! Lists of one server, which come over one connection as long as that is good for them.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tests::harness::{Config, Daemon, Scratch, ctl};
use tests::sim::{ListServer, Manners, Page};

use crate::common::*;
use crate::feeds::{feed, hosts, trusting};

/// Each feed has so many entries to begin with.
const ENTRIES: u32 = 20;

/// The path of a feed.
fn path(at: usize) -> String {
    format!("/list{at:02}")
}

/// A list of a feed, of a network of its own.
fn list(at: usize, entries: u32) -> String {
    hosts(&format!("9.{at}"), entries)
}

/// The keys of a feed, of which many have room together.
fn keys(at: usize, url: &str) -> Vec<(&'static str, toml::Value)> {
    let mut keys = feed(path(at).trim_start_matches('/'), url);
    keys.push(("max_entries", 1000.into()));
    keys
}

/// A daemon with so many feeds of one server, whose lists are all in force.
fn daemon(scratch: &Scratch, server: &ListServer, feeds: usize) -> Daemon {
    let with = |config: Config, at: usize| {
        server.serve(&path(at), &list(at, ENTRIES));
        config.add("feed", &keys(at, &server.url(&path(at))))
    };
    let config = (0..feeds).fold(trusting(scratch, server.ca()), with);
    let daemon = Daemon::start(scratch, &config);
    update(&daemon);
    wait_until("the run ends", || status(&daemon)["update"]["state"] == "idle");
    daemon
}

/// Update 24 feeds of one server of which the first two, which are as many as come at once, keep their
/// bodies back until all are asked for.
/// Check that all come over less than half as many connections, and that none is left when they are there. Do
/// the same once more where nothing has changed.
#[test]
fn lists_of_one_server_share_a_connection() {
    let (server, scratch, feeds) = (ListServer::start(), Scratch::new(), 24);
    let daemon = daemon(&scratch, &server, feeds);
    let connections = || server.handshakes().iter().sum::<usize>();
    let held = [path(0), path(1)];
    for (at, path) in held.iter().enumerate() {
        server.serve(path, &list(at, 2 * ENTRIES));
        server.hold(path);
    }
    server.take();
    let before = connections();
    let socket = scratch.socket();
    let by_hand = thread::spawn(move || ctl(&socket, &["update"]));
    let mut asked = Vec::new();
    wait_until("both are asked for", || {
        asked.extend(server.take());
        held.iter().all(|path| asked.iter().any(|one| one.path == *path))
    });
    // it answers when all others wait for a thread
    status(&daemon);
    held.iter().for_each(|path| server.release(path));
    let said = by_hand.join().unwrap();
    assert!(said.status.success(), "{}{}", said.stdout, said.stderr);
    asked.extend(server.take());
    assert_eq!(asked.len(), feeds, "{asked:?}");
    let made = connections() - before;
    // two, where nothing takes ten seconds
    assert!((1..feeds / 2).contains(&made), "{made} connections");
    wait_until("nobody is connected any more", || server.open() == 0);
    let entries = table(&daemon, BLOCK).unwrap().lines().count();
    assert_eq!(entries, (feeds + held.len()) * ENTRIES as usize);

    assert!(update(&daemon).stdout.contains("No changes\n"));
    let asked = server.take();
    assert!(asked.len() == feeds && asked.iter().all(|one| one.header("if-none-match").is_some()));
    wait_until("nobody is connected any more", || server.open() == 0);
    assert!(daemon.stop().success());
}

/// Let all lists of a server change that closes each connection after an answer, then those of one that
/// closes it when it is asked for a second list.
/// Check that all of them come each time, and that no list is answered twice.
#[test]
fn who_closes_between_two_lists_loses_neither() {
    let (server, scratch, feeds) = (ListServer::start(), Scratch::new(), 8);
    let daemon = daemon(&scratch, &server, feeds);
    for (round, manners) in [(2, Manners::Closes), (3, Manners::HangsUp)] {
        server.behave(manners);
        for at in 0..feeds {
            server.serve(&path(at), &list(at, round * ENTRIES));
        }
        server.take();
        update(&daemon);
        let entries = table(&daemon, BLOCK).unwrap().lines().count();
        assert_eq!(entries, feeds * (round * ENTRIES) as usize, "{manners:?}");
        let mut paths: Vec<_> = server.take().into_iter().map(|one| one.path).collect();
        paths.sort();
        assert_eq!(paths, (0..feeds).map(path).collect::<Vec<_>>(), "{manners:?}");
    }
    assert!(daemon.stop().success());
}

/// Have every other feed of a server answered by more than was asked for: behind its list a second answer
/// with another list, the same behind "nothing has changed", a body there that is one, and a list that
/// is longer than is said.
/// Check that no feed gets what is nobody's, and that the others get theirs.
#[test]
fn surplus_is_nobodys_list() {
    let (server, scratch, feeds) = (ListServer::start(), Scratch::new(), 8);
    let daemon = daemon(&scratch, &server, feeds);
    let answer = |status: &str, fields: &str, body: &str| {
        let length = body.len();
        format!("HTTP/1.1 {status}\r\n{fields}Content-Length: {length}\r\n\r\n{body}")
    };
    let bad = answer("200 OK", "ETag: \"bad\"\r\n", &hosts("9.66", 10 * ENTRIES));
    let unchanged = "HTTP/1.1 304 Not Modified\r\n";
    let longer = list(6, ENTRIES);
    let pages = [
        answer("200 OK", "", &list(0, ENTRIES)) + &bad,
        format!("{unchanged}\r\n{bad}"),
        format!("{unchanged}Content-Length: {}\r\n\r\n{bad}", bad.len()),
        answer("200 OK", "", &longer) + &longer,
    ];
    for (at, page) in pages.into_iter().enumerate() {
        server.set(&path(2 * at), Page::Raw(page));
    }
    for at in (0..feeds).filter(|at| at % 2 == 1) {
        server.serve(&path(at), &list(at, 2 * ENTRIES));
    }
    for round in 0..2 {
        update(&daemon);
        let block = table(&daemon, BLOCK).unwrap();
        for at in 0..feeds {
            let theirs = block.lines().filter(|line| line.starts_with(&format!("9.{at}."))).count();
            let factor = if at % 2 == 1 { 2 } else { 1 };
            assert_eq!(theirs, factor * ENTRIES as usize, "feed {at}, round {round}");
        }
        assert_eq!(block.lines().count(), (feeds + feeds / 2) * ENTRIES as usize);
    }
    assert!(daemon.stop().success());
}

/// Start with 20 feeds of a server that takes connections and says nothing, and one of another server
/// behind them.
/// Check that this one comes into force; and that as soon as one of the others has waited for as long as it may,
/// all that have not been asked for fail for the same reason.
#[test]
fn a_silent_server_is_not_asked_for_each_of_its_lists() {
    let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    thread::spawn(move || {
        let mut open = Vec::new();
        for stream in silent.incoming() {
            count.fetch_add(1, Ordering::SeqCst);
            open.push(stream);
        }
    });
    let (server, scratch, feeds) = (ListServer::start(), Scratch::new(), 20);
    server.serve(&path(feeds), &list(feeds, ENTRIES));
    let with = |config: Config, at: usize| config.add("feed", &keys(at, &format!("{url}/{at}")));
    let config = (0..feeds).fold(trusting(&scratch, server.ca()), with);
    let daemon =
        Daemon::start(&scratch, &config.add("feed", &keys(feeds, &server.url(&path(feeds)))));
    let entries = || daemon.table_file(BLOCK).unwrap_or_default().lines().count();
    wait_until("the other server's list is in force", || entries() == ENTRIES as usize);
    let failed = || {
        let status = status(&daemon);
        let sources = status["sources"].as_array().unwrap().iter();
        let why = sources.filter_map(|source| source["error"].as_str());
        why.filter(|why| why.contains(": no answer in time: ")).count()
    };
    let taken = || taken.load(Ordering::SeqCst);
    wait_until("each is asked for or has failed", || taken() + failed() > feeds);
    assert!((1..feeds / 2).contains(&taken()), "{}", taken());
    assert!(daemon.stop().success());
}
