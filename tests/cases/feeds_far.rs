//! Lists from real web servers, through a real proxy, and from servers that mean no good.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::thread;

use tests::harness::{Config, Daemon, Scratch};
use tests::servers::{Server, accepts, nginx_of_lists, require_program};
use tests::sim::{ListServer, Page};

use crate::common::*;
use crate::feeds::{Feeds, feed, hosts, trusting};

/// Serve three lists from nginx, in gzip: one for everybody, one for a user with a password, and one for
/// who has a token.
/// Check that all come in gzip, that the next look is answered by 304 for each, that one that has
/// changed comes again, that some of all that come over a connection over which another one came, and that a
/// wrong password and a wrong token are told as such and the copies stay.
#[test]
fn lists_of_nginx() {
    let Some(nginx) = require_program("nginx") else { return };
    let prepare = |dir: &Path, addr: SocketAddr| {
        for (folder, net) in [("open", "9.1"), ("basic", "9.2"), ("bearer", "9.3")] {
            let folder = dir.join("lists").join(folder);
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("list.txt"), hosts(net, 100)).unwrap();
        }
        nginx_of_lists(&nginx, dir, addr)
    };
    let server = Server::start(prepare, accepts);
    let url =
        |folder: &str| format!("https://localhost:{}/{folder}/list.txt", server.addr().port());
    let scratch = Scratch::new();
    let ca = fs::read_to_string(server.dir().join("ca.pem")).unwrap();
    let with = |basic: &str, bearer: &str| {
        let mut config = trusting(&scratch, &ca).add("feed", &feed("open", &url("open")));
        for (name, authorization) in [("basic", basic), ("bearer", bearer)] {
            let mut keys = feed(name, &url(name));
            keys.push(("authorization", authorization.into()));
            config = config.add("feed", &keys);
        }
        config
    };
    // fred:pass_word
    let config = with("Basic ZnJlZDpwYXNzX3dvcmQ=", "Bearer abc.def");
    let daemon = Daemon::start(&scratch, &config);
    update(&daemon);
    let entries = || table(&daemon, BLOCK).unwrap().lines().count();
    assert_eq!(entries(), 300, "{}", server.process().output());
    let answers = || -> Vec<(String, String)> {
        let log = fs::read_to_string(server.dir().join("access")).unwrap();
        let split = log.lines().map(|line| line.split_once(' ').unwrap());
        split.map(|(connection, said)| (connection.to_owned(), said.to_owned())).collect()
    };
    let said = |what: &str| answers().iter().filter(|(_, said)| said == what).count();
    for folder in ["open", "basic", "bearer"] {
        wait_until("it came in gzip", || said(&format!("/{folder}/list.txt 200 gzip")) == 1);
    }
    assert!(update(&daemon).stdout.contains("No changes\n"));
    for folder in ["open", "basic", "bearer"] {
        wait_until("it has not changed", || said(&format!("/{folder}/list.txt 304 -")) >= 1);
    }
    fs::write(server.dir().join("lists/open/list.txt"), hosts("9.1", 110)).unwrap();
    update(&daemon);
    assert_eq!(entries(), 310);
    let answers = answers();
    let connections: BTreeSet<&String> = answers.iter().map(|(connection, _)| connection).collect();
    assert!(connections.len() < answers.len(), "{answers:?}");
    assert!(daemon.stop().success());

    let daemon = Daemon::start(&scratch, &with("Basic ZnJlZDpvdGhlcg==", "Bearer wrong"));
    let output = daemon.ctl(&["update"]);
    assert_eq!(output.status.code(), Some(1), "{}", output.stdout);
    for name in ["basic", "bearer"] {
        let line =
            output.stdout.lines().find(|line| line.starts_with(&format!("Failed: feed {name}: ")));
        let line = line.unwrap_or_else(|| panic!("{}", output.stdout));
        assert!(
            line.contains("HTTP status 401: it does not let us: is authorization right"),
            "{line}"
        );
        assert!(line.contains("; its copy of ") && line.ends_with(" ago stays"), "{line}");
    }
    assert_eq!(table(&daemon, BLOCK).unwrap().lines().count(), 310);
    let told = daemon.output() + &output.stdout;
    assert!(!told.contains("Bearer") && !told.contains("ZnJl"), "{told}");
    assert!(daemon.stop().success());
}

/// Fetch a list through tinyproxy that wants a password, with the right one; then with a wrong one, and
/// by a port that it does not let through.
/// Check that the list comes and is asked for conditionally, that both refusals are told by the proxy's
/// name, without a password, and that the copy stays.
#[test]
fn lists_through_tinyproxy() {
    let Some(tinyproxy) = require_program("tinyproxy") else { return };
    let server = ListServer::start();
    server.serve("/list", &hosts("9.1", 100));
    let prepare = |port: u16| {
        let tinyproxy = tinyproxy.clone();
        move |dir: &Path, addr: SocketAddr| {
            let text = format!(
                "Listen 127.0.0.1\nPort {}\nTimeout 600\nAllow 127.0.0.1\n\
                 BasicAuth fred pass_word\nConnectPort {port}\nLogLevel Connect\n",
                addr.port(),
            );
            let file = dir.join("tinyproxy.conf");
            fs::write(&file, text).unwrap();
            let mut command = Command::new(&tinyproxy);
            command.arg("-d").arg("-c").arg(&file);
            command
        }
    };
    let proxy = Server::start(prepare(server.addr().port()), accepts);
    // whose port alone is the wrong one
    let narrow = Server::start(prepare(1), accepts);
    let scratch = Scratch::new();
    let through = |login: &str, proxy: &Server| -> Config {
        let proxy = format!("http://{login}@{}", proxy.addr());
        let list = format!("https://{}/list", server.addr());
        trusting(&scratch, server.ca()).add("feed", &feed("drop", &list)).set("https.proxy", proxy)
    };
    let daemon = Daemon::start(&scratch, &through("fred:pass%5Fword", &proxy));
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK).unwrap().lines().count(), 100);
    proxy.process().wait_for("CONNECT", PATIENCE);
    server.take();
    update(&daemon);
    let asked = server.take();
    assert!(asked.len() == 1 && asked[0].header("if-none-match").is_some(), "{asked:?}");
    assert!(daemon.stop().success());
    for (login, proxy) in [("fred:other", &proxy), ("fred:pass_word", &narrow)] {
        let daemon = Daemon::start(&scratch, &through(login, proxy));
        let output = daemon.ctl(&["update"]);
        assert_eq!(output.status.code(), Some(1), "{}", output.stdout);
        let line = output.stdout.lines().find(|line| line.starts_with("Failed: feed drop: "));
        let line = line.unwrap_or_else(|| panic!("{}", output.stdout));
        assert!(line.contains(&format!("through the proxy {}: ", proxy.addr())), "{line}");
        assert!(line.contains("the proxy refuses: ") && line.ends_with(" ago stays"), "{line}");
        assert!(!line.contains("other") && !daemon.output().contains("pass_word"), "{line}");
        assert_eq!(table(&daemon, BLOCK).unwrap().lines().count(), 100);
        assert!(daemon.stop().success());
    }
    assert_eq!(server.take(), []);
}

/// Serve a list octet by octet; then one that never ends, and some kilobytes that are more than 256 MiB
/// when they are inflated.
/// Check that the first is taken, that the others are cut off where the manual says and named, and that
/// nothing of them is left in the engine's directory.
#[test]
fn bodies_without_end_and_bombs_are_cut_off() {
    let feeds = Feeds::new(|config, _| config);
    feeds.server.set("/drop", Page::Octets(hosts("9.1", 310)));
    update(&feeds.daemon);
    assert_eq!(feeds.entries(), 310);
    feeds.server.set("/drop", Page::Endless(hosts("9.1", 310)));
    feeds.fails_because("its answer is longer than 64 MiB");
    let line = "#".repeat((1 << 20) - 1) + "\n";
    feeds.server.set("/drop", Page::Bomb(line, 257));
    feeds.fails_because("inflated it is longer than 256 MiB");
    let left = fs::read_dir(feeds.scratch.spool()).unwrap();
    let left = left.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.contains("feed")).collect::<Vec<_>>(), [""; 0]);
    assert!(feeds.daemon.stop().success());
}

/// A proxy that takes connections for port 443 to one server, and all others to another.
fn proxy(https: SocketAddr, others: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr = listener.local_addr().unwrap();
    thread::spawn(move || {
        for near in listener.incoming() {
            let Ok(near) = near else { return };
            // who goes away in the middle is none of its business
            thread::spawn(move || pass(near, https, others));
        }
    });
    addr
}

fn pass(mut near: TcpStream, https: SocketAddr, others: SocketAddr) -> io::Result<()> {
    let (mut head, mut octet) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        near.read_exact(&mut octet)?;
        head.extend(octet);
    }
    let is_https = head.starts_with(b"CONNECT localhost:443 ");
    let mut far = TcpStream::connect(if is_https { https } else { others })?;
    near.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
    let (mut from, mut to) = (near.try_clone()?, far.try_clone()?);
    thread::spawn(move || io::copy(&mut from, &mut to));
    io::copy(&mut far, &mut near).map(drop)
}

/// Redirect a feed that has an authorization to the same name on another port, where another server is.
/// Check that its list is taken, and that it does not get to see the authorization.
#[test]
fn credentials_are_for_the_server_that_was_configured() {
    let (server, other, scratch) = (ListServer::start(), ListServer::start(), Scratch::new());
    let proxy = format!("http://{}", proxy(other.addr(), server.addr()));
    let mut keys = feed("drop", &server.url("/drop"));
    keys.push(("authorization", "Bearer s3cret".into()));
    let config = trusting(&scratch, &format!("{}{}", server.ca(), other.ca()));
    let daemon = Daemon::start(&scratch, &config.add("feed", &keys).set("https.proxy", proxy));
    let location = "Location: https://localhost/list\r\n".to_owned();
    server.set("/drop", Page::Say(302, location, String::new()));
    other.serve("/list", &hosts("9.1", 100));
    update(&daemon);
    assert_eq!(table(&daemon, BLOCK).unwrap().lines().count(), 100);
    let seen = |server: &ListServer| {
        let asked = server.take().into_iter();
        asked.map(|one| one.header("authorization").map(str::to_owned)).collect::<Vec<_>>()
    };
    assert!(seen(&server).iter().all(|seen| seen.as_deref() == Some("Bearer s3cret")));
    let others = seen(&other);
    assert!(!others.is_empty() && others.iter().all(Option::is_none), "{others:?}");
    assert!(!daemon.output().contains("s3cret"));
    assert!(daemon.stop().success());
}

/// Answer the first request that nothing has changed; then serve a list with host names in it, one with
/// rubbish on more than 5 % of its lines, and one of a million lines.
/// Check that there is nothing to keep of the first, that the names are told with their line and the rest is
/// taken, that the others are refused with the line and the bound, and that the copy stays.
#[test]
fn what_lists_of_others_may_be_like() {
    let (server, scratch) = (ListServer::start(), Scratch::new());
    server.set("/drop", Page::Say(304, String::new(), String::new()));
    let config = trusting(&scratch, server.ca()).add("feed", &feed("drop", &server.url("/drop")));
    let daemon = Daemon::start(&scratch, &config);
    let why = refused(&daemon, &["update"]);
    assert!(why.contains("feed drop: localhost") && why.contains("HTTP status 304: "), "{why}");
    assert_eq!(table(&daemon, BLOCK).unwrap_or_default(), "");

    let feeds = Feeds { server, scratch, daemon };
    let list = hosts("9.1", 300);
    feeds.server.serve("/drop", &format!("{list}bad.example\nevil.example # both\n"));
    let said = update(&feeds.daemon).stdout;
    let note = "Note: feed drop: 300 entries, 2 lines skipped, first: line 301 \"bad.example\"; 2 of \
                them are host names\n";
    assert!(said.contains(note), "{said}");
    assert_eq!(feeds.entries(), 300);

    let rubbish: String = (0..30).map(|n| format!("no. {n}\n")).collect();
    feeds.server.serve("/drop", &format!("{list}{rubbish}"));
    feeds.fails_because("30 of 330 lines are no prefix, first: line 301 \"no. 0\"; look at format");
    let many = (0..1_000_000).map(|n| Ipv4Addr::from_bits(0x0a00_0000 - 2 * n).to_string() + "\n");
    feeds.server.serve("/drop", &many.collect::<String>());
    feeds.fails_because("more than 200,000 entries: raise max_entries if that is meant");
    assert_eq!(feeds.entries(), 300);
    assert!(feeds.daemon.stop().success());
}
